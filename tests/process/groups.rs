//! The whole tree ends with its leader, and nobody outside is hit.

use std::time::Duration;

use handspun::CancellationToken;
use handspun::process::{Cause, Group, Output, Signal};

use crate::setup::{
    Lifeline, MILLISECOND, PROMPTLY, SECOND, both_ways, child, ended, is_zombie, term,
};
use crate::support::{until, watched};

const SOON: Duration = Duration::from_millis(300);

/// S47.
#[test]
fn a_grandchild_that_holds_stdout_is_not_waited_for() {
    watched(|| {
        for command in both_ways(child("say hi ( sleep 20000 )")) {
            let outcome = command.run().unwrap();
            assert!(outcome.is_success() && outcome.pipes_leaked);
            assert_eq!(outcome.stdout.text(), "hi\n");
            assert!(outcome.wall >= SECOND / 5 && outcome.wall < PROMPTLY, "{:?}", outcome.wall);
        }
    });
}

/// S48.
#[test]
fn a_grandchild_that_holds_one_pipe_is_not_waited_for() {
    watched(|| {
        let only_stderr = child("( sleep 20000 )").stdout(Output::Null).run().unwrap();
        let only_stdout = child("( sleep 20000 )").stderr(Output::Null).run().unwrap();
        assert!(only_stderr.pipes_leaked && only_stdout.pipes_leaked);
        let only_stdin = child("( sleep 20000 )").stdout(Output::Null).stderr(Output::Null);
        let only_stdin = only_stdin.stdin(handspun::process::Stdin::Piped).run().unwrap();
        assert!(!only_stdin.pipes_leaked && only_stdin.wall < PROMPTLY);
    });
}

/// S49: it is as if it ran `yes`.
#[test]
fn a_grandchild_that_floods_does_not_fill_the_memory() {
    watched(|| {
        let cap = handspun::process::Cap::Keep { head: 1000, tail: 1000 };
        let outcome = child("( flood 100000000000 )").cap(cap).run().unwrap();
        assert!(outcome.pipes_leaked && outcome.wall < PROMPTLY);
        assert_eq!(outcome.stdout.bytes.len(), 2000);
    });
}

/// S51, S53: after a timeout, and after a leader that exits at once.
#[test]
fn nothing_of_the_tree_is_left() {
    watched(|| {
        for orders in ["( ( sleep 20000 ) sleep 20000 ) sleep 20000", "( ( sleep 20000 ) )"] {
            let (command, line) = Lifeline::of(child(orders).timeout(SOON));
            let outcome = command.run().unwrap();
            drop(command);
            line.ends();
            assert!(outcome.wall < PROMPTLY);
        }
    });
}

/// S52: the leader heeds the signal, and its own child does not.
#[test]
fn a_grandchild_that_ignores_the_signal_is_killed_when_its_parent_has_gone() {
    watched(|| {
        let (command, line) =
            Lifeline::of(child("( ignore 15 say ready sleep 20000 ) sleep 20000"));
        let outcome = ended(command);
        line.ends();
        assert_eq!(outcome.signal(), Some(Signal::TERM));
    });
}

/// S54.
#[test]
fn without_the_sweep_a_daemon_stays() {
    watched(|| {
        let (command, mut line) = Lifeline::of(child("( sleep 1000 )").stdout(Output::Null));
        assert!(command.clone().sweep(false).run().unwrap().is_success());
        drop(command);
        assert!(line.is_held());
        line.ends(); // By itself, after its second.
    });
}

/// S54: and one that has left the group is not found, and not waited for.
#[test]
fn who_has_left_the_group_is_not_waited_for() {
    watched(|| {
        let (command, mut line) = Lifeline::of(child("say hi [ sleep 1000 ]").timeout(SOON));
        let outcome = command.run().unwrap();
        drop(command);
        assert!(outcome.is_success() && outcome.pipes_leaked && outcome.wall < SECOND);
        assert!(line.is_held());
        line.ends();
    });
}

/// S56.
#[test]
fn a_child_leads_a_group_of_its_own_or_none() {
    watched(|| {
        for _ in 0..300 {
            let outcome = child("group").run().unwrap();
            let text = outcome.stdout.text().into_owned();
            let (pid, group) = text.trim().split_once(' ').unwrap();
            assert_eq!(pid, group);
        }
        let text = child("group").group(Group::Inherit).run().unwrap().stdout.text().into_owned();
        let (pid, group) = text.trim().split_once(' ').unwrap();
        assert_ne!(pid, group);
    });
}

/// S59: if our own group were signalled, this test would not end well.
#[test]
fn a_child_in_our_group_is_signalled_alone() {
    watched(|| {
        let (command, mut line) = Lifeline::of(child("( sleep 1000 ) sleep 20000").timeout(SOON));
        let outcome = command.clone().group(Group::Inherit).run().unwrap();
        drop(command);
        assert_eq!((outcome.cause, line.is_held()), (Cause::TimedOut, true));
        line.ends();
    });
}

/// S57.
#[test]
fn the_sweep_does_not_change_what_the_leader_exited_with() {
    watched(|| {
        for _ in 0..20 {
            let outcome = child("( sleep 20000 ) exit 7").pipe_grace(MILLISECOND).run().unwrap();
            assert_eq!((outcome.code(), outcome.cause), (Some(7), Cause::Exited));
        }
    });
}

#[test]
fn a_tree_of_the_stubborn_is_killed_as_one() {
    watched(|| {
        // Who is started inherits what is ignored.
        let orders = "ignore 15 ( ( say ready sleep 20000 ) sleep 20000 ) sleep 20000";
        let (command, line) = Lifeline::of(child(orders).kill_policy(term(SOON)));
        assert!(ended(command).escalated);
        line.ends();
    });
}

/// The group's signal does not reach it then, and it is ended all the same.
#[test]
fn a_leader_that_leaves_its_group_is_ended_too() {
    watched(|| {
        let outcome = ended(child("leave say ready sleep 20000"));
        assert_eq!(outcome.signal(), Some(Signal::TERM));
        let tree = child("( ignore 15 sleep 20000 ) leave say ready sleep 20000");
        let outcome = ended(tree.kill_policy(term(SECOND / 10)));
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

/// However long the pipes may stay open: who asks for the end does not wait for them.
#[test]
fn who_asks_after_the_exit_ends_what_was_left_behind() {
    watched(|| {
        for way in 0..3 {
            let token = CancellationToken::new();
            let tree = child("say hi ( sleep 20000 )").pipe_grace(100 * SECOND).token(&token);
            let (command, line) = Lifeline::of(tree);
            let child = command.spawn().unwrap();
            drop(command);
            until(|| is_zombie(child.id()));
            match way {
                0 => child.kill(),
                1 => child.terminate(),
                _ => drop(token.cancel()),
            }
            line.ends();
            let outcome = child.wait();
            // A kill reaches what holds the pipe before the driver looks, or after that.
            assert!(outcome.is_success() && (way == 0 || outcome.pipes_leaked), "{outcome:?}");
            assert!(outcome.stdout.text() == "hi\n" && outcome.wall < 5 * SECOND, "{outcome:?}");
        }
    });
}

/// What may stay when the child exits is killed all the same by a kill, and by nothing less.
#[test]
fn a_kill_after_the_exit_reaches_what_the_sweep_would_spare() {
    watched(|| {
        for way in 0..3 {
            let (tree, token) = (child("say hi ( sleep 20000 )"), CancellationToken::new());
            let tree = tree.sweep(false).pipe_grace(100 * SECOND).token(&token);
            let (command, mut line) = Lifeline::of(tree);
            let child = command.spawn().unwrap();
            drop(command);
            until(|| is_zombie(child.id()));
            match way {
                0 => child.kill(),
                1 => child.terminate(),
                _ => drop(token.cancel()),
            }
            let outcome = child.wait();
            assert!(outcome.is_success() && outcome.wall < 5 * SECOND, "{outcome:?}");
            match way {
                0 => line.ends(),
                _ => assert!(line.is_held()),
            }
        }
    });
}

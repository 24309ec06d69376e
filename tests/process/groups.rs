//! The whole tree ends with its leader, and nobody outside is hit.

use std::time::Duration;

use std::process::Stdio;

use handspun::process::{Cause, Signal};

use crate::setup::{Lifeline, PROMPTLY, SECOND, child, ended, is_zombie};
use crate::support::{until, watched};

const SOON: Duration = Duration::from_millis(300);

/// S47.
#[test]
fn a_grandchild_that_holds_stdout_is_not_waited_for() {
    watched(|| {
        let outcome = child("say hi ( sleep 20000 )").run().unwrap();
        assert!(outcome.is_success() && outcome.pipes_leaked);
        assert_eq!(outcome.stdout.text(), "hi\n");
        assert!(outcome.wall >= SECOND / 5 && outcome.wall < PROMPTLY, "{:?}", outcome.wall);
    });
}

/// S48.
#[test]
fn a_grandchild_that_holds_one_pipe_is_not_waited_for() {
    watched(|| {
        let only_stderr = child("( sleep 20000 )").stdout(Stdio::null()).run().unwrap();
        let only_stdout = child("( sleep 20000 )").stderr(Stdio::null()).run().unwrap();
        assert!(only_stderr.pipes_leaked && only_stdout.pipes_leaked);
        let only_stdin = child("( sleep 20000 )").stdout(Stdio::null()).stderr(Stdio::null());
        let only_stdin = only_stdin.stdin(Stdio::piped()).run().unwrap();
        assert!(!only_stdin.pipes_leaked && only_stdin.wall < PROMPTLY);
    });
}

/// S49: it is as if it ran `yes`.
#[test]
fn a_grandchild_that_floods_does_not_fill_the_memory() {
    watched(|| {
        let outcome = child("( flood 100000000000 )").cap(1000, 1000).run().unwrap();
        assert!(outcome.pipes_leaked && outcome.wall < PROMPTLY);
        assert_eq!(outcome.stdout.bytes.len(), 2000);
    });
}

/// S51, S53: after a timeout, and after a leader that exits at once.
#[test]
fn nothing_of_the_tree_is_left() {
    watched(|| {
        for orders in ["( ( sleep 20000 ) sleep 20000 ) sleep 20000", "( ( sleep 20000 ) )"] {
            let (mut command, line) = Lifeline::of(child(orders).timeout(SOON));
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

/// S54: one that has left the group is not found, and not waited for.
#[test]
fn who_has_left_the_group_is_not_waited_for() {
    watched(|| {
        let (mut command, mut line) = Lifeline::of(child("say hi [ sleep 1000 ]").timeout(SOON));
        let outcome = command.run().unwrap();
        drop(command);
        assert!(outcome.is_success() && outcome.pipes_leaked && outcome.wall < SECOND);
        assert!(line.is_held());
        line.ends();
    });
}

/// S56.
#[test]
fn a_child_leads_a_group_of_its_own() {
    watched(|| {
        for _ in 0..300 {
            let outcome = child("group").run().unwrap();
            let text = outcome.stdout.text().into_owned();
            let (pid, group) = text.trim().split_once(' ').unwrap();
            assert_eq!(pid, group);
        }
    });
}

/// S57.
#[test]
fn the_sweep_does_not_change_what_the_leader_exited_with() {
    watched(|| {
        for _ in 0..20 {
            let outcome = child("( sleep 20000 ) exit 7").stdout(Stdio::null());
            let outcome = outcome.stderr(Stdio::null()).run().unwrap();
            assert_eq!((outcome.code(), outcome.cause), (Some(7), Cause::Exited));
        }
    });
}

#[test]
fn a_tree_of_the_stubborn_is_killed_as_one() {
    watched(|| {
        // Who is started inherits what is ignored.
        let orders = "ignore 15 ( ( say ready sleep 20000 ) sleep 20000 ) sleep 20000";
        let (command, line) = Lifeline::of(child(orders).kill_policy(Signal::TERM, SOON));
        assert_eq!(ended(command).signal(), Some(Signal::KILL));
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
        let outcome = ended(tree.kill_policy(Signal::TERM, SECOND / 10));
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

/// Its pipe would be held for longer than the kill takes.
#[test]
fn a_kill_after_the_exit_reaches_what_was_left_behind() {
    watched(|| {
        let (mut command, line) = Lifeline::of(child("( sleep 20000 )"));
        let child = command.spawn().unwrap();
        drop(command);
        until(|| is_zombie(child.id()));
        child.kill();
        line.ends();
        let outcome = child.wait();
        assert!(outcome.is_success() && outcome.wall < PROMPTLY, "{outcome:?}");
    });
}

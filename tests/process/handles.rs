//! Handles: how a child is waited for, asked, cancelled, dropped and let go.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use std::process::Stdio;

use handspun::process::{Cause, Command, Signal, SpawnError, terminate_all};
use handspun::{
    CancelReason, CancellationToken, Ending, Step, TraceEvent, What, as_completed, block_on,
};

use crate::setup::{
    CHILD, Lifeline, MILLISECOND, SECOND, alone, child, children, ended, leaves_nothing, ready,
};
use crate::support::{Count, WakeCounter, panic_quietly, poll, run_elsewhere, until, watched};

/// S43.
#[test]
fn a_child_may_be_killed_twice_and_after_its_end() {
    watched(|| {
        let child = ready(child("say ready ignore 15 sleep 20000"));
        child.kill();
        child.kill();
        until(|| child.is_finished());
        child.kill();
        child.terminate();
        let outcome = child.wait();
        assert_eq!(
            (outcome.cause.clone(), outcome.signal()),
            (Cause::Terminated, Some(Signal::KILL))
        );
    });
}

#[test]
fn a_child_that_is_asked_ends_as_its_policy_says() {
    watched(|| {
        let outcome = ended(child("trap 3 say ready sleep 20000"));
        assert_eq!((outcome.cause.clone(), outcome.code()), (Cause::Terminated, Some(3)));
        assert!(outcome.check().is_err());
    });
}

/// S64.
#[test]
fn what_comes_after_the_end_changes_nothing() {
    watched(|| {
        let token = CancellationToken::new();
        let child = child("exit 0").token(&token).spawn().unwrap();
        until(|| child.is_finished());
        token.cancel();
        child.terminate();
        assert!(child.wait().is_success());
    });
}

/// S62.
#[test]
fn a_cancelled_token_ends_a_child_and_says_why() {
    watched(|| {
        let token = CancellationToken::new();
        let child = ready(child("say ready sleep 20000").token(&token));
        token.cancel_because("lunch");
        let outcome = child.wait();
        assert_eq!(outcome.cause, Cause::Cancelled(CancelReason::Because("lunch".into())));
        assert_eq!(outcome.signal(), Some(Signal::TERM));
    });
}

/// S63.
#[test]
fn with_a_cancelled_token_nothing_is_started() {
    let token = CancellationToken::new();
    token.cancel();
    let error = Command::new("/no/such/program").token(&token).run().unwrap_err();
    assert!(matches!(error, SpawnError::Cancelled(CancelReason::Requested)), "{error:?}");
}

/// S66.
#[test]
fn a_dropped_child_is_killed_with_its_tree_and_nobody_waits() {
    watched(|| {
        let tree = child("ignore 15 ( ignore 15 sleep 20000 ) say ready sleep 20000");
        let (command, line) = Lifeline::of(tree);
        let child = ready(command);
        let pid = child.id();
        drop(child);
        line.ends();
        until(|| !children().contains(&pid)); // It is reaped, too.
    });
}

/// S66: whatever was done to it before, and whenever.
#[test]
fn however_a_handle_goes_its_tree_goes_with_it() {
    alone("handles::however_a_handle_goes_its_tree_goes_with_it", 512, || {
        leaves_nothing(|| {
            let tree = child("ignore 15 ( ignore 15 sleep 20000 ) say ready sleep 20000");
            let tree = tree.stdin(Stdio::piped()).lines().kill_policy(Signal::TERM, SECOND / 9);
            let (mut command, line) = Lifeline::of(tree);
            for n in 0..60 {
                let child = command.spawn().unwrap();
                (0..n % 2).for_each(|_| drop(block_on(child.next_line())));
                match n % 5 {
                    0 => child.terminate(),
                    1 => drop(child.write(&[0; 1 << 20])),
                    2 => child.kill(),
                    3 => terminate_all(Duration::ZERO),
                    _ => drop(child.wait_timeout(MILLISECOND)),
                }
            }
            drop(command);
            line.ends();
            until(|| children().is_empty());
        });
    });
}

/// S67: whether it was polled or not.
#[test]
fn a_future_that_is_dropped_kills_its_child() {
    watched(|| {
        for polls in 0..2 {
            let (mut command, line) = Lifeline::of(child("sleep 20000"));
            let (mut child, (_, waker)) = (command.spawn().unwrap(), WakeCounter::new());
            drop(command);
            for _ in 0..polls {
                assert!(poll(&mut child, &waker).is_pending());
            }
            drop(child);
            line.ends();
        }
    });
}

/// S69.
#[test]
fn killers_and_readers_may_share_a_handle() {
    watched(|| {
        let child = Arc::new(ready(child("say ready ignore 15 sleep 20000")));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let child = child.clone();
                thread::spawn(move || {
                    if n % 2 == 0 { child.kill() } else { drop(block_on(child.next_line())) }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let child = Arc::into_inner(child).unwrap();
        assert_eq!(child.wait().cause, Cause::Terminated);
    });
}

/// S71.
#[test]
fn a_child_that_ends_wakes_its_waiter_once() {
    watched(|| {
        let mut child = child("sleep 50 exit 3").spawn().unwrap();
        let (counter, waker) = WakeCounter::new();
        assert!(poll(&mut child, &waker).is_pending());
        until(|| child.is_finished() && counter.wakes() > 0);
        assert_eq!(counter.wakes(), 1);
        assert!(poll(&mut child, &waker).is_ready());
    });
}

#[test]
fn a_timed_wait_gives_the_child_back() {
    watched(|| {
        let child = child("sleep 20000").spawn().unwrap();
        let child = child.wait_timeout(Duration::ZERO).unwrap_err().into_inner();
        let child = child.wait_timeout(MILLISECOND).unwrap_err().into_inner();
        child.kill();
        assert_eq!(child.wait_timeout(Duration::MAX).unwrap().cause, Cause::Terminated);
    });
}

#[test]
fn children_are_awaited_elsewhere_and_taken_as_they_finish() {
    watched(|| {
        run_elsewhere(vec![Box::pin(async {
            assert_eq!(child("exit 4").spawn().unwrap().await.code(), Some(4));
        })]);
        let slow_and_quick =
            ["sleep 400 exit 1", "exit 2"].map(|orders| child(orders).spawn().unwrap());
        let codes: Vec<_> = as_completed(slow_and_quick).map(|outcome| outcome.code()).collect();
        assert_eq!(codes, [Some(2), Some(1)]);
    });
}

/// An observer hears the start and the end, with the program's name.
#[test]
fn an_observer_hears_of_every_child() {
    watched(|| {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let emitted = heard.clone();
        let command = child("sleep 20000").observer(move |event| {
            assert_eq!((event.what, event.name), (What::Child, Some(CHILD)));
            emitted.lock().unwrap().push((event.number, event.step));
        });
        let child = { command }.spawn().unwrap();
        child.terminate();
        drop(child.wait());
        let heard = heard.lock().unwrap();
        let [(number, Step::Submitted(at)), (same, Step::Settled(Ending::Killed))] = heard[..]
        else {
            panic!("{heard:?}");
        };
        assert!(number == same && at.file() == file!());
    });
}

/// What it owns is dropped on the driver's thread, if that is the last to know of it.
#[test]
fn an_observer_whose_drop_panics_harms_no_other_child() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_quietly("an observer was dropped");
        }
    }
    watched(|| {
        let ended = Count::default();
        let (bomb, told) = (Bomb, ended.clone());
        let other = child("sleep 300 exit 3").spawn().unwrap();
        let mut command = child("sleep 50").observer(move |event| {
            let _ = &bomb;
            if matches!(event.step, Step::Settled(_)) {
                told.add_one();
            }
        });
        let child = command.spawn().unwrap();
        drop(command);
        ended.reach(1);
        drop(child);
        assert_eq!(other.wait().code(), Some(3));
    });
}

/// S11: somebody else takes the status.
#[test]
fn a_status_that_somebody_else_took_is_unknown() {
    watched(|| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "handles::in_a_process_that_ignores_its_children"])
            .env("HANDSPUN_TEST_IGNORES_CHILDREN", "yes")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    });
}

/// The other half of the test above: it runs by itself, where SIGCHLD is ignored, and the system reaps.
#[test]
fn in_a_process_that_ignores_its_children() {
    if std::env::var_os("HANDSPUN_TEST_IGNORES_CHILDREN").is_none() {
        return;
    }
    ignore_children();
    let outcome = child("say hi exit 3").run().unwrap();
    assert_eq!((outcome.cause.clone(), outcome.status), (Cause::Unknown, None));
    assert_eq!(outcome.stdout.text(), "hi\n");
    let timed_out = child("sleep 20000").timeout(SECOND / 10).run().unwrap();
    assert_eq!((timed_out.cause, timed_out.status), (Cause::TimedOut, None));
}

#[expect(unsafe_code, reason = "std does not set how signals are taken")]
fn ignore_children() {
    // SAFETY: no handler runs; the process is a test's own.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
    }
}

/// The recipe for Ctrl-C: ask first, and kill the second time. In a process of its own, since it ends all.
#[test]
fn all_children_can_be_asked_and_then_killed() {
    watched(|| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "handles::in_a_process_that_is_interrupted"])
            .env("HANDSPUN_TEST_IS_INTERRUPTED", "yes")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    });
}

/// The other half of the test above.
#[test]
fn in_a_process_that_is_interrupted() {
    if std::env::var_os("HANDSPUN_TEST_IS_INTERRUPTED").is_none() {
        return;
    }
    terminate_all(Duration::ZERO); // There is none, and no driver.
    let [gentle, stubborn] = ["say ready sleep 20000", "ignore 15 say ready sleep 20000"]
        .map(|orders| ready(child(orders)));
    // And two that are run by a thread of ours.
    let [run_gently, run_stubbornly] = ["say ready sleep 20000", "ignore 15 say ready sleep 20000"]
        .map(|orders| {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            let mut command = child(orders).stdout(OwnedFd::from(theirs));
            let run = thread::spawn(move || command.run().unwrap());
            ours.read_exact(&mut [0; 5]).unwrap(); // It is ready.
            run
        });
    terminate_all(60 * SECOND);
    assert_eq!(gentle.wait().cause, Cause::Terminated);
    assert_eq!(run_gently.join().unwrap().cause, Cause::Terminated);
    assert!(!stubborn.is_finished() && !run_stubbornly.is_finished());
    terminate_all(Duration::ZERO);
    for outcome in [stubborn.wait(), run_stubbornly.join().unwrap()] {
        assert_eq!(
            (outcome.cause.clone(), outcome.signal()),
            (Cause::Terminated, Some(Signal::KILL))
        );
    }
}

/// It says nothing to the child: the input stays open, and no line is lost.
#[test]
fn a_timed_wait_that_runs_out_takes_nothing_away() {
    watched(|| {
        let mut command = child("flood 1000000 cat").stdin(Stdio::piped()).lines();
        let child = command.spawn().unwrap();
        let child = child.wait_timeout(SECOND / 4).unwrap_err().into_inner();
        block_on(child.write(b"more")).unwrap();
        child.close_stdin();
        let lines = std::iter::from_fn(|| block_on(child.next_line()));
        assert_eq!(lines.map(|line| line.bytes.len()).sum::<usize>(), 1_000_004);
    });
}

/// The child runs, and nothing drives it yet: its observer is told first. In a process of its own, for it asks all.
#[test]
fn a_child_that_has_just_been_started_can_be_asked() {
    const IS_THE_OTHER: &str = "HANDSPUN_TEST_IS_STARTING";
    if std::env::var_os(IS_THE_OTHER).is_some() {
        let asks = |event: &TraceEvent<'_>| {
            if matches!(event.step, Step::Submitted(_)) {
                terminate_all(Duration::ZERO);
            }
        };
        assert_eq!(child("sleep 20000").observer(asks).run().unwrap().cause, Cause::Terminated);
        let spawned = child("sleep 20000").observer(asks).spawn().unwrap();
        assert_eq!(spawned.wait().cause, Cause::Terminated);
        return;
    }
    watched(|| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "handles::a_child_that_has_just_been_started_can_be_asked"])
            .env(IS_THE_OTHER, "yes")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    });
}

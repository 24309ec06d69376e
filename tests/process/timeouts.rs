//! Time is kept: a child is ended when its time is over, as its policy says, and says what it said.
//!
//! Where it matters that a child has got ready, it is asked to end when it says so: that is the same
//! policy, from the same first step.

use std::thread;
use std::time::Duration;

use std::process::Stdio;

use handspun::process::{Cause, Command, Signal};

use crate::setup::{MILLISECOND, PROMPTLY, SECOND, child, ended};
use crate::support::{until, watched};

const SOON: Duration = Duration::from_millis(300);

/// S34.
#[test]
fn what_was_said_before_the_timeout_is_there() {
    watched(|| {
        let outcome = child("say out warn err sleep 20000").timeout(SECOND).run().unwrap();
        assert_eq!(
            (outcome.cause.clone(), outcome.signal()),
            (Cause::TimedOut, Some(Signal::TERM))
        );
        assert_eq!(
            (outcome.stdout.text(), outcome.stderr.text()),
            ("out\n".into(), "err\n".into())
        );
        assert!(outcome.wall >= SECOND && outcome.wall < SECOND + PROMPTLY);
    });
}

/// A timeout is no success, though the child exits with 0.
#[test]
fn a_timeout_that_ends_with_0_is_no_success() {
    watched(|| {
        let outcome = child("trap 0 sleep 20000").timeout(SECOND).run().unwrap();
        assert_eq!((outcome.code(), outcome.is_success()), (Some(0), false));
        assert!(outcome.check().unwrap_err().to_string().contains("its time was over"));
    });
}

/// S36.
#[test]
fn a_child_that_ignores_the_signal_is_killed_after_the_grace() {
    watched(|| {
        let stubborn = child("ignore 15 say ready sleep 20000").kill_policy(Signal::TERM, SOON);
        let outcome = ended(stubborn);
        assert_eq!(outcome.signal(), Some(Signal::KILL));
        assert!(outcome.wall >= SOON && outcome.wall < SOON + PROMPTLY);
    });
}

/// S38.
#[test]
fn a_child_that_heeds_the_signal_ends_at_once() {
    watched(|| {
        let outcome = ended(child("trap 3 say ready sleep 20000"));
        assert_eq!(outcome.code(), Some(3));
        assert!(outcome.wall < PROMPTLY, "less than the grace");
    });
}

/// S39.
#[test]
fn the_signal_of_the_policy_is_sent_once() {
    watched(|| {
        let telling = child("tell 1 tell 2 tell 15 say ready sleep 20000");
        let outcome = ended(telling.kill_policy(Signal::INT, SOON));
        assert_eq!(outcome.stdout.text(), "ready\nB", "the letter of INT");
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

/// S37.
#[test]
fn a_policy_without_a_grace_kills_at_once() {
    watched(|| {
        for (signal, grace) in [(Signal::KILL, SECOND), (Signal::TERM, Duration::ZERO)] {
            let stubborn = child("ignore 15 say ready sleep 20000");
            let outcome = ended(stubborn.kill_policy(signal, grace));
            assert_eq!(outcome.signal(), Some(Signal::KILL));
            assert!(outcome.wall < PROMPTLY);
        }
    });
}

/// S41.
#[test]
fn a_stopped_child_is_woken_to_die_of_the_gentle_signal() {
    watched(|| {
        let outcome = ended(child("say ready stop sleep 20000"));
        assert_eq!(outcome.signal(), Some(Signal::TERM));
    });
}

/// S32: who has exited has exited, however little time is given.
#[test]
fn a_wait_of_nothing_finds_the_exit_that_was_there() {
    watched(|| {
        let child = child("exit 3").spawn().unwrap();
        until(|| child.is_finished());
        assert_eq!(child.wait_timeout(Duration::ZERO).unwrap().code(), Some(3));
    });
}

/// S32.
#[test]
fn a_timeout_of_nothing_kills_at_once() {
    watched(|| {
        let outcome = child("sleep 20000").timeout(Duration::ZERO).run().unwrap();
        assert_eq!(outcome.cause, Cause::TimedOut);
        assert!(outcome.wall < PROMPTLY);
    });
}

/// S31: whichever is first, the cause and the status agree. Each timeout is a little shorter than the
/// one before if that was not kept, and a little longer if it was: so the race is a close one.
#[test]
fn ten_thousand_exits_that_race_their_timeouts_are_told_consistently() {
    let race = || {
        let (mut n_in_time, mut timeout) = (0, MILLISECOND);
        for _ in 0..2500 {
            let outcome = Command::new("false").timeout(timeout).run().unwrap();
            let in_time = outcome.cause == Cause::Exited && outcome.code() == Some(1);
            assert!(in_time || outcome.cause == Cause::TimedOut, "{outcome:?}");
            let sixteenths = if in_time { 15 } else { 17 };
            timeout = timeout * sixteenths / 16 + Duration::from_micros(1);
            n_in_time += usize::from(in_time);
        }
        assert!((250..2250).contains(&n_in_time), "no race: {n_in_time}");
    };
    watched(|| thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(race)))));
}

/// S33.
#[test]
fn the_longest_timeout_never_fires() {
    watched(|| {
        for timeout in [Duration::MAX, Duration::from_secs(u64::MAX)] {
            let command = child("exit 0").timeout(timeout).kill_policy(Signal::TERM, timeout);
            assert!({ command }.run().unwrap().is_success());
        }
    });
}

/// S42: it has inherited from the thread that started it that SIGTERM is blocked.
#[test]
fn a_child_of_a_thread_that_blocks_the_signal_is_ended() {
    watched(|| {
        let thread = thread::spawn(|| {
            block_sigterm();
            ended(child("say ready sleep 20000").kill_policy(Signal::TERM, SOON))
        });
        let outcome = thread.join().unwrap();
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

/// On this thread, and on no other.
#[expect(unsafe_code, reason = "std does not block signals")]
fn block_sigterm() {
    // SAFETY: the set is ours, and is filled before it is used; nobody asks for the old one.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}

/// S42, with signals that have no effect for another reason.
#[test]
fn a_child_that_blocks_signals_and_holds_its_input_is_ended() {
    watched(|| {
        let deaf = child("ignore 1 ignore 2 ignore 15 say ready sleep 20000").stdin(Stdio::piped());
        let outcome = ended(deaf.kill_policy(Signal::TERM, MILLISECOND).merge_stderr());
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

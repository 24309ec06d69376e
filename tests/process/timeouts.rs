//! Time is kept: a child is ended when its time is over, as its policy says, and says what it said.
//!
//! Children report that they are ready before their time can be over: the times are generous.

use std::time::Duration;

use handspun::process::{Cause, Command, KillPolicy, Output, Signal, Stdin};

use crate::setup::{MILLISECOND, SECOND, child, term};
use crate::support::watched;

/// Far shorter than the children here would take, and long enough for them to get ready.
const SOON: Duration = Duration::from_millis(300);

/// Each of these commands, and the same without a pidfd.
fn both_ways(command: Command) -> [Command; 2] {
    [command.clone(), command.without_pidfd()]
}

/// S34.
#[test]
fn what_was_said_before_the_timeout_is_there() {
    watched(|| {
        for command in both_ways(child("say out warn err sleep 20000").timeout(SOON)) {
            let outcome = command.run().unwrap();
            assert_eq!((outcome.cause.clone(), outcome.escalated), (Cause::TimedOut, false));
            assert_eq!(
                (outcome.stdout.text(), outcome.stderr.text()),
                ("out\n".into(), "err\n".into())
            );
            assert!(outcome.wall >= SOON && outcome.wall < SOON + SECOND);
        }
    });
}

/// S36.
#[test]
fn a_child_that_ignores_the_signal_is_killed_after_the_grace() {
    watched(|| {
        let stubborn = child("ignore 15 sleep 20000").timeout(SOON).kill_policy(term(SOON));
        for command in both_ways(stubborn) {
            let outcome = command.run().unwrap();
            assert_eq!(outcome.signal(), Some(Signal::KILL));
            assert!(outcome.escalated && outcome.cause == Cause::TimedOut);
            assert!(outcome.wall >= 2 * SOON && outcome.wall < 2 * SOON + SECOND);
        }
    });
}

/// S38; and a timeout is no success, though the child exits with 0.
#[test]
fn a_child_that_heeds_the_signal_ends_at_once_and_is_no_success() {
    watched(|| {
        for command in both_ways(child("trap 0 sleep 20000").timeout(SOON)) {
            let outcome = command.run().unwrap();
            assert_eq!((outcome.code(), outcome.escalated), (Some(0), false));
            assert!(!outcome.is_success() && outcome.wall < SECOND + SOON);
            assert!(outcome.check().unwrap_err().to_string().contains("its time was over"));
        }
    });
}

/// S39.
#[test]
fn every_signal_of_the_policy_is_sent_in_order_and_once() {
    watched(|| {
        let policy =
            KillPolicy::new([(Signal::INT, SOON), (Signal::HUP, SOON), (Signal::TERM, SOON)]);
        let telling = child("tell 1 tell 2 tell 15 say ready sleep 20000");
        let outcome = telling.timeout(SOON).kill_policy(policy).run().unwrap();
        assert_eq!(outcome.stdout.text(), "ready\nBAO", "the letters of INT, HUP and TERM");
        assert_eq!(outcome.signal(), Some(Signal::KILL));
    });
}

/// S37.
#[test]
fn a_policy_without_steps_kills_at_once() {
    watched(|| {
        for policy in [KillPolicy::at_once(), term(Duration::ZERO)] {
            let command =
                child("ignore 15 say ready sleep 20000").timeout(SOON).kill_policy(policy);
            let outcome = command.run().unwrap();
            assert_eq!(outcome.signal(), Some(Signal::KILL));
            assert!(outcome.wall < SOON + SECOND);
        }
    });
}

/// S41.
#[test]
fn a_stopped_child_is_woken_to_die_of_the_gentle_signal() {
    watched(|| {
        for command in both_ways(child("say ready stop sleep 20000").timeout(SOON)) {
            let outcome = command.run().unwrap();
            assert_eq!((outcome.signal(), outcome.escalated), (Some(Signal::TERM), false));
        }
    });
}

/// S32.
#[test]
fn a_timeout_of_nothing_kills_at_once() {
    watched(|| {
        for command in both_ways(child("sleep 20000").timeout(Duration::ZERO)) {
            let outcome = command.run().unwrap();
            assert_eq!(outcome.cause, Cause::TimedOut);
            assert!(outcome.wall < SECOND);
        }
    });
}

/// S31: whichever is first, the cause and the status agree.
#[test]
fn an_exit_that_races_its_timeout_is_told_consistently() {
    watched(|| {
        for n in 0..400 {
            // Around the time that the child takes.
            let outcome = child("exit 3").timeout(MILLISECOND * (n % 20) / 10).run().unwrap();
            let exited = outcome.cause == Cause::Exited && outcome.code() == Some(3);
            assert!(exited || outcome.cause == Cause::TimedOut, "{outcome:?}");
        }
    });
}

/// S33.
#[test]
fn the_longest_timeout_never_fires() {
    watched(|| {
        for timeout in [Duration::MAX, Duration::from_secs(u64::MAX)] {
            let command =
                child("exit 0").timeout(timeout).idle_timeout(timeout).pipe_grace(timeout);
            assert!(command.run().unwrap().is_success());
        }
    });
}

/// S44.
#[test]
fn silence_ends_a_child_and_chatter_does_not() {
    watched(|| {
        let silent = child("say a sleep 20000").idle_timeout(SOON).run().unwrap();
        assert_eq!((silent.cause, silent.stdout.text().as_ref()), (Cause::Idle, "a\n"));
        let chatty = child(&"sleep 60 say a ".repeat(10)).idle_timeout(2 * SOON).run().unwrap();
        assert!(chatty.is_success(), "{chatty:?}");
        let dribbling = child(&"sleep 50 say a ".repeat(300)).idle_timeout(2 * SOON).timeout(SOON);
        assert_eq!(dribbling.run().unwrap().cause, Cause::TimedOut);
    });
}

/// S42, as far as it can be made here: SIGTERM has no effect, whatever is the reason.
#[test]
fn a_child_that_blocks_signals_and_holds_its_input_is_ended() {
    watched(|| {
        let deaf = child("ignore 1 ignore 2 ignore 15 sleep 20000").stdin(Stdin::Piped);
        let command = deaf.timeout(SOON).kill_policy(term(MILLISECOND)).stderr(Output::Merge);
        assert!(command.run().unwrap().escalated);
    });
}

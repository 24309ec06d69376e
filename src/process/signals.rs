//! How a child is ended: which signal is sent when, as data; and the lock under which it is sent.
//!
//! Knows nothing of pipes and of the driver. The kill state machine is told what was seen and at which time, and says
//! what is to be done: so every schedule can be played through in a test, without a child and without waiting. A
//! process that has been reaped gives its number back, and the next process with it may be any. So signals are sent
//! and the process is reaped under one lock, the *signal lock*.
//!
//! What must always hold:
//!
//! 1. The first reason to end a child is the one that is reported, and one only if it had not exited.
//! 2. Every stage has a deadline, except that of a child which runs without one: so from the first
//!    reason on, or from the exit on, the end comes within the sum of the stages that are left.
//! 3. No signal is asked for once the exit was seen. None is sent after the reaping, nor once other code has
//!    taken the status.
//! 4. The group's signal comes before its leader is reaped: the zombie keeps the group's number.
//! 5. What is asked of a child is noted only while it has not exited. So if both are seen, the request
//!    was first.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::prims::{self, Mutex};
use crate::wait::clock::Deadline;

use super::outcome::Cause;
use super::sys::{Process, Signal};

/// How long the pipes may stay open after the exit.
const PIPE_GRACE: Duration = Duration::from_millis(200);
/// How long a child may take to die of SIGKILL. It takes less than a millisecond, unless it hangs in the kernel.
const KILL_WAIT: Duration = Duration::from_secs(1);

/// The kill state machine of one child.
///
/// | stage      | a reason   | its time is over | the exit is seen | all pipes end |
/// |------------|------------|------------------|------------------|---------------|
/// | `Running`  | → `Ending` | → `Ending`       | → `Draining`     | stays         |
/// | `Ending`   | stays      | → `Killing`      | → `Draining`     | stays         |
/// | `Killing`  | stays      | → `GivenUp`      | → `Draining`     | stays         |
/// | `Draining` | stays      | finished         | stays            | finished      |
/// | `GivenUp`  | stays      | has no time      | finished         | stays         |
pub(crate) struct KillState {
    stage: Stage,
    timeout: Deadline,
    /// The gentle signal, and how long there is to heed it.
    policy: (Signal, Duration),
    /// When SIGKILL is sent at the latest.
    kill_by: Deadline,
    /// Why its token was cancelled.
    pub(crate) reason: Option<Cause>,
    /// Why it is being ended, if it is.
    pub(crate) cause: Option<Cause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// It was sent the gentle signal.
    Ending,
    /// It was sent SIGKILL.
    Killing {
        until: Deadline,
    },
    /// It has exited. The zombie is kept until the pipes have ended too.
    Draining {
        until: Deadline,
    },
    /// It has not died of SIGKILL in time, and may do so yet.
    GivenUp,
}

/// What is known of a process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessStatus {
    pub(crate) has_exited: bool,
    /// If it was asked to end before it exited: when SIGKILL is to be sent at the latest.
    pub(crate) kill_by: Option<Deadline>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing before the deadline, if nothing new is seen.
    Wait,
    /// Send it, and ask again.
    Signal(Signal),
    /// It has exited, and the pipes have ended, or will not in time: reap it.
    Finish,
    /// It has not died of SIGKILL in time: settle without it.
    GiveUp,
}

impl KillState {
    pub(crate) fn new(policy: (Signal, Duration), timeout: Deadline) -> Self {
        let (stage, kill_by) = (Stage::Running, Deadline::Never);
        Self { stage, timeout, policy, kill_by, reason: None, cause: None }
    }

    /// What is to be done next, after what was seen by now. To be asked again until it says to wait.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        process: ProcessStatus,
        pipes_are_open: bool,
    ) -> Action {
        let is_over = |until| until <= Deadline::At(now);
        let asked = process.kill_by.map(|_| Cause::Terminated);
        self.kill_by = self.kill_by.min(process.kill_by.unwrap_or(Deadline::Never));
        match self.stage {
            Stage::Running | Stage::Ending | Stage::Killing { .. } if process.has_exited => {
                self.cause = self.cause.take().or(asked);
                self.stage = Stage::Draining { until: Deadline::later(now, PIPE_GRACE) };
                self.next(now, process, pipes_are_open)
            }
            Stage::Running => {
                let timed_out = is_over(self.timeout).then_some(Cause::TimedOut);
                self.cause = asked.or(self.reason.take()).or(timed_out);
                if self.cause.is_none() {
                    return Action::Wait;
                }
                let (signal, grace) = self.policy;
                self.kill_by = self.kill_by.min(Deadline::later(now, grace));
                self.stage = Stage::Ending;
                Action::Signal(signal)
            }
            Stage::Ending if is_over(self.kill_by) => {
                self.stage = Stage::Killing { until: Deadline::later(now, KILL_WAIT) };
                Action::Signal(Signal::KILL)
            }
            Stage::Killing { until } if is_over(until) => {
                self.stage = Stage::GivenUp;
                Action::GiveUp
            }
            Stage::Draining { until } if is_over(until) || !pipes_are_open => Action::Finish,
            Stage::GivenUp if process.has_exited => Action::Finish,
            Stage::Ending | Stage::Killing { .. } | Stage::Draining { .. } | Stage::GivenUp => {
                Action::Wait
            }
        }
    }

    /// When to ask again, whatever happens until then.
    pub(crate) fn deadline(&self) -> Deadline {
        match self.stage {
            Stage::Running => self.timeout,
            Stage::Ending => self.kill_by,
            Stage::Killing { until } | Stage::Draining { until } => until,
            Stage::GivenUp => Deadline::Never,
        }
    }
}

/// The signal lock, around the process.
pub(crate) struct Signals<P>(Mutex<State<P>>);

struct State<P> {
    /// `None` once it has been reaped, by us or by other code.
    process: Option<P>,
    status: ProcessStatus,
}

impl<P: Process> Signals<P> {
    pub(crate) fn new(process: P) -> Self {
        Self(Mutex::new(State { process: Some(process), status: ProcessStatus::default() }))
    }

    pub(crate) fn status(&self) -> ProcessStatus {
        let mut state = self.0.lock();
        state.is_running();
        state.status
    }

    /// Asks it to end as its policy says, with SIGKILL no later than at this time.
    pub(crate) fn terminate(&self, kill_by: Deadline) {
        self.0.lock().note(kill_by);
    }

    /// Sends SIGKILL. If it has exited, that reaches what it left behind in its group.
    pub(crate) fn kill(&self) {
        let mut state = self.0.lock();
        state.note(Deadline::At(prims::now()));
        state.send(Signal::KILL);
    }

    /// Sends a signal, and behind it a SIGCONT: a child that is stopped could not heed it otherwise.
    pub(crate) fn send(&self, signal: Signal) {
        let mut state = self.0.lock();
        if state.is_running() {
            state.send(signal);
            if signal != Signal::KILL {
                state.send(Signal::CONT);
            }
        }
    }

    /// Takes the status of a child that has exited, and kills what is left of its group.
    ///
    /// The leader is still a zombie when the group is signalled: its status does not change, and
    /// no other can have the group's number.
    pub(crate) fn reap(&self) -> Option<ExitStatus> {
        let mut state = self.0.lock();
        state.is_running(); // It may turn out that it is not ours any more.
        state.send(Signal::KILL);
        state.process.take()?.reap().ok()
    }
}

impl<P: Process> State<P> {
    /// Notes what is asked, if it has not exited.
    fn note(&mut self, kill_by: Deadline) {
        if self.is_running() {
            let before = self.status.kill_by.unwrap_or(Deadline::Never);
            self.status.kill_by = Some(before.min(kill_by));
        }
    }

    fn is_running(&mut self) -> bool {
        let has_exited = self.process.as_ref().map_or(Ok(true), P::has_exited);
        if has_exited.is_err() {
            self.process = None; // A `waitpid` that was not ours, or a process that ignores SIGCHLD.
        }
        self.status.has_exited = has_exited.unwrap_or(true);
        !self.status.has_exited
    }

    fn send(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.send(signal);
        }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::super::sys::RealProcess;
    use super::*;
    use crate::error::CancelReason;
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::rc::Rc;

    const SECOND: Duration = Duration::from_secs(1);

    /// A fake child, and a clock that is set by hand.
    struct Schedule {
        kill: KillState,
        process: ProcessStatus,
        pipes_are_open: bool,
        start: Instant,
    }

    impl Schedule {
        /// With this grace after a SIGINT.
        fn new(grace: Duration, timeout: Duration) -> Self {
            let start = prims::now();
            let kill = KillState::new((Signal::INT, grace), Deadline::later(start, timeout));
            Self { kill, process: ProcessStatus::default(), pipes_are_open: true, start }
        }

        /// Asks it to end, and to be killed no later than then.
        fn ask(&mut self, kill_by_millis: u64) {
            let kill_by = Deadline::At(self.start + Duration::from_millis(kill_by_millis));
            let before = self.process.kill_by.unwrap_or(Deadline::Never);
            self.process.kill_by = Some(before.min(kill_by));
        }

        fn at(&mut self, millis: u64) -> Action {
            let now = self.start + Duration::from_millis(millis);
            self.kill.next(now, self.process, self.pipes_are_open)
        }
    }

    /// S36, S46.
    #[test]
    fn the_signals_are_sent_in_order_and_each_once() {
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        assert_eq!([fake.at(0), fake.at(999)], [Action::Wait, Action::Wait]);
        assert_eq!([fake.at(1000), fake.at(2999)], [Action::Signal(Signal::INT), Action::Wait]);
        assert_eq!([fake.at(3000), fake.at(3999)], [Action::Signal(Signal::KILL), Action::Wait]);
        assert_eq!([fake.at(4000), fake.at(9999)], [Action::GiveUp, Action::Wait]);
        assert_eq!(fake.kill.cause, Some(Cause::TimedOut));
        fake.process.has_exited = true;
        assert_eq!(fake.at(10_000), Action::Finish, "it has died after all");
    }

    /// S31, S64: it had exited when its time was over.
    #[test]
    fn an_exit_that_is_seen_beats_every_reason() {
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        fake.process.has_exited = true;
        fake.kill.reason = Some(Cause::Cancelled(CancelReason::Requested));
        assert_eq!(
            [fake.at(1000), fake.at(1199), fake.at(1200)],
            [Action::Wait, Action::Wait, Action::Finish]
        );
        assert_eq!(fake.kill.cause, None);
    }

    /// S38.
    #[test]
    fn an_exit_within_the_grace_ends_the_grace() {
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        fake.at(1000);
        fake.process.has_exited = true;
        fake.pipes_are_open = false;
        assert_eq!(fake.at(1001), Action::Finish);
    }

    /// S37.
    #[test]
    fn a_grace_of_nothing_is_followed_by_the_kill() {
        let mut fake = Schedule::new(Duration::ZERO, Duration::ZERO);
        assert_eq!([fake.at(0), fake.at(0)], [Signal::INT, Signal::KILL].map(Action::Signal));
    }

    /// S33.
    #[test]
    fn the_longest_timeout_never_fires() {
        let mut fake = Schedule::new(2 * SECOND, Duration::MAX);
        assert_eq!(fake.at(1 << 40), Action::Wait);
        assert_eq!(fake.kill.deadline(), Deadline::Never);
    }

    #[test]
    fn a_kill_from_the_handle_cuts_the_grace_short() {
        let mut fake = Schedule::new(2 * SECOND, Duration::MAX);
        fake.process.kill_by = Some(Deadline::Never);
        assert_eq!(fake.at(0), Action::Signal(Signal::INT));
        fake.ask(1);
        assert_eq!([fake.at(1), fake.at(2)], [Action::Signal(Signal::KILL), Action::Wait]);
        assert_eq!(fake.kill.cause, Some(Cause::Terminated));
    }

    #[test]
    fn another_grace_sends_the_kill_sooner() {
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.ask(1000);
        assert_eq!(fake.at(1001), Action::Signal(Signal::KILL));
        assert_eq!(fake.kill.cause, Some(Cause::TimedOut), "the first reason is told");
    }

    /// To press Ctrl-C again and again must not put it off.
    #[test]
    fn to_ask_again_and_again_does_not_put_the_kill_off() {
        let mut fake = Schedule::new(2 * SECOND, Duration::MAX);
        fake.ask(300);
        assert_eq!(fake.at(0), Action::Signal(Signal::INT));
        fake.ask(500);
        assert_eq!([fake.at(200), fake.at(299)], [Action::Wait, Action::Wait]);
        assert_eq!([fake.at(300), fake.at(1300)], [Action::Signal(Signal::KILL), Action::GiveUp]);

        // Nor if it is being ended with more time.
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.ask(1300);
        fake.ask(1500);
        assert_eq!([fake.at(1299), fake.at(1300)], [Action::Wait, Action::Signal(Signal::KILL)]);
    }

    #[test]
    fn a_longer_grace_does_not_put_the_kill_off() {
        let mut fake = Schedule::new(2 * SECOND, SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.ask(100_000);
        assert_eq!([fake.at(2999), fake.at(3000)], [Action::Wait, Action::Signal(Signal::KILL)]);
    }

    /// A fake process, which remembers every call.
    #[derive(Clone, Default)]
    struct Fake {
        has_exited: Rc<Cell<bool>>,
        is_taken: Rc<Cell<bool>>,
        calls: Rc<RefCell<Vec<String>>>,
    }

    impl Process for Fake {
        fn has_exited(&self) -> io::Result<bool> {
            if self.is_taken.get() {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(self.has_exited.get())
            }
        }

        fn send(&self, signal: Signal) {
            self.calls.borrow_mut().push(format!("signal {}", signal.0));
        }

        fn reap(&self) -> io::Result<ExitStatus> {
            self.calls.borrow_mut().push("reap".to_owned());
            Ok(ExitStatus::from_raw(0))
        }
    }

    fn fake() -> (Fake, Signals<Fake>) {
        let fake = Fake::default();
        (fake.clone(), Signals::new(fake))
    }

    /// S58.
    #[test]
    fn no_signal_is_sent_after_the_reaping() {
        let (process, signals) = fake();
        process.has_exited.set(true);
        assert!(signals.reap().is_some());
        signals.send(Signal::TERM);
        signals.kill();
        assert!(signals.reap().is_none());
        assert_eq!(*process.calls.borrow(), ["signal 9", "reap"]);
    }

    /// S41, S43.
    #[test]
    fn a_signal_is_followed_by_a_cont_and_a_zombie_gets_none() {
        let (process, signals) = fake();
        signals.send(Signal::TERM);
        process.has_exited.set(true);
        signals.send(Signal::TERM);
        let cont = format!("signal {}", Signal::CONT.0);
        assert_eq!(*process.calls.borrow(), ["signal 15", &cont]);
        signals.kill();
        assert_eq!(process.calls.borrow().len(), 3, "what it left behind in its group");
    }

    /// S64.
    #[test]
    fn what_is_asked_after_the_exit_is_not_noted() {
        let (process, signals) = fake();
        process.has_exited.set(true);
        signals.terminate(Deadline::Never);
        signals.kill();
        let status = ProcessStatus { has_exited: true, kill_by: None };
        assert_eq!(signals.status(), status);
    }

    #[test]
    fn of_what_is_asked_the_earliest_kill_counts() {
        let (_, signals) = fake();
        let now = prims::now();
        let [soon, later] = [1, 2].map(|n| Deadline::later(now, n * SECOND));
        for kill_by in [later, soon, Deadline::Never, later] {
            signals.terminate(kill_by);
        }
        assert_eq!(signals.status().kill_by, Some(soon));
    }

    /// S11.
    #[test]
    fn a_child_whose_status_somebody_else_took_is_left_alone() {
        let (process, signals) = fake();
        process.is_taken.set(true);
        assert!(signals.status().has_exited);
        signals.kill();
        assert!(signals.reap().is_none());
        assert!(process.calls.borrow().is_empty());
    }

    /// Other code reaps ours, and our next child is given its number.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_that_was_given_the_number_of_another_is_left_alone() {
        use std::process::{Command, Stdio};
        let start = || Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let (mut first, mut second) = (start(), start());
        let mut process = RealProcess::new(first.id());
        assert!(process.pidfd.is_some(), "this system has them");
        drop(first.stdin.take());
        assert!(first.wait().unwrap().success());
        process.pid = second.id();
        let signals = Signals::new(process);
        signals.send(Signal::TERM);
        signals.kill();
        assert!(signals.status().has_exited && signals.reap().is_none());
        drop(second.stdin.take());
        assert_eq!(second.wait().unwrap().code(), Some(0));
    }
}

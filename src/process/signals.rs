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

use crate::prims::Mutex;
use crate::wait::clock::Deadline;

use super::command::{KillPolicy, Settings};
use super::outcome::Cause;
use super::sys::{Process, Signal};

/// How long the pipes may stay open after the exit, if nothing else was said.
const PIPE_GRACE: Duration = Duration::from_millis(200);

/// What is asked of a child from outside; the second outdoes the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Request {
    /// To end as the policy says.
    Terminate,
    /// It has been sent SIGKILL.
    Kill,
}

/// The kill state machine of one child.
///
/// | stage      | a reason   | its time is over        | the exit is seen | all pipes end |
/// |------------|------------|-------------------------|------------------|---------------|
/// | `Running`  | → `Ending` | → `Ending`              | → `Draining`     | stays         |
/// | `Ending`   | stays      | → `Ending`, → `GivenUp` | → `Draining`     | stays         |
/// | `Draining` | stays      | finished                | stays            | finished      |
/// | `GivenUp`  | stays      | has no time             | finished         | stays         |
///
/// The last step of `Ending` is SIGKILL, with the kill-wait to heed it. It comes at once where the policy has no
/// step, or where SIGKILL was sent already.
pub(crate) struct KillState {
    stage: Stage,
    policy: KillPolicy,
    timeout: Deadline,
    /// When SIGKILL is sent, if the policy comes to it later.
    kill_by: Deadline,
    /// How long it may be silent.
    idle: Option<Duration>,
    /// How long the pipes may stay open after the exit.
    pipe_grace: Duration,
    /// When it last wrote something, or began.
    pub(crate) last_output: Instant,
    /// A cancelled token or too much output, whichever came first.
    pub(crate) reason: Option<Cause>,
    /// Why it is being ended, if it is.
    pub(crate) cause: Option<Cause>,
    /// Whether SIGKILL was sent as the last step.
    was_killed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// The signal of this step was sent.
    Ending {
        step: usize,
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
    /// What was asked of it before it exited.
    pub(crate) request: Option<Request>,
    /// Whether its end was asked for after the exit.
    pub(crate) skips_pipe_grace: bool,
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
    pub(crate) fn new(settings: &Settings, began: Instant) -> Self {
        Self {
            stage: Stage::Running,
            policy: settings.policy.clone(),
            timeout: Deadline::later(began, settings.timeout.unwrap_or(Duration::MAX)),
            kill_by: Deadline::Never,
            idle: settings.idle,
            pipe_grace: settings.pipe_grace.unwrap_or(PIPE_GRACE),
            last_output: began,
            reason: None,
            cause: None,
            was_killed: false,
        }
    }

    /// What is to be done next, after what was seen by now. To be asked again until it says to wait.
    pub(crate) fn next(
        &mut self,
        now: Instant,
        process: ProcessStatus,
        pipes_are_open: bool,
    ) -> Action {
        let is_over = |until| until <= Deadline::At(now);
        let (last, was_sent) = (self.policy.steps.len(), process.request == Some(Request::Kill));
        match self.stage {
            Stage::Running | Stage::Ending { .. } if process.has_exited => {
                if process.request.is_some() {
                    self.cause.get_or_insert(Cause::Terminated);
                }
                self.stage = Stage::Draining { until: Deadline::later(now, self.pipe_grace) };
                self.next(now, process, pipes_are_open)
            }
            Stage::Running => {
                let asked = process.request.map(|_| Cause::Terminated);
                let timed_out = is_over(self.timeout).then_some(Cause::TimedOut);
                let idle = is_over(self.idle_deadline()).then_some(Cause::Idle);
                self.cause = asked.or(self.reason.clone()).or(timed_out).or(idle);
                match &self.cause {
                    Some(_) => self.take_step(if was_sent { last } else { 0 }, now, was_sent),
                    None => Action::Wait,
                }
            }
            Stage::Ending { step, .. } if step < last && (was_sent || is_over(self.kill_by)) => {
                self.take_step(last, now, was_sent)
            }
            Stage::Ending { until, .. } if !is_over(until) => Action::Wait,
            Stage::Ending { step, .. } if step < last => self.take_step(step + 1, now, false),
            Stage::Ending { .. } => {
                self.stage = Stage::GivenUp;
                Action::GiveUp
            }
            Stage::Draining { until }
                if is_over(until) || !pipes_are_open || process.skips_pipe_grace =>
            {
                Action::Finish
            }
            Stage::GivenUp if process.has_exited => Action::Finish,
            Stage::Draining { .. } | Stage::GivenUp => Action::Wait,
        }
    }

    /// When to ask again, whatever happens until then.
    pub(crate) fn deadline(&self) -> Deadline {
        match self.stage {
            Stage::Running => self.timeout.min(self.idle_deadline()),
            Stage::Ending { step, until } if step < self.policy.steps.len() => {
                until.min(self.kill_by)
            }
            Stage::Ending { until, .. } | Stage::Draining { until } => until,
            Stage::GivenUp => Deadline::Never,
        }
    }

    /// It is to end by this policy; or, if it is being ended already, to be killed no later than that
    /// would.
    pub(crate) fn hasten(&mut self, policy: &KillPolicy, now: Instant) {
        if self.stage == Stage::Running {
            self.policy = policy.clone();
        }
        let graces = policy.steps.iter().map(|(_, grace)| *grace);
        let sum = graces.fold(Duration::ZERO, Duration::saturating_add);
        self.kill_by = self.kill_by.min(Deadline::later(now, sum));
    }

    /// Whether SIGKILL came after a gentler signal.
    pub(crate) fn has_escalated(&self) -> bool {
        self.was_killed && !self.policy.steps.is_empty()
    }

    fn take_step(&mut self, step: usize, now: Instant, was_sent: bool) -> Action {
        let kill = (Signal::KILL, self.policy.kill_wait);
        let (signal, grace) = self.policy.steps.get(step).copied().unwrap_or(kill);
        self.was_killed = step == self.policy.steps.len() && !was_sent;
        self.stage = Stage::Ending { step, until: Deadline::later(now, grace) };
        Action::Signal(signal)
    }

    fn idle_deadline(&self) -> Deadline {
        self.idle.map_or(Deadline::Never, |idle| Deadline::later(self.last_output, idle))
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

    /// Asks it to end as its policy says. If it has exited, its pipes are waited for no longer.
    pub(crate) fn terminate(&self) {
        self.0.lock().note(Request::Terminate);
    }

    /// Sends SIGKILL. If it has exited, its pipes are waited for no longer, and with `sweep` what is left
    /// of its group is killed.
    pub(crate) fn kill(&self, sweep: bool) {
        let mut state = self.0.lock();
        if state.note(Request::Kill) || sweep {
            state.send(Signal::KILL);
        }
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

    /// Takes the status of a child that has exited; with `sweep`, what is left of its group is killed.
    ///
    /// The leader is still a zombie when the group is signalled: its status does not change, and
    /// no other can have the group's number.
    pub(crate) fn reap(&self, sweep: bool) -> Option<(ExitStatus, Duration)> {
        let mut state = self.0.lock();
        state.is_running(); // It may turn out that it is not ours any more.
        if sweep {
            state.send(Signal::KILL);
        }
        state.process.take()?.reap().ok()
    }
}

impl<P: Process> State<P> {
    /// Notes what is asked, if it has not exited; and says whether that is so.
    fn note(&mut self, request: Request) -> bool {
        let is_running = self.is_running();
        if is_running {
            self.status.request = self.status.request.max(Some(request));
        } else {
            self.status.skips_pipe_grace = true;
        }
        is_running
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
    use crate::prims;
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
        fn new(policy: KillPolicy, timeout: Duration) -> Self {
            let start = prims::now();
            let (timeout, pipe_grace) = (Some(timeout), Some(SECOND / 5));
            let settings = Settings { policy, timeout, pipe_grace, ..Settings::default() };
            let kill = KillState::new(&settings, start);
            Self { kill, process: ProcessStatus::default(), pipes_are_open: true, start }
        }

        fn hasten(&mut self, millis: u64, policy: &KillPolicy) {
            self.kill.hasten(policy, self.start + Duration::from_millis(millis));
        }

        fn at(&mut self, millis: u64) -> Action {
            let now = self.start + Duration::from_millis(millis);
            self.kill.next(now, self.process, self.pipes_are_open)
        }
    }

    fn two_steps() -> KillPolicy {
        KillPolicy::new([(Signal::INT, 2 * SECOND), (Signal::TERM, 3 * SECOND)])
    }

    /// S36, S39, S46.
    #[test]
    fn the_steps_are_taken_in_order_and_each_once() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        assert_eq!([fake.at(0), fake.at(999)], [Action::Wait, Action::Wait]);
        assert_eq!([fake.at(1000), fake.at(2999)], [Action::Signal(Signal::INT), Action::Wait]);
        assert_eq!([fake.at(3000), fake.at(5999)], [Action::Signal(Signal::TERM), Action::Wait]);
        assert_eq!([fake.at(6000), fake.at(6999)], [Action::Signal(Signal::KILL), Action::Wait]);
        assert_eq!([fake.at(7000), fake.at(9999)], [Action::GiveUp, Action::Wait]);
        assert_eq!(fake.kill.cause, Some(Cause::TimedOut));
        assert!(fake.kill.has_escalated());
    }

    /// S31, S64: it had exited when its time was over.
    #[test]
    fn an_exit_that_is_seen_beats_every_reason() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        fake.process.has_exited = true;
        fake.kill.reason = Some(Cause::OutputLimit);
        assert_eq!(
            [fake.at(1000), fake.at(1199), fake.at(1200)],
            [Action::Wait, Action::Wait, Action::Finish]
        );
        assert_eq!(fake.kill.cause, None);
    }

    /// S38.
    #[test]
    fn an_exit_within_the_grace_ends_the_grace() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        fake.at(1000);
        fake.process.has_exited = true;
        fake.pipes_are_open = false;
        assert_eq!(fake.at(1001), Action::Finish);
        assert!(!fake.kill.has_escalated());
    }

    /// S37.
    #[test]
    fn a_grace_of_nothing_is_followed_by_the_kill() {
        let policy = KillPolicy::new([(Signal::TERM, Duration::ZERO)]);
        let mut fake = Schedule::new(policy, Duration::ZERO);
        assert_eq!(
            [fake.at(0), fake.at(0)],
            [Action::Signal(Signal::TERM), Action::Signal(Signal::KILL)]
        );
    }

    /// S44.
    #[test]
    fn silence_is_counted_from_the_last_output() {
        let mut fake = Schedule::new(two_steps(), Duration::MAX);
        fake.kill.idle = Some(SECOND);
        fake.kill.last_output = fake.start + SECOND / 2;
        assert_eq!([fake.at(1499), fake.at(1500)], [Action::Wait, Action::Signal(Signal::INT)]);
        assert_eq!(fake.kill.cause, Some(Cause::Idle));
    }

    /// S33.
    #[test]
    fn the_longest_timeouts_never_fire() {
        let mut fake = Schedule::new(two_steps(), Duration::MAX);
        fake.kill.idle = Some(Duration::MAX);
        assert_eq!(fake.at(1 << 40), Action::Wait);
        assert_eq!(fake.kill.deadline(), Deadline::Never);
    }

    #[test]
    fn a_request_after_the_exit_does_not_wait_for_the_pipes() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        fake.process.has_exited = true;
        assert_eq!(fake.at(0), Action::Wait);
        fake.process.skips_pipe_grace = true;
        assert_eq!(fake.at(1), Action::Finish);
        assert_eq!(fake.kill.cause, None);
    }

    #[test]
    fn a_kill_from_the_handle_cuts_the_grace_short() {
        let mut fake = Schedule::new(two_steps(), Duration::MAX);
        fake.process.request = Some(Request::Terminate);
        assert_eq!(fake.at(0), Action::Signal(Signal::INT));
        fake.process.request = Some(Request::Kill);
        assert_eq!([fake.at(1), fake.at(2)], [Action::Signal(Signal::KILL), Action::Wait]);
        assert_eq!(fake.kill.cause, Some(Cause::Terminated));
    }

    #[test]
    fn another_policy_sends_the_kill_sooner() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.hasten(1000, &KillPolicy::at_once());
        assert_eq!(fake.at(1001), Action::Signal(Signal::KILL));
        assert_eq!(fake.kill.cause, Some(Cause::TimedOut), "the first reason is told");
    }

    /// To press Ctrl-C again and again must not put it off.
    #[test]
    fn to_ask_again_and_again_does_not_put_the_kill_off() {
        let mut fake = Schedule::new(two_steps(), Duration::MAX);
        let term = KillPolicy::new([(Signal::TERM, Duration::from_millis(300))]);
        fake.process.request = Some(Request::Terminate);
        fake.hasten(0, &term);
        assert_eq!(fake.at(0), Action::Signal(Signal::TERM), "not by its own policy");
        fake.hasten(200, &term);
        assert_eq!([fake.at(200), fake.at(299)], [Action::Wait, Action::Wait]);
        assert_eq!([fake.at(300), fake.at(1300)], [Action::Signal(Signal::KILL), Action::GiveUp]);

        // Nor if it is being ended by a policy with more time.
        let mut fake = Schedule::new(two_steps(), SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.hasten(1000, &term);
        fake.hasten(1200, &term);
        assert_eq!([fake.at(1299), fake.at(1300)], [Action::Wait, Action::Signal(Signal::KILL)]);
    }

    #[test]
    fn a_gentler_policy_does_not_put_the_kill_off() {
        let mut fake = Schedule::new(two_steps(), SECOND);
        assert_eq!(fake.at(1000), Action::Signal(Signal::INT));
        fake.hasten(1000, &KillPolicy::new([(Signal::HUP, 100 * SECOND)]));
        assert_eq!(
            [fake.at(3000), fake.at(6000)],
            [Signal::TERM, Signal::KILL].map(Action::Signal)
        );
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
            self.calls.borrow_mut().push(signal.to_string());
        }

        fn reap(&self) -> io::Result<(ExitStatus, Duration)> {
            self.calls.borrow_mut().push("reap".to_owned());
            Ok((ExitStatus::from_raw(0), Duration::ZERO))
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
        assert!(signals.reap(true).is_some());
        signals.send(Signal::TERM);
        signals.kill(true);
        assert!(signals.reap(true).is_none());
        assert_eq!(*process.calls.borrow(), ["SIGKILL", "reap"]);
    }

    /// S41, S43.
    #[test]
    fn a_signal_is_followed_by_a_cont_and_a_zombie_gets_none() {
        let (process, signals) = fake();
        signals.send(Signal::TERM);
        signals.kill(false);
        process.has_exited.set(true);
        signals.send(Signal::TERM);
        signals.kill(false);
        assert_eq!(*process.calls.borrow(), ["SIGTERM", "SIGCONT", "SIGKILL"]);
        signals.kill(true);
        assert_eq!(process.calls.borrow().len(), 4, "what it left behind in its group");
    }

    /// S64.
    #[test]
    fn what_is_asked_after_the_exit_is_not_noted() {
        let (process, signals) = fake();
        process.has_exited.set(true);
        signals.terminate();
        signals.kill(true);
        let status = ProcessStatus { has_exited: true, request: None, skips_pipe_grace: true };
        assert_eq!(signals.status(), status);
    }

    /// S11.
    #[test]
    fn a_child_whose_status_somebody_else_took_is_left_alone() {
        let (process, signals) = fake();
        process.is_taken.set(true);
        assert!(signals.status().has_exited);
        signals.kill(true);
        assert!(signals.reap(true).is_none());
        assert!(process.calls.borrow().is_empty());
    }

    /// Other code reaps ours, and our next child is given its number.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_that_was_given_the_number_of_another_is_left_alone() {
        use std::process::{Command, Stdio};
        let start = || Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let (mut first, mut second) = (start(), start());
        let mut process = RealProcess::new(first.id(), false, true);
        assert!(process.pidfd.is_some(), "this system has them");
        drop(first.stdin.take());
        assert!(first.wait().unwrap().success());
        process.pid = second.id();
        let signals = Signals::new(process);
        signals.send(Signal::TERM);
        signals.kill(true);
        assert!(signals.status().has_exited && signals.reap(true).is_none());
        drop(second.stdin.take());
        assert_eq!(second.wait().unwrap().code(), Some(0));
    }
}

//! Signals: who may send one to a child, and until when.
//!
//! Knows nothing of pipes, of deadlines and of the driver. A process that has been reaped gives its
//! number back, and the next process may be anybody's. So signals are sent and the process is reaped
//! under one lock, the *signal lock*.
//!
//! What must always hold:
//!
//! 1. No signal is sent after the reaping, nor once somebody else has taken the status.
//! 2. The group's signal comes before its leader is reaped: the zombie keeps the group's number.
//! 3. What is asked of a child is noted only while it has not exited. So if both are seen, the request
//!    was first.

use std::process::ExitStatus;
use std::time::Duration;

use crate::prims::Mutex;

use super::policy::{Asked, Look};
use super::sys::{Process, Signal};

/// The signal lock, around the process.
pub(crate) struct Signals<P>(Mutex<State<P>>);

struct State<P> {
    /// `None` once it has been reaped, by us or by somebody else.
    process: Option<P>,
    look: Look,
}

impl<P: Process> Signals<P> {
    pub(crate) fn new(process: P) -> Self {
        Self(Mutex::new(State { process: Some(process), look: Look::default() }))
    }

    pub(crate) fn look(&self) -> Look {
        let mut state = self.0.lock();
        state.is_running();
        state.look
    }

    /// Asks it to end as its policy says. If it has exited, its pipes are waited for no longer.
    pub(crate) fn terminate(&self) {
        self.0.lock().note(Asked::Terminate);
    }

    /// Sends SIGKILL. If it has exited, its pipes are waited for no longer, and with `sweep` what is left
    /// of its group is killed.
    pub(crate) fn kill(&self, sweep: bool) {
        let mut state = self.0.lock();
        if state.note(Asked::Kill) || sweep {
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
    /// nobody else can have the group's number.
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
    fn note(&mut self, asked: Asked) -> bool {
        let is_running = self.is_running();
        if is_running {
            self.look.asked = self.look.asked.max(Some(asked));
        } else {
            self.look.skips_pipe_grace = true;
        }
        is_running
    }

    fn is_running(&mut self) -> bool {
        let has_exited = self.process.as_ref().map_or(Ok(true), P::has_exited);
        if has_exited.is_err() {
            self.process = None; // A `waitpid` that was not ours, or a process that ignores SIGCHLD.
        }
        self.look.has_exited = has_exited.unwrap_or(true);
        !self.look.has_exited
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
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::rc::Rc;

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
        let look = Look { has_exited: true, asked: None, skips_pipe_grace: true };
        assert_eq!(signals.look(), look);
    }

    /// S11.
    #[test]
    fn a_child_whose_status_somebody_else_took_is_left_alone() {
        let (process, signals) = fake();
        process.is_taken.set(true);
        assert!(signals.look().has_exited);
        signals.kill(true);
        assert!(signals.reap(true).is_none());
        assert!(process.calls.borrow().is_empty());
    }

    /// Somebody else reaps ours, and our next child is given its number.
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
        assert!(signals.look().has_exited && signals.reap(true).is_none());
        drop(second.stdin.take());
        assert_eq!(second.wait().unwrap().code(), Some(0));
    }
}

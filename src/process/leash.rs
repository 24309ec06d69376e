//! The leash: who may send a signal to a child, and until when.
//!
//! Knows nothing of pipes, of deadlines and of the driver. A process that has been reaped gives its
//! number back, and the next process may be anybody's. So whoever sends a signal and whoever reaps do
//! it under one lock.
//!
//! What must always hold:
//!
//! 1. No signal is sent after the reaping, nor once somebody else has taken the status.
//! 2. The group's signal comes before its leader is reaped: the zombie keeps the group's number.
//! 3. What is asked of a child is noted only while it has not exited. So if both are seen, the asking
//!    was first.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::prims::Mutex;

use super::policy::Asked;
use super::sys::{self, Signal};

/// A process that is ours until it is reaped. A test has one of paper.
pub(crate) trait Process {
    /// Whether it is a zombie by now; an error, if it is not ours any more.
    fn has_exited(&self) -> io::Result<bool>;
    fn send(&self, signal: Signal);
    fn reap(&self) -> io::Result<(ExitStatus, Duration)>;
}

/// The real one.
pub(crate) struct RealProcess {
    pub(crate) pid: u32,
    /// Whether a signal goes to the whole group, which it leads.
    pub(crate) leads_group: bool,
}

impl Process for RealProcess {
    fn has_exited(&self) -> io::Result<bool> {
        sys::has_exited(self.pid)
    }

    fn send(&self, signal: Signal) {
        let has_hit = self.leads_group && sys::send(self.pid, true, signal).is_ok();
        if !has_hit || signal == Signal::KILL {
            // It may have left the group that it led. And it fails if it may not be signalled by us, as
            // after a change of the user. Then the policy's deadlines go on, and end with a handle that
            // settles without a status.
            let _ = sys::send(self.pid, false, signal);
        }
    }

    fn reap(&self) -> io::Result<(ExitStatus, Duration)> {
        sys::reap(self.pid)
    }
}

pub(crate) struct Leash<P> {
    process: P,
    hold: Mutex<Hold>,
}

struct Hold {
    is_ours: bool,
    asked: Option<Asked>,
    /// Whether something was asked of the zombie.
    is_in_haste: bool,
}

impl<P: Process> Leash<P> {
    pub(crate) fn new(process: P) -> Self {
        let hold = Hold { is_ours: true, asked: None, is_in_haste: false };
        Self { process, hold: Mutex::new(hold) }
    }

    /// Whether it has exited, and what was asked of it before.
    pub(crate) fn look(&self) -> (bool, Option<Asked>) {
        let mut hold = self.hold.lock();
        (!self.is_running(&mut hold), hold.asked)
    }

    /// What has been asked, without a look at the process.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.hold.lock().asked
    }

    /// Whether something was asked of it after its exit.
    pub(crate) fn is_in_haste(&self) -> bool {
        self.hold.lock().is_in_haste
    }

    /// Notes what is asked; SIGKILL is sent at once. If it has exited there is only haste: the group
    /// is swept when the zombie is reaped.
    pub(crate) fn ask(&self, asked: Asked) {
        let mut hold = self.hold.lock();
        if self.is_running(&mut hold) {
            hold.asked = hold.asked.max(Some(asked));
            if asked == Asked::Kill {
                self.process.send(Signal::KILL);
            }
        } else {
            hold.is_in_haste = true;
        }
    }

    /// Sends a signal, and behind it a SIGCONT: who was stopped could not heed it otherwise.
    pub(crate) fn send(&self, signal: Signal) {
        let mut hold = self.hold.lock();
        if self.is_running(&mut hold) {
            self.process.send(signal);
            if signal != Signal::KILL {
                self.process.send(Signal::CONT);
            }
        }
    }

    /// Ends whatever is left of the tree, at once, though the leader may have exited.
    pub(crate) fn kill(&self) {
        let mut hold = self.hold.lock();
        self.is_running(&mut hold); // It may turn out that it is not ours any more.
        if hold.is_ours {
            self.process.send(Signal::KILL);
        }
    }

    /// Takes the status of a child that has exited; with `sweep`, what it leaves behind is killed.
    ///
    /// The leader is still a zombie when the group is signalled: its status does not change, and
    /// nobody else can have the group's number.
    pub(crate) fn reap(&self, sweep: bool) -> Option<(ExitStatus, Duration)> {
        if sweep {
            self.kill();
        }
        let mut hold = self.hold.lock();
        let reaped = if hold.is_ours { self.process.reap().ok() } else { None };
        hold.is_ours = false;
        reaped
    }

    fn is_running(&self, hold: &mut Hold) -> bool {
        if hold.is_ours {
            match self.process.has_exited() {
                Ok(has_exited) => return !has_exited,
                // A `waitpid` that was not ours, or a process that ignores SIGCHLD.
                Err(_) => hold.is_ours = false,
            }
        }
        false
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::os::unix::process::ExitStatusExt;

    /// A process of paper, which remembers every call.
    #[derive(Default)]
    struct Paper {
        has_exited: Cell<bool>,
        is_taken: Cell<bool>,
        calls: RefCell<Vec<String>>,
    }

    impl Process for Paper {
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

    fn leash() -> Leash<Paper> {
        Leash::new(Paper::default())
    }

    /// S58.
    #[test]
    fn no_signal_is_sent_after_the_reaping() {
        let leash = leash();
        leash.process.has_exited.set(true);
        assert!(leash.reap(true).is_some());
        leash.send(Signal::TERM);
        leash.ask(Asked::Kill);
        leash.kill();
        assert!(leash.reap(true).is_none());
        assert_eq!(*leash.process.calls.borrow(), ["SIGKILL", "reap"]);
    }

    /// S41, S43.
    #[test]
    fn a_signal_is_followed_by_a_cont_and_a_zombie_gets_none() {
        let leash = leash();
        leash.send(Signal::TERM);
        leash.ask(Asked::Kill);
        leash.process.has_exited.set(true);
        leash.send(Signal::TERM);
        leash.ask(Asked::Kill);
        assert_eq!(*leash.process.calls.borrow(), ["SIGTERM", "SIGCONT", "SIGKILL"]);
    }

    /// S64.
    #[test]
    fn what_is_asked_after_the_exit_is_not_noted() {
        let leash = leash();
        leash.process.has_exited.set(true);
        leash.ask(Asked::Terminate);
        assert_eq!((leash.look(), leash.is_in_haste()), ((true, None), true));
    }

    /// S11.
    #[test]
    fn a_child_whose_status_somebody_else_took_is_left_alone() {
        let leash = leash();
        leash.process.is_taken.set(true);
        assert!(leash.look().0);
        leash.kill();
        assert!(leash.reap(true).is_none());
        assert!(leash.process.calls.borrow().is_empty());
    }
}

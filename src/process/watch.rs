//! How the exit of a child is noticed: by its pidfd, or by looking now and then.
//!
//! Knows nothing of what an exit means. What must always hold: an exit is noticed without a signal
//! handler and without a thread of its own: at once where there is a pidfd, and within 50 ms where
//! there is none.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::wait::deadline::Deadline;

use super::sys::{self, Interest};

/// How often a child without a pidfd is looked at: more rarely, the longer it runs.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const RAREST_LOOK: Duration = Duration::from_millis(50);

/// How an exit is noticed.
pub(crate) enum Watch {
    /// The descriptor becomes readable.
    Pidfd(OwnedFd),
    /// Where there is none: by looking now and then.
    Looks { next: Instant, pause: Duration },
}

impl Watch {
    pub(crate) fn looks(now: Instant) -> Self {
        Self::Looks { next: now, pause: FIRST_LOOK }
    }

    /// Of a child that we have just started, and that nobody has reaped: so its number is still its own.
    pub(crate) fn of(pid: u32, uses_pidfd: bool, now: Instant) -> Self {
        match sys::pidfd_open(pid) {
            Ok(fd) if uses_pidfd => Self::Pidfd(fd),
            // An old kernel, a sandbox, another system, or no descriptor to be had.
            Ok(_) | Err(_) => Self::looks(now),
        }
    }

    /// What to look out for, while it has not exited.
    pub(crate) fn interest(&self) -> Option<Interest> {
        match self {
            Self::Pidfd(fd) => Some(Interest::read(fd)),
            Self::Looks { .. } => None,
        }
    }

    /// Whether it is worth a look; the next one will be later.
    pub(crate) fn is_due(&mut self, now: Instant, is_ready: bool) -> bool {
        match self {
            Self::Pidfd(_) => is_ready,
            Self::Looks { next, pause } => {
                let is_due = *next <= now;
                if is_due {
                    *next = now + *pause;
                    *pause = (*pause * 2).min(RAREST_LOOK);
                }
                is_due
            }
        }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        match self {
            Self::Pidfd(_) => Deadline::Never,
            Self::Looks { next, .. } => Deadline::At(*next),
        }
    }

    /// The pipes have ended, as they do at an exit, or a signal was sent: it is worth looking often.
    pub(crate) fn expect_an_end(&mut self, now: Instant) {
        if matches!(self, Self::Looks { .. }) {
            *self = Self::looks(now);
        }
    }
}

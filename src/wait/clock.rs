//! What time it is: the machine's time, or one that moves when it is told to; and a point on it, or never.
//!
//! Knows nothing of what is waited for. What must always hold:
//!
//! 1. A waiter on a clock is woken when *its* time has come, and asks *it* what time it is; no code mixes two
//!    clocks.
//! 2. No timeout is too long. A `Duration` that the clock cannot add, `Duration::MAX` above all, means *never*; it
//!    neither overflows nor fires.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::prims;

use super::timers::TimerQueue;

/// A source of time, for sleeps, deadlines and the tests of both.
///
/// When to use it: a test that must not wait for real time gives the code it tests a jumping clock.
/// Everything else uses the real one, and need not mention it.
///
/// ```
/// use std::time::Duration;
/// use handspun::{CancellationToken, Clock};
///
/// let clock = Clock::jumping();
/// let token = CancellationToken::on(&clock).child_with_timeout(Duration::from_secs(3600));
/// assert!(!token.is_cancelled());
/// clock.advance(Duration::from_secs(3600));
/// assert!(token.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct Clock(
    /// Its time is that of its timers; `None` is the machine's.
    Option<Arc<TimerQueue>>,
);

impl Clock {
    /// The machine's monotonic clock.
    pub fn real() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it.
    ///
    /// Clones are the same clock.
    pub fn jumping() -> Self {
        Self(Some(Arc::new(TimerQueue::new(prims::now()))))
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.timers().map_or_else(prims::now, |queue| queue.now())
    }

    /// Moves a jumping clock, and wakes the sleepers whose time has come, in the order of their deadlines.
    ///
    /// Time moves at once, and everything that is woken sees the new one. A task that [sleeps](crate::sleep) in place of this
    /// passes each time in between.
    ///
    /// # Panics
    ///
    /// If it is the real clock, or if there is no such time.
    pub fn advance(&self, by: Duration) {
        let queue =
            self.timers().expect("the real clock cannot be advanced: use `Clock::jumping()`");
        assert!(
            queue.fire(|now, _| now.checked_add(by)),
            "the clock cannot be advanced by {by:?}: there is no such time"
        );
    }

    /// The timers of a jumping clock. On the real one they are kept where they are set.
    pub(crate) fn timers(&self) -> Option<&Arc<TimerQueue>> {
        self.0.as_ref()
    }

    /// Whether time passes by itself, so that a thread may sleep for as long as it takes.
    pub(crate) fn is_real(&self) -> bool {
        self.timers().is_none()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_real() { "Clock(real)" } else { "Clock(jumping)" })
    }
}

/// When to give up. Earlier deadlines are smaller; `Never` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    At(Instant),
    Never,
}

impl Deadline {
    /// The deadline of a wait that begins now and may take `timeout`.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self::later(prims::now(), timeout)
    }

    /// `timeout` after `from`; never, if the clock does not reach that far.
    pub(crate) fn later(from: Instant, timeout: Duration) -> Self {
        from.checked_add(timeout).map_or(Self::Never, Self::At)
    }

    pub(crate) fn instant(self) -> Option<Instant> {
        match self {
            Self::At(instant) => Some(instant),
            Self::Never => None,
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        self.instant().is_some_and(|instant| prims::now() >= instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_timeout_means_never() {
        assert_eq!(Deadline::after(Duration::MAX), Deadline::Never);
        assert!(!Deadline::Never.has_passed());
    }

    #[test]
    fn no_timeout_at_all_has_passed_at_once() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
    }

    #[test]
    fn never_is_later_than_every_instant() {
        assert!(Deadline::after(Duration::from_secs(1 << 40)) < Deadline::Never);
    }
}

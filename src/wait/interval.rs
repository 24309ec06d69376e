//! Again and again: a tick every so often.
//!
//! Knows nothing of what is done at a tick. What must always hold: ticks are counted from the first,
//! and not from when somebody came to wait for them, so that they do not drift; what happens when
//! somebody comes late is said, and not left to chance.

use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::deadline::Deadline;
use super::sleep::Sleep;

/// Ticks now, and then once in every `period`.
///
/// When to use it: something is to be done again and again, at a rate. To pause between two things,
/// [`sleep`](crate::sleep) after each.
///
/// ```
/// use std::time::Duration;
/// use handspun::{block_on, interval};
///
/// block_on(async {
///     let mut ticks = interval(Duration::from_millis(1));
///     let first = ticks.tick().await;
///     let second = ticks.tick().await;
///     assert_eq!(second - first, Duration::from_millis(1));
/// });
/// ```
///
/// # Panics
///
/// If the period is zero, which would be no interval.
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval of zero never ends: use `yield_now`");
    let clock = Clock::current();
    let next = Some(clock.now());
    Interval { clock, period, next, others_had_a_turn: true, missed: MissedTicks::Burst }
}

/// What an [`Interval`] does about ticks that nobody was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedTicks {
    /// All of them come at once, until it has caught up. Nothing is left out.
    Burst,
    /// One comes at once, and the next a whole period later.
    Delay,
    /// One comes at once, and the next at the next multiple of the period.
    Skip,
}

/// A row of ticks; see [`interval`].
#[derive(Debug)]
pub struct Interval {
    clock: Clock,
    period: Duration,
    /// When the next tick is due; `None` if there is no such time.
    next: Option<Instant>,
    /// Since the last tick. Without that, whoever is late for every tick would be ready for ever.
    others_had_a_turn: bool,
    missed: MissedTicks,
}

impl Interval {
    /// What to do about ticks that were missed; `Burst` if nothing is said.
    #[must_use = "it is changed by value"]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// Waits for the next tick, and gives the time at which it was due.
    ///
    /// Whoever is late lets the others be polled once before the tick. Dropping the wait loses no tick.
    pub async fn tick(&mut self) -> Instant {
        let Some(due) = self.next else { std::future::pending().await };
        if self.clock.now() < due {
            Sleep::on(&self.clock, Deadline::At(due)).await;
        } else {
            self.let_others_go_first().await;
        }
        self.next = self.after(due, self.clock.now());
        self.others_had_a_turn = false;
        due
    }

    /// Once for each tick, though the wait may be dropped and begun again.
    fn let_others_go_first(&mut self) -> impl Future<Output = ()> {
        poll_fn(|context| {
            if mem::replace(&mut self.others_had_a_turn, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Begins anew: the next tick comes a whole period from now.
    pub fn reset(&mut self) {
        self.next = self.clock.now().checked_add(self.period);
    }

    /// When the tick comes that follows the one which was due then and is taken now.
    fn after(&self, due: Instant, now: Instant) -> Option<Instant> {
        let next = due.checked_add(self.period)?;
        if next > now {
            return Some(next);
        }
        match self.missed {
            MissedTicks::Burst => Some(next),
            MissedTicks::Delay => now.checked_add(self.period),
            MissedTicks::Skip => {
                let behind = now.saturating_duration_since(due).as_nanos();
                let left = self.period.as_nanos() - behind % self.period.as_nanos();
                now.checked_add(Duration::from_nanos(u64::try_from(left).ok()?))
            }
        }
    }
}

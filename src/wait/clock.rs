//! What time it is: the machine's time, or one that moves when it is told to.
//!
//! Knows nothing of what is waited for. What must always hold: whoever waits on a clock is woken when
//! *its* time has come, and asks *it* what time it is; nobody mixes two clocks.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::panic;
use crate::prims::{self, Mutex, MutexGuard};

use super::alarm::ALARM;
use super::parker::Parker;
use super::timers::{Key, Timers};

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
pub struct Clock(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Real,
    Jumping(Arc<Mutex<Jumping>>),
}

struct Jumping {
    now: Instant,
    timers: Timers,
    /// Wakes the executor that moves it, if there is one.
    driver: Option<Arc<Parker>>,
}

impl Clock {
    /// The machine's monotonic clock.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it.
    ///
    /// Clones are the same clock.
    pub fn jumping() -> Self {
        let jumping = Jumping { now: prims::now(), timers: Timers::default(), driver: None };
        Self(Kind::Jumping(Arc::new(Mutex::new(jumping))))
    }

    /// The time.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::Real => prims::now(),
            Kind::Jumping(clock) => clock.lock().now,
        }
    }

    /// Moves a jumping clock, and wakes those whose time has come, in the order of their deadlines.
    ///
    /// Time moves at once, and whoever is woken sees the new one. A task that [sleeps](crate::sleep) in place of this
    /// passes each time in between.
    ///
    /// # Panics
    ///
    /// If it is the real clock, or if there is no such time.
    pub fn advance(&self, by: Duration) {
        let Kind::Jumping(clock) = &self.0 else {
            panic!("the real clock cannot be advanced: use `Clock::jumping()`");
        };
        let mut state = clock.lock();
        let Some(now) = state.now.checked_add(by) else {
            panic!("the clock cannot be advanced by {by:?}: there is no such time");
        };
        state.now = now;
        fire(clock, state);
    }

    /// Moves a jumping clock to the next deadline; false if nobody waits for a time.
    pub(crate) fn jump(&self) -> bool {
        let next = self.next_deadline();
        if let Some(deadline) = next {
            self.move_to(deadline);
        }
        next.is_some()
    }

    /// When the first of those who wait on a jumping clock is to be woken.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match &self.0 {
            Kind::Real => None,
            Kind::Jumping(clock) => clock.lock().timers.next_deadline(),
        }
    }

    /// Says who is to look again when somebody begins to wait for an earlier time than all others.
    pub(crate) fn set_driver(&self, driver: Option<Arc<Parker>>) {
        match &self.0 {
            Kind::Real => {}
            Kind::Jumping(clock) => clock.lock().driver = driver,
        }
    }

    /// Moves a jumping clock, never backwards.
    pub(crate) fn move_to(&self, now: Instant) {
        let Kind::Jumping(clock) = &self.0 else { return };
        let mut state = clock.lock();
        state.now = state.now.max(now);
        fire(clock, state);
    }

    /// Whether both are the same jumping clock.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Jumping(one), Kind::Jumping(other)) => Arc::ptr_eq(one, other),
            (Kind::Real, _) | (_, Kind::Real) => false,
        }
    }

    /// Whether time passes by itself, so that a thread may sleep for as long as it takes.
    pub(crate) fn is_real(&self) -> bool {
        match self.0 {
            Kind::Real => true,
            Kind::Jumping(_) => false,
        }
    }

    /// Sets a timer, if it is not too late for it.
    pub(crate) fn set_timer(&self, deadline: Instant, waker: Waker) -> Option<Key> {
        match &self.0 {
            Kind::Real => (prims::now() < deadline).then(|| ALARM.set(deadline, waker)),
            Kind::Jumping(clock) => {
                let mut state = clock.lock();
                if state.now >= deadline {
                    drop(state);
                    return None; // The waker goes after the lock.
                }
                let (key, is_first) = state.timers.set(deadline, waker);
                let driver = if is_first { state.driver.clone() } else { None };
                drop(state);
                if let Some(driver) = driver {
                    driver.unpark();
                }
                Some(key)
            }
        }
    }

    /// Leaves a newer waker with a timer; false if it has fired.
    pub(crate) fn renew_timer(&self, key: Key, mut waker: Waker) -> bool {
        match &self.0 {
            Kind::Real => ALARM.renew(key, waker),
            // The older one goes after the lock.
            Kind::Jumping(clock) => clock.lock().timers.renew(key, &mut waker),
        }
    }

    pub(crate) fn remove_timer(&self, key: Key) {
        match &self.0 {
            Kind::Real => ALARM.remove(key),
            Kind::Jumping(clock) => {
                let waker = clock.lock().timers.remove(key);
                panic::contain(|| drop(waker));
            }
        }
    }
}

/// Wakes those whose time has come.
///
/// One at a time, for a waker may be code that advances the clock, or drops another sleep: then those
/// that are left still fire in their order, and what was dropped does not.
fn fire<'a>(clock: &'a Mutex<Jumping>, mut state: MutexGuard<'a, Jumping>) {
    let now = state.now;
    while let Some(waker) = state.timers.pop_due(now) {
        drop(state);
        panic::contain(|| waker.wake());
        state = clock.lock();
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_real() { "Clock(real)" } else { "Clock(jumping)" })
    }
}

//! A place where one thread sleeps until it is told to look again.
//!
//! Knows nothing of what the thread waits for. It is the only code in the crate that puts a
//! thread to sleep, and it uses neither `std::thread::park` nor its token: a library called from
//! inside a poll may park too, and would eat a token that was meant for us.
//!
//! What must always hold:
//!
//! 1. An `unpark` is never lost. Whether it comes before, while or after the thread falls asleep,
//!    one `park` after it returns.
//! 2. Many `unpark`s before one `park` count as one.
//! 3. A `park` that returned without an `unpark` or a deadline is a bug here, not a fact of life;
//!    even so every caller looks again, because a waker it left behind may tell it to.

use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

use crate::prims::{AtomicU8, Condvar, Mutex, Ordering, spin};

use super::clock::Deadline;
use super::hints;

use Ordering::{Acquire, Relaxed, Release};

/// | state      | on `park`                 | on `unpark`                     |
/// |------------|---------------------------|---------------------------------|
/// | `EMPTY`    | → `PARKED`, sleeps        | → `NOTIFIED`                    |
/// | `NOTIFIED` | → `EMPTY`, returns        | stays                           |
/// | `PARKED`   | — (one thread parks here) | → `NOTIFIED`, wakes the sleeper |
///
/// The sleeper itself takes `PARKED` back to `EMPTY` when its deadline passes.
pub(crate) struct Parker {
    state: AtomicU8,
    /// Guards nothing but the step between looking at the state and falling asleep.
    falling_asleep: Mutex<()>,
    woken: Condvar,
}

const EMPTY: u8 = 0;
const NOTIFIED: u8 = 1;
const PARKED: u8 = 2;

impl Parker {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU8::new(EMPTY), falling_asleep: Mutex::new(()), woken: Condvar::new() }
    }

    /// Whether there has been an `unpark`. Only a hint: `park` is what takes notice of it.
    pub(crate) fn is_notified(&self) -> bool {
        // ORDERING: Relaxed. `take_notice` synchronises, when the hint has been followed.
        self.state.load(Relaxed) == NOTIFIED
    }

    /// Sleeps until there is an `unpark`, or the deadline passes. One thread at a time.
    pub(crate) fn park(&self, deadline: Deadline) {
        if self.take_notice() {
            return;
        }
        hints::check_before_park();
        let mut guard = self.falling_asleep.lock();
        // ORDERING: Relaxed. On success nothing has been told to us yet, so nothing needs to travel;
        // on failure there is a notice, and `take_notice` is what synchronises with it.
        if self.state.compare_exchange(EMPTY, PARKED, Relaxed, Relaxed).is_err() {
            self.take_notice();
            return;
        }
        loop {
            guard = self.woken.wait(guard, deadline.instant());
            if self.take_notice() {
                return;
            }
            if deadline.has_passed() {
                // A notice may come between that look and this swap. It is taken all the same:
                // our caller looks once more at what it waits for, notice or deadline.
                // ORDERING: Acquire. Pairs with the swap in `unpark`, as in `take_notice`.
                self.state.swap(EMPTY, Acquire);
                return;
            }
            // Spurious, or the clock is a little behind the deadline: sleep on.
        }
    }

    /// Makes one `park` return: the one that sleeps, or else the next.
    pub(crate) fn unpark(&self) {
        // ORDERING: Release. Pairs with the Acquire in `take_notice`: what was written before an
        // `unpark` is seen after the `park` that it ends. If we overwrite a notice that nobody has
        // taken yet, that one is seen as well: a swap goes on with the release that it overwrites.
        if self.state.swap(NOTIFIED, Release) != PARKED {
            return; // Awake: it will find the notice before it sleeps.
        }
        // The sleeper said `PARKED` under this lock and lets go of it only inside `wait`. Having
        // held the lock we know that it waits, so that the wake below cannot come too early.
        drop(self.falling_asleep.lock());
        self.woken.notify_one();
    }

    /// `NOTIFIED` → `EMPTY`; false if there was no notice.
    pub(crate) fn take_notice(&self) -> bool {
        if !self.is_notified() {
            return false; // As a rule; and a look is cheaper than a try.
        }
        // ORDERING: Acquire on success pairs with the Release swap in `unpark`. On
        // failure nothing is concluded from what was read.
        self.state.compare_exchange(NOTIFIED, EMPTY, Acquire, Relaxed).is_ok()
    }
}

/// How long to spin before falling asleep, learnt from how it went the last times.
///
/// A sleeping thread is woken in tens of microseconds, one that spins in less than one. So an answer
/// that takes a microsecond is worth spinning for, and one that takes a millisecond is not.
/// After each spin in vain, twice as many waits go straight to sleep, up to 63. While spinning
/// pays, it may last longer, up to as long as the sleep that it spares: one late answer, when
/// the machine was busy elsewhere, does not put two threads to sleep that have an hour of questions
/// and answers before them.
#[derive(Default)]
pub(crate) struct AdaptiveSpin {
    in_vain: u32,
    waits_to_sleep: u32,
    in_a_row: u32,
}

impl AdaptiveSpin {
    /// Looks for up to `limit`, or ten times that after ten times luck, if that is promising; true as
    /// soon as a look is.
    pub(crate) fn spin(&mut self, limit: Duration, look: impl FnMut() -> bool) -> bool {
        if limit.is_zero() {
            return false;
        }
        if let Some(fewer) = self.waits_to_sleep.checked_sub(1) {
            self.waits_to_sleep = fewer;
            return false;
        }
        if spin(limit.saturating_mul(1 + self.in_a_row), look) {
            self.in_vain = 0;
            self.in_a_row = 9.min(self.in_a_row + 1);
            return true;
        }
        self.in_vain = 6.min(self.in_vain + 1);
        self.waits_to_sleep = (1 << self.in_vain) - 1;
        self.in_a_row = 0;
        false
    }
}

/// A parker is the simplest of wakers: the task it wakes is a whole thread.
impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn an_unpark_before_the_park_is_not_lost() {
        let parker = Parker::new();
        parker.unpark();
        parker.park(Deadline::Never);
    }

    #[test]
    fn two_unparks_count_as_one() {
        let parker = Parker::new();
        parker.unpark();
        parker.unpark();
        parker.park(Deadline::Never);
        assert!(!parker.is_notified());
    }

    #[test]
    fn a_stray_token_of_the_thread_does_not_end_a_park() {
        std::thread::current().unpark();
        let parker = Parker::new();
        parker.park(Deadline::after(Duration::from_millis(1)));
        assert!(!parker.is_notified(), "only the deadline can have ended that park");
    }

    #[test]
    fn a_park_whose_deadline_has_passed_leaves_the_parker_usable() {
        let parker = Parker::new();
        parker.park(Deadline::after(Duration::ZERO));
        parker.unpark();
        parker.park(Deadline::Never);
    }
}

//! How an executor rests when nobody is ready: until it is woken, or until it is time.
//!
//! Knows nothing of tasks. What must always hold:
//!
//! 1. The thread sleeps no longer than to the next deadline, and not at all if there is mail.
//! 2. Under a jumping clock time moves where the host parks: to the next deadline; or, while something is held, as
//!    fast as real time does, for what was started elsewhere knows no other.
//! 3. Hope is given up only where nothing was started elsewhere, nobody waits for a time, and no other thread
//!    may spawn.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{Ordering, fence};
use crate::wait::deadline::Deadline;
use crate::wait::parker::Patience;

use super::ready::Shared;

use Ordering::Acquire;

pub(crate) struct Rest {
    shared: Arc<Shared>,
    patience: Cell<Patience>,
    /// How long to look out before falling asleep, while something is held.
    look_out: Duration,
}

/// Whether anybody may ever be ready again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hope {
    Left,
    Lost,
}

/// How long it must have been silent before the executor of a jumping clock gives up hope.
const SILENCE: Duration = Duration::from_secs(1);

/// So many tasks are looked at in less time than the thread takes to fall asleep.
const FEW: usize = 64;
/// Ten times what a look at one of many tasks takes.
const QUIET_FOR_A_TASK: Duration = Duration::from_micros(2);

impl Rest {
    pub(crate) fn new(shared: &Arc<Shared>, look_out: Duration) -> Self {
        Self { shared: shared.clone(), patience: Cell::default(), look_out }
    }

    /// Rests. Then there may be mail, or a timer that was due has been fired.
    pub(crate) fn until_somebody_may_be_ready(
        &self,
        n_tasks: usize,
        nothing_can_wake: impl Fn() -> bool,
    ) -> Hope {
        let host = &self.shared.host;
        if host.timers.next_deadline().is_some() {
            self.park(Deadline::Never);
            return Hope::Left;
        }
        if !self.is_worth_a_look(n_tasks) {
            return Hope::Left;
        }
        if self.is_proved(nothing_can_wake) {
            return Hope::Lost;
        }
        if host.clock.is_real() || host.is_held() || self.shared.has_remotes() {
            self.park(Deadline::Never);
            return Hope::Left;
        }
        // The clock jumps, and there is no time that could be jumped to.
        let silence = Deadline::after(SILENCE);
        self.park(silence);
        let nobody_waits = host.timers.next_deadline().is_none();
        if silence.has_passed() && nobody_waits && self.is_quiet() {
            Hope::Lost
        } else {
            Hope::Left
        }
    }

    /// Whether to look at all tasks now: only after a quiet period of ten times what the look will take, so
    /// that wakes from other threads are not each followed by one.
    fn is_worth_a_look(&self, n_tasks: usize) -> bool {
        if n_tasks <= FEW || !self.is_quiet() {
            return true; // The look is short, or will not be taken.
        }
        let quiet = Deadline::after(QUIET_FOR_A_TASK.saturating_mul(n_tasks as u32));
        self.shared.host.parker.park(quiet);
        // A wake may have ended that park a moment before its time, and its notice has been taken.
        quiet.has_passed() && !self.shared.has_mail()
    }

    /// Whether it is certain that nobody will be woken.
    fn is_proved(&self, nothing_can_wake: impl Fn() -> bool) -> bool {
        if !self.is_quiet() || !nothing_can_wake() {
            return false;
        }
        // A wake from elsewhere is mail first, and only then one clone of its waker fewer. We may have
        // counted the clones between the two, but not without finding the mail now.
        // ORDERING: Acquire. Pairs with the Release with which an `Arc` counts down.
        fence(Acquire);
        !self.shared.has_mail()
    }

    /// Whether there is nothing that could wake somebody by itself, but for wakers in other hands.
    fn is_quiet(&self) -> bool {
        let Shared { host, .. } = &*self.shared;
        // In this order: a hold, or a remote, is let go after the mail that it stands for.
        !host.is_held() && !self.shared.has_remotes() && !self.shared.has_mail()
    }

    fn park(&self, deadline: Deadline) {
        let host = &self.shared.host;
        if host.is_held() {
            // What goes on elsewhere may be over in less time than a sleeping thread takes to wake.
            let mut patience = self.patience.take();
            patience.look_out(self.look_out, || host.parker.is_notified());
            self.patience.set(patience);
        }
        host.park(deadline);
    }
}

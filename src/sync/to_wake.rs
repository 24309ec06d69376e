//! Wakers that are to be dealt with once a lock is let go.
//!
//! Knows nothing of the lock. What must always hold: a waker is other people's code, and so is its
//! drop. A panic in one of them keeps nobody else from being woken.

use std::task::Waker;

use crate::panic;
use crate::prims::Mutex;

/// Works on what is behind a lock. Whoever is to be woken is woken when the lock is let go.
pub(super) fn locked<S, R>(lock: &Mutex<S>, work: impl FnOnce(&mut S, &mut ToWake) -> R) -> R {
    let mut to_wake = ToWake::default();
    let result = work(&mut lock.lock(), &mut to_wake);
    to_wake.run();
    result
}

/// Filled under a lock, and run after it.
#[derive(Default)]
pub(super) struct ToWake {
    /// Apart from the others, since mostly there is one, and it needs no allocation.
    first: Option<Waker>,
    more: Vec<Waker>,
    /// Nobody is to be woken by this one any more.
    unneeded: Option<Waker>,
}

impl ToWake {
    pub(super) fn wake(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    pub(super) fn drop(&mut self, waker: Option<Waker>) {
        debug_assert!(self.unneeded.is_none(), "a poll or a leave has one of them");
        self.unneeded = waker;
    }

    fn run(self) {
        for waker in self.first.into_iter().chain(self.more) {
            panic::contain(|| waker.wake());
        }
        if let Some(waker) = self.unneeded {
            panic::contain(|| drop(waker));
        }
    }
}

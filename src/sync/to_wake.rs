//! Wakers that are to be dealt with once a lock is let go.
//!
//! Knows nothing of the lock. What must always hold: a waker is other people's code, and so are its
//! clone and its drop. A panic in one of them keeps nobody else from being woken.

use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;
use crate::wait::wait_list::WaitList;

/// Works on what is behind a lock. Whoever is to be woken is woken when the lock is let go.
pub(super) fn locked<S, R>(lock: &Mutex<S>, work: impl FnOnce(&mut S, &mut ToWake) -> R) -> R {
    let mut to_wake = ToWake::default();
    let result = work(&mut lock.lock(), &mut to_wake);
    to_wake.run();
    result
}

/// Polls what is behind a lock. Mostly what is waited for is there, and then no waker is cloned. If
/// not, it is polled once more, with one: it may have come in between.
pub(super) fn poll_locked<S, R>(
    lock: &Mutex<S>,
    context: &Context<'_>,
    mut poll: impl FnMut(&mut S, &mut ToWake) -> Poll<R>,
) -> Poll<R> {
    let polled = locked(lock, &mut poll);
    if polled.is_ready() {
        return polled;
    }
    let waker = context.waker().clone();
    locked(lock, |state, to_wake| {
        to_wake.waiter = Some(waker);
        poll(state, to_wake)
    })
}

/// Filled under a lock, and run after it.
#[derive(Default)]
pub(super) struct ToWake {
    /// Apart from the others, since mostly there is one, and it needs no allocation.
    first: Option<Waker>,
    more: Vec<Waker>,
    /// Brought by who polls, to be woken by; and in the end one that nobody is to be woken by any
    /// more, which is dropped.
    pub(super) waiter: Option<Waker>,
}

impl ToWake {
    pub(super) fn wake(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    /// Serves the whole line.
    pub(super) fn wake_all(&mut self, line: &mut WaitList) {
        while let Some(waker) = line.serve_first() {
            self.wake(waker);
        }
    }

    /// Mostly there is nobody.
    #[inline]
    fn run(self) {
        let Self { first, more, waiter } = self;
        if let Some(waker) = first {
            panic::contain(|| waker.wake());
            for waker in more {
                panic::contain(|| waker.wake());
            }
        }
        if let Some(waker) = waiter {
            panic::contain(|| drop(waker));
        }
    }
}

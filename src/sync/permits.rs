//! Permits, and the line of those who wait for some.
//!
//! Knows nothing of what a permit allows, and takes no lock: it lives under its owner's, and hands
//! the wakers out. What must always hold:
//!
//! 1. While somebody waits, less is free than the first in line needs, and nobody else gets it.
//! 2. What a waiter was served is taken already; if it leaves unawares, it is given to the next.
//! 3. Whoever leaves without having been served may have stood in the way of those behind it.
//! 4. Once closed, everybody is told so, served or not, and it does not matter what is free.

use std::task::Poll;

use crate::wait::wait_list::{Key, Left, WaitList};

use super::error::Closed;
use super::to_wake::ToWake;

pub(super) struct Permits {
    n_free: usize,
    line: WaitList,
    is_closed: bool,
}

impl Permits {
    pub(super) fn new(n_free: usize) -> Self {
        Self { n_free, line: WaitList::default(), is_closed: false }
    }

    pub(super) fn n_free(&self) -> usize {
        self.n_free
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Takes `n` if they are free and nobody waits. None at all can always be had.
    pub(super) fn try_take(&mut self, n: usize) -> bool {
        let is_free = n == 0 || n <= self.n_free && self.line.first_needs().is_none();
        if is_free {
            self.n_free -= n;
        }
        is_free
    }

    /// Takes `n`, or waits for them. Whoever has a key is in line, or was served.
    pub(super) fn poll(
        &mut self,
        n: usize,
        key: &mut Option<Key>,
        to_wake: &mut ToWake,
    ) -> Poll<Result<(), Closed>> {
        if self.is_closed {
            *key = None; // Whoever waited was served, and it does not matter with what.
            return Poll::Ready(Err(Closed(())));
        }
        if key.is_none() && self.try_take(n) {
            return Poll::Ready(Ok(()));
        }
        self.line.poll(key, n, &mut to_wake.waiter).map(Ok)
    }

    /// Goes away before it has noticed whether it was served.
    pub(super) fn leave(&mut self, n: usize, key: Key, to_wake: &mut ToWake) {
        match self.line.leave(key) {
            Left::Served => self.give(n, to_wake),
            Left::Unserved(waker) => {
                to_wake.waiter = Some(waker);
                self.serve(to_wake);
            }
        }
    }

    /// Gives `n`: to those who wait, as far as they go.
    pub(super) fn give(&mut self, n: usize, to_wake: &mut ToWake) {
        if !self.is_closed {
            self.n_free += n;
            self.serve(to_wake);
        }
    }

    pub(super) fn close(&mut self, to_wake: &mut ToWake) {
        self.is_closed = true;
        self.serve(to_wake);
    }

    fn serve(&mut self, to_wake: &mut ToWake) {
        while let Some(need) = self.line.first_needs() {
            match self.n_free.checked_sub(need) {
                Some(rest) => self.n_free = rest,
                None if self.is_closed => {} // It is told that there are none.
                None => break,
            }
            to_wake.wake(self.line.serve_first().expect("somebody needs something"));
        }
    }
}

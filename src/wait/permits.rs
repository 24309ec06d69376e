//! A count of permits, and a FIFO of the waiters for them.
//!
//! Knows nothing of what a permit allows: to go on, to put an item, to start one child more. What must
//! always hold:
//!
//! 1. While there is a waiter, less is free than the first in line needs, and no other gets it.
//! 2. What a waiter was granted is taken already; if it leaves unawares, it is given to the next.
//! 3. A waiter that leaves before it was granted anything may have been in the way of those behind it.
//! 4. Once closed, every waiter is told so, granted or not, and it does not matter what is free.

use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::{Closed, TryError};
use crate::prims::Mutex;

use super::hints::{self, WaitReason};
use super::wait_list::{Key, WaitList, Wakers, locked, poll_locked};

/// The count and the line, for an owner that has a lock already.
pub(crate) struct Count {
    limit: usize,
    /// Held or promised. More than the limit where that was lowered, or some were taken regardless.
    taken: usize,
    line: WaitList,
    is_closed: bool,
}

impl Count {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, taken: 0, line: WaitList::default(), is_closed: false }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(crate) fn n_free(&self) -> usize {
        self.limit.saturating_sub(self.taken)
    }

    /// Takes `n` if they are free and there is no waiter. None at all can always be had.
    #[inline]
    pub(crate) fn try_take(&mut self, n: usize) -> Result<(), TryError> {
        if self.is_closed {
            return Err(TryError::Closed(()));
        }
        if n > 0 && (n > self.n_free() || !self.line.is_empty()) {
            return Err(TryError::WouldBlock(()));
        }
        self.taken += n;
        Ok(())
    }

    /// Takes `n`, or waits for them. A waiter with a key is in line, or was granted what it needs.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        n: usize,
        key: &mut Option<Key>,
        wakers: &mut Wakers,
    ) -> Poll<Result<(), Closed>> {
        if key.is_none() && self.try_take(n).is_ok() {
            return Poll::Ready(Ok(()));
        }
        self.poll_in_line(n, key, wakers)
    }

    fn poll_in_line(
        &mut self,
        n: usize,
        key: &mut Option<Key>,
        wakers: &mut Wakers,
    ) -> Poll<Result<(), Closed>> {
        if self.is_closed {
            *key = None; // The waiter was granted, and it does not matter what.
            return Poll::Ready(Err(Closed(())));
        }
        self.line.poll(key, n, &mut wakers.waiter).map(Ok)
    }

    /// Goes away before it has noticed whether it was granted anything.
    pub(crate) fn leave(&mut self, n: usize, key: Key, wakers: &mut Wakers) {
        let is_granted = wakers.leave(&mut self.line, key);
        self.give(if is_granted { n } else { 0 }, wakers);
    }

    /// Gives back `n`: to the waiters, as far as they go.
    #[inline]
    pub(crate) fn give(&mut self, n: usize, wakers: &mut Wakers) {
        if !self.is_closed {
            self.taken -= n;
            self.grant(wakers);
        }
    }

    /// Makes `n` more, which the waiters have first; `None` if there would be too many to count.
    #[inline]
    pub(crate) fn add(&mut self, n: usize, wakers: &mut Wakers) -> Option<()> {
        self.limit = self.limit.checked_add(n)?;
        self.grant(wakers);
        Some(())
    }

    /// Ends `n` of those that are taken: there are fewer for good.
    #[inline]
    pub(crate) fn forget(&mut self, n: usize) {
        self.taken -= n;
        self.limit -= n;
    }

    /// Every waiter, and one that comes later, is told that it is [`Closed`].
    pub(crate) fn close(&mut self, wakers: &mut Wakers) {
        self.is_closed = true;
        self.grant(wakers);
    }

    /// Takes for the first in line what it needs, as long as there is so much.
    #[inline]
    fn grant(&mut self, wakers: &mut Wakers) {
        if !self.line.is_empty() {
            self.grant_first(wakers);
        }
    }

    fn grant_first(&mut self, wakers: &mut Wakers) {
        while let Some(need) = self.line.first_needs() {
            if need <= self.n_free() {
                self.taken += need;
            } else if !self.is_closed {
                return; // If it is, it is told that there are none.
            }
            wakers.wake_first(&mut self.line);
        }
    }
}

/// The same with a lock of its own: many threads and tasks share it.
pub(crate) struct Permits(Mutex<Count>);

impl Permits {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Mutex::new(Count::new(limit)))
    }

    /// Works on the count. What is to be woken is woken afterwards.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Count, &mut Wakers) -> R) -> R {
        locked(&self.0, work)
    }

    /// How many are free: none, once it is closed. While there is a waiter they cannot be had.
    pub(crate) fn n_free(&self) -> usize {
        self.with(|count, _| if count.is_closed { 0 } else { count.n_free() })
    }

    /// Takes `n` beyond the limit if need be, past the waiters.
    pub(crate) fn take_anyway(&self, n: usize) {
        self.with(|count, _| count.taken += n);
    }

    /// Gives back `n` that no guard holds.
    pub(crate) fn give(&self, n: usize) {
        self.with(|count, wakers| count.give(n, wakers));
    }
}

/// How a guard, or a wait for one, knows its permits.
pub(crate) trait Source: Deref<Target = Permits> + Clone + Unpin {}

impl<S: Deref<Target = Permits> + Clone + Unpin> Source for S {}

/// Takes `n` at once, or says why not.
pub(crate) fn try_acquire<S: Source>(source: S, n: usize) -> Result<Permit<S>, TryError> {
    source.0.lock().try_take(n)?;
    Ok(Permit { source, n })
}

/// Takes `n` as soon as they are granted. What it waits for is said in words.
///
/// A thread blocks on it, for a time if it likes. Dropped while it waits, it leaves the line, and what
/// it was granted unawares goes to the next.
pub(crate) fn acquire<S: Source>(source: S, n: usize, words: &'static str) -> Waiting<S> {
    Waiting { source, n, words, key: None }
}

/// Waits for `n` permits; see [`acquire`].
#[must_use = "nobody stands in line until this is awaited"]
pub(crate) struct Waiting<S: Source> {
    source: S,
    n: usize,
    words: &'static str,
    /// Our number in the line, once we are in it.
    key: Option<Key>,
}

impl<S: Source> Future for Waiting<S> {
    type Output = Result<Permit<S>, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { source, n, words, key } = &mut *self;
        let mut are_so_many = true;
        let polled = poll_locked(&source.0, context, |count, wakers| {
            are_so_many = *n <= count.limit;
            count.poll(*n, key, wakers)
        });
        if polled.is_pending() {
            hints::set_reason(WaitReason::Words(if are_so_many {
                words
            } else {
                "more permits than there are"
            }));
        }
        polled.map_ok(|()| Permit { source: source.clone(), n: *n })
    }
}

impl<S: Source> Drop for Waiting<S> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.source.with(|count, wakers| count.leave(self.n, key, wakers));
        }
    }
}

/// Some permits, which are given back when this is dropped.
#[must_use = "dropping it at once gives it back at once"]
pub(crate) struct Permit<S: Source> {
    source: S,
    n: usize,
}

impl<S: Source> Permit<S> {
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// Ends the guard alone: what it held stays taken until it is [given](Permits::give) back.
    pub(crate) fn keep(mut self) {
        self.n = 0;
    }

    /// Gives nothing back: there are fewer for good.
    pub(crate) fn forget(mut self) {
        let n = mem::take(&mut self.n);
        self.source.0.lock().forget(n);
    }
}

impl<S: Source> Drop for Permit<S> {
    fn drop(&mut self) {
        if self.n > 0 {
            self.source.give(self.n);
        }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::task::Waker;

    fn poll<S: Source>(acquire: &mut Waiting<S>) -> Poll<Result<Permit<S>, Closed>> {
        Pin::new(acquire).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_taken_beyond_the_limit_is_given_back_before_anything_is_free() {
        let permits = Permits::new(1);
        permits.take_anyway(3);
        let mut waits = acquire(&permits, 1, "a permit");
        assert!(poll(&mut waits).is_pending());
        permits.give(2);
        assert!(poll(&mut waits).is_pending());
        permits.give(1);
        let Poll::Ready(Ok(permit)) = poll(&mut waits) else { unreachable!("one is free") };
        permit.keep();
        assert_eq!(permits.n_free(), 0, "it stays taken");
        permits.give(1);
        assert_eq!(permits.n_free(), 1);
    }

    #[test]
    fn a_wait_that_is_dropped_passes_on_what_it_was_granted() {
        let permits = Permits::new(1);
        let held = try_acquire(&permits, 1);
        let [mut goes, mut stays] = [(); 2].map(|()| acquire(&permits, 1, "a permit"));
        assert!(poll(&mut goes).is_pending() && poll(&mut stays).is_pending());
        drop(held);
        drop(goes);
        assert!(poll(&mut stays).is_ready());
    }

    #[test]
    fn a_close_ends_every_wait() {
        let permits = Permits::new(0);
        let mut waits = acquire(&permits, 1, "a permit");
        assert!(poll(&mut waits).is_pending());
        permits.with(Count::close);
        assert!(matches!(poll(&mut waits), Poll::Ready(Err(Closed(())))));
        assert!(matches!(try_acquire(&permits, 1), Err(TryError::Closed(()))));
    }
}

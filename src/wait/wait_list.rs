//! A line of waiters, first come, first granted; and wakers that wait for a lock to be let go.
//!
//! Knows nothing of what they wait for: it lives under its owner's lock, and the owner decides
//! what is handed over. It works as at a counter where each customer draws a number: the lowest is
//! always called first, so a waiter was granted if a number as high as its own was called.
//! What must always hold:
//!
//! 1. The first in line is granted first, and no waiter is ever overtaken.
//! 2. A waiter that was granted and leaves before it noticed says so, and its owner passes on
//!    what it was given. Otherwise a cancelled waiter would swallow a permit for ever.
//! 3. A waker is user code, and so are its clone and its drop. They run with the lock let go,
//!    and a panic in one of them keeps no other waiter from being woken.
//! 4. A waiter that leaves the middle of the line leaves a tombstone. The first is never a tombstone, and at most half
//!    of the line are.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;

/// Waiters in the order of their numbers: joining, granting and looking cost the same for ten waiters
/// as for a million.
#[derive(Default)]
pub(crate) struct WaitList {
    line: VecDeque<Waiter>,
    n_tombstones: usize,
    /// How many numbers were drawn: the next one is this.
    next_number: u64,
    /// A waiter with a lower number than this, that has not left, was granted.
    n_granted: u64,
}

struct Waiter {
    number: u64,
    /// How much this waiter needs: its owner counts it in.
    need: usize,
    /// `None` in a tombstone.
    waker: Option<Waker>,
}

/// A waiter's number. It is handed back exactly once, or kept for good by one that was granted.
#[derive(Debug)]
pub(crate) struct Key(u64);

impl WaitList {
    /// One poll of a waiter, as a future has it: asks whether it was granted, which ends its wait.
    ///
    /// If not, it waits with this waker from now on, at the end of the line if it is not in it
    /// yet; and what is left in `waker`, if anything, is a stale one. If there is none, it does
    /// nothing more, and is to come back with one.
    pub(crate) fn poll(
        &mut self,
        key: &mut Option<Key>,
        need: usize,
        waker: &mut Option<Waker>,
    ) -> Poll<()> {
        if key.as_ref().is_some_and(|key| self.is_granted(key)) {
            *key = None;
            return Poll::Ready(());
        }
        if let Some(newest) = waker.take() {
            match key {
                Some(key) => *waker = self.waker_of(key).replace(newest),
                None => *key = Some(self.push(need, newest)),
            }
        }
        Poll::Pending
    }

    /// Joins the end of the line, for so many of what its owner has.
    fn push(&mut self, need: usize, waker: Waker) -> Key {
        let number = self.next_number;
        self.next_number += 1;
        self.line.push_back(Waiter { number, need, waker: Some(waker) });
        Key(number)
    }

    fn is_granted(&self, key: &Key) -> bool {
        key.0 < self.n_granted
    }

    fn waker_of(&mut self, key: &Key) -> &mut Option<Waker> {
        let at = self.line.binary_search_by_key(&key.0, |waiter| waiter.number);
        &mut self.line[at.expect("who was not called and has not left stands in the line")].waker
    }

    /// Goes away, and takes its waker along. `None` if it was granted in the meantime: what it was given is now its
    /// owner's to pass on.
    fn leave(&mut self, key: Key) -> Option<Waker> {
        if self.is_granted(&key) {
            return None;
        }
        let waker = self.waker_of(&key).take();
        self.n_tombstones += 1;
        self.compact();
        waker
    }

    /// Grants the first in line. Its owner wakes the waker, after its lock is let go.
    pub(crate) fn grant_first(&mut self) -> Option<Waker> {
        let first = self.line.pop_front()?;
        self.n_granted = first.number + 1;
        self.compact();
        first.waker
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// How much the first in line needs; nothing if there is no waiter.
    pub(crate) fn first_needs(&self) -> Option<usize> {
        Some(self.line.front()?.need)
    }

    /// Takes out the tombstones in front of the first waiter; and all of them, once they are more than the
    /// waiters. So each tombstone is paid for by the waiter that left it.
    fn compact(&mut self) {
        if self.n_tombstones > 0 {
            self.take_out_tombstones();
        }
        give_back_room(&mut self.line);
    }

    #[cold]
    fn take_out_tombstones(&mut self) {
        while self.line.front().is_some_and(|first| first.waker.is_none()) {
            self.line.pop_front();
            self.n_tombstones -= 1;
        }
        if self.n_tombstones > self.line.len() / 2 {
            self.line.retain(|waiter| waiter.waker.is_some());
            self.n_tombstones = 0;
        }
    }
}

/// Gives back half of the memory if a quarter would do: what a flood needed, not what comes and goes.
#[inline]
pub(crate) fn give_back_room<T>(line: &mut VecDeque<T>) {
    if line.capacity() > 1024 && line.len() < line.capacity() / 4 {
        line.shrink_to(line.capacity() / 2);
    }
}

/// Works on what is behind a lock. What is to be woken is woken when the lock is let go.
#[inline]
pub(crate) fn locked<S, R>(lock: &Mutex<S>, work: impl FnOnce(&mut S, &mut Wakers) -> R) -> R {
    let mut wakers = Wakers::default();
    let result = work(&mut lock.lock(), &mut wakers);
    wakers.run();
    result
}

/// Polls what is behind a lock. Mostly what is waited for is there, and then no waker is cloned. If
/// not, it is polled once more, with one: it may have come in between.
#[inline]
pub(crate) fn poll_locked<S, R>(
    lock: &Mutex<S>,
    context: &Context<'_>,
    mut poll: impl FnMut(&mut S, &mut Wakers) -> Poll<R>,
) -> Poll<R> {
    let polled = locked(lock, &mut poll);
    if polled.is_ready() {
        return polled;
    }
    let waker = context.waker().clone();
    locked(lock, |state, wakers| {
        wakers.waiter = Some(waker);
        poll(state, wakers)
    })
}

/// Filled under a lock, and run after it.
#[derive(Default)]
pub(crate) struct Wakers {
    /// The first apart from the others, since mostly there is one, and it needs no allocation.
    granted: Option<(Waker, Vec<Waker>)>,
    /// Of the waiter that polls; and in the end one that is not needed any more, and is dropped.
    pub(crate) waiter: Option<Waker>,
}

impl Wakers {
    /// Grants the first in line; false if there is none.
    pub(crate) fn wake_first(&mut self, line: &mut WaitList) -> bool {
        let Some(waker) = line.grant_first() else { return false };
        match &mut self.granted {
            None => self.granted = Some((waker, Vec::new())),
            Some((_, more)) => more.push(waker),
        }
        true
    }

    /// Takes a waiter out of the line; true if it was granted in the meantime.
    pub(crate) fn leave(&mut self, line: &mut WaitList, key: Key) -> bool {
        self.waiter = line.leave(key);
        self.waiter.is_none()
    }

    /// Grants the whole line.
    pub(crate) fn wake_all(&mut self, line: &mut WaitList) {
        while self.wake_first(line) {}
    }

    /// Mostly there is none.
    #[inline]
    fn run(self) {
        let Self { granted, waiter } = self;
        if let Some((first, more)) = granted {
            wake(first, more);
        }
        if let Some(waiter) = waiter {
            drop_contained(waiter);
        }
    }
}

/// Apart, so that it takes no room where there is none to wake.
fn wake(first: Waker, more: Vec<Waker>) {
    panic::contain(|| first.wake());
    if !more.is_empty() {
        panic::wake_each(more);
    }
}

/// The same.
fn drop_contained(waker: Waker) {
    panic::contain(|| drop(waker));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;

    struct Numbered(usize, Arc<AtomicUsize>);

    impl Wake for Numbered {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0, Relaxed); // ORDERING: Relaxed. One thread writes and reads.
        }
    }

    /// A waker that says who was woken last.
    fn waker(number: usize, woken: &Arc<AtomicUsize>) -> Waker {
        Arc::new(Numbered(number, woken.clone())).into()
    }

    fn grant(list: &mut WaitList, woken: &Arc<AtomicUsize>) -> usize {
        list.grant_first().expect("somebody waits").wake();
        woken.load(Relaxed) // ORDERING: Relaxed, as above.
    }

    /// Joins the line.
    fn stand(list: &mut WaitList, waker: Waker) -> Option<Key> {
        let mut key = None;
        assert!(list.poll(&mut key, 1, &mut Some(waker)).is_pending());
        key
    }

    fn leave(list: &mut WaitList, key: Option<Key>) -> Option<Waker> {
        list.leave(key.expect("it stands in the line"))
    }

    #[test]
    fn waiters_are_granted_in_the_order_they_came() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let mut keys: Vec<_> = (0..4).map(|n| stand(&mut list, waker(n, &woken))).collect();
        for (n, key) in keys.iter_mut().enumerate() {
            assert!(list.poll(key, 1, &mut None).is_pending());
            assert_eq!(grant(&mut list, &woken), n);
            assert!(list.poll(key, 1, &mut None).is_ready());
        }
        assert!(list.grant_first().is_none());
    }

    #[test]
    fn a_waiter_that_leaves_the_middle_is_passed_over() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let mut keys: Vec<_> = (0..3).map(|n| stand(&mut list, waker(n, &woken))).collect();
        assert!(leave(&mut list, keys.remove(1)).is_some());
        assert_eq!([grant(&mut list, &woken), grant(&mut list, &woken)], [0, 2]);
    }

    #[test]
    fn a_waiter_that_leaves_after_it_was_granted_says_so() {
        let mut list = WaitList::default();
        let key = stand(&mut list, Waker::noop().clone());
        list.grant_first();
        assert!(leave(&mut list, key).is_none());
    }

    #[test]
    fn a_second_look_replaces_the_waker() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let mut key = stand(&mut list, waker(1, &woken));
        let mut newest = Some(waker(2, &woken));
        assert!(list.poll(&mut key, 1, &mut newest).is_pending() && newest.is_some());
        assert_eq!(grant(&mut list, &woken), 2);
    }

    #[test]
    fn gaps_never_outnumber_those_who_wait() {
        let mut list = WaitList::default();
        let mut keys = VecDeque::new();
        for n in 0..1000 {
            keys.push_back(stand(&mut list, Waker::noop().clone()));
            let leaves = keys.remove(keys.len() * n / 1000).expect("one has come");
            if n % 3 > 0 {
                leave(&mut list, leaves);
            }
            assert!(list.line.len() <= 2 * (n / 3 + 1));
        }
    }
}

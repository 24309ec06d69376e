//! A line of waiters, first come, first served.
//!
//! Knows nothing of what they wait for: it lives under its owner's lock, and the owner decides
//! what is handed over. What must always hold:
//!
//! 1. Whoever stands first is served first, and a place once taken is never overtaken.
//! 2. A waiter that was served and leaves before it noticed says so, and its owner passes on
//!    what it was given. Otherwise a cancelled waiter would swallow a permit for ever.
//! 3. Nothing here wakes or drops a waker; the owner does, after its lock is let go.

use std::mem;
use std::task::{Poll, Waker};

/// Waiters in a doubly linked line through a slab: joining, serving and leaving cost the same
/// for ten waiters as for a million.
#[derive(Default)]
pub(crate) struct WaitList {
    places: Vec<Place>,
    first: Option<usize>,
    last: Option<usize>,
    /// The head of the empty places, which are chained through `next`.
    empty: Option<usize>,
}

struct Place {
    state: State,
    /// How much this waiter needs: its owner counts it in.
    need: usize,
    /// Towards the front of the line.
    previous: Option<usize>,
    /// Towards its end.
    next: Option<usize>,
}

enum State {
    Empty,
    Waiting(Waker),
    /// Out of the line and told so. Keeps its place until it comes to look, or leaves.
    Served,
}

/// A waiter's key to its place. It is handed back exactly once, so that no place is lost.
#[derive(Debug)]
pub(crate) struct Key(usize);

/// What a waiter that came to look is told.
pub(crate) enum Turn {
    /// It was served. The waker it brought is not needed.
    Served(Waker),
    /// It waits on; here are its key and the waker that the new one has replaced.
    NotYet(Key, Waker),
}

/// How a waiter left.
pub(crate) enum Left {
    /// It was served in the meantime. What it was given is now its owner's to pass on.
    Served,
    /// It gave up before its turn came, and this was its waker.
    Unserved(Waker),
}

impl WaitList {
    /// Stands at the end of the line, for one.
    pub(crate) fn enlist(&mut self, waker: Waker) -> Key {
        self.enlist_for(1, waker)
    }

    /// Stands at the end of the line, for so many of what its owner has.
    fn enlist_for(&mut self, need: usize, waker: Waker) -> Key {
        let place = Place { state: State::Waiting(waker), need, previous: self.last, next: None };
        let at = match self.empty {
            Some(at) => {
                self.empty = self.places[at].next;
                self.places[at] = place;
                at
            }
            None => {
                self.places.push(place);
                self.places.len() - 1
            }
        };
        match self.last.replace(at) {
            Some(before) => self.places[before].next = Some(at),
            None => self.first = Some(at),
        }
        Key(at)
    }

    /// Asks whether it was served, and leaves a newer waker if it was not.
    pub(crate) fn look(&mut self, key: Key, waker: Waker) -> Turn {
        match &mut self.places[key.0].state {
            State::Waiting(kept) => Turn::NotYet(key, mem::replace(kept, waker)),
            State::Served => {
                self.vacate(key);
                Turn::Served(waker)
            }
            State::Empty => unreachable!("a key is handed back once"),
        }
    }

    /// One poll of a waiter, as a future has it: stands in the line first, and looks from then on.
    ///
    /// The waker that comes back is to be dropped, after its owner's lock is let go.
    pub(crate) fn poll(
        &mut self,
        key: &mut Option<Key>,
        need: usize,
        waker: Waker,
    ) -> (Poll<()>, Option<Waker>) {
        let Some(standing) = key.take() else {
            *key = Some(self.enlist_for(need, waker));
            return (Poll::Pending, None);
        };
        match self.look(standing, waker) {
            Turn::Served(unneeded) => (Poll::Ready(()), Some(unneeded)),
            Turn::NotYet(standing, stale) => {
                *key = Some(standing);
                (Poll::Pending, Some(stale))
            }
        }
    }

    /// Goes away, served or not.
    pub(crate) fn leave(&mut self, key: Key) -> Left {
        match mem::replace(&mut self.places[key.0].state, State::Served) {
            State::Waiting(waker) => {
                self.unlink(key.0);
                self.vacate(key);
                Left::Unserved(waker)
            }
            State::Served => {
                self.vacate(key);
                Left::Served
            }
            State::Empty => unreachable!("a key is handed back once"),
        }
    }

    /// Serves the first in line. Its owner wakes the waker, after its lock is let go.
    pub(crate) fn serve_first(&mut self) -> Option<Waker> {
        let at = self.first?;
        self.unlink(at);
        match mem::replace(&mut self.places[at].state, State::Served) {
            State::Waiting(waker) => Some(waker),
            State::Served | State::Empty => unreachable!("only those who wait stand in the line"),
        }
    }

    /// How much the first in line needs; nothing if nobody waits.
    pub(crate) fn first_needs(&self) -> Option<usize> {
        Some(self.places[self.first?].need)
    }

    /// Takes a place out of the line; it stays a place.
    fn unlink(&mut self, at: usize) {
        let Place { previous, next, .. } = self.places[at];
        match previous {
            Some(before) => self.places[before].next = next,
            None => self.first = next,
        }
        match next {
            Some(after) => self.places[after].previous = previous,
            None => self.last = previous,
        }
    }

    /// Gives an unlinked place to the next who comes.
    fn vacate(&mut self, Key(at): Key) {
        self.places[at] = Place { state: State::Empty, need: 0, previous: None, next: self.empty };
        self.empty = Some(at);
    }
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

    fn serve(list: &mut WaitList, woken: &Arc<AtomicUsize>) -> usize {
        list.serve_first().expect("somebody waits").wake();
        woken.load(Relaxed) // ORDERING: Relaxed, as above.
    }

    #[test]
    fn waiters_are_served_in_the_order_they_came() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let keys: Vec<Key> = (0..4).map(|n| list.enlist(waker(n, &woken))).collect();
        let order: Vec<usize> = keys.iter().map(|_| serve(&mut list, &woken)).collect();
        assert_eq!(order, [0, 1, 2, 3]);
        assert!(list.serve_first().is_none());
    }

    #[test]
    fn a_waiter_that_leaves_the_middle_is_passed_over() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let mut keys: Vec<Key> = (0..3).map(|n| list.enlist(waker(n, &woken))).collect();
        assert!(matches!(list.leave(keys.remove(1)), Left::Unserved(_)));
        assert_eq!([serve(&mut list, &woken), serve(&mut list, &woken)], [0, 2]);
    }

    #[test]
    fn a_waiter_that_leaves_after_it_was_served_says_so() {
        let mut list = WaitList::default();
        let key = list.enlist(Waker::noop().clone());
        list.serve_first();
        assert!(matches!(list.leave(key), Left::Served));
    }

    #[test]
    fn a_second_look_replaces_the_waker() {
        let woken = Arc::default();
        let mut list = WaitList::default();
        let key = list.enlist(waker(1, &woken));
        assert!(matches!(list.look(key, waker(2, &woken)), Turn::NotYet(..)));
        assert_eq!(serve(&mut list, &woken), 2);
    }

    #[test]
    fn places_are_used_again() {
        let mut list = WaitList::default();
        for _ in 0..1000 {
            let key = list.enlist(Waker::noop().clone());
            list.serve_first();
            assert!(matches!(list.look(key, Waker::noop().clone()), Turn::Served(_)));
        }
        assert_eq!(list.places.len(), 1);
    }
}

//! Wakers in the order of their deadlines, from which any can be taken out.
//!
//! Knows nothing of clocks and threads: whoever keeps it says what time it is. Most timers are
//! timeouts that never fire, so taking one out has to be as cheap as putting it in. The heap is std's,
//! which can only take out the first; so the wakers stand beside it, in slots. To take out a timer is to
//! empty its slot, and what is left in the heap is a *ghost*.
//!
//! What must always hold:
//!
//! 1. No timer fires before its deadline, and equal deadlines fire in the order they were set.
//! 2. The first in the heap is no ghost, and no more than half of the heap are. So a million timeouts that
//!    were taken out are not a million entries.
//! 3. Nothing here wakes or drops a waker; the keeper does, after its lock is let go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;
use std::task::Waker;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Timers {
    /// The first to fire comes first.
    heap: BinaryHeap<Reverse<Due>>,
    n_ghosts: usize,
    /// The waker of each timer that is set, and the number of the timer.
    slots: Vec<Option<(u64, Waker)>>,
    /// Which slots are empty.
    free: Vec<usize>,
    n_set: u64,
}

/// What the heap compares: the deadline, then the order in which they were set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    deadline: Instant,
    key: Key,
}

/// A timer's name. Good until it fires or is taken out, and harmless afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    number: u64,
    slot: usize,
}

impl Timers {
    /// Sets a timer. True if it is now the first to fire, so that whoever sleeps must look again.
    pub(crate) fn set(&mut self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let (number, set) = (self.n_set, Some((self.n_set, waker)));
        self.n_set += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = set;
                slot
            }
            None => {
                self.slots.push(set);
                self.slots.len() - 1
            }
        };
        let key = Key { number, slot };
        self.heap.push(Reverse(Due { deadline, key }));
        (key, self.heap.peek().is_some_and(|Reverse(first)| first.key == key))
    }

    /// Leaves a newer waker with a timer, for the older one; false if it has fired.
    pub(crate) fn renew(&mut self, key: Key, newer: &mut Waker) -> bool {
        match self.slots.get_mut(key.slot) {
            Some(Some((number, waker))) if *number == key.number => {
                mem::swap(waker, newer);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Takes a timer out; `None` if it has fired, or was taken out before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Waker> {
        let waker = self.empty(key)?;
        self.n_ghosts += 1;
        self.lay_ghosts();
        Some(waker)
    }

    /// When the next one fires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(first)| first.deadline)
    }

    /// Takes the first timer out if its deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        if self.next_deadline()? <= now { self.pop() } else { None }
    }

    /// Takes the first timer out, due or not.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        let Reverse(first) = self.heap.pop()?;
        let waker = self.empty(first.key);
        self.lay_ghosts();
        waker
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn empty(&mut self, key: Key) -> Option<Waker> {
        let slot = self.slots.get_mut(key.slot)?;
        let (_, waker) = slot.take_if(|(number, _)| *number == key.number)?;
        self.free.push(key.slot);
        Some(waker)
    }

    /// A timer has been taken out, or the first one has fired.
    fn lay_ghosts(&mut self) {
        let Self { heap, slots, n_ghosts, .. } = self;
        let is_ghost = |Reverse(due): &Reverse<Due>| {
            slots[due.key.slot].as_ref().is_none_or(|(number, _)| *number != due.key.number)
        };
        while *n_ghosts > 0 && heap.peek().is_some_and(is_ghost) {
            heap.pop();
            *n_ghosts -= 1;
        }
        if *n_ghosts > heap.len() / 2 {
            heap.retain(|due| !is_ghost(due));
            *n_ghosts = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;
    use std::time::Duration;

    /// A waker that is known by its address.
    struct Known;

    impl Wake for Known {
        fn wake(self: Arc<Self>) {}
    }

    /// Timers beside the plainest thing that does the same: a sorted list.
    struct Pair {
        timers: Timers,
        list: Vec<(Instant, u64, Key, Waker)>,
        start: Instant,
        n_set: u64,
    }

    impl Pair {
        fn new() -> Self {
            let start = crate::prims::now();
            Self { timers: Timers::default(), list: Vec::new(), start, n_set: 0 }
        }

        fn set(&mut self, after: u64) {
            let deadline = self.start + Duration::from_nanos(after);
            let waker = Waker::from(Arc::new(Known));
            let (key, is_first) = self.timers.set(deadline, waker.clone());
            self.list.push((deadline, self.n_set, key, waker));
            self.n_set += 1;
            self.list.sort_by_key(|(deadline, number, ..)| (*deadline, *number));
            assert_eq!(is_first, self.list[0].2 == key);
        }

        fn replace(&mut self, at: usize) {
            let newer = Waker::from(Arc::new(Known));
            let (_, _, key, waker) = &mut self.list[at];
            let mut old = newer.clone();
            assert!(self.timers.renew(*key, &mut old));
            assert!(old.will_wake(&mem::replace(waker, newer)));
        }

        fn remove(&mut self, at: usize) {
            let (_, _, key, waker) = self.list.remove(at);
            assert!(self.timers.remove(key).expect("it is set").will_wake(&waker));
            assert!(self.timers.remove(key).is_none(), "it is out");
        }

        fn fire_until(&mut self, after: u64) {
            let now = self.start + Duration::from_nanos(after);
            while let Some(fired) = self.timers.pop_due(now) {
                let (deadline, _, key, waker) = self.list.remove(0);
                assert!(deadline <= now && fired.will_wake(&waker));
                assert!(self.timers.remove(key).is_none(), "it has fired");
            }
            assert!(self.list.first().is_none_or(|(deadline, ..)| *deadline > now));
            assert_eq!(self.timers.next_deadline(), self.list.first().map(|first| first.0));
        }
    }

    /// A number from 0 to below `n`, from a small generator with a seed.
    fn draw(state: &mut u64, n: u64) -> u64 {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % n
    }

    #[test]
    fn timers_do_what_a_sorted_list_does() {
        for seed in 0..200 {
            let (mut pair, mut state, mut now, mut most) = (Pair::new(), seed, 0, 0);
            for _ in 0..200 {
                most = most.max(pair.list.len() + 1);
                match draw(&mut state, 16) {
                    // Few different deadlines, so that many are equal.
                    0..8 => pair.set(now + 10 * draw(&mut state, 20)),
                    what @ 8..15 if !pair.list.is_empty() => {
                        let at = draw(&mut state, pair.list.len() as u64) as usize;
                        if what < 13 { pair.remove(at) } else { pair.replace(at) }
                    }
                    _ => {
                        now += draw(&mut state, 60);
                        pair.fire_until(now);
                    }
                }
                let Timers { heap, n_ghosts, .. } = &pair.timers;
                assert_eq!(heap.len() - n_ghosts, pair.list.len());
                assert!(*n_ghosts <= heap.len() / 2, "there are more ghosts than timers");
            }
            pair.fire_until(u64::MAX / 2);
            assert!(pair.timers.is_empty(), "seed {seed}");
            assert!(pair.timers.slots.len() <= most, "a slot is used again");
        }
    }

    #[test]
    fn a_key_of_a_timer_that_has_fired_names_no_other() {
        let mut timers = Timers::default();
        let now = crate::prims::now();
        let (old, _) = timers.set(now, Waker::noop().clone());
        timers.pop_due(now);
        let (_new, _) = timers.set(now, Waker::noop().clone());
        assert!(timers.remove(old).is_none());
        assert!(!timers.renew(old, &mut Waker::noop().clone()));
        assert!(!timers.is_empty());
    }
}

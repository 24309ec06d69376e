//! Wakers in the order of their deadlines: a heap that can also forget.
//!
//! Knows nothing of clocks and threads: whoever keeps it says what time it is. Most timers are
//! timeouts that never fire, so taking one out has to be as cheap as putting it in. It is tempting
//! to leave it in and skip it later, but then a million cancelled timeouts are a million entries.
//!
//! What must always hold:
//!
//! 1. No timer fires before its deadline, and equal deadlines fire in the order they were set.
//! 2. Each entry knows its place in the heap and each place its entry, so that removal is true.
//! 3. Nothing here wakes or drops a waker; the keeper does, after its lock is let go.
//!
//! The heap has four children to a parent: half as deep as a binary one, and the four deadlines that
//! are compared lie side by side in memory.

use std::mem;
use std::task::Waker;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Timers {
    /// Every parent fires before its children, which stand at `4 * place + 1` and on.
    heap: Vec<Due>,
    slots: Vec<Slot>,
    /// The head of the empty slots, which are chained.
    empty: Option<usize>,
    n_set: u64,
}

/// What the heap compares: the deadline, then the order in which they were set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    deadline: Instant,
    number: u64,
    slot: usize,
}

enum Slot {
    Empty { next: Option<usize> },
    Set { place: usize, number: u64, waker: Waker },
}

/// A timer's name. Good until it fires or is taken out, and harmless afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    slot: usize,
    number: u64,
}

impl Timers {
    /// Sets a timer. True if it is now the first to fire, so that whoever sleeps must look again.
    pub(crate) fn set(&mut self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let number = self.n_set;
        self.n_set += 1;
        let place = self.heap.len();
        let set = Slot::Set { place, number, waker };
        let slot = match self.empty {
            Some(slot) => {
                self.empty = match mem::replace(&mut self.slots[slot], set) {
                    Slot::Empty { next } => next,
                    Slot::Set { .. } => unreachable!("the chain is of empty slots"),
                };
                slot
            }
            None => {
                self.slots.push(set);
                self.slots.len() - 1
            }
        };
        self.heap.push(Due { deadline, number, slot });
        self.rise(place);
        (Key { slot, number }, self.heap[0].number == number)
    }

    /// Leaves a newer waker with a timer, and gives back the old one. `Err` is the newer one, not
    /// needed, since the timer has fired. Either is the keeper's to drop.
    pub(crate) fn replace(&mut self, key: Key, newer: Waker) -> Result<Waker, Waker> {
        match self.slots.get_mut(key.slot) {
            Some(Slot::Set { number, waker, .. }) if *number == key.number => {
                Ok(mem::replace(waker, newer))
            }
            Some(Slot::Set { .. } | Slot::Empty { .. }) | None => Err(newer),
        }
    }

    /// Takes a timer out; `None` if it has fired, or was taken out before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Waker> {
        match self.slots.get(key.slot) {
            Some(Slot::Set { place, number, .. }) if *number == key.number => {
                Some(self.take(*place))
            }
            Some(Slot::Set { .. } | Slot::Empty { .. }) | None => None,
        }
    }

    /// When the next one fires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.heap.first().map(|due| due.deadline)
    }

    /// Takes the first timer out if its deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        (self.next_deadline()? <= now).then(|| self.take(0))
    }

    /// Takes the first timer out, due or not.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        (!self.heap.is_empty()).then(|| self.take(0))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn take(&mut self, place: usize) -> Waker {
        let due = self.heap.swap_remove(place);
        if place < self.heap.len() {
            // The last one stands here now, and may belong further up or further down.
            let moved = self.rise(place);
            self.sink(moved);
        }
        let empty = Slot::Empty { next: self.empty };
        self.empty = Some(due.slot);
        match mem::replace(&mut self.slots[due.slot], empty) {
            Slot::Set { waker, .. } => waker,
            Slot::Empty { .. } => unreachable!("a place in the heap has its slot"),
        }
    }

    /// Moves up what fires before its parent, and says where it came to stand.
    fn rise(&mut self, mut place: usize) -> usize {
        let due = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / 4;
            if self.heap[parent] < due {
                break;
            }
            self.stand(place, self.heap[parent]);
            place = parent;
        }
        self.stand(place, due);
        place
    }

    /// Moves down what fires after one of its children.
    fn sink(&mut self, mut place: usize) {
        let due = self.heap[place];
        loop {
            let children = 4 * place + 1..self.heap.len().min(4 * place + 5);
            let Some(first) = children.min_by_key(|child| self.heap[*child]) else { break };
            if due < self.heap[first] {
                break;
            }
            self.stand(place, self.heap[first]);
            place = first;
        }
        self.stand(place, due);
    }

    fn stand(&mut self, at: usize, due: Due) {
        self.heap[at] = due;
        match &mut self.slots[due.slot] {
            Slot::Set { place, .. } => *place = at,
            Slot::Empty { .. } => unreachable!("what stands in the heap is set"),
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
            let old = self.timers.replace(*key, newer.clone()).expect("it is set");
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
        assert!(timers.replace(old, Waker::noop().clone()).is_err());
        assert!(!timers.is_empty());
    }
}

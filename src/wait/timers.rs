//! Wakers in the order of their deadlines, from which any can be taken out.
//!
//! Knows nothing of clocks and threads: whoever keeps it says what time it is.
//!
//! What must always hold:
//!
//! 1. No timer fires before its deadline, and equal deadlines fire in the order they were set.
//! 2. Nothing here wakes or drops a waker; the keeper does, after its lock is let go.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Timers {
    wakers: BTreeMap<Key, Waker>,
    n_set: u64,
}

/// A timer's name, and its place: by deadline, and then in the order in which they were set. Good until it
/// fires or is taken out, and harmless afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) deadline: Instant,
    /// No other timer is ever given it.
    pub(crate) number: u64,
}

impl Timers {
    /// Sets a timer. True if it is now the first to fire, so that whoever sleeps must look again.
    pub(crate) fn set(&mut self, deadline: Instant, waker: Waker) -> (Key, bool) {
        let is_first = self.next_deadline().is_none_or(|next| deadline < next);
        let key = Key { deadline, number: self.n_set };
        self.n_set += 1;
        self.wakers.insert(key, waker);
        (key, is_first)
    }

    /// Leaves a newer waker with a timer, for the older one; false if it has fired.
    pub(crate) fn renew(&mut self, key: Key, newer: &mut Waker) -> bool {
        let older = self.wakers.get_mut(&key);
        older.map(|older| mem::swap(older, newer)).is_some()
    }

    /// Takes a timer out; `None` if it has fired, or was taken out before.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Waker> {
        self.wakers.remove(&key)
    }

    /// When the next one fires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.wakers.first_key_value().map(|(key, _)| key.deadline)
    }

    /// Takes the first timer out if its deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Waker> {
        if self.next_deadline()? <= now { self.pop() } else { None }
    }

    /// Takes the first timer out, due or not.
    pub(crate) fn pop(&mut self) -> Option<Waker> {
        self.wakers.pop_first().map(|(_, waker)| waker)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
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
            let (mut pair, mut state, mut now) = (Pair::new(), seed, 0);
            for _ in 0..200 {
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
                assert_eq!(pair.timers.wakers.len(), pair.list.len());
            }
            pair.fire_until(u64::MAX / 2);
            assert!(pair.timers.is_empty(), "seed {seed}");
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

//! A vector with holes: what is in it has a slot of its own until it is removed.
//!
//! Knows nothing of tasks. What must always hold: the slots that are empty are chained, and the next one in is
//! the last one that came free; and a time with many leaves no more memory behind than what is in it now needs.

use std::mem;

pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The head of the chain of empty slots.
    empty: Option<usize>,
    n_taken: usize,
    /// With fewer than that, empty slots at the end go.
    shrinks_below: usize,
    /// There were fewer at the last look.
    was_sparse: bool,
}

/// What is in a slot; or, if it is empty, the next one in the chain.
type Slot<T> = Result<T, Option<usize>>;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), empty: None, n_taken: 0, shrinks_below: 0, was_sparse: false }
    }
}

impl<T> Slab<T> {
    /// Where the next one will be.
    pub(crate) fn next_slot(&self) -> usize {
        self.empty.unwrap_or(self.slots.len())
    }

    /// Puts it into the next slot.
    pub(crate) fn insert(&mut self, value: T) {
        self.n_taken += 1;
        let Some(slot) = self.empty else {
            self.slots.push(Ok(value));
            self.shrinks_below = self.slots.len() / 4;
            return;
        };
        let slot = &mut self.slots[slot];
        if let Err(next) = *slot {
            self.empty = next;
        }
        *slot = Ok(value);
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot)?.as_mut().ok()
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: usize) -> T {
        let Ok(value) = mem::replace(&mut self.slots[slot], Err(self.empty)) else {
            unreachable!("who removes it knows that it is there");
        };
        self.empty = Some(slot);
        self.n_taken -= 1;
        value
    }

    /// Gives back the memory of a time with more, if that is over since this was called before.
    pub(crate) fn tidy(&mut self) {
        let is_sparse = self.n_taken < self.shrinks_below;
        if is_sparse && self.was_sparse {
            self.shrink();
        }
        self.was_sparse = is_sparse;
    }

    /// Cuts off the empty slots at the end, if they are half of all: they have paid for the look at what stays.
    #[cold]
    fn shrink(&mut self) {
        let last = if self.n_taken > 0 { self.slots.iter().rposition(Slot::is_ok) } else { None };
        let n_needed = last.map_or(0, |last| last + 1);
        if n_needed == self.slots.len() {
            return; // It may go next, and to look again costs nothing.
        }
        if n_needed <= self.slots.len() / 2 {
            self.slots.truncate(n_needed);
            self.slots.shrink_to(2 * n_needed);
            self.empty = None;
            for (at, slot) in self.slots.iter_mut().enumerate().rev() {
                if let Err(next) = slot {
                    *next = self.empty.replace(at);
                }
            }
        }
        self.shrinks_below = (self.slots.len() / 4).min(self.n_taken / 2).max(1);
    }

    /// Takes out everything.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        mem::take(self).slots.into_iter().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.n_taken
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    /// A41.
    #[test]
    fn one_after_another_needs_one_slot() {
        let mut slab = Slab::default();
        for n in 0..10_000 {
            assert_eq!(slab.next_slot(), 0);
            slab.insert(n);
            assert_eq!(slab.remove(0), n);
        }
    }

    /// Tidied up after each, and twice: a crowd that goes at once may be back at once.
    fn remove(slab: &mut Slab<usize>, slot: usize) {
        assert_eq!(slab.remove(slot), slot);
        (0..2).for_each(|_| slab.tidy());
    }

    #[test]
    fn a_crowd_that_leaves_in_any_order_gives_its_memory_back() {
        for stays in [0, 10] {
            for is_reversed in [false, true] {
                let mut slab = Slab::default();
                (0..10_000).for_each(|n| slab.insert(n));
                let mut leaving: Vec<_> = (stays..10_000).collect();
                if is_reversed {
                    leaving.reverse();
                }
                leaving.into_iter().for_each(|slot| remove(&mut slab, slot));
                assert!(slab.slots.capacity() <= 8 * stays, "{}", slab.slots.capacity());
                assert!(slab.iter().copied().eq(0..stays));
                (stays..100).for_each(|n| slab.insert(n));
                assert_eq!(slab.drain().sum::<usize>(), (0..100).sum());
            }
        }
    }

    /// To look through all slots each time that half of them have left would be a hundred thousand looks.
    #[test]
    fn the_last_slot_is_in_nobodys_way() {
        let mut slab = Slab::default();
        (0..10_000).for_each(|n| slab.insert(n));
        (0..9_999).for_each(|slot| remove(&mut slab, slot));
        assert_eq!((slab.len(), slab.slots.len()), (1, 10_000));
        remove(&mut slab, 9_999);
        assert_eq!(slab.slots.capacity(), 0);
    }
}

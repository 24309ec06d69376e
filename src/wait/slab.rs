//! A vector with holes: what is in it has a slot of its own until it is removed.
//!
//! Knows nothing of what is in it. What must always hold: the next one in gets the slot that came free last, if that is
//! still there; and a time with many leaves no more memory behind than what is in it now needs.

use std::iter::Flatten;
use std::vec;

pub(crate) struct Slab<T> {
    /// The last one is not empty after [`tidy`](Self::tidy), if there were many.
    slots: Vec<Option<T>>,
    /// Those that came free. Some may have gone since: they are all taken out before a slot is added.
    vacant: Vec<usize>,
    n_taken: usize,
}

/// The memory of so many slots may stay: what comes and goes would have to get it again and again.
const FEW: usize = 1024;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), vacant: Vec::new(), n_taken: 0 }
    }
}

impl<T> Slab<T> {
    /// Where the next one will be.
    #[inline]
    pub(crate) fn next_slot(&mut self) -> usize {
        while let Some(at) = self.vacant.last() {
            if let Some(None) = self.slots.get(*at) {
                return *at;
            }
            self.vacant.pop();
        }
        self.slots.len()
    }

    /// Puts it into the next slot.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) {
        let at = self.next_slot();
        self.n_taken += 1;
        match self.slots.get_mut(at) {
            Some(slot) => {
                *slot = Some(value);
                self.vacant.pop();
            }
            None => self.slots.push(Some(value)),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.slots.get_mut(at)?.as_mut()
    }

    #[inline]
    pub(crate) fn remove(&mut self, at: usize) -> Option<T> {
        let value = self.slots.get_mut(at)?.take()?;
        self.vacant.push(at);
        self.n_taken -= 1;
        Some(value)
    }

    /// Gives back the memory of a time with more, if there has been one.
    #[inline]
    pub(crate) fn tidy(&mut self) {
        if self.slots.capacity() > FEW {
            self.shrink();
        }
    }

    /// What it looks at has gone then, so it costs no more than the slots did.
    #[cold]
    fn shrink(&mut self) {
        while let Some(None) = self.slots.last() {
            self.slots.pop();
        }
        if self.slots.capacity() > FEW.max(4 * self.slots.len()) {
            self.slots.shrink_to(2 * self.slots.len());
            let is_empty = |at: &usize| self.slots[*at].is_none();
            self.vacant = (0..self.slots.len()).filter(is_empty).collect();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.n_taken
    }
}

/// In the order of the slots.
impl<T> IntoIterator for Slab<T> {
    type Item = T;
    type IntoIter = Flatten<vec::IntoIter<Option<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.slots.into_iter().flatten()
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
            assert_eq!(slab.remove(0), Some(n));
        }
    }

    /// Tidied up after each.
    fn remove(slab: &mut Slab<usize>, slot: usize) {
        assert_eq!(slab.remove(slot), Some(slot));
        slab.tidy();
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
                assert!(slab.slots.capacity() <= FEW && slab.vacant.capacity() <= 2 * FEW);
                assert!(slab.iter().copied().eq(0..stays));
                (stays..100).for_each(|n| slab.insert(n));
                assert_eq!(slab.into_iter().sum::<usize>(), (0..100).sum());
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
        assert!(slab.slots.capacity() <= FEW);
    }
}

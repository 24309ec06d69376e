//! Chance that can be repeated: the same seed throws the same numbers.
//!
//! Knows nothing of what is decided by them. It is SplitMix64, of Steele, Lea and Flood.

pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.throw() % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Rng of their own, for somebody else: what one of the two does with its own is nothing to
    /// the other.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.throw())
    }
}

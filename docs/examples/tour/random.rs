//! Delays that look random and are the same on every tour, so that the output can be checked.
//!
//! Knows nothing of time passing. All of it is worked out by the compiler, the ideal times too: where
//! delays are random, so is the shortest time that they can take together.

use std::time::Duration;

/// So many delays, from `least` to `most` milliseconds in steps of 10, which follow from the seed.
///
/// The generator is Steele, Lea and Flood's SplitMix64.
pub(crate) const fn delays<const N: usize>(seed: u64, least: u64, most: u64) -> [u64; N] {
    let mut delays = [0; N];
    let mut state = seed;
    let mut n = 0;
    while n < N {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        delays[n] = (least / 10 + mixed % ((most - least) / 10 + 1)) * 10;
        n += 1;
    }
    delays
}

/// The longest of them: how long they take all at once.
pub(crate) const fn longest<const N: usize>(delays: &[u64; N]) -> Duration {
    makespan(&[0; N], delays, N)
}

/// All of them: how long they take one after another.
pub(crate) const fn total<const N: usize>(delays: &[u64; N]) -> Duration {
    makespan(&[0; N], delays, 1)
}

/// How long it takes `n_hands` to do work that comes with such gaps before each piece. A piece goes to
/// the hand that is free first.
pub(crate) const fn makespan<const N: usize>(
    gaps: &[u64; N],
    work: &[u64; N],
    n_hands: usize,
) -> Duration {
    let mut free_at = [0; N]; // There are never more hands than pieces in use.
    let (mut comes_at, mut end) = (0, 0);
    let mut n = 0;
    while n < N {
        comes_at += gaps[n];
        let mut first = 0;
        let mut hand = 1;
        while hand < n_hands {
            if free_at[hand] < free_at[first] {
                first = hand;
            }
            hand += 1;
        }
        let begin = if free_at[first] > comes_at { free_at[first] } else { comes_at };
        free_at[first] = begin + work[n];
        if free_at[first] > end {
            end = free_at[first];
        }
        n += 1;
    }
    Duration::from_millis(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_within_their_bounds_and_differ() {
        let delays = delays::<100>(7, 200, 1000);
        assert!(delays.iter().all(|delay| (200..=1000).contains(delay) && delay % 10 == 0));
        assert!(delays.iter().any(|delay| *delay < 300) && delays.iter().any(|delay| *delay > 900));
        assert_eq!(delays, super::delays(7, 200, 1000), "the same seed, the same delays");
        assert_ne!(delays, super::delays(8, 200, 1000));
    }

    #[test]
    fn work_goes_to_the_hand_that_is_free_first() {
        let work = [30, 10, 10, 20];
        assert_eq!(makespan(&[0; 4], &work, 2), Duration::from_millis(40));
        assert_eq!(makespan(&[0, 0, 50, 0], &work, 2), Duration::from_millis(70));
        assert_eq!((longest(&work).as_millis(), total(&work).as_millis()), (30, 70));
    }
}

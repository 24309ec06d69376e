//! Work of a known length, and sums that notice when a result is missing, wrong or out of order.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A number of steps that takes a given time on this machine when nobody disturbs it.
///
/// It is tempting to spin until a deadline has come. But then a thread that was pushed off its core
/// would have "worked" meanwhile, and two jobs that share a core would cost no more than one. Steps
/// have to be done.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    n_steps: u64,
}

impl Work {
    pub(crate) fn lasting(time: Duration) -> Self {
        const SAMPLE: u64 = 20_000;
        let sample = Work { n_steps: SAMPLE };
        // The shortest of many samples is the one that nobody interrupted.
        let shortest = (0..50).map(|seed| {
            let start = Instant::now();
            black_box(sample.run(black_box(seed)));
            start.elapsed()
        });
        let shortest = shortest.min().expect("there were 50 samples");
        let n_steps = SAMPLE as f64 * time.as_secs_f64() / shortest.as_secs_f64();
        Work { n_steps: n_steps as u64 }
    }

    /// This many times as much.
    pub(crate) fn part(self, part: f64) -> Self {
        Work { n_steps: (self.n_steps as f64 * part) as u64 }
    }

    pub(crate) fn is_none(self) -> bool {
        self.n_steps == 0
    }

    /// Does the work. Each step of this shift register needs the one before, so that a compiler can
    /// neither shorten it nor do two steps at once.
    pub(crate) fn run(self, seed: u64) -> u64 {
        let mut state = seed + 1; // never 0, where the register would stand still
        for _ in 0..self.n_steps {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        state
    }
}

/// Folds values into a number that depends on their order as well as on each of them.
pub(crate) fn digest(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0, |digest, value| digest.wrapping_mul(31).wrapping_add(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_notices_two_values_that_changed_places() {
        assert_ne!(digest([1, 2, 3]), digest([1, 3, 2]));
    }
}

//! How long things took: a count for each length, in buckets that grow with it.
//!
//! Knows nothing of jobs. The idea is that of HdrHistogram: a length is known by its highest five
//! bits, so that a nanosecond and an hour are told equally well, and the room for it is fixed.
//!
//! What must always hold: buckets are in the order of lengths, and the lengths of one bucket differ
//! by less than a sixteenth.

use std::fmt;
use std::time::Duration;

/// How many durations there were of each length, in 8 KiB.
///
/// When to use it: for "how slow is it, mostly, and at its worst", where a mean hides the answer.
/// Nanoseconds and years are told equally well.
///
/// ```
/// use std::time::Duration;
/// use handspun::Histogram;
///
/// let mut waits = Histogram::new();
/// for ms in 1..=100 {
///     waits.record(Duration::from_millis(ms));
/// }
/// let median = waits.quantile(0.5).expect("there are a hundred");
/// assert!((50.0..=53.2).contains(&(median.as_secs_f64() * 1e3)));
/// assert_eq!(waits.max(), Some(Duration::from_millis(100)));
/// ```
///
/// To record costs some nanoseconds and no allocation. Lengths below 32 ns are exact; above that a
/// quantile is at most a sixteenth too long, and never too short. What is longer than 584 years
/// counts as 584 years.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u64; N_BUCKETS]>,
    n: u64,
    sum: u128,
    max: u64,
}

/// A length's highest bit and the four below it.
const BITS: u32 = 5;
/// Buckets for each doubling of the length.
const PER_DOUBLING: usize = 1 << (BITS - 1);
/// The lengths below 32 have a bucket each, and then every doubling has 16.
const N_BUCKETS: usize = PER_DOUBLING * (u64::BITS - BITS + 2) as usize;

impl Histogram {
    /// A histogram of nothing yet.
    pub fn new() -> Self {
        Self { counts: Box::new([0; N_BUCKETS]), n: 0, sum: 0, max: 0 }
    }

    /// Counts one more.
    pub fn record(&mut self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket_of(nanos)] += 1;
        self.n += 1;
        self.sum += u128::from(nanos);
        self.max = self.max.max(nanos);
    }

    /// How many have been counted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The longest, exactly; `None` if there are none.
    pub fn max(&self) -> Option<Duration> {
        (self.n > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The mean, exactly; `None` if there are none.
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.n))?;
        Some(Duration::from_nanos(mean.try_into().expect("it is not above the longest")))
    }

    /// A length that this share of all does not exceed: 0.5 asks for the median, 0.99 for "p99".
    ///
    /// It is never too short, and at most a sixteenth too long; `None` if there are none. A share
    /// below 0 counts as 0, and one above 1 as 1.
    #[doc(alias = "percentile")]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        // The first that counts is number 1. As a float cast saturates, `NaN` asks for it too.
        let rank = ((share * self.n as f64).ceil() as u64).clamp(1, self.n.max(1));
        let mut n_so_far = 0;
        let bucket = self.counts.iter().position(|count| {
            n_so_far += count;
            n_so_far >= rank
        })?;
        Some(Duration::from_nanos(longest_in(bucket).min(self.max)))
    }
}

fn bucket_of(nanos: u64) -> usize {
    // By how many bits it is too long to be told exactly.
    let excess = (u64::BITS - nanos.leading_zeros()).saturating_sub(BITS);
    // What is left of it is from 16 to 31, unless it was exact from the start.
    PER_DOUBLING * excess as usize + (nanos >> excess) as usize
}

fn longest_in(bucket: usize) -> u64 {
    let excess = (bucket / PER_DOUBLING).saturating_sub(1);
    let kept = (bucket - PER_DOUBLING * excess) as u64;
    // The bits that were dropped, all set.
    (kept << excess) | ((1 << excess) - 1)
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// One line: the number, the quantiles that one asks for, and the longest.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(max) = self.max() else {
            return f.write_str("none");
        };
        write!(f, "{}", self.n)?;
        for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            let quantile = self.quantile(share).expect("there is a longest, so there are some");
            write!(f, ", {name} {quantile:.1?}")?;
        }
        write!(f, ", max {max:.1?}")
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Histogram({self})")
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    /// Lengths at every boundary, and on both sides of it.
    fn lengths() -> impl Iterator<Item = u64> {
        let near = |shift: u32| (0..64_u64).map(move |below| (u64::MAX >> shift) - below);
        (0..4096).chain((0..58).flat_map(near))
    }

    #[test]
    fn a_bucket_is_never_too_short_and_a_sixteenth_too_long_at_most() {
        for nanos in lengths() {
            let told = longest_in(bucket_of(nanos));
            assert!(told >= nanos, "{nanos} became {told}");
            assert!(told - nanos <= nanos / 16, "{nanos} became {told}");
        }
        assert_eq!(bucket_of(u64::MAX), N_BUCKETS - 1);
    }

    #[test]
    fn buckets_are_in_the_order_of_lengths() {
        for bucket in 1..N_BUCKETS {
            assert_eq!(bucket_of(longest_in(bucket - 1) + 1), bucket);
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        let empty = Histogram::new();
        assert_eq!((empty.quantile(0.5), empty.max(), empty.mean()), (None, None, None));
        assert_eq!(empty.to_string(), "none");
    }

    #[test]
    fn a_quantile_of_one_length_is_that_length() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_millis(700));
        for share in [-1.0, 0.0, 0.5, 1.0, 2.0, f64::NAN] {
            assert_eq!(histogram.quantile(share), Some(Duration::from_millis(700)));
        }
        assert_eq!(histogram.mean(), Some(Duration::from_millis(700)));
        histogram.record(Duration::MAX);
        assert_eq!(histogram.max(), Some(Duration::from_nanos(u64::MAX)));
    }

    #[test]
    fn quantiles_part_the_quick_from_the_slow() {
        let mut histogram = Histogram::new();
        (0..99).for_each(|_| histogram.record(Duration::ZERO));
        histogram.record(Duration::from_secs(1));
        assert_eq!(histogram.to_string(), "100, p50 0.0ns, p90 0.0ns, p99 0.0ns, max 1.0s");
        assert_eq!(histogram.quantile(0.991), Some(Duration::from_secs(1)));
    }
}

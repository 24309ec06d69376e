//! What is taken of a list of figures: the middle, the ends, a percentile, and how far to trust the
//! middle.
//!
//! There are no means here. On a machine that others use too, one round that was interrupted would
//! carry a mean away; a median does not notice it.

use serde::{Deserialize, Serialize};

/// How often the rounds are drawn again. More would move the ends by less than they are printed to.
const DRAWS: usize = 4_000;

/// The same figures have the same interval in every run, and in every table of a run.
const SEED: u64 = 0x5eed;

/// Where the true figure lies, with a confidence of 99 %: an interval is looked at up to four times, while the
/// verdict is open, and each look has its own chance to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The value that `share` of all values do not exceed, by the nearest-rank rule: always one that
/// was measured.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    assert!(!values.is_empty(), "a round has at least one value");
    let mut values = values.to_vec();
    let rank = (share * values.len() as f64).ceil() as usize;
    let (_, value, _) = values.select_nth_unstable_by(rank.saturating_sub(1), f64::total_cmp);
    *value
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

pub(crate) fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

pub(crate) fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The interval of the median, by the bootstrap in two stages: of the groups in which the values were
/// measured, as many are drawn, with replacement, as there are, and from each as many values as it has. That
/// is done again and again, and the middle 99 % of the medians of what was drawn are the interval. What
/// differs from group to group, and not from round to round, makes it wider.
pub(crate) fn interval_of_median(values: &[f64], n_groups: usize) -> Interval {
    let mut dice = fastrand::Rng::with_seed(SEED);
    let groups: Vec<&[f64]> = values.chunks(values.len() / n_groups).collect();
    let draw = |_| {
        let mut drawn = Vec::with_capacity(values.len());
        for _ in &groups {
            let group = groups[dice.usize(..groups.len())];
            drawn.extend(group.iter().map(|_| group[dice.usize(..group.len())]));
        }
        median(&drawn)
    };
    let medians: Vec<f64> = (0..DRAWS).map(draw).collect();
    Interval { low: percentile(&medians, 0.005), high: percentile(&medians, 0.995) }
}

/// What each round says by itself: our figure ÷ theirs. The two had their turns a moment apart, so that
/// what slowed the machine down slowed both down, and does not show.
pub(crate) fn paired_ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_notice_one_wild_round() {
        assert_eq!(median(&[3.0, 1.0, 1_000.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn the_99th_percentile_leaves_one_in_a_hundred_out() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.99), 198.0);
    }

    #[test]
    fn a_single_value_is_all_of_its_figures() {
        let one = [7.0];
        assert_eq!([median(&one), percentile(&one, 0.99), min(&one), max(&one)], [7.0; 4]);
        assert_eq!(interval_of_median(&one, 1), Interval { low: 7.0, high: 7.0 });
    }

    #[test]
    fn processes_that_differ_make_the_interval_as_wide_as_they_are_apart() {
        let values = [[1.0; 5], [1.0; 5], [2.0; 5], [2.0; 5]].concat();
        assert_eq!(interval_of_median(&values, 4), Interval { low: 1.0, high: 2.0 });
        let even: Vec<f64> = (0..20).map(|n| f64::from(n % 5)).collect();
        let Interval { low, high } = interval_of_median(&even, 4);
        assert!(low >= 1.0 && high <= 3.0, "{low} … {high}");
    }

    /// For the median there is an interval without any chance in it: with 25 values, those between the
    /// 6th and the 20th have the true one among them in 99.6 of a hundred cases, and those between the 7th and the
    /// 19th in 98.5. (Counting tosses of a coin: 1 − 2 · P(at most 5 of 25).)
    #[test]
    fn the_interval_is_the_one_that_counting_gives() {
        let values: Vec<f64> = (1..=25).map(f64::from).collect();
        let Interval { low, high } = interval_of_median(&values, 1);
        assert!((6.0..=7.0).contains(&low) && (19.0..=20.0).contains(&high), "{low} … {high}");
    }

    /// The promise itself, tried a thousand times: rounds whose true median is known, with a long tail
    /// towards the slow side, as rounds have it.
    #[test]
    fn the_interval_holds_the_true_median_in_99_of_100_runs() {
        let mut dice = fastrand::Rng::with_seed(1);
        let mut round = || 100.0 - 20.0 * (1.0 - dice.f64()).ln(); // exponential
        let truth = 100.0 + 20.0 * 2.0_f64.ln();
        let holds = |_: &u32| {
            let rounds: Vec<f64> = (0..25).map(|_| round()).collect();
            let Interval { low, high } = interval_of_median(&rounds, 1);
            (low..=high).contains(&truth)
        };
        let n_held = (0..1_000).filter(holds).count();
        assert!((978..=998).contains(&n_held), "{n_held} of 1,000 intervals hold it");
    }

    #[test]
    fn a_machine_that_slows_down_for_both_does_not_widen_the_ratio() {
        let (ours, theirs) = ([80.0, 160.0, 800.0], [100.0, 200.0, 1_000.0]);
        let ratios = paired_ratios(&ours, &theirs);
        assert_eq!(interval_of_median(&ratios, 1), Interval { low: 0.8, high: 0.8 });
    }
}

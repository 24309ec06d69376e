//! The three figures that are taken of a list of times: the middle, the ends, and the 99th
//! percentile.
//!
//! There are no means here. On a machine that others use too, one round that was interrupted would
//! carry a mean away; a median does not notice it.

/// The value that `share` of all values do not exceed, by the nearest-rank rule: always one that
/// was measured.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    assert!(!values.is_empty(), "a round has at least one value");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.saturating_sub(1)]
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
    }
}

//! How time becomes columns: where a moment is, how much of a column is filled, and a ruler.
//!
//! Knows nothing of jobs and tasks. What must always hold: a column stands for the same stretch of time in
//! every row, and what fell into one leaves a mark there, however short it was.

use std::time::Duration;

pub(crate) const IDLE: char = '·';
/// How much of a column is filled, from an eighth to all of it.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// So many columns for so much time.
pub(crate) struct Scale {
    total: Duration,
    n_columns: usize,
}

impl Scale {
    pub(crate) fn new(total: Duration, n_columns: usize) -> Self {
        // Jobs may take no time at all, as far as the clock can tell.
        Self { total: total.max(Duration::from_nanos(1)), n_columns }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The stretch of time that a column stands for.
    pub(crate) fn column_width(&self) -> Duration {
        self.total.div_f64(self.n_columns as f64)
    }

    /// How much of the whole time this is.
    pub(crate) fn share(&self, time: Duration) -> f64 {
        time.as_secs_f64() / self.total.as_secs_f64()
    }

    /// Where this is, counted in columns.
    fn place(&self, offset: Duration) -> f64 {
        self.share(offset) * self.n_columns as f64
    }

    /// The column that this falls into. The end belongs to the last one.
    pub(crate) fn column(&self, offset: Duration) -> usize {
        // In whole numbers: what ends where a column ends is not to be a hair beyond.
        let column = offset.as_nanos() * self.n_columns as u128 / self.total.as_nanos();
        (column as usize).min(self.n_columns - 1)
    }

    /// The column in which a stretch ends: not the next one, if it ends where that begins.
    pub(crate) fn last_column(&self, from: Duration, to: Duration) -> usize {
        self.column(to.saturating_sub(Duration::from_nanos(1)).max(from))
    }

    /// Marks at round times, far enough from each other for their names.
    pub(crate) fn ruler(&self) -> String {
        const ROOM: usize = 10;
        let mut ruler = vec![' '; self.n_columns];
        let step = round_time(self.total / (self.n_columns / ROOM).max(1) as u32);
        let times = (0..).map_while(|n| step.checked_mul(n)).take_while(|time| *time <= self.total);
        for time in times {
            let name = if time.is_zero() { "│0".to_owned() } else { format!("│{time:?}") };
            let at = self.column(time);
            if at + name.chars().count() <= self.n_columns {
                ruler.splice(at..at + name.chars().count(), name.chars());
            }
        }
        let ruler: String = ruler.into_iter().collect();
        ruler.trim_end().to_owned()
    }
}

/// The shortest of 1, 2, 5, 10, 20, 50, … nanoseconds that is not shorter than this.
fn round_time(least: Duration) -> Duration {
    let tens = (0..).map_while(|power| 10_u64.checked_pow(power));
    let steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    let mut steps = steps.map(Duration::from_nanos);
    steps.find(|step| *step >= least).unwrap_or(Duration::MAX)
}

/// How much of each column is filled.
pub(crate) struct Fill(Vec<f64>);

impl Fill {
    pub(crate) fn nothing(scale: &Scale) -> Self {
        Self(vec![0.0; scale.n_columns])
    }

    pub(crate) fn add(&mut self, scale: &Scale, from: Duration, to: Duration) {
        let (start, end) = (scale.place(from), scale.place(to));
        for at in scale.column(from)..=scale.last_column(from, to) {
            // A trace is left of what took no time, too little to add up to anything.
            let overlap = end.min(at as f64 + 1.0) - start.max(at as f64);
            self.0[at] += overlap.max(1e-9);
        }
    }

    pub(crate) fn shares(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied()
    }

    /// What the fullest column has.
    pub(crate) fn most(&self) -> f64 {
        self.shares().fold(0.0, f64::max)
    }

    /// Each column as high as it is filled, where `full` is a whole block.
    pub(crate) fn line(&self, full: f64) -> Vec<char> {
        self.shares().map(|filled| height(filled / full)).collect()
    }
}

fn height(share: f64) -> char {
    let eighths = (share * 8.0).round() as usize;
    if share > 0.0 { HEIGHTS[eighths.clamp(1, 8) - 1] } else { IDLE }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn the_heights_of_a_row_add_up_to_what_was_filled() {
        let ms = Duration::from_millis;
        let scale = Scale::new(ms(70), 7);
        let mut fill = Fill::nothing(&scale);
        for (from, to) in [(0, 10), (15, 38), (40, 40), (70, 70)] {
            fill.add(&scale, ms(from), ms(to));
        }
        assert_eq!(fill.line(1.0).into_iter().collect::<String>(), "█▄█▆▁·▁");
        assert!((fill.shares().sum::<f64>() - 3.3).abs() < 1e-6);
        assert_eq!(fill.line(2.0).into_iter().collect::<String>(), "▄▂▄▃▁·▁");
    }

    #[test]
    fn the_marks_of_the_ruler_are_round_times() {
        let ruler = |total| Scale::new(total, 60).ruler();
        assert_eq!(
            ruler(Duration::from_millis(2001)),
            "│0            │500ms         │1s            │1.5s"
        );
        assert_eq!(ruler(Duration::ZERO), "│0");
        for total in [Duration::MAX, Duration::from_nanos(3), Duration::from_secs(1 << 40)] {
            assert!(ruler(total).starts_with("│0"), "{}", ruler(total));
        }
    }
}

//! The rows: one question each, one file each.
//!
//! To add one: write `rows/your_row.rs` with its question in the first line and a `ROW`, and name
//! it twice below.

mod as_completed;
mod bridge;
mod children;
mod idle;
mod join;
mod lateness;
mod latency;
mod map;
pub(crate) mod million_sleepers;
mod nested;
mod par_map;
pub(crate) mod producers;
mod queue;
pub(crate) mod queue_depth;
mod round_trip;
mod semaphore;
mod spawn_await;
mod submit_join;
mod timeouts;
mod timers;
mod trickle;
mod yielding;

use crate::line_up::{LineUp, Scale};

/// A question, and who answers it.
pub(crate) struct Row {
    /// What `--row` takes.
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// Builds the contenders with their pools. What it costs to build them is not measured.
    pub(crate) line_up: fn(Scale) -> LineUp,
}

/// Every row, in the order in which they are measured.
pub(crate) const ALL: &[Row] = &[
    submit_join::ROW,
    submit_join::CONTROL,
    round_trip::ROW,
    latency::IDLE,
    latency::LOADED,
    producers::ROW,
    queue_depth::ROW,
    as_completed::ROW,
    map::ROW,
    par_map::EVEN,
    par_map::SLOW,
    par_map::UNEVEN,
    par_map::HUGE,
    par_map::TINY,
    join::ROW,
    nested::BROAD,
    nested::DEEP,
    nested::FORKS,
    trickle::ROW,
    idle::ROW,
    spawn_await::ROW,
    yielding::ROW,
    timers::ROW,
    timeouts::ROW,
    lateness::ROW,
    million_sleepers::ROW,
    bridge::TRIP,
    bridge::FLOOD,
    queue::ROW,
    semaphore::ROW,
    children::TRUE,
    children::PIPE,
    children::TIME_OUT,
];

pub(crate) fn named(name: &str) -> Option<&'static Row> {
    ALL.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_rows_share_a_name() {
        let names: HashSet<_> = ALL.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}

//! What does an item cost in a map over a borrowed slice, beside rayon's parallel iterator?
//!
//! Four kinds of items, each a row: a million that are quick and even, some thousand of two
//! microseconds, as many that are uneven (one in a hundred is a hundred times as long, and the long
//! ones stand together), and ten that are next to nothing, where it is the call itself that costs.
//!
//! Two threads work for each. Ours lends the calling thread to the pool, and rayon's sleeps meanwhile: to
//! begin, ours wakes one thread and rayon two.

use std::time::Duration;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;
use crate::work::{Work, digest};

pub(crate) const EVEN: Row = Row {
    name: "par-map-even",
    question: "What does an item of 13 ns cost in a map over 1,000,000 of them?",
    line_up: |scale| maps(scale.of(1_000_000), 1.0, |_| Duration::from_nanos(13)),
};

pub(crate) const SLOW: Row = Row {
    name: "par-map-slow",
    question: "What does an item of 2 µs cost in a map over 20,000 of them?",
    line_up: |scale| maps(scale.of(20_000), 1.0, |_| Duration::from_micros(2)),
};

pub(crate) const UNEVEN: Row = Row {
    name: "par-map-uneven",
    question: "What does an item cost on average if the last hundredth of 20,000 take 100 µs, and the others 1?",
    line_up: |scale| {
        let n = scale.of(20_000);
        maps(n, 1.0, move |item| Duration::from_micros(if item >= n - n / 100 { 100 } else { 1 }))
    },
};

pub(crate) const HUGE: Row = Row {
    name: "par-map-huge",
    question: "What does an item of 5 ns cost in a map over 10,000,000 of them?",
    line_up: |scale| maps(scale.of(10_000_000), 1.1, |_| Duration::from_nanos(5)),
};

pub(crate) const TINY: Row = Row {
    name: "par-map-tiny",
    question: "What does a whole map over 10 items of 13 ns cost?",
    line_up: tiny,
};

fn maps(n: u64, target: f64, time: impl Fn(u64) -> Duration) -> LineUp {
    let items = items(n, time);
    let (ours, rayon) = (pools::handspun(), pools::rayon());
    let expected = digest(items.iter().map(run));
    let (for_ours, for_rayon, in_parts) = (items.clone(), items.clone(), items.clone());
    let rayon_in_parts = pools::rayon();
    LineUp::throughput(n, expected)
        .ours("handspun par_map", target, move || digest(ours.par_map(&for_ours, run)))
        .peer("rayon par_iter", move || {
            let results: Vec<u64> = rayon.install(|| for_rayon.par_iter().map(run).collect());
            digest(results)
        })
        .peer("rayon par_iter, at most 32 at a time", move || {
            let map = || in_parts.par_iter().with_max_len(32).map(run).collect();
            let results: Vec<u64> = rayon_in_parts.install(map);
            digest(results)
        })
        .baseline("plain loop", move || {
            let results: Vec<u64> = items.iter().map(run).collect();
            digest(results)
        })
}

fn tiny(scale: Scale) -> LineUp {
    let items = items(10, |_| Duration::from_nanos(13));
    let (ours, rayon) = (pools::handspun(), pools::rayon());
    let (for_ours, for_rayon) = (items.clone(), items.clone());
    LineUp::latency(scale.of(5_000))
        .ours("handspun par_map", 1.0, move || u64::from(ours.par_map(&for_ours, run).len() == 10))
        .peer("rayon par_iter", move || {
            let results: Vec<u64> = rayon.install(|| for_rayon.par_iter().map(run).collect());
            u64::from(results.len() == 10)
        })
        .baseline("plain loop", move || {
            u64::from(items.iter().map(run).collect::<Vec<_>>().len() == 10)
        })
}

/// Each item with the work that there is in it.
fn items(n: u64, time: impl Fn(u64) -> Duration) -> Vec<(u64, Work)> {
    let millisecond = Work::lasting(Duration::from_millis(1));
    (0..n).map(|item| (item, millisecond.part(time(item).as_secs_f64() / 1e-3))).collect()
}

fn run((item, work): &(u64, Work)) -> u64 {
    work.run(*item)
}

//! What does an item cost in an ordered map, when the work on it is about two microseconds?
//!
//! So small an item is where a pool must be clever: a job for each costs a good part of the work
//! itself, and large chunks leave a worker idle at the end. Results are digested in input order, so
//! a map that mixes them up fails.

use std::collections::BTreeMap;
use std::time::Duration;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;
use crate::work::{Work, digest};

pub(crate) const ROW: Row = Row {
    name: "map",
    question: "What does an item of 2 µs cost in an ordered map over 20,000 of them?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(20_000);
    let work = Work::lasting(Duration::from_micros(2));
    let (ours, rayon, threadpool) = (pools::handspun(), pools::rayon(), pools::threadpool());

    LineUp::throughput(n, digest((0..n).map(|item| work.run(item))))
        .ours("handspun map", 1.0, move || {
            let results = ours.map(0..n, move |item| work.run(item));
            digest(results.map(|result| result.expect("the work does not panic")))
        })
        // Rayon's is not lazy: all results are in memory before the first is read. A range of `usize`, for that
        // one it can divide by index.
        .peer("rayon par_iter", move || {
            let results: Vec<u64> = rayon.install(|| {
                (0..n as usize).into_par_iter().map(|item| work.run(item as u64)).collect()
            });
            digest(results)
        })
        .peer("threadpool + reorder buffer", move || {
            let (sender, results) = crossbeam_channel::unbounded();
            for item in 0..n {
                let sender = sender.clone();
                threadpool.execute(move || {
                    sender.send((item, work.run(item))).expect("we hold the receiver")
                });
            }
            drop(sender);
            digest(in_order(results))
        })
        .baseline("plain loop", move || digest((0..n).map(|item| work.run(item))))
}

/// Hands results on in the order of their numbers, and keeps those that came too early until it is
/// their turn.
fn in_order(results: crossbeam_channel::Receiver<(u64, u64)>) -> impl Iterator<Item = u64> {
    let mut early = BTreeMap::new();
    (0..).map_while(move |turn| {
        loop {
            if let Some(result) = early.remove(&turn) {
                return Some(result);
            }
            let (number, result) = results.recv().ok()?;
            early.insert(number, result);
        }
    })
}

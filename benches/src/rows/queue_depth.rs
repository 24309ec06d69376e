//! Does a job cost more when many others are queued?
//!
//! The workers are held until the last job is queued, so that the queue is as long as the name says.
//! The cost of a job should be about the same at each length; what it grows by is memory that does
//! not fit into the caches any more.

use std::sync::{Arc, Barrier};

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools::{self, WORKERS};

pub(crate) const ROW: Row = Row {
    name: "queue-depth",
    question: "What does an empty job cost when the last is queued before the first one runs?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(1_000_000);
    let names = ["1,000 at a time", "10,000 at a time", "100,000 at a time", "1,000,000 at once"];
    let line_up = LineUp::throughput(n, (0..n).sum());
    let line_up = names.into_iter().zip(3..).fold(line_up, |line_up, (name, digits)| {
        let pool = pools::handspun();
        let at_a_time = scale.of(10_u64.pow(digits));
        line_up.ours(name, 1.2, move || {
            let starts = (0..n).step_by(at_a_time as usize);
            starts.map(|start| held_flood(&pool, start..n.min(start + at_a_time))).sum()
        })
    });
    let threadpool = pools::threadpool();
    line_up.peer("threadpool, 1,000,000", move || {
        let all_are_queued = Arc::new(Barrier::new(WORKERS + 1));
        for _ in 0..WORKERS {
            let all_are_queued = all_are_queued.clone();
            threadpool.execute(move || {
                all_are_queued.wait();
            });
        }
        let (sender, results) = crossbeam_channel::unbounded();
        for number in 0..n {
            let sender = sender.clone();
            threadpool.execute(move || sender.send(number).expect("we hold the receiver"));
        }
        drop(sender);
        all_are_queued.wait();
        results.into_iter().sum()
    })
}

/// Queues all the jobs while the workers are held, then lets them run, and adds up the results.
fn held_flood(pool: &handspun::ThreadPool, numbers: std::ops::Range<u64>) -> u64 {
    let all_are_queued = Arc::new(Barrier::new(WORKERS + 1));
    for _ in 0..WORKERS {
        let all_are_queued = all_are_queued.clone();
        drop(pool.submit(move || {
            all_are_queued.wait();
        }));
    }
    let handles: Vec<_> = numbers.map(|number| pool.submit(move || number)).collect();
    all_are_queued.wait();
    handles.into_iter().map(|handle| handle.join().expect("the job does not panic")).sum()
}

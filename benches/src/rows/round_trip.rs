//! How long does one job take there and back, when it is submitted and joined at once?
//!
//! The opposite of a flood: at every submit the queue is empty, and whoever put a worker to sleep
//! must pay to wake it. One trip follows the other without a pause, so a worker that looks around
//! before it sleeps is still awake. The CPU column shows what it pays for that.

use std::hint::black_box;
use std::thread;

use futures::executor::block_on;
use futures::task::SpawnExt;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;

pub(crate) const ROW: Row = Row {
    name: "round-trip",
    question: "How long does one empty job take there and back, submitted and joined at once?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(5_000);
    let n_threads = scale.of(1_000);
    let (ours, rayon, threadpool) = (pools::handspun(), pools::rayon(), pools::threadpool());
    let (tokio, futures, rusty_pool) = (pools::tokio(), pools::futures(), pools::rusty_pool());
    // One channel for all trips: a channel for each would be an allocation that a careful user
    // avoids.
    let (sender, results) = crossbeam_channel::bounded(1);

    LineUp::latency(n)
        .ours("handspun submit, join", 0.1, move || {
            ours.submit(job).join().expect("the job does not panic")
        })
        .peer("rayon install", move || rayon.install(job))
        .peer("threadpool + channel", move || {
            let sender = sender.clone();
            threadpool
                .execute(move || sender.send(job()).expect("the receiver outlives every trip"));
            results.recv().expect("we hold a sender")
        })
        .peer("tokio spawn_blocking", move || {
            tokio.block_on(tokio.spawn_blocking(job)).expect("the job does not panic")
        })
        .peer("futures spawn_with_handle", move || {
            block_on(futures.spawn_with_handle(async { job() }).expect("the pool is not shut down"))
        })
        .peer("rusty_pool evaluate", move || rusty_pool.evaluate(job).await_complete())
        .baseline("plain call", job)
        .baseline("a thread for each job", || {
            thread::spawn(job).join().expect("the thread does not panic")
        })
        .with_fewer(n_threads, n_threads)
}

/// Returns 1, in a way that no optimiser sees through.
fn job() -> u64 {
    black_box(1)
}

//! How long does one job take there and back, when it is submitted and joined at once?
//!
//! The opposite of a flood: at every submit the queue is empty, and whoever put a worker to sleep
//! must pay to wake it. One trip follows the other without a pause, so a worker that looks around
//! before it sleeps is still awake. The CPU column shows what it pays for that.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures::executor::block_on;
use futures::task::SpawnExt;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;

use Ordering::{Acquire, Release};

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
        .ours("handspun submit, join", 1.0, move || {
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
        .baseline("one cache line, no pool", bounce(n))
        .baseline("a thread for each job", || {
            thread::spawn(job).join().expect("the thread does not panic")
        })
        .with_fewer(n_threads, n_threads)
}

/// Returns 1, in a way that no optimiser sees through.
fn job() -> u64 {
    black_box(1)
}

/// The least that a trip to another core and back takes on this machine: two threads that spin
/// for a number and add one to it, in turns. No pool can be faster, and each line more that it touches
/// on both sides costs up to as much again.
fn bounce(trips_a_turn: u64) -> impl FnMut() -> u64 + 'static {
    let ball = Arc::new(AtomicU64::new(0));
    let mut n_trips = 0;
    move || {
        if n_trips % trips_a_turn == 0 {
            // A turn begins: somebody to play with, for as long as it lasts.
            let (ball, trips) = (ball.clone(), n_trips..n_trips + trips_a_turn);
            thread::spawn(move || trips.for_each(|trip| await_and_add(&ball, 2 * trip + 1)));
        }
        ball.store(2 * n_trips + 1, Release); // ORDERING: as in `await_and_add`.
        await_number(&ball, 2 * n_trips + 2);
        n_trips += 1;
        1
    }
}

fn await_and_add(ball: &AtomicU64, number: u64) {
    await_number(ball, number);
    // ORDERING: Release. Pairs with the Acquire in `await_number`. Nothing travels with the ball, but
    // with a job and its result something does.
    ball.store(number + 1, Release);
}

fn await_number(ball: &AtomicU64, number: u64) {
    // ORDERING: Acquire. Pairs with the Release of whoever played last.
    for look in 1_u64.. {
        if ball.load(Acquire) == number {
            return;
        }
        spin_loop();
        if look % 256 == 0 {
            thread::yield_now(); // The other thread may need this very core.
        }
    }
}

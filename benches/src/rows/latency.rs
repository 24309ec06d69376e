//! How long is one job away, on a pool that sleeps, and on one that is half busy?
//!
//! The opposite of a flood, and not the ball game of `round-trip` either: a millisecond passes between two
//! jobs, as between the requests of a small service. On the idle pool it is a thread's waking that takes
//! the time. On the loaded one, a thread beside hands in eight jobs of 50 µs, and rests for 0.4 ms before
//! the next eight: they stand in the queue before ours, or a worker is free. What is told is the time from
//! the submit until the result is there, and the tail is the answer: one in a hundred is slower than p99,
//! and one in a thousand slower than p99.9.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::Row;
use crate::line_up::LineUp;
use crate::pools;
use crate::work::Work;

pub(crate) const IDLE: Row = Row {
    name: "latency-idle",
    question: "How long is one empty job away, when the pool has slept for a millisecond?",
    line_up: |scale| line_up(scale.of(1_000), Work::lasting(Duration::ZERO)),
};

pub(crate) const LOADED: Row = Row {
    name: "latency-loaded",
    question: "How long is one empty job away, when others keep the pool half busy?",
    line_up: |scale| line_up(scale.of(1_000), Work::lasting(Duration::from_micros(50))),
};

const PAUSE: Duration = Duration::from_millis(1);

fn line_up(n: u64, work: Work) -> LineUp {
    let (ours, rayon, threadpool) = (pools::handspun(), pools::rayon(), pools::threadpool());
    let tokio = pools::tokio();
    // One channel for all trips, as in `round-trip`.
    let (sender, results) = crossbeam_channel::bounded(1);

    LineUp::told(n)
        .ours_told("handspun submit, join", 1.0, move || {
            let load = || drop(ours.submit(move || work.run(1)));
            times(n, work, load, || ours.submit(job).join().expect("the job does not panic"))
        })
        .peer_told("rayon install", move || {
            let load = || rayon.spawn(move || _ = black_box(work.run(1)));
            times(n, work, load, || rayon.install(job))
        })
        .peer_told("threadpool + channel", move || {
            let load = || threadpool.execute(move || _ = black_box(work.run(1)));
            times(n, work, load, || {
                let sender = sender.clone();
                threadpool.execute(move || sender.send(job()).expect("the receiver outlives it"));
                results.recv().expect("we hold a sender")
            })
        })
        .peer_told("tokio spawn_blocking", move || {
            let load = || drop(tokio.spawn_blocking(move || work.run(1)));
            times(n, work, load, || {
                tokio.block_on(tokio.spawn_blocking(job)).expect("the job does not panic")
            })
        })
        .baseline_told("a thread for each job", move || {
            times(
                n,
                work,
                || drop(thread::spawn(move || work.run(1))),
                || thread::spawn(job).join().expect("the thread does not panic"),
            )
        })
}

fn job() -> u64 {
    black_box(1)
}

/// Makes `n` trips, a pause before each, while another thread hands in what `load` is, if that is any work.
fn times(
    n: u64,
    work: Work,
    load: impl Fn() + Sync,
    mut trip: impl FnMut() -> u64,
) -> Vec<Duration> {
    // ORDERING: Relaxed. Nothing travels with it, and the scope joins the thread that reads it.
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        if !work.is_none() {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    (0..8).for_each(|_| load());
                    thread::sleep(Duration::from_micros(400));
                }
            });
        }
        let time = |_| {
            thread::sleep(PAUSE);
            let start = Instant::now();
            assert_eq!(trip(), 1, "the job answers");
            start.elapsed()
        };
        let times = (0..n).map(time).collect();
        is_over.store(true, Relaxed);
        times
    })
}

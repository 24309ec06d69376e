//! Does a job cost more when more threads submit at once?
//!
//! From one thread to sixty-four bring the same number of jobs all together. Two workers run them.
//! What a job costs should not depend on how many bring them; a queue whose lock is held for long
//! gets dearer with each of them. Each producer waits for its own results.

use std::ops::Range;
use std::thread;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{flood, pools};

pub(crate) const ROW: Row = Row {
    name: "producers",
    question: "What does an empty job cost when 1 to 64 threads submit and join 128,000 in all?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(64 * 2_000) / 64 * 64;
    let names = [
        "handspun, 1",
        "handspun, 2",
        "handspun, 4",
        "handspun, 8",
        "handspun, 16",
        "handspun, 32",
        "handspun, 64",
    ];
    let line_up = LineUp::throughput(n, (0..n).sum());
    let line_up = names.into_iter().zip(0..).fold(line_up, |line_up, (name, doubled)| {
        line_up.ours(name, 1.0, producers(1 << doubled, n, pools::handspun(), flood::handspun))
    });
    let (rayon, threadpool, tokio) = (pools::rayon, pools::threadpool, pools::tokio);
    line_up
        .peer("rayon spawn + channel, 1", producers(1, n, rayon(), flood::rayon_spawn))
        .peer("rayon spawn + channel, 8", producers(8, n, rayon(), flood::rayon_spawn))
        .peer("rayon spawn + channel, 64", producers(64, n, rayon(), flood::rayon_spawn))
        .peer("threadpool + channel, 1", producers(1, n, threadpool(), flood::threadpool))
        .peer("threadpool + channel, 8", producers(8, n, threadpool(), flood::threadpool))
        .peer("threadpool + channel, 64", producers(64, n, threadpool(), flood::threadpool))
        .peer("tokio spawn_blocking, 1", producers(1, n, tokio(), flood::tokio))
        .peer("tokio spawn_blocking, 8", producers(8, n, tokio(), flood::tokio))
        .peer("tokio spawn_blocking, 64", producers(64, n, tokio(), flood::tokio))
}

/// Lets so many threads flood a pool at once, each with its own part of the numbers. They are
/// started anew in each turn, for everybody: some ten to twenty nanoseconds a job where they are 64.
pub(crate) fn producers<P: Sync + 'static>(
    n_producers: u64,
    n: u64,
    pool: P,
    flood: fn(&P, Range<u64>) -> u64,
) -> impl FnMut() -> u64 + 'static {
    let each = n / n_producers;
    move || {
        thread::scope(|scope| {
            let pool = &pool;
            let parts = (0..n_producers).map(|producer| producer * each..(producer + 1) * each);
            let started: Vec<_> =
                parts.map(|part| scope.spawn(move || flood(pool, part))).collect();
            started.into_iter().map(|producer| producer.join().expect("no producer panics")).sum()
        })
    }
}

//! What does a job cost when several threads submit at once?
//!
//! They and two workers meet at one queue. A pool that shards its queue must show here what it gains by
//! it, and one that does not what it loses. The row has four of them; a curve has 1 to 64, which bring the
//! same number of jobs in all. Each producer waits for its own results.

use std::ops::Range;
use std::thread;

use super::Row;
use crate::line_up::{LineUp, UNTARGETED};
use crate::{flood, pools};

pub(crate) const ROW: Row = Row {
    name: "four-producers",
    question: "What does an empty job cost when four threads submit and join 50,000 each at once?",
    line_up: |scale| of(4, 4 * scale.of(50_000), 1.0),
};

/// The curve's line-up: so many producers, and always as many jobs.
pub(crate) fn many(n_producers: u64) -> LineUp {
    of(n_producers, 128_000, UNTARGETED)
}

fn of(n_producers: u64, n: u64, target: impl Into<Option<f64>>) -> LineUp {
    let (ours, rayon, rayon_for_place) = (pools::handspun(), pools::rayon(), pools::rayon());
    let (threadpool, tokio) = (pools::threadpool(), pools::tokio());
    let each = n / n_producers;
    LineUp::throughput(n, (0..n).sum())
        .ours("handspun submit", target, producers(n_producers, each, ours, flood::handspun))
        .peer("rayon spawn + channel", producers(n_producers, each, rayon, flood::rayon_spawn))
        .peer(
            "rayon in_place_scope",
            producers(n_producers, each, rayon_for_place, flood::rayon_in_place_scope),
        )
        .peer("threadpool + channel", producers(n_producers, each, threadpool, flood::threadpool))
        .peer("tokio spawn_blocking", producers(n_producers, each, tokio, flood::tokio))
        .baseline(
            "plain loops",
            producers(n_producers, each, (), |(), part| part.map(std::hint::black_box).sum()),
        )
}

/// Lets so many threads flood a pool at once, each with its own part of the numbers. They are
/// started anew in each turn, for everybody: some ten to twenty nanoseconds a job where they are 64.
fn producers<P: Sync + 'static>(
    n_producers: u64,
    each: u64,
    pool: P,
    flood: fn(&P, Range<u64>) -> u64,
) -> impl FnMut() -> u64 + 'static {
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

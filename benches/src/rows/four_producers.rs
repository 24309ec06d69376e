//! What does a job cost when four threads submit at once?
//!
//! Four submitters and two workers meet at one queue. A pool that shards its queue must show here
//! what it gains by it, and one that does not what it loses.

use std::ops::Range;
use std::thread;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{flood, pools};

pub(crate) const ROW: Row = Row {
    name: "four-producers",
    question: "What does an empty job cost when four threads submit and join 50,000 each at once?",
    line_up,
};

const PRODUCERS: u64 = 4;

fn line_up(scale: Scale) -> LineUp {
    let each = scale.of(50_000);
    let n = PRODUCERS * each;
    let (ours, rayon, rayon_for_place) = (pools::handspun(), pools::rayon(), pools::rayon());
    let (threadpool, tokio) = (pools::threadpool(), pools::tokio());

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun submit", 0.8, move || produce(each, |part| flood::handspun(&ours, part)))
        .peer("rayon spawn + channel", move || {
            produce(each, |part| flood::rayon_spawn(&rayon, part))
        })
        .peer("rayon in_place_scope", move || {
            produce(each, |part| flood::rayon_in_place_scope(&rayon_for_place, part))
        })
        .peer("threadpool + channel", move || {
            produce(each, |part| flood::threadpool(&threadpool, part))
        })
        .peer("tokio spawn_blocking", move || produce(each, |part| flood::tokio(&tokio, part)))
        .baseline("four plain loops", move || {
            produce(each, |part| part.map(std::hint::black_box).sum())
        })
}

/// Lets four threads flood at once, each with its own part of the numbers. The four threads are
/// started anew in each turn, for everybody; beside so many jobs that is little.
fn produce(each: u64, flood: impl Fn(Range<u64>) -> u64 + Sync) -> u64 {
    thread::scope(|scope| {
        let flood = &flood;
        let parts = (0..PRODUCERS).map(|producer| producer * each..(producer + 1) * each);
        let producers: Vec<_> = parts.map(|part| scope.spawn(move || flood(part))).collect();
        producers.into_iter().map(|producer| producer.join().expect("no producer panics")).sum()
    })
}

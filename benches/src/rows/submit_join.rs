//! What does it cost to submit empty jobs from outside the pool, and to join them all?
//!
//! A flood: the queue is rarely empty, so a good pool has no one to wake. What is left is what a
//! job itself costs: its allocation, its place in the queue and the way home of its result.

use std::hint::black_box;
use std::thread;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{flood, pools};

pub(crate) const ROW: Row = Row {
    name: "submit-join",
    question: "What does it cost to submit 200,000 empty jobs from outside, and join them all?",
    line_up,
};

/// What the harness makes of two contenders that are the same.
pub(crate) const CONTROL: Row = Row {
    name: "same-twice",
    question: "How far apart do two pools of handspun come out at this flood?",
    line_up: |scale| {
        let n = scale.of(200_000);
        let pools = [pools::handspun(), pools::handspun()];
        let [one, other] = pools.map(|pool| move || flood::handspun(&pool, 0..n));
        LineUp::throughput(n, (0..n).sum()).ours("one", 1.0, one).peer("the other", other)
    },
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200_000);
    let n_threads = scale.of(2_000);
    let (ours, rayon, threadpool) = (pools::handspun(), pools::rayon(), pools::threadpool());
    let (tokio, futures, rusty_pool) = (pools::tokio(), pools::futures(), pools::rusty_pool());
    // A pool cannot be cloned, neither ours nor rayon's, and contenders that take turns may have one each:
    // who rests, sleeps.
    let (rayon_for_scope, rayon_for_place) = (pools::rayon(), pools::rayon());
    let (ours_for_all, for_tasks) = (pools::handspun(), pools::tokio());

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun submit", 1.0, move || flood::handspun(&ours, 0..n))
        .ours("handspun submit_all", 1.0, move || flood::handspun_all(&ours_for_all, 0..n))
        .peer("rayon spawn + channel", move || flood::rayon_spawn(&rayon, 0..n))
        .peer("rayon scope", move || flood::rayon_scope(&rayon_for_scope, 0..n))
        .peer("rayon in_place_scope", move || flood::rayon_in_place_scope(&rayon_for_place, 0..n))
        .peer("threadpool + channel", move || flood::threadpool(&threadpool, 0..n))
        .peer("tokio spawn", move || flood::tokio_tasks(&for_tasks, 0..n))
        .peer("tokio spawn_blocking", move || flood::tokio(&tokio, 0..n))
        .peer("futures spawn_with_handle", move || flood::futures(&futures, 0..n))
        .peer("rusty_pool evaluate", move || flood::rusty_pool(&rusty_pool, 0..n))
        .baseline("plain loop", move || (0..n).map(|number| black_box(move || number)()).sum())
        .baseline("a thread for each job", move || thread_for_each(n_threads))
        .with_fewer(n_threads, (0..n_threads).sum())
}

fn thread_for_each(n: u64) -> u64 {
    let handles: Vec<_> = (0..n).map(|number| thread::spawn(move || number)).collect();
    handles.into_iter().map(|handle| handle.join().expect("the thread does not panic")).sum()
}

//! What does it cost to take results in the order in which the jobs finish?
//!
//! Peers have this for tasks, not for jobs, so their empty task stands against our empty job, on as
//! many threads. Both are spawned from outside and collected outside.

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{flood, pools};

pub(crate) const ROW: Row = Row {
    name: "as-completed",
    question: "What does it cost to take 100,000 empty jobs in the order in which they finish?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(100_000);
    let (ours, threadpool) = (pools::handspun(), pools::threadpool());
    let (for_set, for_blocking_set, for_unordered) =
        (pools::tokio(), pools::tokio(), pools::tokio());

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun as_completed", 1.0, move || ours_as_completed(&ours, n))
        .peer("tokio JoinSet, spawn", move || join_set(&for_set, n))
        .peer("tokio JoinSet, spawn_blocking", move || join_set_of_blocking(&for_blocking_set, n))
        .peer("FuturesUnordered, tokio spawn", move || futures_unordered(&for_unordered, n))
        // A channel is completion order for nothing, but without handles: nothing to cancel, and no
        // panic heard of.
        .peer("threadpool + channel", move || flood::threadpool(&threadpool, 0..n))
}

fn ours_as_completed(pool: &handspun::ThreadPool, n: u64) -> u64 {
    let handles = (0..n).map(|number| pool.submit(move || number));
    handspun::as_completed(handles).map(|result| result.expect("the job does not panic")).sum()
}

fn join_set(runtime: &Runtime, n: u64) -> u64 {
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for number in 0..n {
            tasks.spawn(async move { number });
        }
        add_up(tasks).await
    })
}

fn join_set_of_blocking(runtime: &Runtime, n: u64) -> u64 {
    runtime.block_on(async {
        let mut jobs = JoinSet::new();
        for number in 0..n {
            jobs.spawn_blocking(move || number);
        }
        add_up(jobs).await
    })
}

async fn add_up(mut set: JoinSet<u64>) -> u64 {
    let mut sum = 0;
    while let Some(result) = set.join_next().await {
        sum += result.expect("the task does not panic");
    }
    sum
}

fn futures_unordered(runtime: &Runtime, n: u64) -> u64 {
    runtime.block_on(async {
        let mut tasks: FuturesUnordered<_> =
            (0..n).map(|number| runtime.spawn(async move { number })).collect();
        let mut sum = 0;
        while let Some(result) = tasks.next().await {
            sum += result.expect("the task does not panic");
        }
        sum
    })
}

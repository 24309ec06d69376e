//! How long does a task wait for a closure on another thread?

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{executors, pools};

pub(crate) const TRIP: Row = Row {
    name: "bridge-trip",
    question: "How long does a task wait for one empty closure on another thread?",
    line_up: trip,
};

pub(crate) const FLOOD: Row = Row {
    name: "bridge-flood",
    question: "What does it cost a task to hand in 20,000 empty closures, and to await them all?",
    line_up: flood,
};

fn trip(scale: Scale) -> LineUp {
    let n = scale.of(20_000);
    let (pool, tokio) = (pools::handspun(), executors::tokio());

    LineUp::throughput(n, n)
        .ours("handspun submit, await", 1.0, move || {
            handspun::run(async {
                let mut sum = 0;
                for _ in 0..n {
                    sum += pool.submit(|| 1).await.expect("the job does not panic");
                }
                sum
            })
        })
        .peer("tokio spawn_blocking", move || {
            tokio.block_on(async {
                let mut sum = 0;
                for _ in 0..n {
                    sum += tokio::task::spawn_blocking(|| 1).await.expect("it does not panic");
                }
                sum
            })
        })
        .peer("smol unblock", move || {
            smol::block_on(async {
                let mut sum = 0;
                for _ in 0..n {
                    sum += smol::unblock(|| 1).await;
                }
                sum
            })
        })
}

fn flood(scale: Scale) -> LineUp {
    let n = scale.of(20_000);
    let (pool, tokio) = (pools::handspun(), executors::tokio());

    LineUp::throughput(n, n)
        .ours("handspun submit, await", 1.0, move || {
            handspun::run(async {
                let jobs: Vec<_> = (0..n).map(|_| pool.submit(|| 1)).collect();
                let mut sum = 0;
                for job in jobs {
                    sum += job.await.expect("the job does not panic");
                }
                sum
            })
        })
        .peer("tokio spawn_blocking", move || {
            tokio.block_on(async {
                let jobs: Vec<_> = (0..n).map(|_| tokio::task::spawn_blocking(|| 1)).collect();
                let mut sum = 0;
                for job in jobs {
                    sum += job.await.expect("it does not panic");
                }
                sum
            })
        })
        .peer("smol unblock", move || {
            smol::block_on(async {
                let jobs: Vec<_> = (0..n).map(|_| smol::unblock(|| 1)).collect();
                let mut sum = 0;
                for job in jobs {
                    sum += job.await;
                }
                sum
            })
        })
}

//! What does a task cost, from its spawn to its result?
//!
//! All are spawned first and awaited afterwards, on an executor that has one thread: the one that asks.

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "spawn-await",
    question: "What does it cost to spawn 200,000 empty tasks and to await them all?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200_000);
    let (tokio, for_set) = (executors::tokio(), executors::tokio());

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun", 0.8, move || handspun::run(ours(n)))
        .peer("tokio, one thread", move || {
            tokio.block_on(async {
                let tasks: Vec<_> =
                    (0..n).map(|number| tokio::spawn(async move { number })).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("tokio LocalSet", move || {
            executors::in_local_set(&for_set, || async {
                let spawn = |number| tokio::task::spawn_local(async move { number });
                let tasks: Vec<_> = (0..n).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("smol LocalExecutor", move || {
            let executor = smol::LocalExecutor::new();
            smol::future::block_on(executor.run(async {
                let tasks: Vec<_> =
                    (0..n).map(|number| executor.spawn(async move { number })).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await;
                }
                sum
            }))
        })
        .peer("futures LocalPool", move || {
            let mut pool = LocalPool::new();
            let spawner = pool.spawner();
            pool.run_until(async move {
                let spawn = |number| {
                    spawner
                        .spawn_local_with_handle(async move { number })
                        .expect("the pool is there")
                };
                let tasks: Vec<_> = (0..n).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await;
                }
                sum
            })
        })
}

async fn ours(n: u64) -> u64 {
    let tasks: Vec<_> = (0..n).map(|number| handspun::spawn(async move { number })).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("the task does not panic");
    }
    sum
}

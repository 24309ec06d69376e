//! What does one poll cost, of a task that has just woken itself?

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "yield",
    question: "What does it cost a task to let all the others go first, of 1,000 that do?",
    line_up,
};

const TIMES: u64 = 200;

fn line_up(scale: Scale) -> LineUp {
    let n_tasks = scale.of(1_000);
    let (tokio, for_set) = (executors::tokio(), executors::tokio());

    LineUp::throughput(n_tasks * TIMES, n_tasks * TIMES)
        .ours("handspun", 0.8, move || {
            handspun::run(async {
                let spawn = |_| handspun::spawn(yield_often(handspun::yield_now));
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("tokio, one thread", move || {
            tokio.block_on(async {
                let spawn = |_| tokio::spawn(yield_often(tokio::task::yield_now));
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("tokio LocalSet", move || {
            executors::in_local_set(&for_set, || async {
                let spawn = |_| tokio::task::spawn_local(yield_often(tokio::task::yield_now));
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
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
                let spawn = |_| executor.spawn(yield_often(smol::future::yield_now));
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
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
                let spawn = |_| {
                    let task = yield_often(smol::future::yield_now);
                    spawner.spawn_local_with_handle(task).expect("the pool is there")
                };
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await;
                }
                sum
            })
        })
}

async fn yield_often<F: Future<Output = ()>>(yield_now: impl Fn() -> F) -> u64 {
    for _ in 0..TIMES {
        yield_now().await;
    }
    TIMES
}

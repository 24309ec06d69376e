//! A crowd of tasks on one executor: all are spawned, awaited in their order, and added up.

use std::future::Future;

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use tokio::runtime::{LocalRuntime, Runtime};

pub(crate) fn on_handspun<F>(n: u64, task: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + 'static,
{
    handspun::run(async {
        let tasks: Vec<_> = (0..n).map(|number| handspun::spawn(task(number))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("the task does not panic");
        }
        sum
    })
}

pub(crate) fn on_tokio<F>(runtime: &Runtime, n: u64, task: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + Send + 'static,
{
    runtime.block_on(async {
        let tasks: Vec<_> = (0..n).map(|number| tokio::spawn(task(number))).collect();
        add_up(tasks).await
    })
}

pub(crate) fn on_tokio_local<F>(runtime: &LocalRuntime, n: u64, task: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + 'static,
{
    runtime.block_on(async {
        let tasks: Vec<_> = (0..n).map(|number| tokio::task::spawn_local(task(number))).collect();
        add_up(tasks).await
    })
}

async fn add_up(tasks: Vec<tokio::task::JoinHandle<u64>>) -> u64 {
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("the task does not panic");
    }
    sum
}

pub(crate) fn on_smol<F>(n: u64, task: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + 'static,
{
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let tasks: Vec<_> = (0..n).map(|number| executor.spawn(task(number))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    }))
}

pub(crate) fn on_local_pool<F>(n: u64, task: impl Fn(u64) -> F) -> u64
where
    F: Future<Output = u64> + 'static,
{
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    pool.run_until(async move {
        let spawn = |number| {
            spawner.spawn_local_with_handle(task(number)).expect("the pool has not been dropped")
        };
        let tasks: Vec<_> = (0..n).map(spawn).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    })
}

pub(crate) fn on_compio<F>(
    runtime: &compio_runtime::Runtime,
    n: u64,
    task: impl Fn(u64) -> F,
) -> u64
where
    F: Future<Output = u64> + 'static,
{
    runtime.block_on(async {
        let tasks: Vec<_> = (0..n).map(|number| compio_runtime::spawn(task(number))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("the task does not panic");
        }
        sum
    })
}

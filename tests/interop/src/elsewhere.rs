//! Executors that are not ours, one after another.
//!
//! Knows nothing of what runs on them. Tokio's clock and its sockets are not enabled: what is ours needs
//! neither.

use std::sync::Arc;

use futures::executor::{ThreadPool, block_on};
use futures::future::BoxFuture;

use crate::support::watched;

/// Spawns a task where a test runs. It ends by itself.
pub(crate) type Spawn = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// Runs a test as a task of tokio on one thread and on two, of smol, of an `async-executor`, and of futures.
pub(crate) fn everywhere<F>(test: impl Fn(Spawn) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    watched(|| {
        on_tokio(&mut tokio::runtime::Builder::new_current_thread(), &test);
        on_tokio(tokio::runtime::Builder::new_multi_thread().worker_threads(2), &test);
        on_smol(&test);
        on_async_executor(&test);
        on_futures(&test);
    });
}

fn on_tokio<F>(builder: &mut tokio::runtime::Builder, test: impl Fn(Spawn) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = builder.build().unwrap();
    let handle = runtime.handle().clone();
    let spawn = Arc::new(move |task| drop(handle.spawn(task)));
    runtime.block_on(runtime.spawn(test(spawn))).unwrap();
}

fn on_smol<F>(test: impl Fn(Spawn) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    smol::block_on(smol::spawn(test(Arc::new(|task| smol::spawn(task).detach()))));
}

fn on_async_executor<F>(test: impl Fn(Spawn) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let executor = Arc::new(smol::Executor::new());
    let spawn = {
        let executor = executor.clone();
        Arc::new(move |task| executor.spawn(task).detach())
    };
    block_on(executor.run(executor.spawn(test(spawn))));
}

fn on_futures<F>(test: impl Fn(Spawn) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    let spawn = {
        let pool = pool.clone();
        Arc::new(move |task| pool.spawn_ok(task))
    };
    block_on(test(spawn));
}

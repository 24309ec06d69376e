//! One pool of each kind: two workers, and everything else as its author chose it.

use std::num::NonZero;

/// How many workers each pool has: as many as the machine has cores that the tables in `docs/` come
/// from.
pub(crate) const WORKERS: usize = 2;

pub(crate) fn handspun() -> handspun::ThreadPool {
    handspun_of(WORKERS)
}

pub(crate) fn handspun_of(workers: usize) -> handspun::ThreadPool {
    handspun::ThreadPool::new(workers)
}

pub(crate) fn rayon() -> rayon::ThreadPool {
    rayon_of(WORKERS)
}

pub(crate) fn rayon_of(workers: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .expect("this process may start threads")
}

/// Whoever enters its scope works too, and counts as one of the threads.
pub(crate) fn chili() -> chili::ThreadPool {
    chili::ThreadPool::with_config(chili::Config {
        thread_count: NonZero::new(WORKERS),
        ..chili::Config::default()
    })
}

pub(crate) fn threadpool() -> threadpool::ThreadPool {
    threadpool_of(WORKERS)
}

pub(crate) fn threadpool_of(workers: usize) -> threadpool::ThreadPool {
    threadpool::ThreadPool::new(workers)
}

pub(crate) fn tokio() -> tokio::runtime::Runtime {
    tokio_of(WORKERS)
}

/// So many threads for tasks, and at most so many for blocking closures. A row uses one kind or the other.
pub(crate) fn tokio_of(workers: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(workers)
        .build()
        .expect("this process may start threads")
}

pub(crate) fn futures() -> futures::executor::ThreadPool {
    futures::executor::ThreadPool::builder()
        .pool_size(WORKERS)
        .create()
        .expect("this process may start threads")
}

pub(crate) fn rusty_pool() -> rusty_pool::ThreadPool {
    rusty_pool::Builder::new().core_size(WORKERS).max_size(WORKERS).build()
}

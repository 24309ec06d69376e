//! One executor of each kind, on the thread that asks, and everything else as its author chose it.

use std::future::Future;

/// One thread, which is ours; timers, and no sockets.
pub(crate) fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(crate::pools::WORKERS)
        .build()
        .expect("this process may have a runtime")
}

/// Polls `make`'s future inside of a `LocalSet`, so that it may spawn what is not `Send`.
pub(crate) fn in_local_set<F: Future>(
    runtime: &tokio::runtime::Runtime,
    make: impl FnOnce() -> F,
) -> F::Output {
    let set = tokio::task::LocalSet::new();
    set.block_on(runtime, async { make().await })
}

/// Tokio, with pipes and signals for children.
pub(crate) fn tokio_with_children() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("this process may have a runtime")
}

/// Compio's executor, with the driver that belongs to it, of which nothing is asked here.
pub(crate) fn compio() -> compio_runtime::Runtime {
    compio_runtime::Runtime::new().expect("this kernel has io_uring, or else a poll")
}

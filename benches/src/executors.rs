//! One executor of each kind, on the thread that asks, and everything else as its author chose it.

/// One thread, which is ours; timers, and no sockets.
pub(crate) fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(crate::pools::WORKERS)
        .build()
        .expect("this process may have a runtime")
}

/// The same, for tasks that are not `Send`, as ours need not be.
pub(crate) fn tokio_local() -> tokio::runtime::LocalRuntime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build_local(Default::default())
        .expect("this process may have a runtime")
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

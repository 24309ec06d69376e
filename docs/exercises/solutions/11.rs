//! A static pool, and a handle that is tied to the wait.

use std::sync::LazyLock;

use handspun::{JoinError, ThreadPool};

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| ThreadPool::new(2));

pub(crate) async fn to_thread<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    POOL.submit(f).cancel_on_drop().await
}

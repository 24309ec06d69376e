//! Raw threads that can be joined with a timeout.
//!
//! Knows nothing of the pool. A thread is a job with a worker of its own, and so has the same
//! handle: std's cannot wait with a timeout, be awaited or go into `as_completed`. What must always
//! hold: the handle settles, whether the closure returns, panics, or never got a thread.

use std::panic::Location;

use crate::error::no_thread;
use crate::prims::{ThreadSpec, spawn_thread};

use super::handle::JoinHandle;
use super::job::{self, WorkerStats};

/// Runs a closure on a thread of its own.
///
/// When to use it: a few things that each wait for long. For many, use a
/// [`ThreadPool`](crate::ThreadPool), which does not start a thread for each.
///
/// ```
/// use std::time::Duration;
/// use handspun::thread;
///
/// let handle = thread::spawn(|| 6 * 7);
/// assert_eq!(handle.join_timeout(Duration::from_secs(15))??, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Dropping the handle** detaches the thread, which then dies with the process. Nothing joins it
/// for you, as a pool joins its threads.
///
/// # Errors
///
/// None here: the handle's. If the system refuses a thread, it is settled as cancelled.
///
/// The handle settles when the closure has returned. The thread's locals are destroyed after that,
/// and may still be when a `join` returns.
#[doc(alias = "Thread")]
#[doc(alias = "to_thread")]
#[track_caller]
pub fn spawn<F, T>(closure: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let job = job::maker()(closure, Location::caller(), None);
    let on_its_thread = job.clone().as_run();
    let spawned = spawn_thread(ThreadSpec::default(), move || {
        on_its_thread.run(&WorkerStats::default());
    });
    if let Err(error) = spawned {
        job.refuse(no_thread(&error), &WorkerStats::default());
        job.discard();
    }
    JoinHandle::unqueued(job)
}

//! Spawning from other threads.
//!
//! Knows nothing of the loop: what is to be spawned is mail. What must always hold: what is handed over is
//! spawned, or its handle settles as cancelled; and as long as another thread may spawn, nobody says that
//! nothing can ever wake again.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::current;
use super::ready::{Mail, Shared};
use super::task::{Task, Unborn};

/// A way to spawn onto an executor from another thread; see [`Executor::remote`](crate::Executor::remote).
///
/// ```
/// use handspun::{Executor, block_on, thread};
///
/// let executor = Executor::new();
/// let remote = executor.remote();
/// let asked = thread::spawn(move || {
///     // The future is made there, so it need not be `Send`.
///     let task = remote.spawn(|| async { std::rc::Rc::new(21).as_ref() * 2 });
///     block_on(task)
/// });
/// assert_eq!(executor.run(asked)??, 42);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// A clone spawns onto the same executor. As long as there is one, an executor that has nothing to do
/// waits for it, and does not report that it hangs.
#[doc(alias = "run_coroutine_threadsafe")]
#[doc(alias = "call_soon_threadsafe")]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.add_remote();
        Self { shared: shared.clone() }
    }

    /// Calls `make` on the executor's thread, and spawns the future that it gives.
    ///
    /// It happens when that executor runs. The handle settles as cancelled if the executor ends first.
    #[track_caller]
    pub fn spawn<F, Fut>(&self, make: F) -> Task<Fut::Output>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let (task, unborn) = Unborn::new(&self.shared, None, Location::caller());
        self.shared.post(Mail::Spawn(Box::new(move || {
            let core = current::current().expect("mail is read by an executor that runs");
            unborn.be_born(&core, async move { make().await });
        })));
        task
    }
}

impl Clone for Remote {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.shared.remove_remote();
        self.shared.host.parker.unpark(); // It may be the time to report that it hangs.
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote(..)")
    }
}

//! The pool itself: where jobs are handed in, and how it ends.
//!
//! Knows nothing of queues and wake-ups. What must always hold: when a pool has been dropped or shut
//! down from outside, its threads are gone, thread-locals and all; and every job that was ever
//! handed in has settled, but for one that another thread is cancelling at that moment: that thread
//! settles it. (To wait for it here would be a hang, if the closure it drops owns the pool.)

use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::error::{BuildError, CancelReason, ShutdownError};
use crate::wait::block_on::block_on_until;
use crate::wait::deadline::Deadline;

use super::builder::Builder;
use super::handle::JoinHandle;
use super::job::Job;
use super::shared::{End, Shared, Stats};
use super::worker;

/// A number of threads that run the closures handed to them.
///
/// When to use it: there is blocking or computing work in many pieces, and no more than so many
/// should go on at a time. To borrow from the stack, or to compute over slices, rayon does more; for
/// thousands of waits at once, tasks cost less than threads.
///
/// ```
/// use handspun::ThreadPool;
///
/// let pool = ThreadPool::new(4);
/// let handles: Vec<_> = (1..=3).map(|n| pool.submit(move || n * n)).collect();
/// let squares: Result<Vec<_>, _> = handles.into_iter().map(|handle| handle.join()).collect();
/// assert_eq!(squares?, [1, 4, 9]);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// Threads are started when there is work for them, and live until the pool ends. To share a pool,
/// share a reference or an `Arc` of it.
///
/// **Dropping it** runs what is queued, joins every thread, and only then returns. On one of its own
/// workers, which could not join itself, the drop lets no more jobs in and returns at once; the
/// threads end when the queue is empty.
#[doc(alias = "ThreadPoolExecutor")]
pub struct ThreadPool {
    shared: Arc<Shared>,
}

/// What becomes of the jobs that are queued when a pool is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// They run.
    Drain,
    /// They settle as cancelled, at once. Running jobs run to their end: a thread cannot be stopped.
    #[doc(alias = "cancel_futures")]
    Cancel,
}

impl ThreadPool {
    /// A pool of this many threads, with everything else as it comes.
    ///
    /// # Panics
    ///
    /// If `threads` is 0. [`builder`](Self::builder) has an error for that.
    pub fn new(threads: usize) -> Self {
        match Self::builder().threads(threads).build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    /// A pool to be described: names, stack sizes, hooks.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Hands in a closure, to be run once by a worker; the handle waits for what it returns.
    ///
    /// Jobs begin in the order in which they were handed in.
    ///
    /// # Errors
    ///
    /// None here: the handle's. After a [`shutdown`](Self::shutdown), or if the system has refused
    /// the pool its only thread, the handle is settled as cancelled when it is returned.
    #[track_caller]
    pub fn submit<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.submit_from(Location::caller(), closure)
    }

    pub(crate) fn submit_from<F, T>(
        &self,
        submitted_at: &'static Location<'static>,
        closure: F,
    ) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let job = Arc::new(Job::new(closure, submitted_at));
        let ticket = worker::submit(&self.shared, job.clone());
        JoinHandle::queued(job, self.shared.clone(), ticket)
    }

    /// The most threads there will be.
    pub fn threads(&self) -> usize {
        self.shared.settings.threads
    }

    /// What is going on, all of it at one moment.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// pool.submit(|| ()).join()?;
    /// let stats = pool.stats();
    /// assert_eq!((stats.submitted, stats.settled), (1, 1));
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Lets no more jobs in, waits until those that are in have settled, and joins every thread.
    ///
    /// When to use it: to see the errors that a drop could not return, to cancel what is queued, or
    /// to end a pool that others still hold. It may be called twice, and from several threads at
    /// once; each call returns when all is over.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::InsideWorker`] on a worker of this pool; then nothing has happened.
    #[doc(alias = "close")]
    pub fn shutdown(&self, queued: Shutdown) -> Result<(), ShutdownError> {
        self.shutdown_until(queued, Deadline::Never)
    }

    /// Like [`shutdown`](Self::shutdown), but waits for at most `timeout`.
    ///
    /// A duration of zero begins the shutdown and does not wait. What a thread-local does when it
    /// is destroyed, at the very end of its thread, is waited for in any case.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::StillRunning`] says how much was left to do. The shutdown goes on, and may
    /// be waited for by calling this again, or by dropping the pool.
    #[doc(alias = "awaitTermination")]
    pub fn shutdown_timeout(
        &self,
        queued: Shutdown,
        timeout: Duration,
    ) -> Result<(), ShutdownError> {
        self.shutdown_until(queued, Deadline::after(timeout))
    }

    fn shutdown_until(&self, queued: Shutdown, deadline: Deadline) -> Result<(), ShutdownError> {
        if worker::is_aboard(&self.shared) {
            return Err(ShutdownError::InsideWorker);
        }
        self.close(queued);
        let end = std::future::poll_fn(|context| self.shared.poll_end(context));
        let mut end = pin!(end);
        while let Some(reached) = block_on_until(end.as_mut(), deadline, Duration::ZERO) {
            match reached {
                End::Reached => return Ok(()),
                End::JoinThreads(threads) => {
                    for thread in threads {
                        // An error would be a panic of a thread-local's destructor. It has been
                        // printed, and there is nothing more to be done about it.
                        let _ = thread.join();
                    }
                    let end_waiters = self.shared.lock().all_joined();
                    end_waiters.into_iter().for_each(Waker::wake);
                }
            }
        }
        let Stats { running, queued, .. } = self.stats();
        Err(ShutdownError::StillRunning { running, queued })
    }

    fn close(&self, queued: Shutdown) {
        let mut state = self.shared.lock();
        let idle = state.close();
        let unrun = match queued {
            Shutdown::Drain => Vec::new(),
            Shutdown::Cancel => state.queue.drain(),
        };
        drop(state);
        idle.into_iter().for_each(|parker| parker.unpark());
        for job in unrun {
            job.refuse(CancelReason::ShutDown, &self.shared.ledger);
        }
    }
}

impl Builder {
    /// The pool. No thread is started yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says which setting could not work.
    pub fn build(self) -> Result<ThreadPool, BuildError> {
        let shared = Arc::new(Shared::new(self.into_settings()?));
        Ok(ThreadPool { shared })
    }
}

/// As many threads as there are cores.
impl Default for ThreadPool {
    fn default() -> Self {
        Self::new(crate::prims::cores())
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        if self.shutdown(Shutdown::Drain).is_err() {
            self.close(Shutdown::Drain); // On a worker, which will come to its own end.
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.threads())
            .field("stats", &self.stats())
            .finish()
    }
}

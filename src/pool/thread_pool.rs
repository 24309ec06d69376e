//! The pool itself: where jobs are handed in, and how it ends.
//!
//! Knows nothing of queues and wake-ups. What must always hold: when a pool has been dropped or shut
//! down from outside, its threads are gone, thread-locals and all; and every job that was ever
//! handed in has settled, unless some other thread is in the middle of cancelling it.

use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::error::{BuildError, CancelReason, QueueFull, ShutdownError};
use crate::wait::block_on::block_on_until;
use crate::wait::cancel::CancellationToken;
use crate::wait::deadline::Deadline;
use crate::wait::help::Ticket;

use super::builder::Builder;
use super::handle::JoinHandle;
use super::job::{Job, Run};
use super::ledger::PanicHook;
use super::shared::{Shared, Stats};
use super::state::End;
use super::submit;
use super::watch::Watch;
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

    /// Hands in a closure, which a worker runs once.
    ///
    /// The handle waits for what it returns. Jobs begin in the order in which they were handed in,
    /// but for those that are [taken back](JoinHandle).
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let handle = pool.submit(|| "on a worker".len());
    /// assert_eq!(handle.join()?, 11);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None here: the handle's. After a [`shutdown`](Self::shutdown), or if the system has refused
    /// the pool its only thread, the handle is settled as cancelled when it is returned.
    #[doc(alias = "run_in_executor")]
    #[track_caller]
    pub fn submit<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.submit_from(Location::caller(), closure)
    }

    /// Hands in a closure if the queue has room for it, and never waits.
    ///
    /// When to use it: with a [`queue_limit`](crate::Builder::queue_limit), where there is something
    /// better to do than to wait. Without a limit there is always room. While others wait for room
    /// there is none: it overtakes nobody.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] holds the closure.
    #[track_caller]
    pub fn try_submit<F, T>(&self, closure: F) -> Result<JoinHandle<T>, QueueFull<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.shared.places().is_some_and(|places| !places.try_take()) {
            return Err(QueueFull(closure));
        }
        let submitted_at = Location::caller();
        let job = Arc::new(Job::new(closure, submitted_at));
        let ticket = submit::queue(&self.shared, job.clone(), submitted_at);
        Ok(JoinHandle::queued(job, self.shared.clone(), ticket))
    }

    /// Hands in many closures, for less than it costs to hand them in one by one.
    ///
    /// When to use it: there are hundreds of small jobs, and they are known beforehand. They go in 64
    /// at a time, as the iterator gives them: if it waits for one of them, or panics, up to 63 before
    /// it have not gone in. In all else it is the same as [`submit`](Self::submit), handle by handle.
    ///
    /// ```
    /// use handspun::{ThreadPool, as_completed};
    ///
    /// let pool = ThreadPool::new(2);
    /// let handles = pool.submit_all((1..=100_u32).map(|n| move || n * n));
    /// let sum = as_completed(handles).sum::<Result<u32, _>>()?;
    /// assert_eq!(sum, 338_350);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    #[track_caller]
    pub fn submit_all<F, T>(&self, closures: impl IntoIterator<Item = F>) -> Vec<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        const BATCH: usize = 64; // The first jobs run while the later ones are still being made.
        let (submitted_at, mut closures) = (Location::caller(), closures.into_iter());
        if self.shared.places().is_some() {
            // One by one, for each has to wait for its place.
            return closures.map(|closure| self.submit_from(submitted_at, closure)).collect();
        }
        let mut handles = Vec::with_capacity(closures.size_hint().0);
        loop {
            let jobs: Vec<_> = closures
                .by_ref()
                .take(BATCH)
                .map(|closure| Arc::new(Job::new(closure, submitted_at)))
                .collect();
            if jobs.is_empty() {
                return handles;
            }
            let queued = jobs.iter().map(|job| job.clone() as Arc<dyn Run>).collect();
            let first = submit::submit_all(&self.shared, queued, submitted_at);
            for (ticket, job) in (first.0..).zip(jobs) {
                handles.push(JoinHandle::queued(job, self.shared.clone(), Ticket(ticket)));
            }
        }
    }

    /// Hands in a closure that can be asked to stop, through a child of this token.
    ///
    /// When to use it: the job runs for long, and may not be wanted any more before it ends. While
    /// it is queued, a cancelled token settles it at once, as [`JoinHandle::cancel`] does. While it
    /// runs, it is up to the closure to look at the token: it is not stopped by force, and its handle
    /// gives what it returns. `cancel` on the handle of a running job cancels the job's own token.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::{Cancel, CancellationToken, Cancelled, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let all = CancellationToken::new();
    /// let (begun, has_begun) = mpsc::channel();
    /// let handle = pool.submit_with(&all, move |token| -> Result<(), Cancelled> {
    ///     begun.send(()).unwrap();
    ///     loop {
    ///         token.check()?; // between two steps of the work
    ///     }
    /// });
    /// has_begun.recv()?;
    /// assert_eq!(handle.cancel(), Cancel::Asked);
    /// assert!(handle.join()?.is_err());
    /// assert!(!all.is_cancelled(), "only this job's token was cancelled");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn submit_with<F, T>(&self, token: &CancellationToken, closure: F) -> JoinHandle<T>
    where
        F: FnOnce(&CancellationToken) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (submitted_at, token) = (Location::caller(), token.child());
        let (watch, end_of_watch) = Watch::new();
        let its_token = token.clone();
        let closure = move || {
            drop(end_of_watch);
            closure(&its_token)
        };
        let job = Arc::new(Job::new(closure, submitted_at).with_token(token.clone()));
        let ticket = submit::submit(&self.shared, job.clone(), submitted_at);
        watch.begin(&token, &self.shared, ticket);
        JoinHandle::queued(job, self.shared.clone(), ticket)
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
        let ticket = submit::submit(&self.shared, job.clone(), submitted_at);
        JoinHandle::queued(job, self.shared.clone(), ticket)
    }

    pub(crate) fn panic_hook(&self) -> &PanicHook {
        &self.shared.settings.panic_hook
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

    /// Lets no more jobs in, waits for those that are in, and joins every thread.
    ///
    /// When to use it: to see the errors that a drop could not return, to cancel what is queued, or
    /// to end a pool that others still hold. It may be called twice, and from several threads at
    /// once; each call returns when all is over.
    ///
    /// ```
    /// use handspun::{JoinError, Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let queued = pool.submit(|| 6 * 7);
    /// pool.shutdown(Shutdown::Drain)?;
    /// assert!(queued.is_finished());
    /// assert!(matches!(pool.submit(|| 7).join(), Err(JoinError::Cancelled(_))), "it came too late");
    /// # Ok::<(), handspun::ShutdownError>(())
    /// ```
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
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// use handspun::{Shutdown, ShutdownError, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (answer, question) = mpsc::channel();
    /// let stuck = pool.submit(move || question.recv());
    ///
    /// let timed_out = pool.shutdown_timeout(Shutdown::Drain, Duration::from_millis(1));
    /// assert!(matches!(timed_out, Err(ShutdownError::StillRunning { .. })));
    /// answer.send(7)?;
    /// pool.shutdown(Shutdown::Drain)?;
    /// assert_eq!(stuck.join()?, Ok(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let idle = self.shared.close(&mut state);
        let unrun = match queued {
            Shutdown::Drain => Vec::new(),
            Shutdown::Cancel => self.shared.drain(&mut state),
        };
        if state.n_threads == 0 {
            // A job may have been let in whose bringer has not called a worker yet. We wait for the
            // end, and must not take an empty house for it.
            worker::summon(&self.shared, state);
        } else {
            drop(state);
        }
        idle.into_iter().for_each(|parker| parker.unpark());
        if let Some(places) = self.shared.places() {
            places.close();
        }
        for (ticket, job) in unrun {
            self.shared.refuse(ticket, job, CancelReason::ShutDown);
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

/// What a panic could leave half done is behind locks, and handed out whole: see `panic::catch`.
impl UnwindSafe for ThreadPool {}
impl RefUnwindSafe for ThreadPool {}

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

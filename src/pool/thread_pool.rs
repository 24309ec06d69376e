//! The pool itself, as its user sees it: where jobs are handed in.
//!
//! Knows nothing of queues and wake-ups, nor of how it ends: that is `shutdown`. What must always
//! hold: every way to hand a job in gives a handle, or gives the closure back.

use std::fmt;
use std::iter::once;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::error::{BuildError, QueueFull};
use crate::wait::cancel::CancellationToken;
use crate::wait::panic_hook::PanicHook;

use super::builder::Builder;
use super::handle::JoinHandle;
use super::job::{self, Job, Queued, is_large};
use super::shared::{Shared, Stats};
use super::submit;
use super::watch::{EndOfWatch, Watch};

/// A number of threads that run the closures handed to them.
///
/// When to use it: there is blocking or computing work in many pieces, and no more than so many
/// should go on at a time. Jobs may borrow from the stack in a [`scope`](Self::scope). To compute over
/// slices, rayon does more; for thousands of waits at once, tasks cost less than threads.
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
///
/// **After a `fork`** the child has a pool without threads. There, whatever would wait for one panics
/// and says so, [`shutdown`](Self::shutdown) is an error, and a drop does nothing; build another pool.
/// The child must not fork in the middle of a call: a lock that is held then is held for ever.
#[doc(alias = "ThreadPoolExecutor")]
pub struct ThreadPool {
    pub(crate) shared: Arc<Shared>,
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
    #[doc(alias = "to_thread")]
    #[doc(alias = "spawn_blocking")]
    #[track_caller]
    pub fn submit<F, T>(&self, closure: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let submitted_at = Location::caller();
        self.submit_job(submitted_at, job::maker()(closure, submitted_at, None))
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
        if self.shared.places.as_ref().is_some_and(|places| !places.try_take()) {
            return Err(QueueFull(closure));
        }
        let submitted_at = Location::caller();
        let job = job::maker()(closure, submitted_at, None);
        submit::queue(&self.shared, once(job.clone().as_run()), submitted_at);
        Ok(JoinHandle::queued(job, self.shared.clone()))
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
        let make = job::maker();
        if self.shared.places.is_some() {
            // One by one, for each has to wait for its place.
            let submit = |closure| self.submit_job(submitted_at, make(closure, submitted_at, None));
            return closures.map(submit).collect();
        }
        let mut handles = Vec::with_capacity(closures.size_hint().0);
        loop {
            let jobs: Vec<_> = closures
                .by_ref()
                .take(BATCH)
                .map(|closure| make(closure, submitted_at, None))
                .collect();
            if jobs.is_empty() {
                return handles;
            }
            let queued: Vec<_> = jobs.iter().map(|job| job.clone().as_run()).collect();
            submit::queue(&self.shared, queued, submitted_at);
            handles
                .extend(jobs.into_iter().map(|job| JoinHandle::queued(job, self.shared.clone())));
        }
    }

    /// Hands in a closure that can be asked to stop, through a child of this token.
    ///
    /// When to use it: the job runs for long, and may not be wanted any more before it ends. While
    /// it is queued, a cancelled token settles it at once, as [`JoinHandle::cancel`] does. While it
    /// runs, it is up to the closure to look at the token: it is not stopped by force, and its handle
    /// gives what it returns. `cancel` on the handle of a running job cancels the job's own token.
    ///
    /// Where the queue is full this waits for room, as [`submit`](Self::submit) does, but not beyond
    /// the token: if that is cancelled first, or its deadline passes, the job is cancelled.
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
        let make = if is_large::<F>() { watched_in_a_box } else { watched };
        let job = make(closure, submitted_at, token.clone(), end_of_watch);
        let queued = job.clone().as_run();
        let to_watch = Arc::downgrade(&queued);
        submit::submit(&self.shared, queued, Some(&token), submitted_at);
        watch.begin(&token, &self.shared, to_watch);
        JoinHandle::queued(job, self.shared.clone())
    }

    pub(crate) fn submit_job<T>(
        &self,
        submitted_at: &'static Location<'static>,
        job: Arc<dyn Queued<T>>,
    ) -> JoinHandle<T> {
        submit::submit(&self.shared, job.clone().as_run(), None, submitted_at);
        JoinHandle::queued(job, self.shared.clone())
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
}

/// A job that lets its watch go when it begins.
fn watched<F, T>(
    closure: F,
    submitted_at: &'static Location<'static>,
    token: CancellationToken,
    end_of_watch: EndOfWatch,
) -> Arc<dyn Queued<T>>
where
    F: FnOnce(&CancellationToken) -> T + Send + 'static,
    T: Send + 'static,
{
    let its_token = token.clone();
    let closure = move || {
        drop(end_of_watch);
        closure(&its_token)
    };
    Arc::new(Job::new(closure, submitted_at, Some(token)))
}

/// The same for a large closure; see [`job::maker`].
fn watched_in_a_box<F, T>(
    closure: F,
    submitted_at: &'static Location<'static>,
    token: CancellationToken,
    end_of_watch: EndOfWatch,
) -> Arc<dyn Queued<T>>
where
    F: FnOnce(&CancellationToken) -> T + Send + 'static,
    T: Send + 'static,
{
    let closure = Box::new(closure);
    watched(move |token: &CancellationToken| closure(token), submitted_at, token, end_of_watch)
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

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.threads())
            .field("stats", &self.stats())
            .finish()
    }
}

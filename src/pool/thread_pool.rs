//! The pool itself, as its user sees it, and how a job is submitted: a permit if the queue has a limit, a
//! number, and a worker that comes for it.
//!
//! Knows nothing of how workers live, nor of how a pool ends: that is `shutdown`. What must always hold:
//!
//! 1. Every way to submit gives a handle, or gives the closure back.
//! 2. A job that is submitted is queued or settles as cancelled before the call returns.
//! 3. An observer is told of it with no lock held.

use std::fmt;
use std::iter::once;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::error::{BuildError, TryError};
use crate::panic::{self, Panic};
use crate::trace_event::Step;
use crate::wait::cancel::{CancellationToken, wait_for_permit};
use crate::wait::panic_hook::PanicHook;
use crate::wait::permits::{Permit, Permits};

use super::builder::Builder;
use super::handle::JoinHandle;
use super::injector::{Apart, Pushed};
use super::job::{self, Made, Queued};
use super::shared::{PoolRef, Shared, Stats};
use super::worker::{in_context, on_worker, page_of_locals, wake_worker, worker_number};

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
/// The parent must not fork in the middle of a call on another thread: a lock that is held then is held for ever in the
/// child. Nor inside a scope: what is lent there could not be waited for, and the child aborts.
#[doc(alias = "ThreadPoolExecutor")]
pub struct ThreadPool {
    pub(crate) shared: Arc<Shared>,
    /// For handles that are made on threads that are no workers: each is a count of its own.
    refs: [PoolRef; 8],
}

impl ThreadPool {
    /// A pool of this many threads, and defaults otherwise.
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

    /// Settings for a pool: names, stack sizes, hooks.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Submits a closure, which a worker runs once.
    ///
    /// The handle waits for what it returns. What one thread submits begins in the order in which it
    /// was submitted, and so does all that comes from outside the pool; but for jobs that are
    /// [taken back](JoinHandle).
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

    /// Submits a closure if the queue has room for it, and never waits.
    ///
    /// When to use it: with a [`queue_limit`](crate::Builder::queue_limit), where there is something
    /// better to do than to wait. Without a limit there is always room. While others wait for room
    /// there is none: it overtakes no other.
    ///
    /// # Errors
    ///
    /// [`TryError::WouldBlock`] holds the closure.
    #[track_caller]
    pub fn try_submit<F, T>(&self, closure: F) -> Result<JoinHandle<T>, TryError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if !has_room(&self.shared) {
            return Err(TryError::WouldBlock(closure));
        }
        let submitted_at = Location::caller();
        let job = job::maker()(closure, submitted_at, None);
        queue(&self.shared, once(job.clone().as_run()), submitted_at);
        Ok(self.handle(job))
    }

    /// Submits many closures, for less than it costs to submit them one by one.
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
        let (submitted_at, make) = (Location::caller(), job::maker());
        let mut jobs = closures.into_iter().map(|closure| make(closure, submitted_at, None));
        if self.shared.room.is_some() {
            return jobs.map(|job| self.submit_job(submitted_at, job)).collect(); // Each waits for room.
        }
        let mut handles = Vec::with_capacity(jobs.size_hint().0);
        loop {
            // The first jobs run while the later ones are still being made.
            let batch: Vec<Made<'static, T>> = jobs.by_ref().take(64).collect();
            if batch.is_empty() {
                return handles;
            }
            queue(&self.shared, batch.iter().map(|job| job.clone().as_run()), submitted_at);
            handles.extend(batch.into_iter().map(|job| self.handle(job)));
        }
    }

    /// Submits a closure that can be asked to stop, through a child of this token.
    ///
    /// When to use it: the job runs for long, and may not be wanted any more before it ends. While
    /// it is queued, a cancelled token ends each wait for its handle at once, and cancels it, as
    /// [`JoinHandle::cancel`] does; if there is no wait for it, it is cancelled when it would have begun. While it
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
        let (closure, its_token) = (Box::new(closure), token.clone());
        let job = job::maker()(move || closure(&its_token), submitted_at, Some(token.clone()));
        submit(&self.shared, job.clone().as_run(), Some(&token), submitted_at);
        if let Some(reason) = token.reason() {
            self.shared.cancel(job.clone().as_run(), reason);
        }
        self.handle(job).with_token(token.cancelled())
    }

    pub(crate) fn submit_job<T>(
        &self,
        submitted_at: &'static Location<'static>,
        job: Made<'static, T>,
    ) -> JoinHandle<T> {
        submit(&self.shared, job.clone().as_run(), None, submitted_at);
        self.handle(job)
    }

    fn handle<T>(&self, job: Made<'static, T>) -> JoinHandle<T> {
        JoinHandle::new(job, Some(self.share()))
    }

    pub(crate) fn share(&self) -> PoolRef {
        in_context(&self.shared, |context| context.shared.clone())
            .unwrap_or_else(|| self.refs[page_of_locals() % self.refs.len()].clone())
    }

    pub(crate) fn panic_hook(&self) -> &PanicHook {
        &self.shared.settings.panic_hook
    }

    /// What two have come to; or the first panic goes on, and the panic hook is told of the other.
    #[inline] // At every fork, in the crate that forks.
    pub(crate) fn both<A, B>(&self, a: Result<A, Panic>, b: Result<B, Panic>) -> (A, B) {
        match (a, b) {
            (Ok(a), Ok(b)) => (a, b),
            (a, b) => self.resume_first([drop_value(a), drop_value(b)]),
        }
    }

    #[cold]
    fn resume_first(&self, panics: [Option<Panic>; 2]) -> ! {
        let mut panics = panics.into_iter().flatten();
        let first = panics.next().expect("one of them is a panic");
        panics.for_each(|other| self.panic_hook().tell(&other));
        first.resume()
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

/// A value that is not given out is dropped before a panic goes on: two at once would be the end.
fn drop_value<T>(ended: Result<T, Panic>) -> Option<Panic> {
    ended.map(|value| panic::contain(|| drop(value))).err()
}

/// Queues a job and sees to it that a worker comes for it, or refuses it. Where the queue is full, waits for
/// room. A job whose token is cancelled needs none: it will not stay.
pub(crate) fn submit(
    shared: &Arc<Shared>,
    job: Queued,
    token: Option<&CancellationToken>,
    submitted_at: &'static Location<'static>,
) {
    match &shared.room {
        Some(_) if has_room(shared) => {}
        // A worker would wait for itself, so it lets the job in beyond the limit.
        Some(room) if on_worker(shared) => room.take_anyway(1),
        Some(room) => wait_for_room(shared, room, token),
        None => {}
    }
    queue(shared, once(job), submitted_at);
}

/// Takes a permit if the queue has a limit. A pool that is closed has room for all: they are refused
/// behind it.
pub(crate) fn has_room(shared: &Shared) -> bool {
    let Some(room) = &shared.room else { return true };
    match room.try_acquire(1).map(Permit::keep) {
        Ok(()) | Err(TryError::Closed(())) => true,
        Err(TryError::WouldBlock(())) => false,
    }
}

/// Blocks the thread until there is a permit. A submitter that has had enough of that takes one beyond the
/// limit, so that there is one way to go on.
fn wait_for_room(shared: &Shared, room: &Permits, token: Option<&CancellationToken>) {
    shared.process.check();
    let what = "room in the queue of a pool";
    match wait_for_permit(room, what, token, shared.settings.spin_limit) {
        Ok(permit) => permit.keep(),
        Err(_) => room.take_anyway(1),
    }
}

/// The same for jobs that have their permits already, or need none.
pub(crate) fn queue<J>(shared: &Arc<Shared>, jobs: J, submitted_at: &'static Location<'static>)
where
    J: IntoIterator<Item = Queued, IntoIter: ExactSizeIterator>,
{
    let jobs = jobs.into_iter();
    let observer = &shared.settings.observer;
    // Told of when their numbers are known, and as of now: a worker may begin one before we get there.
    let (when, n_jobs) = (observer.now(), jobs.len());
    let tell = |first: usize| {
        let told = if when.is_some() { n_jobs } else { 0 };
        for job in first..first + told {
            observer.tell_of(when, job, Step::Submitted(submitted_at));
        }
    };
    let (first, pushed) = shared.injector.push(worker_number(shared), jobs);
    match pushed {
        Pushed::Queued => tell(first),
        Pushed::NeedsWake => {
            wake_worker(shared, shared.lock());
            tell(first);
        }
        Pushed::Refused(jobs, reason) => {
            tell(first);
            shared.give_back_room(n_jobs);
            for (number, job) in (first..).zip(jobs) {
                job.claim().set_number(number);
                job.claim().take();
                shared.refuse(job, reason.clone());
            }
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
        let shared = Arc::new(Shared::new(self.checked()?));
        Ok(ThreadPool { refs: [(); 8].map(|()| Arc::new(Apart(shared.clone()))), shared })
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
        write!(f, "ThreadPool({} threads, {:?})", self.threads(), self.stats())
    }
}

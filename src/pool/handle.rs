//! The handle: what the submitter of a job keeps, and how it waits.
//!
//! Knows nothing of how jobs are run. One handle serves all the ways to wait, since all of them poll
//! the same cell and differ only in the waker they leave there.
//!
//! What must always hold: a result is given to exactly one place: to whoever waits, to a callback,
//! or, if the handle is dropped, to the pool's panic hook.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{CancelReason, FlatError, JoinError, StillRunning};
use crate::wait::block_on::{self, default_look_out};
use crate::wait::cancel_on_drop::CancelOnDrop;
use crate::wait::deadline::Deadline;
use crate::wait::host::poll_elsewhere;
use crate::wait::panic_hook::PanicHook;
use crate::wait::settle::Progress;

use super::job::Queued;
use super::shared::Shared;
use super::worker;

/// What a submitter keeps of a job: a claim on what the closure returns.
///
/// Block a thread with [`join`](Self::join), await it in any executor, hand it to
/// [`as_completed`](crate::as_completed), or let a callback have the result.
///
/// ```
/// use handspun::ThreadPool;
///
/// let pool = ThreadPool::new(2);
/// let handle = pool.submit(|| 6 * 7);
/// assert_eq!(handle.join()?, 42);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// **Dropping it** detaches the job: it runs all the same, and its result is dropped on the worker.
/// A panic is then told to the pool's [panic hook](crate::Builder::panic_hook).
///
/// **Take-back.** If a worker joins a job of its own pool that is still queued, it runs that job
/// itself, there and then. So jobs may submit and join jobs to any depth that the stack allows, on a
/// pool of any size, without deadlock:
///
/// ```
/// use std::sync::Arc;
/// use handspun::ThreadPool;
///
/// fn fib(pool: &Arc<ThreadPool>, n: u64) -> u64 {
///     if n < 2 {
///         return n;
///     }
///     let left = pool.submit({
///         let pool = pool.clone();
///         move || fib(&pool, n - 1)
///     });
///     let right = fib(pool, n - 2);
///     left.join().unwrap() + right
/// }
///
/// let pool = Arc::new(ThreadPool::new(1));
/// let fib_10 = pool.submit({
///     let pool = pool.clone();
///     move || fib(&pool, 10)
/// });
/// assert_eq!(fib_10.join()?, 55);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// It never runs any other job than the one it waits for, so that a lock which it holds cannot be
/// wanted again below it, nor an hour's work pushed in front of it. The limits: `join` and an
/// ordered [`map`](crate::ThreadPool::map) take back; [`join_timeout`](Self::join_timeout), which
/// could not keep its time, and `.await` do not. Jobs of two pools that wait for each other, waits
/// that are not through handles, and circles of waits can still hang.
#[doc(alias = "Future")]
#[must_use = "a dropped handle detaches the job, and its result is lost"]
pub struct JoinHandle<T> {
    /// `None` once the result has been given away.
    outcome: Option<Arc<dyn Queued<T>>>,
    /// The pool of the job; a raw thread has none.
    pool: Option<Arc<Shared>>,
}

/// What a handle says when it is asked a second time.
const TAKEN: &str = "a result is taken once, by a join, a callback or a poll that was ready";

/// What came of [`JoinHandle::cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancel {
    /// The job had not begun, and never will; everybody who waits for it knows by now.
    Dequeued,
    /// It has left the queue, and its token has been cancelled. If it runs, it stops when it looks at
    /// the token, if it does; if it was about to begin, it does not. Its handle settles then.
    Asked,
    /// It has left the queue before. It is running, or has finished, and goes on undisturbed; or
    /// somebody else, another thread or a shutdown, is cancelling it at this very moment.
    TooLate,
}

impl<T> JoinHandle<T> {
    pub(crate) fn queued(outcome: Arc<dyn Queued<T>>, pool: Arc<Shared>) -> Self {
        Self { outcome: Some(outcome), pool: Some(pool) }
    }

    pub(crate) fn unqueued(outcome: Arc<dyn Queued<T>>) -> Self {
        Self { outcome: Some(outcome), pool: None }
    }

    /// Waits for the job on this thread, and takes its result.
    ///
    /// A worker of the same pool runs the job itself if it has not begun: see
    /// [take-back](JoinHandle). In a task, `.await` the handle instead: this blocks the thread, and
    /// every other task on it.
    ///
    /// # Errors
    ///
    /// The job panicked, or was cancelled before it began. A job that returns an `Err` has returned,
    /// and this is `Ok` of that.
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this handle.
    #[doc(alias = "result")]
    pub fn join(self) -> Result<T, JoinError> {
        if let (Some(pool), Some(outcome)) = (&self.pool, &self.outcome) {
            if worker::on_worker(pool) {
                worker::take_back(pool, &outcome.clone().as_run());
            }
        }
        let look_out = self.look_out();
        block_on::join(self, look_out, Self::is_settled)
    }

    /// Waits for the job on this thread, for at most `timeout`.
    ///
    /// A timeout says nothing to the job, which goes on. A duration of zero only looks. There is no
    /// [take-back](JoinHandle) here: a job that ran on this thread could not be left in time.
    ///
    /// # Errors
    ///
    /// [`StillRunning`] holds this handle, to wait again or to cancel; there is an example.
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this handle.
    #[doc(alias = "result")]
    #[doc(alias = "wait_for")]
    pub fn join_timeout(
        self,
        timeout: Duration,
    ) -> Result<Result<T, JoinError>, StillRunning<Self>> {
        self.join_until(Deadline::after(timeout))
    }

    pub(crate) fn join_until(
        self,
        deadline: Deadline,
    ) -> Result<Result<T, JoinError>, StillRunning<Self>> {
        let look_out = self.look_out();
        block_on::join_until(self, deadline, look_out)
    }

    /// Whether there is a result, or was before it was taken. Never blocks.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.progress() == Progress::Finished
    }

    /// Cancels the job if it has not begun, and otherwise asks it to stop if it has a token.
    ///
    /// If it has not begun, its closure is dropped and everybody who waits for it hears of it before
    /// this returns; its handle settles to [`JoinError::Cancelled`]. To cancel it again changes
    /// nothing and says the same. A thread of its own ([`thread::spawn`](crate::thread::spawn)) has begun already.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::{Cancel, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (open, gate) = mpsc::channel();
    /// let first = pool.submit(move || gate.recv());
    /// let second = pool.submit(|| unreachable!("it was cancelled while it was queued"));
    /// assert_eq!(second.cancel(), Cancel::Dequeued);
    /// open.send(())?;
    /// first.join()??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel(&self) -> Cancel {
        // What has been given away has settled, and so left the queue.
        let Some(outcome) = &self.outcome else { return Cancel::TooLate };
        let cancel = |pool: &Arc<Shared>| {
            !outcome.claim().is_taken()
                && pool.cancel(&outcome.clone().as_run(), CancelReason::Requested)
        };
        if self.pool.as_ref().is_some_and(cancel) || outcome.was_cancelled() {
            Cancel::Dequeued
        } else if !outcome.is_settled() && outcome.ask_to_stop() {
            Cancel::Asked
        } else {
            Cancel::TooLate
        }
    }

    /// Ties the job to its handle: dropping what this returns cancels the job.
    ///
    /// When to use it: nobody wants the result any more once you stop waiting for it, as when a task
    /// that awaits the job is dropped. A queued job never runs then; a running one is asked to stop,
    /// if it has a token.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (open, gate) = mpsc::channel();
    /// let first = pool.submit(move || gate.recv());
    /// let second = pool.submit(|| unreachable!("it was not wanted any more")).cancel_on_drop();
    /// drop(second);
    /// open.send(())?;
    /// first.join()??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<Self> {
        CancelOnDrop::new(self, |handle| {
            handle.cancel();
        })
    }

    fn is_settled(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.is_settled())
    }

    fn look_out(&self) -> Duration {
        match &self.pool {
            Some(pool) => pool.settings.look_out,
            None => default_look_out(),
        }
    }

    /// The outcome, for somebody else to wait for.
    pub(crate) fn take_outcome(&mut self) -> Arc<dyn Queued<T>> {
        self.outcome.take().expect(TAKEN)
    }

    pub(crate) fn panic_hook(&self) -> PanicHook {
        match &self.pool {
            Some(pool) => pool.settings.panic_hook.clone(),
            None => PanicHook::default(),
        }
    }

    fn progress(&self) -> Progress {
        match &self.outcome {
            Some(outcome) => outcome.progress(),
            None => Progress::Finished,
        }
    }
}

impl<T, E> JoinHandle<Result<T, E>> {
    /// Joins a job that returns a `Result`, and makes one `Result` of the two.
    ///
    /// # Errors
    ///
    /// [`FlatError`] says whether the job returned an `Err` or has no result at all.
    ///
    /// ```
    /// use handspun::{FlatError, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// assert_eq!(pool.submit(|| "7".parse::<u32>()).join_flat()?, 7);
    /// let failed = pool.submit(|| "seven".parse::<u32>()).join_flat();
    /// assert!(matches!(failed, Err(FlatError::Failed(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_flat(self) -> Result<T, FlatError<E>> {
        match self.join() {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(FlatError::Failed(error)),
            Err(error) => Err(FlatError::NoResult(error)),
        }
    }
}

impl<T> CancelOnDrop<JoinHandle<T>> {
    /// Waits for the job on this thread, and takes its result; see [`JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// Those of [`JoinHandle::join`].
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this.
    pub fn join(self) -> Result<T, JoinError> {
        self.into_handle().join()
    }
}

/// Awaits the job. Dropping the handle meanwhile detaches the job, as always.
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = self.outcome.as_ref().expect(TAKEN);
        let mut result = poll_elsewhere("a job", context, |context| outcome.poll(context));
        if result.is_pending() {
            let as_run = || outcome.clone().as_run();
            if self
                .pool
                .as_ref()
                .is_some_and(|pool| worker::ran_here(pool, as_run, context.waker()))
            {
                result = outcome.poll(context);
            }
        }
        if result.is_ready() {
            self.outcome = None;
        }
        result
    }
}

/// A panic cannot leave it half done: it keeps nothing that it does not hand out whole.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(unread) = self.outcome.take().and_then(|outcome| outcome.abandon()) {
            self.panic_hook().dispose(unread);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = match self.progress() {
            Progress::Queued => "queued",
            Progress::Running => "running",
            Progress::Finished => "finished",
        };
        write!(f, "JoinHandle({progress})")
    }
}

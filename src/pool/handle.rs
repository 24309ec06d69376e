//! The handle: what the submitter of a job keeps, and how it waits.
//!
//! Knows nothing of how jobs are run. One handle serves all the ways to wait, since all of them poll
//! the same cell and differ only in the waker they leave there. If the job has a token, they wait for that as well,
//! and cancel the job when it is cancelled. A callback is one of the ways: it is a waker like others, and what it wakes
//! is a function.
//!
//! What must always hold:
//!
//! 1. A result is given to exactly one place: to the one that waits, to a callback, or, if the handle is
//!    dropped, to the pool's panic hook.
//! 2. A callback is called once, with no lock held, and its panic is told to the hook.
//!
//! A raw thread is a job with a worker of its own, and so has the same handle: std's cannot wait with a
//! timeout, be awaited or go into `as_completed`. It settles, whether the closure returns, panics, or never
//! got a thread.

use std::fmt;
use std::future::poll_fn;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::error::{CancelReason, JoinError, StillRunning, no_thread};
use crate::panic;
use crate::prims::{Mutex, ThreadSpec, spawn_thread};
use crate::wait::block_on::{block_on_until, default_spin_limit, spin_until};
use crate::wait::cancel::{CancelOnDrop, WaitForCancel};
use crate::wait::clock::Deadline;
use crate::wait::deferred;
use crate::wait::panic_hook::PanicHook;
use crate::wait::runtime::poll_elsewhere;
use crate::wait::settle::Progress;

use super::job::{self, Cancel, Joinable, Made, Queued};
use super::shared::PoolRef;
use super::worker::{ran_here, take_back};

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
    reader: Reader<'static, T>,
    /// The pool of the job; a raw thread has none.
    pool: Option<PoolRef>,
}

/// What a handle does, whether its job borrows or not.
pub(crate) struct Reader<'a, T> {
    /// `None` once the result has been given away.
    outcome: Option<Made<'a, T>>,
    /// What is in the queue, for a job that borrows or has a token.
    pub(crate) queued: Option<Queued>,
    /// The wait for its token. In a box, for hardly any job has one.
    pub(crate) token: Option<Box<WaitForCancel>>,
}

/// What a handle says when it is asked a second time.
const TAKEN: &str = "a result is taken once, by a join, a callback or a poll that was ready";

impl<'a, T> Reader<'a, T> {
    pub(crate) fn new(outcome: Made<'a, T>, queued: Option<Queued>) -> Self {
        Self { outcome: Some(outcome), queued, token: None }
    }

    /// Waits on this thread; on a worker of the pool, runs the job itself if it has not begun and there is
    /// no deadline.
    pub(crate) fn join_until(
        &mut self,
        pool: Option<&PoolRef>,
        deadline: Deadline,
    ) -> Option<Result<T, JoinError>> {
        if let (Some(pool), Deadline::Never) = (pool, deadline) {
            match (&self.queued, &self.outcome) {
                (Some(queued), _) => take_back(pool, &**queued),
                (None, Some(outcome)) => take_back(pool, &**outcome),
                (None, None) => false,
            };
        }
        if !self.is_settled() && !deadline.has_passed() {
            let limit = pool.map_or_else(default_spin_limit, |pool| pool.settings.spin_limit);
            spin_until(limit, || self.is_settled());
        }
        // If it has settled there is nothing to wait for, and so no waker to leave.
        let settled = self.outcome.take_if(|outcome| outcome.is_settled());
        let read = settled.map(|outcome| outcome.poll(&Context::from_waker(Waker::noop())));
        if let Some(Poll::Ready(result)) = read {
            return Some(result);
        }
        let polled = poll_fn(|context| self.poll(pool, context));
        block_on_until(pin!(polled), deadline, Duration::ZERO)
    }

    pub(crate) fn poll(
        &mut self,
        pool: Option<&PoolRef>,
        context: &mut Context<'_>,
    ) -> Poll<Result<T, JoinError>> {
        let outcome = self.outcome.as_ref().expect(TAKEN);
        if let (Some(token), Some(queued), Some(pool)) = (&mut self.token, &self.queued, pool) {
            if let Poll::Ready(reason) = Pin::new(token).poll(context) {
                self.token = None;
                pool.cancel(queued.clone(), reason); // If it has begun, it sees the token itself.
            }
        }
        let mut result = poll_elsewhere("a job", context, |context| outcome.poll(context));
        if let (Poll::Pending, Some(pool)) = (&result, pool) {
            let has_run = match &self.queued {
                Some(queued) => ran_here(pool, &**queued, context.waker()),
                None => ran_here(pool, &**outcome, context.waker()),
            };
            if has_run {
                result = outcome.poll(context);
            }
        }
        if result.is_ready() {
            (self.outcome, self.token) = (None, None);
        }
        result
    }

    /// What a cancel has come to, if it has dequeued the job or not.
    pub(crate) fn cancelled(&self, is_dequeued: bool) -> Cancel {
        match &self.outcome {
            Some(_) if is_dequeued => Cancel::Dequeued,
            Some(outcome) => outcome.ask_to_stop(),
            None => Cancel::TooLate,
        }
    }

    /// The handle goes; this is what it never read.
    pub(crate) fn abandon(&mut self) -> Option<Result<T, JoinError>> {
        self.outcome.take().and_then(|outcome| outcome.abandon())
    }

    pub(crate) fn progress(&self) -> Progress {
        self.outcome.as_ref().map_or(Progress::Finished, |outcome| outcome.progress())
    }

    fn is_settled(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.is_settled())
    }
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(job: Made<'static, T>, pool: Option<PoolRef>) -> Self {
        Self { reader: Reader::new(job, None), pool }
    }

    /// The waits for the job hear of this as well.
    pub(crate) fn with_token(mut self, token: WaitForCancel) -> Self {
        self.reader.queued = self.reader.outcome.clone().map(Joinable::as_run);
        self.reader.token = Some(Box::new(token));
        self
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
    /// and this is `Ok` of that: in a function that returns any error, `handle.join()??` has both.
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this handle.
    #[doc(alias = "result")]
    pub fn join(mut self) -> Result<T, JoinError> {
        let joined = self.reader.join_until(self.pool.as_ref(), Deadline::Never);
        joined.expect("never has not passed")
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
        mut self,
        deadline: Deadline,
    ) -> Result<Result<T, JoinError>, StillRunning<Self>> {
        self.reader.join_until(self.pool.as_ref(), deadline).ok_or(StillRunning(self))
    }

    /// Whether there is a result, or was before it was taken. Never blocks.
    #[doc(alias = "done")]
    #[doc(alias = "is_alive")]
    pub fn is_finished(&self) -> bool {
        self.reader.progress() == Progress::Finished
    }

    /// Cancels the job if it has not begun, and otherwise asks it to stop if it has a token.
    ///
    /// If it has not begun, its closure is dropped and every waiter for it hears of it before
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
        let dequeue = |outcome: &Made<'static, T>| {
            let pool = self.pool.as_ref().filter(|_| !outcome.claim().is_taken());
            pool.is_some_and(|pool| pool.cancel(outcome.clone().as_run(), CancelReason::Requested))
        };
        self.reader.cancelled(self.reader.outcome.as_ref().is_some_and(dequeue))
    }

    /// Ties the job to its handle: dropping what this returns cancels the job.
    ///
    /// When to use it: the result is not wanted any more once you stop waiting for it, as when a task
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
}

/// Awaits the job. Dropping the handle meanwhile detaches the job, as always.
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { reader, pool } = &mut *self;
        reader.poll(pool.as_ref(), context)
    }
}

/// A panic cannot leave it half done: it keeps nothing that it does not hand out whole.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(unread) = self.reader.abandon() {
            self.panic_hook().dispose(unread);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinHandle({:?})", self.reader.progress())
    }
}

impl<T> JoinHandle<T> {
    fn panic_hook(&self) -> PanicHook {
        self.pool.as_ref().map_or_else(PanicHook::default, |pool| pool.settings.panic_hook.clone())
    }
}

impl<T: Send + 'static> JoinHandle<T> {
    /// Lets a callback have the result, on the thread that finishes the job.
    ///
    /// When to use it: what is to happen next is not known where the job is submitted. If it is, it belongs at the end of
    /// the closure, or after an `.await`.
    ///
    /// If the job has finished already, the callback runs here, before this returns; or, 16 callbacks
    /// deep, when the callback around it has returned. It runs once in any case, with no lock held, and should be quick: it
    /// keeps a worker from the next job. If it panics, the panic hook hears of it. A queued job whose token is cancelled
    /// calls it when it would have begun.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (sender, results) = mpsc::channel();
    /// pool.submit(|| 6 * 7).on_complete(move |result| sender.send(result.unwrap()).unwrap());
    /// assert_eq!(results.recv()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this handle.
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_complete(mut self, callback: impl FnOnce(Result<T, JoinError>) + Send + 'static) {
        let (hook, set_at) = (self.panic_hook(), Location::caller());
        let outcome = self.reader.outcome.take().expect(TAKEN);
        let callback = Mutex::new(Some(Box::new(callback) as Box<_>));
        Arc::new(Callback { outcome, callback, hook, set_at }).wake();
    }
}

/// The waker of a job whose handle is gone: what it wakes is a function.
struct Callback<T> {
    outcome: Made<'static, T>,
    /// `None` when it has been called. The lock is not held while the outcome is polled: that may
    /// drop the waker which was there before us, and that is user code.
    callback: Mutex<Option<Box<OnComplete<T>>>>,
    hook: PanicHook,
    set_at: &'static Location<'static>,
}

type OnComplete<T> = dyn FnOnce(Result<T, JoinError>) + Send;

impl<T: Send + 'static> Wake for Callback<T> {
    /// Calls the callback if there is a result, and otherwise sees to it that we look again.
    ///
    /// It finds the result once: a poll either gives it or leaves the waker, never both.
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let Poll::Ready(result) = self.outcome.poll(&Context::from_waker(&waker)) else { return };
        let callback = self.callback.lock().take().expect("the result comes once");
        // It may set the next callback, on a job that has finished, which sets the next.
        let _ = deferred::run(move || {
            if let Err(panic) = panic::catch(self.set_at, || callback(result)) {
                self.hook.tell(&panic);
            }
        });
    }
}

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
    let run = move || {
        if let Some(panic) = on_its_thread.run(&()) {
            PanicHook::default().tell(&panic);
        }
    };
    if let Err(error) = spawn_thread(ThreadSpec::default(), run) {
        panic::contain(|| drop(job.refuse(no_thread(&error))));
    }
    JoinHandle::new(job, None)
}

//! A scope: jobs that borrow from the stack, all of which have ended when the scope has.
//!
//! Knows nothing of how a borrow is lent. The jobs stand in the scope itself, by number, and are lent
//! to the pool through one door. What must always hold:
//!
//! 1. A job is counted from before it is queued until it has ended, result and all.
//! 2. A worker that waits for the end of a scope runs what is queued of it, and nothing else; so it
//!    sleeps only while every job that is left has begun. Whoever adds a job wakes it.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::{CancelReason, JoinError};
use crate::event::Ending;
use crate::panic::{self, Panic};
use crate::prims::Mutex;
use crate::wait::block_on::{block_on, block_on_until};
use crate::wait::deadline::Deadline;
use crate::wait::deferred;
use crate::wait::host::{Hold, poll_elsewhere};
use crate::wait::settle::Progress;

use super::borrow::{Door, Errand};
use super::handle::Cancel;
use super::job::{Job, Outcome, Run, Runner, WorkerStats, is_large};
use super::scope_jobs::Jobs;
use super::shared::Shared;
use super::submit;
use super::thread_pool::ThreadPool;
use super::worker::{on_worker, ran_here, take_back};

impl ThreadPool {
    /// Runs `body`, which may submit jobs that borrow; returns when all of them have ended.
    ///
    /// When to use it: jobs are to read or to change what is on the stack of whoever waits for them.
    /// Jobs can submit to the scope as well, and may be more than the body knows of. On a worker of
    /// this pool, the wait at the end runs the scope's queued jobs, so that scopes nest to any depth on
    /// a pool of any size.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(2);
    /// let mut halves = [vec![3, 1, 2], vec![6, 5, 4]];
    /// let longest = pool.scope(|s| {
    ///     let lengths = halves.each_mut().map(|half| {
    ///         s.submit(move || {
    ///             half.sort();
    ///             half.len()
    ///         })
    ///     });
    ///     lengths.map(|length| length.join().unwrap()).into_iter().max()
    /// });
    /// assert_eq!((longest, halves), (Some(3), [vec![1, 2, 3], vec![4, 5, 6]]));
    /// ```
    ///
    /// A job cannot borrow what ends before the scope does:
    ///
    /// ```compile_fail,E0597
    /// let pool = handspun::ThreadPool::new(1);
    /// pool.scope(|s| {
    ///     let inner = String::from("gone when the body ends");
    ///     s.submit(|| inner.len());
    /// });
    /// ```
    ///
    /// Neither the scope nor a handle can be taken out of it, and what is not `Send` cannot be taken
    /// into a job:
    ///
    /// ```compile_fail
    /// let pool = handspun::ThreadPool::new(1);
    /// let escaped = pool.scope(|s| s);
    /// ```
    ///
    /// ```compile_fail
    /// let pool = handspun::ThreadPool::new(1);
    /// let escaped = pool.scope(|s| s.submit(|| 7));
    /// ```
    ///
    /// ```compile_fail,E0277
    /// let pool = handspun::ThreadPool::new(1);
    /// let here = std::rc::Rc::new(7);
    /// pool.scope(|s| s.submit(|| *here + 1).join().unwrap());
    /// ```
    ///
    /// # Panics
    ///
    /// If `body` does, or a job does whose handle was dropped unread: the first such panic goes on here
    /// when all jobs have ended. Others, if there are, are told to the
    /// [panic hook](crate::Builder::panic_hook).
    #[track_caller]
    pub fn scope<'env, R>(
        &self,
        body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
    ) -> R {
        let scope = Scope {
            shared: self.shared.clone(),
            door: Door::new(self.shared.settings.look_out, self.shared.process),
            // Emptied below. With a drop of its own it could not hold what borrows the scope itself.
            jobs: ManuallyDrop::new(Mutex::new(Jobs::default())),
            scope: PhantomData,
            env: PhantomData,
        };
        let opened_at = Location::caller();
        let ended = scope.door.lend(&scope, || {
            let ended = panic::catch(opened_at, || body(&scope));
            scope.wait_for_all();
            ended
        });
        let jobs = mem::take(&mut *scope.jobs.lock());
        match (ended, jobs.panic) {
            (Ok(value), None) => value,
            (Ok(_), Some(panic)) | (Err(panic), None) => panic.resume(),
            (Err(panic), Some(other)) => {
                self.panic_hook().tell(&other);
                panic.resume()
            }
        }
    }
}

/// Where jobs that borrow are submitted: see [`ThreadPool::scope`].
pub struct Scope<'scope, 'env: 'scope> {
    shared: Arc<Shared>,
    door: Arc<Door>,
    jobs: ManuallyDrop<Mutex<Jobs<'scope>>>,
    /// Neither may be shortened: a job could then borrow what ends before the scope.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Hands in a closure, which a worker runs once, before the scope ends.
    ///
    /// The handle waits for what it returns. If it is dropped, the job runs all the same, and its
    /// panic is one of the scope.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    ///
    /// let pool = handspun::ThreadPool::new(2);
    /// let n_ran = AtomicUsize::new(0);
    /// pool.scope(|s| {
    ///     s.submit(|| {
    ///         n_ran.fetch_add(1, Relaxed);
    ///         s.submit(|| n_ran.fetch_add(1, Relaxed)); // a job submits another
    ///     });
    /// });
    /// assert_eq!(n_ran.into_inner(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// None here: the handle's. After a shutdown of the pool the job is cancelled, and not run.
    #[track_caller]
    pub fn submit<F, T>(&'scope self, closure: F) -> ScopedHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let submit = if is_large::<F>() { Self::submit_boxed } else { Self::submit_from };
        submit(self, Location::caller(), closure)
    }

    /// See [`job::maker`](super::job::maker).
    fn submit_boxed<F, T>(
        &'scope self,
        submitted_at: &'static Location<'static>,
        closure: F,
    ) -> ScopedHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.submit_from(submitted_at, Box::new(closure))
    }

    fn submit_from<F, T>(
        &'scope self,
        submitted_at: &'static Location<'static>,
        closure: F,
    ) -> ScopedHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let job = Arc::new(Job::new(closure, submitted_at, None));
        let number = self.jobs.lock().add(job.clone());
        let queued = self.door.job(number);

        submit::submit(&self.shared, queued.clone(), None, submitted_at);

        let mut jobs = self.jobs.lock();
        let wakes = jobs.set_queued(number, &queued) && jobs.is_waiter_helping;
        let waiter = if wakes { jobs.waiter.take() } else { None };
        drop(jobs);
        waiter.into_iter().for_each(Waker::wake);
        ScopedHandle { outcome: job, queued, shared: &self.shared, jobs: &self.jobs }
    }

    /// Waits until every job has ended, and runs what is queued meanwhile if this is a worker.
    fn wait_for_all(&self) {
        let _hold = Hold::of_jumping(); // A jumping clock waits for what goes on there.
        let ended = pin!(poll_fn(|context| self.poll_end(context)));
        block_on_until(ended, Deadline::Never, self.shared.settings.look_out);
    }

    fn poll_end(&self, context: &Context<'_>) -> Poll<()> {
        let is_helping = on_worker(&self.shared);
        loop {
            let mut jobs = self.jobs.lock();
            if let Some(refused) = jobs.refused.pop() {
                drop(jobs);
                refused.discard();
                self.end_one();
                continue;
            }
            if jobs.n_left == 0 {
                return Poll::Ready(());
            }
            if let Some(queued) = if is_helping { jobs.next_queued() } else { None } {
                drop(jobs);
                take_back(&self.shared, &queued);
                continue;
            }
            self.shared.process.is_awaited();
            // What was there before is a parker of ours, too: its drop runs no other code.
            jobs.waiter = Some(context.waker().clone());
            jobs.is_waiter_helping = is_helping;
            return Poll::Pending;
        }
    }

    fn end_one(&self) {
        let mut jobs = self.jobs.lock();
        jobs.n_left -= 1;
        let waiter = if jobs.n_left == 0 { jobs.waiter.take() } else { None };
        drop(jobs);
        waiter.into_iter().for_each(Waker::wake);
    }
}

impl Errand for Scope<'_, '_> {
    fn run(&self, number: usize, runner: &dyn Runner) {
        let job = self.jobs.lock().begin(number);
        job.run(&InScope { runner, jobs: &self.jobs });
        self.end_one();
    }

    fn refuse(&self, number: usize, reason: CancelReason, runner: &dyn Runner) {
        let job = self.jobs.lock().begin(number);
        job.refuse(reason, &InScope { runner, jobs: &self.jobs });
        if !deferred::is_deep() {
            let _ = deferred::run_now(|| job.discard());
            return self.end_one();
        }
        // What it borrows cannot be left to the thread. The owner waits for the job in any case.
        let mut jobs = self.jobs.lock();
        jobs.refused.push(job);
        let waiter = jobs.waiter.take();
        drop(jobs);
        waiter.into_iter().for_each(Waker::wake);
    }
}

/// What runs the job, but that a panic which will not be read is kept for the end of the scope.
struct InScope<'run, 'scope> {
    runner: &'run dyn Runner,
    jobs: &'run Mutex<Jobs<'scope>>,
}

impl Runner for InScope<'_, '_> {
    fn stats(&self) -> &WorkerStats {
        self.runner.stats()
    }

    fn before_running(&self) {
        self.runner.before_running();
    }

    fn before_settling(&self, ending: Ending) {
        self.runner.before_settling(ending);
    }

    fn before_foreign_code(&self) {
        self.runner.before_foreign_code();
    }

    fn tell_of(&self, panic: Panic) {
        if let Some(panic) = self.jobs.lock().keep_panic(panic) {
            self.runner.tell_of(panic);
        }
    }
}

/// What a submitter keeps of a job in a scope: a [`JoinHandle`](crate::JoinHandle) for a job that borrows.
///
/// It is joined or awaited. **Dropping it** lets the job run all the same, and its panic, if it has
/// one, is the scope's. On a worker of the pool, `join` runs the job itself if it has not begun.
///
/// ```
/// let pool = handspun::ThreadPool::new(1);
/// let word = String::from("borrowed");
/// let (length, panic) = pool.scope(|s| {
///     let panics = s.submit(|| panic!("read here, and so not the scope's"));
///     (s.submit(|| word.len()).join(), panics.join().map(|()| unreachable!()))
/// });
/// assert_eq!(length?, 8);
/// assert!(panic.map(|(): ()| ()).is_err());
/// # Ok::<(), handspun::JoinError>(())
/// ```
pub struct ScopedHandle<'scope, T> {
    outcome: Arc<dyn Outcome<T> + 'scope>,
    /// What stands in the queue for it.
    queued: Arc<dyn Run>,
    shared: &'scope Arc<Shared>,
    jobs: &'scope Mutex<Jobs<'scope>>,
}

impl<T> ScopedHandle<'_, T> {
    /// Waits for the job on this thread, and takes its result.
    ///
    /// # Errors
    ///
    /// The job panicked, or was cancelled before it began.
    pub fn join(self) -> Result<T, JoinError> {
        take_back(self.shared, &self.queued);
        block_on(self)
    }

    /// Whether the job has ended. Never blocks.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.outcome.progress() == Progress::Finished
    }

    /// Cancels the job if it has not begun: as [`JoinHandle::cancel`](crate::JoinHandle::cancel) does.
    pub fn cancel(&self) -> Cancel {
        let is_dequeued = self.shared.cancel(&self.queued, CancelReason::Requested);
        if is_dequeued || self.outcome.was_cancelled() { Cancel::Dequeued } else { Cancel::TooLate }
    }
}

/// Awaits the job. The scope's end does not wait for tasks: only for jobs.
impl<T> Future for ScopedHandle<'_, T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let words = "a job of a scope";
        let result = poll_elsewhere(words, context, |context| self.outcome.poll(context));
        if result.is_pending() && ran_here(self.shared, || self.queued.clone(), context.waker()) {
            return self.outcome.poll(context);
        }
        result
    }
}

impl<T> Drop for ScopedHandle<'_, T> {
    fn drop(&mut self) {
        match self.outcome.abandon() {
            None | Some(Err(JoinError::Cancelled(_))) => {}
            Some(Ok(value)) => panic::contain(|| drop(value)),
            Some(Err(JoinError::Panicked(panic))) => {
                if let Some(panic) = self.jobs.lock().keep_panic(panic) {
                    self.shared.settings.panic_hook.tell(&panic);
                }
            }
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("jobs_left", &self.jobs.lock().n_left).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopedHandle({:?})", self.outcome.progress())
    }
}

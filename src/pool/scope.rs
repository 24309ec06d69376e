//! A scope: jobs that borrow from the stack, all of which have ended when the scope has.
//!
//! Knows nothing of how a borrow is lent. The jobs are in a slab of the scope itself, by number, and are
//! lent to the pool through one gate. What must always hold:
//!
//! 1. A job is counted from before it is queued until it has ended, result and all. Its number is its own
//!    until it begins; then the next job may have it.
//! 2. A worker that waits for the end of a scope runs what is queued of it, and nothing else; so it
//!    sleeps only while every job that is left has begun. A job that is added wakes it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::iter::once;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::{CancelReason, JoinError};
use crate::panic::{self, Panic};
use crate::prims::Mutex;
use crate::wait::block_on::block_on_elsewhere;
use crate::wait::clock::Deadline;
use crate::wait::deferred;
use crate::wait::panic_hook;
use crate::wait::settle::Progress;

use super::borrow::{BorrowedJob, Gate, OwnJob};
use super::handle::Reader;
use super::job::{self, Cancel, Made, Run, Runner};
use super::shared::PoolRef;
use super::thread_pool::{ThreadPool, has_room, queue, submit};
use super::worker::{on_worker, take_back};

impl ThreadPool {
    /// Runs `body`, which may submit jobs that borrow; returns when all of them have ended.
    ///
    /// When to use it: jobs are to read or to change what is on the stack of the thread that waits for them.
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
        let jobs = Jobs {
            shared: self.share(),
            gate: Gate::new(self.shared.settings.spin_limit, self.shared.process),
            // Emptied below. With a drop of its own it could not hold what borrows the scope itself.
            slab: ManuallyDrop::new(Mutex::new(Slab::with_capacity(8))),
        };
        let (scope, opened_at) =
            (Scope { jobs, scope: PhantomData, env: PhantomData }, Location::caller());
        let ended = scope.jobs.gate.lend(&scope.jobs, || {
            let ended = panic::catch(opened_at, || body(&scope));
            scope.jobs.wait_for_all();
            ended
        });
        let slab = mem::take(&mut *scope.jobs.slab.lock());
        self.both(ended, slab.panic.map_or(Ok(()), Err)).0
    }
}

/// Where jobs that borrow are submitted: see [`ThreadPool::scope`].
pub struct Scope<'scope, 'env: 'scope> {
    jobs: Jobs<'scope>,
    /// Neither may be shortened: a job could then borrow what ends before the scope.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// What a scope shares with the handles of its jobs.
struct Jobs<'scope> {
    shared: PoolRef,
    gate: Arc<Gate>,
    slab: ManuallyDrop<Mutex<Slab<'scope>>>,
}

#[derive(Default)]
struct Slab<'scope> {
    /// The jobs that have not begun, by their number.
    waiting: Vec<Option<Arc<dyn Run + 'scope>>>,
    /// Which numbers are free.
    vacant: Vec<usize>,
    /// What is in the queue for them, until their owner has looked at it. Some are claimed.
    queued: VecDeque<(usize, Arc<dyn Run>)>,
    /// Those that have not ended.
    n_left: usize,
    /// The waker of the owner, while it waits for the end.
    waiter: Option<Waker>,
    /// Whether that is a worker, which runs what is queued meanwhile.
    is_waiter_helping: bool,
    /// Jobs that were refused, whose closures are the owner's to drop.
    refused: Vec<Arc<dyn Run + 'scope>>,
    /// The first that is not read.
    panic: Option<Panic>,
}

impl<'scope> Scope<'scope, '_> {
    /// Submits a closure, which a worker runs once, before the scope ends.
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
        let submitted_at = Location::caller();
        let job = job::maker()(closure, submitted_at, None);
        self.submit_by(job, |queued| submit(&self.jobs.shared, queued, None, submitted_at))
    }

    /// The same for a job that is not waited for: nothing if the queue has no room for it.
    pub(crate) fn try_submit<F, T>(
        &'scope self,
        submitted_at: &'static Location<'static>,
        closure: F,
    ) -> Option<ScopedHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let shared = &self.jobs.shared;
        let queue = |queued| queue(shared, once(queued), submitted_at);
        has_room(shared).then(|| self.submit_by(job::maker()(closure, submitted_at, None), queue))
    }

    fn submit_by<T>(
        &'scope self,
        job: Made<'scope, T>,
        submit: impl FnOnce(Arc<dyn Run>),
    ) -> ScopedHandle<'scope, T> {
        let Jobs { gate, slab, .. } = &self.jobs;
        let number = slab.lock().add(job.clone().as_run());
        let queued = gate.stub(number);
        submit(queued.clone());
        let waiter = slab.lock().add_queued(number, queued.clone());
        waiter.into_iter().for_each(Waker::wake);
        let reader = Reader::new(job, Some(queued));
        ScopedHandle { reader, jobs: &self.jobs }
    }
}

impl Jobs<'_> {
    /// Waits until every job has ended, and runs what is queued meanwhile if this is a worker.
    fn wait_for_all(&self) {
        let ended = pin!(poll_fn(|context| self.poll_end(context)));
        block_on_elsewhere(ended, Deadline::Never, self.shared.settings.spin_limit);
    }

    fn poll_end(&self, context: &Context<'_>) -> Poll<()> {
        let is_helping = on_worker(&self.shared);
        loop {
            let mut slab = self.slab.lock();
            if let Some(refused) = slab.refused.pop() {
                drop(slab);
                refused.discard();
                self.end_one();
                continue;
            }
            if slab.n_left == 0 {
                return Poll::Ready(());
            }
            if let Some((number, queued)) = if is_helping { slab.queued.pop_front() } else { None }
            {
                drop(slab);
                take_back(&self.shared, &OwnJob { borrowed: self, number, queued: &*queued });
                continue;
            }
            self.shared.process.is_awaited();
            // What was there before is a parker of ours, too: its drop runs no other code.
            slab.waiter = Some(context.waker().clone());
            slab.is_waiter_helping = is_helping;
            return Poll::Pending;
        }
    }

    fn end_one(&self) {
        let mut slab = self.slab.lock();
        slab.n_left -= 1;
        let waiter = if slab.n_left == 0 { slab.waiter.take() } else { None };
        drop(slab);
        waiter.into_iter().for_each(Waker::wake);
    }

    /// A panic that will not be read: the first is kept for the end of the scope.
    fn keep(&self, panic: Panic) {
        let mut slab = self.slab.lock();
        if slab.panic.is_none() {
            slab.panic = Some(panic);
            return;
        }
        drop(slab);
        self.shared.settings.panic_hook.tell(&panic);
    }
}

impl<'scope> Slab<'scope> {
    fn with_capacity(n: usize) -> Self {
        let (waiting, vacant) = (Vec::with_capacity(n), Vec::with_capacity(n));
        Self { waiting, vacant, queued: VecDeque::with_capacity(n), ..Self::default() }
    }

    fn add(&mut self, job: Arc<dyn Run + 'scope>) -> usize {
        self.n_left += 1;
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.waiting.push(None);
            self.waiting.len() - 1
        });
        self.waiting[number] = Some(job);
        number
    }

    /// Keeps what was queued for a job. Its owner is to be woken, if it would run the job.
    fn add_queued(&mut self, number: usize, queued: Arc<dyn Run>) -> Option<Waker> {
        if self.queued.len() > 32 + 2 * self.n_left {
            self.queued.retain(|(_, queued)| !queued.claim().is_taken());
        }
        self.queued.push_back((number, queued));
        if self.is_waiter_helping { self.waiter.take() } else { None }
    }

    fn begin(&mut self, number: usize) -> Arc<dyn Run + 'scope> {
        let job = self.waiting[number].take().expect("the pool runs or refuses a job once");
        self.vacant.push(number);
        job
    }
}

impl BorrowedJob for Jobs<'_> {
    fn run(&self, number: usize, runner: &dyn Runner) {
        let job = self.slab.lock().begin(number);
        job.run(runner).into_iter().for_each(|panic| self.keep(panic));
        self.end_one();
    }

    fn refuse(&self, number: usize, reason: CancelReason) {
        let job = self.slab.lock().begin(number);
        job.refuse(reason);
        if !deferred::is_deep() {
            let _ = deferred::run_now(|| job.discard());
            return self.end_one();
        }
        // What it borrows cannot be left to the thread. The owner waits for the job in any case.
        let mut slab = self.slab.lock();
        slab.refused.push(job);
        let waiter = slab.waiter.take();
        drop(slab);
        waiter.into_iter().for_each(Waker::wake);
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
    reader: Reader<'scope, T>,
    jobs: &'scope Jobs<'scope>,
}

impl<T> ScopedHandle<'_, T> {
    /// Waits for the job on this thread, and takes its result.
    ///
    /// # Errors
    ///
    /// The job panicked, or was cancelled before it began.
    pub fn join(mut self) -> Result<T, JoinError> {
        let joined = self.reader.join_until(Some(&*self.jobs.shared), Deadline::Never);
        joined.expect("never has not passed")
    }

    /// Whether the job has ended. Never blocks.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.reader.progress() == Progress::Finished
    }

    /// Cancels the job if it has not begun: as [`JoinHandle::cancel`](crate::JoinHandle::cancel) does.
    pub fn cancel(&self) -> Cancel {
        let shared = &self.jobs.shared;
        let dequeue = |stub: &Arc<dyn Run>| shared.cancel(stub.clone(), CancelReason::Requested);
        self.reader.cancelled(self.reader.stub.as_ref().is_some_and(dequeue))
    }
}

/// Awaits the job. The scope's end does not wait for tasks: only for jobs.
impl<T> Future for ScopedHandle<'_, T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let jobs = self.jobs;
        self.reader.poll(Some(&*jobs.shared), context)
    }
}

impl<T> Drop for ScopedHandle<'_, T> {
    fn drop(&mut self) {
        if let Some(unread) = self.reader.abandon() {
            panic_hook::dispose(unread, |panic| self.jobs.keep(panic));
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} jobs left)", self.jobs.slab.lock().n_left)
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopedHandle({:?})", self.reader.progress())
    }
}

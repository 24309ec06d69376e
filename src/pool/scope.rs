//! A scope: jobs that borrow from the stack, all of which have ended when the scope has.
//!
//! Knows nothing of how a borrow is lent, nor of how that is counted. What must always hold: a worker that waits
//! for the end of a scope runs what is queued of it, and nothing else; so it sleeps only while every job that is
//! left has begun. A job that is added wakes it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::error::{CancelReason, JoinError};
use crate::panic::{self, Panic};
use crate::prims::Mutex;
use crate::wait::block_on::block_on_elsewhere;
use crate::wait::clock::Deadline;
use crate::wait::panic_hook;
use crate::wait::settle::Progress;

use super::borrow::{Borrowed, Loans};
use super::handle::Reader;
use super::job::{self, Cancel, Queued};
use super::shared::PoolRef;
use super::thread_pool::{ThreadPool, submit};
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
        let helped = on_worker(&self.shared).then(Mutex::default);
        if helped.is_none() {
            self.shared.process.check(); // Jobs that no thread will ever run would be lent for ever.
        }
        let jobs = Jobs { loans: Loans::new(self.share()), helped };
        let (scope, opened_at) = (Scope { jobs, env: PhantomData }, Location::caller());
        let ended = scope.jobs.loans.lend_while(|| {
            let ended = panic::catch(opened_at, || body(&scope));
            scope.jobs.help();
            ended
        });
        let panic = scope.jobs.loans.count.take_panic();
        self.both(ended, panic.map_or(Ok(()), Err)).0
    }
}

/// Where jobs that borrow are submitted: see [`ThreadPool::scope`].
pub struct Scope<'scope, 'env: 'scope> {
    jobs: Jobs<'scope>,
    /// It may not be shortened, and nor may `'scope`: a job could then borrow what ends before the scope.
    env: PhantomData<&'env mut &'env ()>,
}

/// What a scope shares with the handles of its jobs.
struct Jobs<'scope> {
    loans: Loans<'scope>,
    /// If the owner is a worker of the pool.
    helped: Option<Mutex<Helped>>,
}

/// What a worker runs while it waits for the end of its scope.
#[derive(Default)]
struct Helped {
    /// The jobs that are queued. Some are claimed.
    queued: VecDeque<Queued>,
    /// The worker, while it waits.
    waiter: Option<Waker>,
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
        let queued = self.jobs.loans.lend(Borrowed::Shared(job.clone().as_run()));
        submit(self.jobs.pool(), queued.clone(), None, submitted_at);
        self.jobs.add(&queued);
        ScopedHandle { reader: Reader::new(job, Some(queued)), jobs: &self.jobs }
    }
}

impl Jobs<'_> {
    fn pool(&self) -> &PoolRef {
        &self.loans.count.pool
    }

    /// Keeps a queued job for an owner that helps, and wakes it.
    fn add(&self, queued: &Queued) {
        let Some(helped) = &self.helped else { return };
        let Helped { queued: jobs, waiter } = &mut *helped.lock();
        if jobs.len() == jobs.capacity() {
            jobs.retain(|job| !job.claim().is_taken());
            jobs.reserve(8 + jobs.len()); // So that it is paid for before it comes to this again.
        }
        jobs.push_back(queued.clone());
        waiter.take().into_iter().for_each(Waker::wake); // Our own thread's parker: it runs no other code.
    }

    /// Waits until every job has ended, and runs what is queued meanwhile, if the owner is a worker.
    fn help(&self) {
        let Some(helped) = &self.helped else { return };
        let over = pin!(poll_fn(|context| {
            while let Some(queued) = next_of(helped, context) {
                take_back(self.pool(), &*queued);
            }
            self.loans.count.poll_over(context)
        }));
        block_on_elsewhere(over, Deadline::Never, self.pool().settings.spin_limit);
    }

    /// A panic that will not be read. The first is kept, and the hook is told of the others.
    fn keep(&self, panic: Panic) {
        if let Some(other) = self.loans.count.keep(panic) {
            self.pool().settings.panic_hook.tell(&other);
        }
    }
}

/// The next job to be run by its owner; or it is to be woken when there is one.
fn next_of(helped: &Mutex<Helped>, context: &Context<'_>) -> Option<Queued> {
    let mut helped = helped.lock();
    let next = helped.queued.pop_front();
    if next.is_none() {
        helped.waiter = Some(context.waker().clone());
    }
    next
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
        let joined = self.reader.join_until(Some(self.jobs.pool()), Deadline::Never);
        joined.expect("never has not passed")
    }

    /// Whether the job has ended. Never blocks.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.reader.progress() == Progress::Finished
    }

    /// Cancels the job if it has not begun: as [`JoinHandle::cancel`](crate::JoinHandle::cancel) does.
    pub fn cancel(&self) -> Cancel {
        let dequeue =
            |queued: &Queued| self.jobs.pool().cancel(queued.clone(), CancelReason::Requested);
        self.reader.cancelled(self.reader.queued.as_ref().is_some_and(dequeue))
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
        self.reader.poll(Some(jobs.pool()), context)
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
        write!(f, "Scope({} jobs left)", self.jobs.loans.count.n_lent())
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopedHandle({:?})", self.reader.progress())
    }
}

//! One job in one allocation, seen from two sides.
//!
//! Knows nothing of the queue. The pool sees [`Run`], something to claim and then to run or to
//! refuse; the handle sees [`Joinable`], something that settles to a `T`. Both are the same `Arc` of
//! one cell, in which the closure is first and the result afterwards.
//!
//! What must always hold:
//!
//! 1. A job is run or refused once, by the thread that claimed it: a worker whose turn it is, a joiner
//!    that takes it back, or a canceller.
//! 2. It is counted before its handle settles, so that the thread that has the result finds it in the count.
//! 3. Once it is claimed, whatever of it is not ours to drop belongs to its claimant and its reader, each
//!    of whom has an `Arc` of it. So the queue may let go of it at any time, under a lock, too.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::panic::{self, Panic};
use crate::prims::{AtomicUsize, Ordering};
use crate::trace_event::Ending;
use crate::wait::cancel::CancellationToken;
use crate::wait::panic_hook;
use crate::wait::runtime::Hold;
use crate::wait::settle::{Progress, Settle};

use Ordering::Relaxed;

/// A job in the queue of a pool.
pub(crate) type Queued = Arc<dyn Run<'static>>;

/// A closure that was never run, to be dropped.
pub(crate) type Unrun<'a> = Box<dyn Send + 'a>;

/// A job as its pool sees it. What it borrows, if anything, it borrows for `'a`.
pub(crate) trait Run<'a>: Send + Sync {
    fn claim(&self) -> &Claim;

    /// Runs the closure here and settles to what it returns, or to its panic; which is given back if
    /// nobody will read it.
    fn run(&self, runner: &dyn Runner) -> Option<Panic>;

    /// Settles to the reason, and gives the closure back.
    fn refuse(&self, reason: CancelReason) -> Unrun<'a>;
}

/// The number of a job in its pool, twice; and one more if it was claimed.
#[derive(Default)]
pub(crate) struct Claim(AtomicUsize);

impl Claim {
    /// To be called before any thread can claim it.
    pub(crate) fn set_number(&self, number: usize) {
        self.0.store(2 * number, Relaxed); // ORDERING: Relaxed. What passes the job on publishes it.
    }

    pub(crate) fn number(&self) -> usize {
        self.0.load(Relaxed) / 2 // ORDERING: Relaxed, as in `set_number`.
    }

    /// True for the first to ask, and for no other.
    pub(crate) fn take(&self) -> bool {
        // ORDERING: Relaxed. It only decides between those that ask; what the one that has the job does
        // with it is behind the lock of its cell.
        self.0.fetch_or(1, Relaxed) & 1 == 0
    }

    /// Only a hint, if it is no.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.load(Relaxed) & 1 == 1 // ORDERING: Relaxed, as in `take`.
    }
}

/// What runs a job, and what it does on the way.
pub(crate) trait Runner {
    /// The job begins.
    fn before_running(&self) {}

    /// The job is over, and its handle does not say so yet.
    fn before_settling(&self, _: Ending) {}

    /// The job has settled, and now comes code that is not ours: the reader's waker, or the drop of
    /// a result that has no reader. It may take its time.
    fn before_foreign_code(&self) {}
}

/// Does nothing on the way.
impl Runner for () {}

/// A job as its handle sees it.
pub(crate) trait Joinable<'a, T>: Run<'a> {
    /// The same job, as its pool sees it.
    fn as_run(self: Arc<Self>) -> Arc<dyn Run<'a> + 'a>;

    fn poll(&self, context: &Context<'_>) -> Poll<Result<T, JoinError>>;

    /// The handle goes; it gets what it never read.
    fn abandon(&self) -> Option<Result<T, JoinError>>;

    fn is_settled(&self) -> bool;

    fn progress(&self) -> Progress;

    /// What a cancel comes to that has not dequeued the job: it asks it to stop if it can.
    fn ask_to_stop(&self) -> Cancel;
}

/// What came of [`JoinHandle::cancel`](crate::JoinHandle::cancel).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancel {
    /// The job had not begun, and never will; every waiter for it knows by now.
    Dequeued,
    /// It has left the queue, and its token has been cancelled. If it runs, it stops when it looks at
    /// the token, if it does; if it was about to begin, it does not. Its handle settles then.
    Asked,
    /// It has left the queue before. It is running, or has finished, and goes on undisturbed; or
    /// another thread, or a shutdown, is cancelling it at this very moment.
    TooLate,
}

/// How a job is made of a closure.
///
/// A large one goes into a box, first of all: on the way to its worker it is moved a dozen times, each
/// time to elsewhere on a stack unless an optimiser helps. And the way is chosen before it is taken,
/// for a function that has both needs the stack of both.
pub(crate) fn maker<'a, F, T>() -> Maker<'a, F, T>
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    if size_of::<F>() > 1024 { boxed } else { unboxed }
}

fn boxed<'a, F, T>(closure: F, at: At, token: Option<CancellationToken>) -> Made<'a, T>
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    unboxed(Box::new(closure), at, token)
}

fn unboxed<'a, F, T>(closure: F, at: At, token: Option<CancellationToken>) -> Made<'a, T>
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    Arc::new(Job::new(closure, at, token))
}

type At = &'static Location<'static>;
pub(crate) type Made<'a, T> = Arc<dyn Joinable<'a, T> + 'a>;
pub(crate) type Maker<'a, F, T> = fn(F, At, Option<CancellationToken>) -> Made<'a, T>;

struct Job<F, T> {
    claim: Claim,
    cell: Settle<F, Result<T, JoinError>>,
    submitted_at: At,
    /// What the closure was told to look at, if anything. Cancelled, it keeps a job from beginning.
    token: Option<CancellationToken>,
    /// On the executor on whose thread it was submitted, if it was. In a box, for a job that no executor
    /// submits pays for the memory: two words here cost a flood of jobs a third of its speed.
    hold: Option<Box<Hold>>,
}

impl<F, T> Job<F, T> {
    fn new(closure: F, submitted_at: At, token: Option<CancellationToken>) -> Self {
        let (cell, hold) = (Settle::queued(closure), Hold::take().map(Box::new));
        Self { claim: Claim::default(), cell, submitted_at, token, hold }
    }

    /// Gives back a panic that will not be read.
    fn settle(&self, result: Result<T, JoinError>, runner: &dyn Runner) -> Option<Panic> {
        runner.before_settling(match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        });
        let mut lost = None;
        let effects = self.cell.settle(result);
        if !effects.is_empty() {
            runner.before_foreign_code();
            if let Some(unread) = effects.run() {
                panic_hook::dispose(unread, |panic| lost = Some(panic));
            }
        }
        if let Some(hold) = &self.hold {
            hold.let_go(); // Not before the reader has been woken.
        }
        lost
    }
}

impl<'a, F, T> Run<'a> for Job<F, T>
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        let closure = self.cell.begin();
        let result = match self.token.as_ref().and_then(CancellationToken::reason) {
            None => {
                runner.before_running();
                panic::catch(self.submitted_at, closure).map_err(JoinError::Panicked)
            }
            Some(reason) => {
                panic::contain(|| drop(closure));
                Err(JoinError::Cancelled(reason))
            }
        };
        self.settle(result, runner)
    }

    fn refuse(&self, reason: CancelReason) -> Unrun<'a> {
        let closure = self.cell.begin();
        self.settle(Err(JoinError::Cancelled(reason)), &());
        Box::new(closure)
    }
}

impl<'a, F, T> Joinable<'a, T> for Job<F, T>
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    fn as_run(self: Arc<Self>) -> Arc<dyn Run<'a> + 'a> {
        self
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Result<T, JoinError>> {
        self.cell.poll(context)
    }

    fn abandon(&self) -> Option<Result<T, JoinError>> {
        self.cell.abandon()
    }

    fn is_settled(&self) -> bool {
        self.cell.is_settled()
    }

    fn progress(&self) -> Progress {
        self.cell.progress()
    }

    fn ask_to_stop(&self) -> Cancel {
        if self.cell.is_settled_and(|result| matches!(result, Err(JoinError::Cancelled(_)))) {
            Cancel::Dequeued
        } else if !self.is_settled() && self.token.as_ref().map(CancellationToken::cancel).is_some()
        {
            Cancel::Asked
        } else {
            Cancel::TooLate
        }
    }
}

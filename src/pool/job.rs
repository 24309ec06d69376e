//! One job in one allocation, seen from two sides.
//!
//! Knows nothing of the queue. The pool sees [`Run`], something to claim and then to run or to
//! refuse; the handle sees [`Outcome`], something that settles to a `T`. Both are the same `Arc` of
//! one cell, in which the closure is first and the result afterwards.
//!
//! What must always hold:
//!
//! 1. A job is run or refused once, by the one who claimed it: a worker whose turn it is, a joiner
//!    that takes it back, or a canceller.
//! 2. It is counted before its handle settles, so that the one who has the result finds it in the count.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::event::Ending;
use crate::panic::{self, Panic};
use crate::prims::{AtomicUsize, Ordering};
use crate::wait::cancel::CancellationToken;
use crate::wait::host::Hold;
use crate::wait::panic_hook::{self, PanicHook};
use crate::wait::settle::{Progress, Settle};

use Ordering::Relaxed;

/// A job as its pool sees it.
pub(crate) trait Run: Send + Sync {
    fn claim(&self) -> &Claim;

    /// Runs the closure here and settles to what it returns, or to its panic.
    fn run(self: Arc<Self>, runner: &dyn Runner);

    /// Settles to the reason. The closure stays, unrun, and is to be discarded.
    fn refuse(&self, reason: CancelReason, runner: &dyn Runner);

    /// Drops the closure of a job that was refused.
    fn discard(&self) {}
}

/// The number of a job in its pool, twice; and one more if somebody has claimed it.
#[derive(Default)]
pub(crate) struct Claim(AtomicUsize);

impl Claim {
    /// To be called before anybody can claim it.
    pub(crate) fn set_number(&self, number: usize) {
        self.0.store(2 * number, Relaxed); // ORDERING: Relaxed. What hands the job on publishes it.
    }

    pub(crate) fn number(&self) -> usize {
        self.0.load(Relaxed) / 2 // ORDERING: Relaxed, as in `set_number`.
    }

    /// True for the first to ask, and for no other.
    pub(crate) fn take(&self) -> bool {
        // ORDERING: Relaxed. It only decides between those who ask; what the one who has the job does
        // with it is behind the lock of its cell.
        self.0.fetch_or(1, Relaxed) & 1 == 0
    }

    /// Only a hint, if it is no.
    pub(crate) fn is_taken(&self) -> bool {
        self.0.load(Relaxed) & 1 == 1 // ORDERING: Relaxed, as in `take`.
    }
}

/// What runs or refuses a job, and what it does when the job is over.
pub(crate) trait Runner {
    fn stats(&self) -> &WorkerStats;

    /// The job begins.
    fn before_running(&self) {}

    /// The job is over, and its handle does not say so yet.
    fn before_settling(&self, _: Ending) {
        self.stats().count_settled();
    }

    /// The job has settled, and now comes code that is not ours: the reader's waker, or the drop of
    /// a result that has no reader. It may take its time.
    fn before_foreign_code(&self) {}

    /// This panic will not be read.
    fn tell_of(&self, panic: Panic) {
        self.stats().hook.tell(&panic);
    }
}

/// What is counted where jobs settle. Each worker has one, on cache lines of its own: with one for
/// all, they would wait for each other at every job.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct WorkerStats {
    settled: AtomicUsize,
    hook: PanicHook,
}

impl WorkerStats {
    pub(crate) fn new(hook: PanicHook) -> Self {
        Self { settled: AtomicUsize::new(0), hook }
    }

    pub(crate) fn count_settled(&self) {
        // ORDERING: Relaxed. Nothing travels with the count. A reader that holds the pool's locks
        // sees no job settled that it does not see taken from the queue: that was reported under one
        // of them, before it was counted here.
        self.settled.fetch_add(1, Relaxed);
    }

    pub(crate) fn settled(&self) -> usize {
        self.settled.load(Relaxed) // ORDERING: Relaxed, as in `count_settled`.
    }
}

impl Runner for WorkerStats {
    fn stats(&self) -> &WorkerStats {
        self
    }
}

/// A job as its handle sees it.
pub(crate) trait Outcome<T>: Send + Sync {
    fn poll(&self, context: &Context<'_>) -> Poll<Result<T, JoinError>>;

    /// The handle goes; it gets what it never read.
    fn abandon(&self) -> Option<Result<T, JoinError>>;

    fn is_settled(&self) -> bool;

    fn progress(&self) -> Progress;

    fn was_cancelled(&self) -> bool;

    /// Cancels the job's token; false if it has none.
    fn ask_to_stop(&self) -> bool;
}

/// A job from both sides: one that borrows nothing, and so may stand in the queue itself.
pub(crate) trait Queued<T>: Outcome<T> + Run {
    /// The same job, as its pool sees it.
    fn as_run(self: Arc<Self>) -> Arc<dyn Run>;
}

/// How a job for the queue is made of a closure.
///
/// A large one goes into a box, first of all: on the way to its worker it is moved a dozen times, each
/// time to another place of a stack unless an optimiser helps. And the way is chosen before it is taken,
/// for a function that has both keeps room for both.
pub(crate) fn maker<F, T>() -> Maker<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if is_large::<F>() { boxed } else { unboxed }
}

fn boxed<F, T>(closure: F, at: At, token: Option<CancellationToken>) -> Arc<dyn Queued<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    unboxed(Box::new(closure), at, token)
}

fn unboxed<F, T>(closure: F, at: At, token: Option<CancellationToken>) -> Arc<dyn Queued<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Arc::new(Job::new(closure, at, token))
}

type At = &'static Location<'static>;

pub(crate) type Maker<F, T> = fn(F, At, Option<CancellationToken>) -> Arc<dyn Queued<T>>;

/// Whether a closure is too large to be moved about.
pub(crate) const fn is_large<F>() -> bool {
    size_of::<F>() > 1024
}

pub(crate) struct Job<F, T> {
    claim: Claim,
    cell: Settle<F, Result<T, JoinError>>,
    submitted_at: &'static Location<'static>,
    /// What the closure was told to look at, if anything. Cancelled, it keeps a job from beginning.
    token: Option<CancellationToken>,
    /// On the executor on whose thread it was submitted, if it was. In a box, for a job that no executor
    /// submits pays for the room: two words here cost a flood of jobs a third of its speed.
    hold: Option<Box<Hold>>,
}

impl<F, T> Job<F, T> {
    pub(crate) fn new(
        closure: F,
        submitted_at: &'static Location<'static>,
        token: Option<CancellationToken>,
    ) -> Self {
        Self {
            claim: Claim::default(),
            cell: Settle::queued(closure),
            submitted_at,
            token,
            hold: Hold::take().map(Box::new),
        }
    }

    fn settle(&self, result: Result<T, JoinError>, runner: &dyn Runner) {
        runner.before_settling(match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        });
        let aftermath = self.cell.settle(result);
        if !aftermath.is_nothing() {
            runner.before_foreign_code();
            if let Some(unread) = aftermath.run_its_course() {
                panic_hook::dispose(unread, |panic| runner.tell_of(panic));
            }
        }
        if let Some(hold) = &self.hold {
            hold.let_go(); // Not before the reader has been woken.
        }
    }
}

impl<F, T> Run for Job<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(self: Arc<Self>, runner: &dyn Runner) {
        let closure = self.cell.begin().expect("only its claimant runs a job, and once");
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
        self.settle(result, runner);
    }

    fn refuse(&self, reason: CancelReason, runner: &dyn Runner) {
        self.settle(Err(JoinError::Cancelled(reason)), runner);
    }

    fn discard(&self) {
        let closure = self.cell.take_refused();
        panic::contain(|| drop(closure));
    }
}

impl<F, T> Outcome<T> for Job<F, T>
where
    F: Send,
    T: Send,
{
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

    fn was_cancelled(&self) -> bool {
        self.cell.is_settled_and(|result| matches!(result, Err(JoinError::Cancelled(_))))
    }

    fn ask_to_stop(&self) -> bool {
        self.token.as_ref().map(CancellationToken::cancel).is_some()
    }
}

impl<F, T> Queued<T> for Job<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn as_run(self: Arc<Self>) -> Arc<dyn Run> {
        self
    }
}

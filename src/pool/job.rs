//! One job in one allocation, seen from two sides.
//!
//! Knows nothing of the queue and of who runs it. The pool sees [`Run`], something to run or to
//! refuse; the handle sees [`Outcome`], something that settles to a `T`. Both are the same `Arc` of
//! one cell, in which the closure is first and the result afterwards.
//!
//! What must always hold: a job is run or refused exactly once. Its pool sees to that: a job that
//! has been claimed from the queue has one claimant.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::event::Ending;
use crate::panic::{self, Panic};
use crate::wait::cancel::CancellationToken;
use crate::wait::host::Hold;
use crate::wait::panic_hook;
use crate::wait::settle::{Progress, Settle};

use super::ledger::Ledger;

/// A job as its pool sees it.
pub(crate) trait Run: Send + Sync {
    /// Runs the closure here and settles to what it returns, or to its panic.
    fn run(self: Arc<Self>, runner: &dyn Runner);

    /// Drops the closure, unrun, and settles to the reason.
    fn refuse(self: Arc<Self>, reason: CancelReason, runner: &dyn Runner);
}

/// Who runs or refuses a job, and what it does when the job is over.
pub(crate) trait Runner {
    fn ledger(&self) -> &Ledger;

    /// The job begins.
    fn before_running(&self) {}

    /// The job is over, and nobody knows it yet.
    fn before_settling(&self, _: Ending) {
        self.ledger().count_settled();
    }

    /// The job has settled, and now comes code that is not ours: the reader's waker, or the drop of
    /// a result that has no reader. It may take its time.
    fn before_foreign_code(&self) {}

    /// Nobody will read this panic.
    fn tell_of(&self, panic: Panic) {
        self.ledger().tell(&panic);
    }
}

impl Runner for Ledger {
    fn ledger(&self) -> &Ledger {
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

pub(crate) struct Job<F, T> {
    cell: Settle<F, Result<T, JoinError>>,
    submitted_at: &'static Location<'static>,
    /// What the closure was told to look at, if anything. Cancelled, it keeps a job from beginning.
    token: Option<CancellationToken>,
    /// On the executor on whose thread it was submitted, if it was. In a box, for a job that no executor
    /// submits pays for the room: two words here cost a flood of jobs a third of its speed.
    hold: Option<Box<Hold>>,
}

impl<F, T> Job<F, T> {
    pub(crate) fn new(closure: F, submitted_at: &'static Location<'static>) -> Self {
        Self {
            cell: Settle::queued(closure),
            submitted_at,
            token: None,
            hold: Hold::take().map(Box::new),
        }
    }

    pub(crate) fn with_token(mut self, token: CancellationToken) -> Self {
        self.token = Some(token);
        self
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

    fn refuse(self: Arc<Self>, reason: CancelReason, runner: &dyn Runner) {
        self.settle(Err(JoinError::Cancelled(reason)), runner);
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

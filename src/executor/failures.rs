//! Why the tasks of a group failed.
//!
//! Knows nothing of groups. What must always hold: no failure is lost, and each says which line spawned the
//! task.

use std::error::Error;
use std::fmt;
use std::panic::Location;

use crate::panic::Panic;

/// What went wrong in a group of tasks; see [`TaskGroup::join`](crate::TaskGroup::join).
#[doc(alias = "ExceptionGroup")]
#[derive(Debug)]
pub struct Failures {
    failures: Vec<Failure>,
    of: usize,
}

/// One task that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the task.
    pub number: usize,
    /// The line that spawned it.
    pub spawned_at: &'static Location<'static>,
    /// What happened.
    pub cause: FailureCause,
}

/// Why a task of a group failed.
#[derive(Debug)]
pub enum FailureCause {
    /// It panicked.
    Panicked(Panic),
    /// It gave this error.
    Failed(Box<dyn Error + Send + Sync>),
}

impl Failures {
    pub(crate) fn new(failures: Vec<Failure>, of: usize) -> Self {
        Self { failures, of }
    }

    /// Each failure, in the order in which they happened; there is one at least.
    pub fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter()
    }

    /// The same, to be kept.
    pub fn into_vec(self) -> Vec<Failure> {
        self.failures
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks failed", self.failures.len(), self.of)?;
        self.failures.iter().try_for_each(|failure| write!(f, "; {failure}"))
    }
}

impl Error for Failures {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            FailureCause::Panicked(panic) => write!(f, "task {}: {panic}", self.number),
            FailureCause::Failed(error) => {
                write!(f, "task {}, spawned at {}: {error}", self.number, self.spawned_at)
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            FailureCause::Panicked(panic) => Some(panic),
            FailureCause::Failed(error) => Some(&**error),
        }
    }
}

//! What an observer hears: the life of every job, task and child, step by step.
//!
//! Knows nothing of what an observer does with it. What must always hold: an event is emitted with no
//! lock held, on the thread where it happened; an observer that panics disturbs nothing else; and without
//! an observer an event costs a look at an `Option`.

use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use crate::panic::{self, UserCallback};
use crate::prims;

/// Something that happened; see [`Builder::observer`](crate::Builder::observer).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TraceEvent<'a> {
    /// When it happened: a task by its executor's [clock](crate::Clock), all else by the machine's. Events of
    /// different threads may be emitted in another order.
    pub when: Instant,
    /// What it happened to.
    pub what: What,
    /// Which of them: the first job of a pool is 0, and so is the first task of an executor.
    pub number: usize,
    /// What it is called, if it has a name: a task that was given one, or the program of a child.
    pub name: Option<&'a str>,
    /// What happened to it.
    pub step: Step,
}

/// What an [`TraceEvent`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum What {
    /// A closure on a thread of a pool.
    Job,
    /// A future on an executor.
    Task,
    /// A process of the operating system.
    Child,
}

/// A step in the life of a job, a task or a child. `Submitted` is the first, `Settled` the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It was submitted, by this line of code. A child has been started by then.
    Submitted(&'static Location<'static>),
    /// A job only: this worker begins to run it, perhaps on top of another job that waits for it.
    Began {
        /// The worker's number.
        worker: usize,
    },
    /// It is over. Its handle settles in the next moment.
    Settled(Ending),
}

/// How something came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The closure returned, the future was ready, or the process exited. A job of a map has returned,
    /// whatever became of its inputs' calls.
    Returned,
    /// The closure or the future panicked.
    Panicked,
    /// The closure was never run, or the future was dropped before it was ready.
    Cancelled,
    /// The process was ended by a signal, from us or from another process.
    Killed,
}

/// The callback for events, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer(UserCallback<dyn Fn(&TraceEvent<'_>) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observer: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(UserCallback::new(Arc::new(observer)))
    }

    /// The time, if there is an observer.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.now_by(prims::now)
    }

    /// The same by another clock.
    pub(crate) fn now_by(&self, clock: impl FnOnce() -> Instant) -> Option<Instant> {
        self.0.get().map(|_| clock())
    }

    /// Emits an event of a job, now.
    #[inline] // Mostly there is no observer.
    pub(crate) fn tell(&self, job: usize, step: Step) {
        if self.0.get().is_some() {
            self.tell_of(self.now(), job, step);
        }
    }

    /// Emits an event of a job that happened a little earlier.
    pub(crate) fn tell_of(&self, when: Option<Instant>, job: usize, step: Step) {
        self.tell_about(when, What::Job, job, None, step);
    }

    /// Emits an event of a job, a task or a child.
    pub(crate) fn tell_about(
        &self,
        when: Option<Instant>,
        what: What,
        number: usize,
        name: Option<&str>,
        step: Step,
    ) {
        if let (Some(observer), Some(when)) = (self.0.get(), when) {
            panic::contain(|| observer(&TraceEvent { when, what, number, name, step }));
        }
    }
}

//! What an observer hears: the life of every job, step by step.
//!
//! Knows nothing of what an observer does with it. What must always hold: an event is told with no
//! lock held, on the thread where it happened; an observer that panics disturbs nobody; and without
//! an observer an event costs a look at an `Option`.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use crate::panic;
use crate::prims;

/// Something that happened to a job; see [`Builder::observer`](crate::Builder::observer).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event {
    /// When it happened. Events of different threads may be told in another order.
    pub when: Instant,
    /// Which job: the first one of its pool is 0.
    pub job: usize,
    /// What happened to it.
    pub step: Step,
}

/// A step in the life of a job. `Submitted` is the first, `Settled` the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It was handed in, by this line of code.
    Submitted(&'static Location<'static>),
    /// This worker begins to run it, perhaps on top of another job that waits for it.
    Began {
        /// The worker's number.
        worker: usize,
    },
    /// It is over. Its handle settles in the next moment.
    Settled(Ending),
}

/// How a job came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The closure returned. A job of a map has returned, whatever became of its inputs' calls.
    Returned,
    /// The closure panicked.
    Panicked,
    /// The closure was never run.
    Cancelled,
}

/// Who is told, if anybody.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Ear>>);

type Ear = dyn Fn(&Event) + Send + Sync;

impl Observer {
    pub(crate) fn new(observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observer)))
    }

    /// The time, if anybody wants to know.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| prims::now())
    }

    pub(crate) fn tell(&self, job: usize, step: Step) {
        self.tell_of(self.now(), job, step);
    }

    /// Tells of something that happened a little earlier.
    pub(crate) fn tell_of(&self, when: Option<Instant>, job: usize, step: Step) {
        if let (Some(observer), Some(when)) = (&self.0, when) {
            panic::contain(|| observer(&Event { when, job, step }));
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(..)" } else { "Observer(none)" })
    }
}

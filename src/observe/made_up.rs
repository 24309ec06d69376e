//! Events that never happened, for tests: their times are said and not measured.
//!
//! Knows nothing of what is tested with them.

use std::panic::Location;
use std::time::{Duration, Instant};

use crate::event::{Ending, Event, Step, What};
use crate::observe::picture::Picture;
use crate::observe::span::{Lives, Span};

/// Counts time from its own beginning, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Film(Instant);

impl Film {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn at(self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }

    #[track_caller]
    pub(crate) fn submitted(self, ms: u64, job: usize) -> Event<'static> {
        event(self.at(ms), job, Step::Submitted(Location::caller()))
    }

    pub(crate) fn began(self, ms: u64, job: usize, worker: usize) -> Event<'static> {
        event(self.at(ms), job, Step::Began { worker })
    }

    pub(crate) fn settled(self, ms: u64, job: usize, ending: Ending) -> Event<'static> {
        event(self.at(ms), job, Step::Settled(ending))
    }

    pub(crate) fn returned(self, ms: u64, job: usize) -> Event<'static> {
        self.settled(ms, job, Ending::Returned)
    }

    /// A job that was submitted at 0, ran on this worker, and returned.
    pub(crate) fn job(self, job: usize, worker: usize, from: u64, to: u64) -> [Event<'static>; 3] {
        [self.submitted(0, job), self.began(from, job, worker), self.returned(to, job)]
    }

    /// A task that was spawned and came to its end.
    #[track_caller]
    pub(crate) fn task(
        self,
        number: usize,
        name: &'static str,
        from: u64,
        to: u64,
        ending: Ending,
    ) -> [Event<'static>; 2] {
        let told = |ms, step| Event {
            what: What::Task,
            name: (!name.is_empty()).then_some(name),
            ..event(self.at(ms), number, step)
        };
        [told(from, Step::Submitted(Location::caller())), told(to, Step::Settled(ending))]
    }

    /// The same with a child of the operating system.
    #[track_caller]
    pub(crate) fn child(
        self,
        name: &'static str,
        from: u64,
        to: u64,
        ending: Ending,
    ) -> [Event<'static>; 2] {
        self.task(0, name, from, to, ending).map(|event| Event { what: What::Child, ..event })
    }

    /// What these events, told by one source, look like at this time.
    pub(crate) fn picture(self, now: u64, events: &[Event<'_>]) -> Picture {
        let mut lives = Lives::default();
        let settled: Vec<Span> = events.iter().filter_map(|event| lives.hear(0, event)).collect();
        Picture::new(settled.into_iter().chain(lives.open()).collect(), 0, self.at(now))
    }
}

fn event(when: Instant, number: usize, step: Step) -> Event<'static> {
    Event { when, what: What::Job, number, name: None, step }
}

//! One life, of a job, a task or a child, put together from its events; and all lives of one moment.
//!
//! Knows nothing of how they are drawn. What must always hold: a life is complete when its first step and
//! its last are known, in whatever order they were emitted, since the thread that submits a job may be
//! slower to say so than a worker is to run it; and no time of a picture is outside of it.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::trace_event::{Ending, Step, TraceEvent, What};

/// What is known of one job, task or child: when it was submitted and settled.
///
/// When to use it: to draw a picture of your own, or to count. [`Timeline::spans`](crate::Timeline::spans)
/// gives them, with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Which pool or executor, by the call of [`Timeline::observer`](crate::Timeline::observer): the
    /// first is 0.
    pub source: usize,
    /// What it is.
    pub what: What,
    /// Which of them.
    pub number: usize,
    /// What it is called, if it has a name.
    pub name: Option<Arc<str>>,
    /// The line that submitted, spawned or started it.
    pub submitted_at: &'static Location<'static>,
    /// When that was.
    pub submitted: Instant,
    /// A job only: where it ran. `None` if it has not begun, or was cancelled.
    pub run: Option<JobRun>,
    /// When it was over, and how; `None` as long as it is not.
    pub settled: Option<(Instant, Ending)>,
}

/// Where a job ran, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRun {
    /// The worker's number.
    pub worker: usize,
    /// On top of how many others it ran: 0, unless a job that waited for it took it back.
    pub depth: usize,
    /// When it began.
    pub began: Instant,
}

impl Span {
    /// What to call it: its name, or what it is and its number. Of a path to a program, its last part.
    pub(crate) fn title(&self) -> String {
        match (self.what, self.name.as_deref()) {
            (What::Child, Some(path)) => path.rsplit('/').next().unwrap_or(path).to_owned(),
            (_, Some(name)) => name.to_owned(),
            (what, None) => format!("{what:?} {}", self.number).to_lowercase(),
        }
    }

    /// When a job was no longer queued, because it began or was cancelled; `None` while it is.
    pub fn left_queue(&self) -> Option<Instant> {
        self.run.map(|run| run.began).or(self.settled.map(|(when, _)| when))
    }
}

/// The lives that are not complete.
#[derive(Default)]
pub(crate) struct Lives {
    open: BTreeMap<Key, Life>,
    /// How many jobs lie on each other, by source and worker.
    stacks: BTreeMap<(usize, usize), usize>,
}

/// Whose life it is: the source, what it is, and its number there.
type Key = (usize, What, usize);

/// What is known of it so far.
#[derive(Default)]
struct Life {
    name: Option<Arc<str>>,
    submitted: Option<(Instant, &'static Location<'static>)>,
    run: Option<JobRun>,
    settled: Option<(Instant, Ending)>,
}

impl Lives {
    /// Writes an event down. If a life is complete by that, here it is.
    pub(crate) fn hear(&mut self, source: usize, event: &TraceEvent<'_>) -> Option<Span> {
        let key = (source, event.what, event.number);
        let life = self.open.entry(key).or_default();
        match event.step {
            Step::Submitted(at) => {
                life.submitted = Some((event.when, at));
                life.name = event.name.map(Arc::from);
            }
            Step::Began { worker } => {
                // A worker emits the events of its own jobs, so they are in order: whatever has begun
                // there and not settled waits below this one.
                let n_below = self.stacks.entry((source, worker)).or_default();
                life.run = Some(JobRun { worker, depth: *n_below, began: event.when });
                *n_below += 1;
            }
            Step::Settled(ending) => {
                life.settled = Some((event.when, ending));
                if let Some(run) = life.run {
                    let stack = self.stacks.entry((source, run.worker));
                    stack.and_modify(|n| *n = n.saturating_sub(1));
                }
            }
        }
        let span = life.as_span(key).filter(|span| span.settled.is_some())?;
        self.open.remove(&key);
        Some(span)
    }

    /// Those that have been submitted and have not settled.
    pub(crate) fn open(&self) -> impl Iterator<Item = Span> {
        self.open.iter().filter_map(|(key, life)| life.as_span(*key))
    }
}

impl Life {
    fn as_span(&self, (source, what, number): Key) -> Option<Span> {
        let (submitted, submitted_at) = self.submitted?;
        let Self { name, run, settled, .. } = self;
        let (name, run, settled) = (name.clone(), *run, *settled);
        Some(Span { source, what, number, name, submitted_at, submitted, run, settled })
    }
}

/// The spans of one moment, and the stretch of time that they fill.
pub(crate) struct Picture {
    pub(crate) spans: Vec<Span>,
    pub(crate) total: Duration,
    begin: Instant,
}

/// From when to when, counted from the beginning of the picture.
pub(crate) type Stretch = (Duration, Duration);

/// What one pool or executor did, or the children of one source.
#[derive(Default)]
pub(crate) struct Group<'a> {
    /// By number: a worker and its jobs, in the order in which they began; or a task or a child.
    pub(crate) tracks: BTreeMap<usize, (String, Vec<&'a Span>)>,
    /// While its jobs were queued.
    pub(crate) waits: Vec<Stretch>,
}

impl Picture {
    /// It begins with the first submission, and ends with the last end, or now if one is missing.
    pub(crate) fn new(spans: Vec<Span>, now: Instant) -> Self {
        let begin = spans.iter().map(|span| span.submitted).min().unwrap_or(now);
        let end = spans.iter().map(|span| span.settled.map_or(now, |(when, _)| when)).max();
        // `now` was read by another thread than the times of the events were.
        Self { spans, total: end.unwrap_or(now).saturating_duration_since(begin), begin }
    }

    /// While a job was queued.
    pub(crate) fn wait(&self, span: &Span) -> Stretch {
        self.stretch(span.submitted, span.left_queue())
    }

    /// While a job ran, or a task or a child was there.
    pub(crate) fn life(&self, span: &Span) -> Stretch {
        let began = span.run.map_or(span.submitted, |run| run.began);
        self.stretch(began, span.settled.map(|(when, _)| when))
    }

    /// What has not ended yet ends with the picture.
    fn stretch(&self, from: Instant, to: Option<Instant>) -> Stretch {
        let offset = |when: Instant| when.saturating_duration_since(self.begin).min(self.total);
        (offset(from), to.map_or(self.total, offset).max(offset(from)))
    }

    /// What there is to draw, by its kind and its source.
    pub(crate) fn groups(&self) -> BTreeMap<(What, usize), Group<'_>> {
        let mut spans: Vec<_> = self.spans.iter().collect();
        // A job comes before what lies on top of it.
        spans.sort_by_key(|span| span.run.map(|run| (run.began, run.depth)));
        let mut groups = BTreeMap::<_, Group<'_>>::new();
        for span in spans {
            let group = groups.entry((span.what, span.source)).or_default();
            let wait = self.wait(span);
            if span.what == What::Job && wait.0 < wait.1 {
                group.waits.push(wait);
            }
            let (number, name) = match (span.what, span.run) {
                (_, Some(run)) => (run.worker, format!("worker {}", run.worker)),
                (What::Job, None) => continue, // It has not begun, or was cancelled before it did.
                (What::Task | What::Child, None) => (span.number, span.title()),
            };
            group.tracks.entry(number).or_insert((name, Vec::new())).1.push(span);
        }
        groups
    }
}

/// Events that never happened, for tests: their times are said and not measured.
#[cfg(all(test, not(handspun_model)))]
pub(crate) mod made_up {
    use super::*;

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
        pub(crate) fn submitted(self, ms: u64, job: usize) -> TraceEvent<'static> {
            event(self.at(ms), job, Step::Submitted(Location::caller()))
        }

        pub(crate) fn began(self, ms: u64, job: usize, worker: usize) -> TraceEvent<'static> {
            event(self.at(ms), job, Step::Began { worker })
        }

        pub(crate) fn settled(self, ms: u64, job: usize, ending: Ending) -> TraceEvent<'static> {
            event(self.at(ms), job, Step::Settled(ending))
        }

        pub(crate) fn returned(self, ms: u64, job: usize) -> TraceEvent<'static> {
            self.settled(ms, job, Ending::Returned)
        }

        /// A job that was submitted at 0, ran on this worker, and returned.
        pub(crate) fn job(
            self,
            job: usize,
            worker: usize,
            from: u64,
            to: u64,
        ) -> [TraceEvent<'static>; 3] {
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
        ) -> [TraceEvent<'static>; 2] {
            let told = |ms, step| TraceEvent {
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
        ) -> [TraceEvent<'static>; 2] {
            self.task(0, name, from, to, ending)
                .map(|event| TraceEvent { what: What::Child, ..event })
        }

        /// What these events, told by one source, look like at this time.
        pub(crate) fn picture(self, now: u64, events: &[TraceEvent<'_>]) -> Picture {
            let mut lives = Lives::default();
            let settled: Vec<Span> =
                events.iter().filter_map(|event| lives.hear(0, event)).collect();
            Picture::new(settled.into_iter().chain(lives.open()).collect(), self.at(now))
        }
    }

    fn event(when: Instant, number: usize, step: Step) -> TraceEvent<'static> {
        TraceEvent { when, what: What::Job, number, name: None, step }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::made_up::Film;
    use super::*;

    #[test]
    fn a_life_is_complete_in_whatever_order_it_is_told() {
        let film = Film::new();
        let [submitted, began, settled] =
            [film.submitted(0, 7), film.began(1, 7, 0), film.returned(2, 7)];
        let orders =
            [[submitted, began, settled], [began, submitted, settled], [began, settled, submitted]];
        for events in orders {
            let mut lives = Lives::default();
            let [first, second, third] = events.map(|event| lives.hear(0, &event));
            assert_eq!((first, second), (None, None));
            let span = third.unwrap();
            assert_eq!(span.run, Some(JobRun { worker: 0, depth: 0, began: film.at(1) }));
            assert_eq!(span.settled, Some((film.at(2), Ending::Returned)));
            assert_eq!(lives.open().count(), 0);
        }
    }

    #[test]
    fn jobs_that_are_taken_back_lie_on_each_other() {
        let film = Film::new();
        let mut lives = Lives::default();
        for (job, depth) in [(0, 0), (1, 1), (2, 2)] {
            lives.hear(0, &film.submitted(0, job));
            lives.hear(0, &film.began(job as u64, job, 3));
            assert_eq!(lives.open().last().unwrap().run.unwrap().depth, depth);
        }
        for job in [2, 1, 0] {
            assert!(lives.hear(0, &film.returned(9, job)).is_some());
        }
        lives.hear(0, &film.submitted(10, 3));
        lives.hear(0, &film.began(10, 3, 3));
        assert_eq!(lives.open().last().unwrap().run.unwrap().depth, 0);
    }

    #[test]
    fn a_cancelled_job_leaves_the_queue_and_never_runs() {
        let film = Film::new();
        let mut lives = Lives::default();
        lives.hear(0, &film.submitted(0, 0));
        assert_eq!(lives.open().next().unwrap().left_queue(), None);
        let span = lives.hear(0, &film.settled(4, 0, Ending::Cancelled)).unwrap();
        assert_eq!((span.run, span.left_queue()), (None, Some(film.at(4))));
    }

    #[test]
    fn a_job_and_a_task_of_one_number_are_two_lives() {
        let film = Film::new();
        let mut lives = Lives::default();
        let [spawned, ended] = film.task(7, "seven", 1, 5, Ending::Cancelled);
        lives.hear(0, &film.submitted(0, 7));
        lives.hear(0, &spawned);
        let task = lives.hear(0, &ended).unwrap();
        assert_eq!((task.what, task.name.as_deref()), (What::Task, Some("seven")));
        assert_eq!(task.settled, Some((film.at(5), Ending::Cancelled)));
        assert_eq!(lives.open().map(|span| span.what).collect::<Vec<_>>(), [What::Job]);
    }

    #[test]
    fn a_child_is_called_by_the_last_part_of_its_path() {
        let film = Film::new();
        let mut lives = Lives::default();
        for (name, title) in [("/usr/bin/sleep", "sleep"), ("sleep", "sleep"), ("", "child 0")] {
            let events = film.child(name, 0, 1, Ending::Returned);
            let [None, Some(span)] = events.map(|event| lives.hear(0, &event)) else {
                panic!("it ends with its second event");
            };
            assert_eq!(span.title(), title);
        }
    }
}

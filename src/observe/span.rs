//! One life, of a job, a task or a child, put together from the events that tell of it.
//!
//! Knows nothing of what is made of it. What must always hold: a life is complete when its first
//! step and its last are known, in whatever order they were told. The line that submits a job may
//! be slower to say so than a worker is to run it.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use crate::event::{Ending, Event, Step, What};

/// What is known of one job, task or child: when it was submitted and settled.
///
/// When to use it: to draw a picture of your own. [`Timeline::spans`](crate::Timeline::spans) gives
/// them, with an example.
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
        let name = self.name.as_deref();
        let (word, name) = match self.what {
            What::Job => ("job", name),
            What::Task => ("task", name),
            What::Child => ("child", name.and_then(|path| path.rsplit('/').next())),
        };
        name.map_or_else(|| format!("{word} {}", self.number), str::to_owned)
    }

    /// When a job was no longer queued, because it began or was cancelled; `None` while it is.
    pub fn left_queue(&self) -> Option<Instant> {
        self.run.map(|run| run.began).or(self.settled.map(|(when, _)| when))
    }
}

/// The lives that are not complete.
#[derive(Default)]
pub(crate) struct Lives {
    n_sources: usize,
    open: BTreeMap<Key, Life>,
    /// How many jobs lie on each other, by source and worker.
    stacks: BTreeMap<(usize, usize), usize>,
}

/// Whose life it is: the source, what it is, and its number there.
type Key = (usize, What, usize);

/// What has been told of it so far.
#[derive(Default)]
struct Life {
    name: Option<Arc<str>>,
    submitted: Option<(Instant, &'static Location<'static>)>,
    run: Option<JobRun>,
    settled: Option<(Instant, Ending)>,
}

impl Lives {
    /// The number of one more source: a pool that will tell of its jobs, or an executor of its tasks.
    pub(crate) fn add_source(&mut self) -> usize {
        self.n_sources += 1;
        self.n_sources - 1
    }

    /// Writes an event down. If a life is complete by that, here it is.
    pub(crate) fn hear(&mut self, source: usize, event: &Event<'_>) -> Option<Span> {
        if let Step::Lingered { .. } = event.step {
            return None; // It says nothing of a beginning or an end.
        }
        let key = (source, event.what, event.number);
        let life = self.open.entry(key).or_default();
        match event.step {
            Step::Submitted(at) => {
                life.submitted = Some((event.when, at));
                life.name = event.name.map(Arc::from);
            }
            Step::Began { worker } => {
                // A worker tells of its own jobs, so what it tells is in order: whatever has begun
                // there and not settled waits below this one.
                let n_below = self.stacks.entry((source, worker)).or_default();
                life.run = Some(JobRun { worker, depth: *n_below, began: event.when });
                *n_below += 1;
            }
            Step::Lingered { .. } => {} // Not here.
            Step::Settled(ending) => {
                life.settled = Some((event.when, ending));
                if let Some(run) = life.run {
                    self.stacks
                        .entry((source, run.worker))
                        .and_modify(|n| *n = n.saturating_sub(1));
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

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::made_up::Film;

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

    #[test]
    fn a_slow_poll_begins_no_life() {
        let film = Film::new();
        let mut lives = Lives::default();
        let [spawned, _] = film.task(0, "main", 1, 5, Ending::Returned);
        let (took, blocked) = (Duration::from_secs(1), false);
        lives.hear(
            0,
            &Event { step: Step::Lingered { took, blocked, spawned_at: None }, ..spawned },
        );
        assert!(lives.open.is_empty());
    }
}

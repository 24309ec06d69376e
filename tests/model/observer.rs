//! The observer: every step of every job is told once, and before anybody can know of it otherwise.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, its helpers it does not"
)]

use std::sync::{Arc, Mutex}; // This mutex is none of the model's: it only watches.

use shuttle::thread;

use super::random_schedules;
use crate::error::JoinError;
use crate::{Ending, Shutdown, Step, ThreadPool, TraceEvent};

/// What an observer has heard, in the order in which it was told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(usize, Step)>>>);

impl Log {
    fn pool(&self, threads: usize) -> Arc<ThreadPool> {
        let log = self.0.clone();
        let observer =
            move |event: &TraceEvent| log.lock().unwrap().push((event.number, event.step));
        Arc::new(ThreadPool::builder().threads(threads).observer(observer).build().unwrap())
    }

    /// How often this job was told to be handed in and to begin, and how it was told to end.
    fn of(&self, job: usize) -> (usize, usize, Vec<Ending>) {
        let (mut n_submitted, mut n_began, mut endings) = (0, 0, Vec::new());
        for (of, step) in self.0.lock().unwrap().iter() {
            match step {
                _ if *of != job => {}
                Step::Submitted(_) => n_submitted += 1,
                Step::Began { .. } => n_began += 1,
                Step::Settled(ending) => endings.push(*ending),
            }
        }
        (n_submitted, n_began, endings)
    }

    /// Who has the result has been told of all that led to it, and of nothing else.
    fn tells_of<T>(&self, job: usize, result: &Result<T, JoinError>) {
        let told = match result {
            Ok(_) => (1, 1, vec![Ending::Returned]),
            Err(JoinError::Panicked(_)) => (1, 1, vec![Ending::Panicked]),
            Err(JoinError::Cancelled(_)) => (1, 0, vec![Ending::Cancelled]),
        };
        assert_eq!(self.of(job), told, "job {job}");
    }
}

#[test]
fn a_job_that_begins_or_is_cancelled_is_told_of_once() {
    random_schedules("steps: cancel against start", 100_000, || {
        let log = Log::default();
        let pool = log.pool(1);
        let jobs = [(); 2].map(|()| pool.submit(|| ()));
        let _ = jobs[1].cancel();
        for (number, job) in jobs.into_iter().enumerate() {
            log.tells_of(number, &job.join());
        }
    });
}

#[test]
fn a_job_that_is_taken_back_is_told_of_once() {
    random_schedules("steps: take-back against a worker", 100_000, || {
        let log = Log::default();
        let pool = log.pool(2);
        let outer = pool.submit({
            let (pool, log) = (pool.clone(), log.clone());
            move || log.tells_of(1, &pool.submit(|| ()).join())
        });
        log.tells_of(0, &outer.join().map_err(|error| panic!("{error}")));
    });
}

#[test]
fn a_job_that_comes_at_the_end_is_told_of_once() {
    random_schedules("steps: submit against shutdown", 100_000, || {
        let log = Log::default();
        let pool = log.pool(1);
        let closer = thread::spawn({
            let pool = pool.clone();
            move || pool.shutdown(Shutdown::Cancel).unwrap()
        });
        let jobs = [(); 2].map(|()| pool.submit(|| ()));
        for (number, job) in jobs.into_iter().enumerate() {
            log.tells_of(number, &job.join());
        }
        closer.join().unwrap();
    });
}

//! The pool's own protocols: a worker comes for every job, and every job has one claimant.

use std::sync::{Arc, Mutex}; // This mutex is none of the model's: it only watches.

use shuttle::sync::Barrier;
use shuttle::thread;

use super::{Tally, random_schedules};
use crate::error::{CancelReason, JoinError};
use crate::{Cancel, ThreadPool};

/// The second job finds the worker at work, about to sleep, or asleep.
#[test]
fn one_worker_comes_for_every_job() {
    random_schedules("pool: submit against going to sleep, one worker", 100_000, || {
        let pool = ThreadPool::new(1);
        assert_eq!(pool.submit(|| 1).join().unwrap(), 1);
        let (second, third) = (pool.submit(|| 2), pool.submit(|| 3));
        assert_eq!(second.join().unwrap(), 2);
        assert_eq!(third.join().unwrap(), 3);
    });
}

/// Each job waits until the other runs too, in a way that the pool knows nothing of.
#[test]
fn two_jobs_have_two_workers_at_once() {
    random_schedules("pool: a flood wakes both workers", 100_000, || {
        let pool = ThreadPool::new(2);
        for _ in 0..2 {
            let both_run = Arc::new(Barrier::new(2));
            let jobs = [both_run.clone(), both_run].map(|both_run| {
                pool.submit(move || {
                    both_run.wait();
                })
            });
            jobs.into_iter().for_each(|job| job.join().unwrap());
        }
    });
}

#[test]
fn two_submitters_lose_no_job() {
    random_schedules("pool: submit against submit, two workers", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let other = thread::spawn({
            let pool = pool.clone();
            move || pool.submit(|| 1).join().unwrap()
        });
        assert_eq!(pool.submit(|| 2).join().unwrap(), 2);
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn a_job_is_taken_back_or_run_by_a_worker_but_never_both() {
    random_schedules("pool: take-back against a worker", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let runs = Tally::default();
        let outer = pool.submit({
            let (pool, runs) = (pool.clone(), runs.clone());
            move || pool.submit(move || runs.add_one()).join().unwrap()
        });
        outer.join().unwrap();
        assert_eq!(runs.get(), 1);
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.queued, stats.settled), (2, 0, 2));
    });
}

#[test]
fn a_worker_takes_back_nothing_but_what_it_waits_for() {
    random_schedules("pool: take-back among strangers", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let outers_thread = Arc::new(Mutex::new(None));
        let outer = pool.submit({
            let (pool, outers_thread) = (pool.clone(), outers_thread.clone());
            move || {
                *outers_thread.lock().unwrap() = Some(thread::current().id());
                let stranger = pool.submit({
                    let outers_thread = outers_thread.clone();
                    move || assert_ne!(*outers_thread.lock().unwrap(), Some(thread::current().id()))
                });
                pool.submit(|| ()).join().unwrap();
                *outers_thread.lock().unwrap() = None;
                stranger
            }
        });
        outer.join().unwrap().join().unwrap();
    });
}

#[test]
fn a_pool_of_one_thread_joins_its_own_jobs() {
    random_schedules("pool: nested submit and join, one worker", 100_000, || {
        fn depth(pool: &Arc<ThreadPool>, n: u32) -> u32 {
            let Some(fewer) = n.checked_sub(1) else { return 0 };
            let inner = pool.clone();
            1 + pool.submit(move || depth(&inner, fewer)).join().unwrap()
        }
        let pool = Arc::new(ThreadPool::new(1));
        let inner = pool.clone();
        assert_eq!(pool.submit(move || depth(&inner, 2)).join().unwrap(), 2);
    });
}

#[test]
fn a_thread_outside_runs_no_job() {
    random_schedules("pool: join from outside", 100_000, || {
        let pool = ThreadPool::new(1);
        let outside = thread::current().id();
        let job = pool.submit(|| thread::current().id());
        assert_ne!(job.join().unwrap(), outside);
    });
}

#[test]
fn a_job_begins_or_is_cancelled_but_never_both() {
    random_schedules("pool: cancel against start", 100_000, || {
        let pool = ThreadPool::new(1);
        let runs = Tally::default();
        let job = pool.submit({
            let runs = runs.clone();
            move || runs.add_one()
        });
        let cancelled = job.cancel();
        assert_eq!(job.cancel(), cancelled, "again is the same");
        let result = job.join();
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.running, stats.settled), (1, 0, 1));
        match cancelled {
            Cancel::Dequeued => {
                assert!(matches!(result, Err(JoinError::Cancelled(CancelReason::Requested))));
                drop(pool);
                assert_eq!(runs.get(), 0);
            }
            Cancel::TooLate => {
                result.unwrap();
                assert_eq!(runs.get(), 1);
            }
            Cancel::Asked => unreachable!("it has no token"),
        }
    });
}

/// `submitted == queued + running + settled` at every moment at which anybody can look.
#[test]
fn the_counts_are_of_one_moment() {
    random_schedules("pool: stats against a worker", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let watcher = thread::spawn({
            let pool = pool.clone();
            move || {
                let stats = pool.stats();
                assert_eq!(stats.submitted, stats.queued + stats.running + stats.settled);
                assert!(stats.running <= 1);
            }
        });
        pool.submit(|| ()).join().unwrap();
        assert_eq!(pool.stats().settled, 1, "who has the result finds it in the count");
        watcher.join().unwrap();
    });
}

/// The same while a job is claimed out of turn, and its tombstone is in the line or taken out of it.
#[test]
fn the_counts_are_of_one_moment_while_a_job_is_cancelled() {
    random_schedules("pool: stats against a worker and a cancel", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let watcher = thread::spawn({
            let pool = pool.clone();
            move || {
                let stats = pool.stats();
                assert!(stats.queued <= stats.submitted, "{stats:?}");
                assert_eq!(stats.submitted, stats.queued + stats.running + stats.settled);
            }
        });
        let (first, second) = (pool.submit(|| ()), pool.submit(|| ()));
        second.cancel();
        first.cancel();
        let _ = (first.join(), second.join());
        let stats = pool.stats();
        assert_eq!((stats.queued, stats.running, stats.settled), (0, 0, 2));
        watcher.join().unwrap();
    });
}

//! The end of a pool, against all that may go on meanwhile.

use std::sync::Arc;

use shuttle::sync::Barrier;
use shuttle::thread;

use super::{Tally, only_the_first_starts, random_schedules};
use crate::error::{CancelReason, JoinError};
use crate::{Cancel, Shutdown, ShutdownError, ThreadPool};

#[test]
fn a_submit_that_races_a_shutdown_runs_or_is_refused() {
    random_schedules("end: submit against shutdown", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let submitter = thread::spawn({
            let pool = pool.clone();
            move || (pool.submit(|| 1), pool.submit(|| 2))
        });
        pool.shutdown(Shutdown::Drain).unwrap();
        let (first, second) = submitter.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.settled, stats.threads), (2, 2, 0));
        match (first.join(), second.join()) {
            (Ok(1), Ok(2)) => {}
            (Ok(1) | Err(JoinError::Cancelled(_)), Err(JoinError::Cancelled(reason))) => {
                assert_eq!(reason, CancelReason::ShutDown);
            }
            other => panic!("{other:?}"),
        }
    });
}

/// The workers are idle when they are told to end.
#[test]
fn an_idle_pool_ends() {
    random_schedules("end: shutdown against going to sleep", 100_000, || {
        let pool = ThreadPool::new(2);
        let jobs = [pool.submit(|| ()), pool.submit(|| ())];
        jobs.into_iter().for_each(|job| job.join().unwrap());
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(pool.stats().threads, 0);
    });
}

#[test]
fn what_is_queued_at_a_shutdown_runs_or_is_cancelled_but_never_both() {
    random_schedules("end: shutdown that cancels against start", 100_000, || {
        let pool = ThreadPool::new(1);
        let runs = Tally::default();
        let jobs = [runs.clone(), runs.clone()].map(|runs| pool.submit(move || runs.add_one()));
        pool.shutdown(Shutdown::Cancel).unwrap();
        assert!(jobs.iter().all(|job| job.is_finished()));
        let returned = jobs.into_iter().filter_map(|job| job.join().ok()).count();
        assert_eq!(runs.get(), returned);
    });
}

#[test]
fn every_one_of_several_shutdowns_returns() {
    random_schedules("end: three shutdowns at once", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let job = pool.submit(|| ());
        let others = [pool.clone(), pool.clone()].map(|pool| {
            thread::spawn(move || {
                pool.shutdown(Shutdown::Drain).unwrap();
                assert_eq!(pool.stats().threads, 0);
            })
        });
        pool.shutdown(Shutdown::Drain).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap());
        job.join().unwrap();
    });
}

#[test]
fn a_submit_that_races_the_last_drop_runs() {
    random_schedules("end: submit against the last drop", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let submitter = thread::spawn({
            let pool = pool.clone();
            move || pool.submit(|| 7)
        });
        drop(pool);
        assert_eq!(submitter.join().unwrap().join().unwrap(), 7);
    });
}

/// The last owner may be a job, whose worker cannot wait for itself.
#[test]
fn a_pool_that_is_dropped_inside_a_worker_runs_what_is_queued() {
    random_schedules("end: the last drop on a worker", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let owner = pool.submit({
            let pool = pool.clone();
            move || {
                assert_eq!(pool.shutdown(Shutdown::Drain), Err(ShutdownError::InsideWorker));
                drop(pool);
            }
        });
        let other = pool.submit(|| 7);
        drop(pool);
        owner.join().unwrap();
        assert_eq!(other.join().unwrap(), 7);
        // The checker sees to it that the threads end: those that never did would be a deadlock.
    });
}

/// Who cancels takes the job out of the queue first and settles it afterwards: the pool may end in
/// between, but the canceller leaves no job unsettled.
#[test]
fn a_cancel_that_races_the_last_drop_settles_its_job() {
    random_schedules("end: cancel against the last drop", 100_000, || {
        let pool = ThreadPool::new(1);
        let job = Arc::new(pool.submit(|| ()));
        let canceller = thread::spawn({
            let job = job.clone();
            move || (job.cancel(), job.is_finished())
        });
        drop(pool);
        let (cancelled, is_finished) = canceller.join().unwrap();
        assert!(is_finished || cancelled == Cancel::TooLate);
        assert!(job.is_finished());
    });
}

/// The second thread fails at its start while the first is idle, or about to be.
#[test]
fn a_worker_that_fails_at_its_start_is_made_good_by_another() {
    random_schedules("end: a worker lost while it searches", 100_000, || {
        let [both_are_queued, both_are_done] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let on_start = {
            let both_are_done = both_are_done.clone();
            move |number| {
                if number > 0 {
                    both_are_done.wait();
                }
                only_the_first_starts(number);
            }
        };
        let pool = ThreadPool::builder().threads(2).on_start(on_start).build().unwrap();
        let first = pool.submit({
            let both_are_queued = both_are_queued.clone();
            move || {
                both_are_queued.wait();
            }
        });
        let second = pool.submit(|| ()); // The second thread is started for it.
        both_are_queued.wait();
        first.join().unwrap();
        second.join().unwrap();
        both_are_done.wait();
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
    });
}

/// A job comes before, while or after the only thread there may be fails at its start.
#[test]
fn a_pool_that_loses_its_only_worker_refuses_its_jobs() {
    random_schedules("end: the only worker lost", 100_000, || {
        let on_start = |_| std::panic::resume_unwind(Box::new("no licence"));
        let pool = ThreadPool::builder().threads(1).on_start(on_start).build().unwrap();
        let jobs = [(); 2].map(|()| pool.submit(|| ()));
        for job in jobs {
            let result = job.join();
            assert!(matches!(result, Err(JoinError::Cancelled(CancelReason::NoWorker(_)))));
        }
    });
}

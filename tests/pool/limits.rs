//! A bounded queue holds so many jobs and no more, and nobody waits for room that is not coming.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handspun::{
    BuildError, Cancel, CancelReason, CancellationToken, JoinError, Shutdown, ThreadPool,
};

use crate::setup::{busy, gated};
use crate::support::{Count, Gate, until, watched};

fn limited(threads: usize, limit: usize) -> ThreadPool {
    ThreadPool::builder().threads(threads).queue_limit(limit).build().unwrap()
}

/// P91, for the queue.
#[test]
fn a_queue_without_places_is_refused() {
    let error = ThreadPool::builder().queue_limit(0).build().unwrap_err();
    assert_eq!(error, BuildError::NoPlaces);
}

/// P102.
#[test]
fn a_full_queue_gives_the_closure_back() {
    watched(|| {
        let pool = limited(1, 2);
        let gate = busy(&pool);
        let queued = [1, 2].map(|n| pool.try_submit(move || n).unwrap());
        let closure = pool.try_submit(|| 3).unwrap_err().into_inner();
        assert_eq!(pool.stats().queued, 2);
        gate.open();
        assert_eq!(queued.map(|job| job.join().unwrap()), [1, 2]);
        assert_eq!(pool.submit(closure).join().unwrap(), 3);
    });
}

/// P102.
#[test]
fn a_submit_to_a_full_queue_waits_for_room() {
    watched(|| {
        let pool = Arc::new(limited(1, 1));
        let (gate, queued) = (busy(&pool), pool.submit(|| 1));
        let submitter = thread::spawn({
            let pool = pool.clone();
            move || pool.submit(|| 2)
        });
        assert!(!submitter.is_finished() && pool.stats().queued == 1);
        gate.open();
        assert_eq!(submitter.join().unwrap().join().unwrap(), 2);
        assert_eq!(queued.join().unwrap(), 1);
    });
}

/// P102: nobody makes room, and the token is what ends the wait.
#[test]
fn a_submit_that_waits_for_room_hears_its_token() {
    watched(|| {
        let pool = Arc::new(limited(1, 1));
        let (gate, queued) = (busy(&pool), pool.submit(|| 1));
        let token = CancellationToken::new();
        let submitter = thread::spawn({
            let (pool, token) = (pool.clone(), token.clone());
            move || pool.submit_with(&token, |_| unreachable!("it was cancelled"))
        });
        token.cancel();
        let submitted: Result<(), _> = submitter.join().unwrap().join();
        assert!(matches!(submitted, Err(JoinError::Cancelled(CancelReason::Requested))));
        assert!(pool.try_submit(|| 2).is_err(), "the limit holds as before");
        gate.open();
        assert_eq!(queued.join().unwrap(), 1);
        assert_eq!(pool.try_submit(|| 3).unwrap().join().unwrap(), 3);
    });
}

/// P102: the timeout of a submit is the deadline of its token.
#[test]
fn a_submit_that_waits_for_room_ends_with_the_deadline_of_its_token() {
    watched(|| {
        let pool = limited(1, 1);
        let (_gate, _queued) = (busy(&pool), pool.submit(|| 1));
        let token = CancellationToken::with_timeout(Duration::from_millis(5));
        let late = pool.submit_with(&token, |_| unreachable!("there was no room in time"));
        let late: Result<(), _> = late.join();
        assert!(matches!(late, Err(JoinError::Cancelled(CancelReason::DeadlinePassed))));
        assert_eq!(pool.stats().queued, 1);
    });
}

/// P102, P7: a cancelled job's place is free, now.
#[test]
fn a_cancelled_job_makes_room_at_once() {
    watched(|| {
        let pool = limited(1, 1);
        let (gate, queued) = (busy(&pool), pool.submit(|| 1));
        assert_eq!(queued.cancel(), Cancel::Dequeued);
        let next = pool.try_submit(|| 2).unwrap();
        gate.open();
        assert_eq!(next.join().unwrap(), 2);
    });
}

/// P61: it would wait for itself.
#[test]
fn a_worker_that_submits_to_its_own_full_pool_does_not_wait() {
    watched(|| {
        let pool = Arc::new(limited(1, 1));
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let jobs: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
                assert_eq!(pool.stats().queued, 100);
                assert!(pool.try_submit(|| ()).is_err(), "the limit is what it was");
                jobs.into_iter().map(|job| job.join().unwrap()).sum::<i32>()
            }
        });
        assert_eq!(outer.join().unwrap(), 4950);
    });
}

/// P86.
#[test]
fn a_shutdown_lets_those_go_who_wait_for_room() {
    watched(|| {
        let pool = Arc::new(limited(1, 1));
        let (gate, _queued) = (busy(&pool), pool.submit(|| ()));
        let submitters: Vec<_> = (0..8)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || pool.submit(|| ()).join())
            })
            .collect();
        let _ = pool.shutdown_timeout(Shutdown::Drain, std::time::Duration::ZERO);
        for submitter in submitters {
            let result = submitter.join().unwrap();
            assert!(matches!(result, Err(JoinError::Cancelled(CancelReason::ShutDown))));
        }
        gate.open();
    });
}

/// P102: as many producers as you like, and never more queued than may be.
#[test]
fn many_submitters_and_a_queue_of_one_lose_no_job() {
    watched(|| {
        let pool = Arc::new(limited(2, 1));
        let runs = Count::default();
        let submitters: Vec<_> = (0..8)
            .map(|_| {
                let (pool, runs) = (pool.clone(), runs.clone());
                thread::spawn(move || {
                    for _ in 0..500 {
                        let runs = runs.clone();
                        drop(pool.submit(move || runs.add_one()));
                        assert!(pool.stats().queued <= 1);
                    }
                })
            })
            .collect();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(runs.get(), 4_000);
    });
}

#[test]
fn a_map_and_a_bulk_of_jobs_fit_through_a_queue_of_one() {
    watched(|| {
        let pool = Arc::new(limited(2, 1));
        let doubled: Vec<_> = pool.map(0..100, |n| 2 * n).chunk(1).map(Result::unwrap).collect();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
        let bulk = pool.submit_all((0..100).map(|n| move || n));
        assert_eq!(bulk.into_iter().map(|job| job.join().unwrap()).sum::<i32>(), 4950);
    });
}

/// P69: a pool whose only thread fails to start lets nobody wait for room.
#[test]
fn a_broken_pool_keeps_nobody_waiting_for_room() {
    watched(|| {
        let gate = Gate::closed();
        let on_start = {
            let gate = gate.clone();
            move |_| {
                gate.pass();
                crate::support::panic_quietly("no start")
            }
        };
        let builder = ThreadPool::builder().threads(1).queue_limit(1).on_start(on_start);
        let pool = Arc::new(builder.build().unwrap());
        let queued = pool.submit(|| ());
        let submitter = thread::spawn({
            let pool = pool.clone();
            move || pool.submit(|| ()).join()
        });
        until(|| pool.stats().queued == 1);
        gate.open();
        assert!(queued.join().is_err() && submitter.join().unwrap().is_err());
        assert!(pool.submit(|| ()).join().is_err());
    });
}

#[test]
fn a_bulk_of_jobs_comes_back_in_the_order_it_went() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let handles = pool.submit_all((0..1000).map(|n| move || n));
        let results: Vec<_> = handles.into_iter().map(|handle| handle.join().unwrap()).collect();
        assert_eq!(results, (0..1000).collect::<Vec<_>>());
        assert!(pool.submit_all(std::iter::empty::<fn()>()).is_empty());
    });
}

/// P53, P77.
#[test]
fn a_bulk_that_comes_after_a_shutdown_is_refused_job_by_job() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (gate, first) = gated(&pool, 1);
        gate.open();
        first.join().unwrap();
        pool.shutdown(Shutdown::Drain).unwrap();
        let handles = pool.submit_all((0..200).map(|n| move || n));
        assert_eq!(handles.len(), 200);
        assert!(handles.into_iter().all(|handle| handle.join().is_err()));
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.settled, stats.queued), (201, 201, 0));
    });
}

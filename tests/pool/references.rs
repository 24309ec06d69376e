//! Nothing is kept longer than it is needed.

use std::sync::{Arc, Weak, mpsc};

use handspun::{Cancel, JoinHandle, ThreadPool, as_completed};

use crate::support::{Count, CountsDrop, Gate, until, watched};

/// P107.
#[test]
fn a_closure_is_dropped_before_its_handle_settles() {
    watched(|| {
        let (pool, captured) = (ThreadPool::new(1), Arc::new(()));
        let stays = Arc::downgrade(&captured);
        pool.submit(move || drop(captured)).join().unwrap();
        assert_eq!(stays.strong_count(), 0);
    });
}

/// P107.
#[test]
fn an_idle_pool_keeps_neither_closure_nor_result() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (captured, result) = (Arc::new(()), Arc::new(()));
        let stay = [Arc::downgrade(&captured), Arc::downgrade(&result)];
        let job = pool.submit(move || {
            let _captured = captured;
            result
        });
        drop(job.join().unwrap());
        assert!(stay.iter().all(|stays| stays.upgrade().is_none()));
    });
}

/// P107.
#[test]
fn an_unread_result_is_dropped_though_the_pool_goes_idle() {
    watched(|| {
        let (pool, dropped) = (ThreadPool::new(1), Count::default());
        let result = CountsDrop(dropped.clone());
        drop(pool.submit(move || result));
        dropped.reach(1);
        until(|| pool.stats().idle == 1);
    });
}

/// P107.
#[test]
fn as_completed_keeps_no_result_that_it_has_yielded() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mut results = as_completed((0..10).map(|_| pool.submit(|| Arc::new(()))));
        while let Some(result) = results.join_next() {
            let stays = Arc::downgrade(&result.unwrap());
            assert_eq!(stays.strong_count(), 0, "ours was the last");
        }
    });
}

fn blocked_pool() -> (ThreadPool, Gate) {
    let (pool, gate) = (ThreadPool::new(1), Gate::closed());
    let at_the_gate = gate.clone();
    drop(pool.submit(move || at_the_gate.pass()));
    (pool, gate)
}

/// P108.
#[test]
fn a_cancelled_job_keeps_nothing_of_its_closure_while_its_handle_lives() {
    watched(|| {
        let (pool, gate) = blocked_pool();
        let captured = Arc::new(());
        let stays = Arc::downgrade(&captured);
        let queued = pool.submit(move || drop(captured));
        assert_eq!((stays.strong_count(), queued.cancel()), (1, Cancel::Dequeued));
        assert_eq!(stays.strong_count(), 0);
        gate.open();
    });
}

/// P108.
#[test]
fn cancelled_jobs_leave_the_queue_at_once_wherever_they_stand() {
    watched(|| {
        let (pool, gate) = blocked_pool();
        let queued: Vec<_> = (0..10_000).map(|n| pool.submit(move || n)).collect();
        let (cancelled, kept): (Vec<_>, Vec<_>) =
            queued.into_iter().enumerate().partition(|(n, _)| n % 10 != 0);
        assert!(cancelled.iter().all(|(_, job)| job.cancel() == Cancel::Dequeued));
        assert!((1000..=1001).contains(&pool.stats().queued), "{:?}", pool.stats());
        gate.open();
        assert!(kept.into_iter().all(|(n, job)| job.join().unwrap() == n));
    });
}

const CANCELLED_JOBS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// P108.
#[test]
fn a_flood_of_cancelled_jobs_leaves_nothing_behind() {
    watched(|| {
        let (pool, gate) = blocked_pool();
        let first = pool.submit(|| ());
        let (dropped, mut last) = (Count::default(), Weak::new());
        for _ in 0..CANCELLED_JOBS {
            let captured = Arc::new(CountsDrop(dropped.clone()));
            last = Arc::downgrade(&captured);
            pool.submit(move || drop(captured)).cancel();
        }
        assert_eq!((dropped.get(), last.strong_count()), (CANCELLED_JOBS, 0));
        assert!(pool.stats().queued <= 2);
        gate.open();
        first.join().unwrap();
    });
}

/// To look through all that is queued at each claim, or each few, would take minutes.
#[test]
fn a_flood_of_jobs_that_a_worker_submitted_is_cancelled_from_outside_in_no_time() {
    watched(|| {
        let (pool, gate) = (Arc::new(ThreadPool::new(1)), Gate::closed());
        let (handles, jobs) = mpsc::channel();
        let inside = (pool.clone(), gate.clone());
        let submits = pool.submit(move || {
            let (pool, gate) = inside;
            handles.send((0..400_000).map(|_| pool.submit(|| ())).collect()).unwrap();
            gate.pass();
        });
        let jobs: Vec<JoinHandle<()>> = jobs.recv().unwrap();
        assert!(jobs.iter().all(|job| job.cancel() == Cancel::Dequeued));
        gate.open();
        submits.join().unwrap();
    });
}

#[test]
fn a_pool_that_ended_keeps_no_hook() {
    watched(|| {
        let hook = Arc::new(());
        let stays = Arc::downgrade(&hook);
        let builder = ThreadPool::builder().threads(2).on_start(move |_| drop(hook.clone()));
        let pool = builder.build().unwrap();
        pool.submit(|| ()).join().unwrap();
        drop(pool);
        assert_eq!(stays.strong_count(), 0);
    });
}

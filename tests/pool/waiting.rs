//! `wait` returns as soon as what is done is enough, and gives every future back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use handspun::{
    CancelReason, JoinError, JoinHandle, Shutdown, ThreadPool, block_on, keyed,
    thread as raw_thread, wait,
};

use crate::setup::{Boxed, Restless, busy, flush, gated};
use crate::support::{Count, Gate, panic_quietly, poll, watched};

/// P24.
#[test]
fn waiting_for_the_first_returns_the_one_that_is_done() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (_gate, slow) = gated(&pool, 1);
        let (gate, quick) = gated(&pool, 2);
        let opener = thread::spawn(move || gate.open());
        let waited = wait([slow, quick], |_| true).join();
        opener.join().unwrap();
        assert_eq!(waited.done.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [2]);
        assert_eq!(waited.unfinished.len(), 1);
    });
}

/// P26.
#[test]
fn waiting_for_a_failure_leaves_what_is_pending_unfinished() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let fine = pool.submit(|| 1);
        let failing = pool.submit(|| panic_quietly("oh no"));
        let next = Gate::closed();
        let pending = pool.submit({
            let next = next.clone();
            move || {
                next.pass();
                3
            }
        });
        gate.open();
        let waited = wait([fine, failing, pending], Result::is_err).join();
        let is_fine: Vec<_> = waited.done.iter().map(Result::is_ok).collect();
        assert_eq!((is_fine, waited.unfinished.len()), (vec![true, false], 1));
        next.open();
    });
}

/// P27.
#[test]
fn a_failure_that_was_there_before_is_enough_at_once() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let failed = pool.submit(|| panic_quietly("oh no"));
        let (_gate, pending) = gated(&pool, 1);
        let waited = wait([pending, failed], Result::is_err).join();
        assert_eq!((waited.done.len(), waited.unfinished.len()), (1, 1));
    });
}

/// P28.
#[test]
fn waiting_for_all_takes_values_panics_and_cancellations() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let value = pool.submit(|| 1);
        let panicked = pool.submit(|| panic_quietly("oh no"));
        let cancelled = pool.submit(|| 2);
        cancelled.cancel();
        gate.open();
        let waited = wait([keyed(0, value), keyed(1, panicked), keyed(2, cancelled)], |_| false);
        let mut done = waited.join().done;
        done.sort_by_key(|(key, _)| *key);
        assert!(matches!(
            &done.iter().map(|(_, result)| result).collect::<Vec<_>>()[..],
            [Ok(1), Err(JoinError::Panicked(_)), Err(JoinError::Cancelled(_))]
        ));
    });
}

/// P29.
#[test]
fn a_wait_whose_time_is_over_gives_both_parts() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let done = pool.submit(|| 1);
        let (gate, running) = gated(&pool, 2);
        let queued = pool.submit(|| 3);
        let waited =
            wait([queued, done, running], |_| false).join_timeout(Duration::from_millis(1));
        assert_eq!(waited.done.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1]);

        gate.open();
        let left: Vec<_> = waited.unfinished.into_iter().map(|left| left.join().unwrap()).collect();
        assert_eq!(left, [3, 2], "in the order in which they were handed in");
    });
}

/// P29: no time at all is time enough for what is there.
#[test]
fn a_wait_of_no_time_takes_all_that_is_there() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let handles: Vec<_> = (0..10).map(|n| pool.submit(move || n)).collect();
        flush(&pool);
        let waited = wait(handles, |_| false).join_timeout(Duration::ZERO);
        assert_eq!((waited.done.len(), waited.unfinished.len()), (10, 0));
    });
}

/// P29: the other end of the scale.
#[test]
fn a_wait_of_the_longest_time_waits_for_all() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let handles: Vec<_> = (0..10).map(|n| pool.submit(move || n)).collect();
        assert_eq!(wait(handles, |_| false).join_timeout(Duration::MAX).done.len(), 10);
    });
}

/// P31.
#[test]
fn waiting_for_nothing_returns_at_once() {
    watched(|| {
        let none: [JoinHandle<()>; 0] = [];
        let waited = wait(none, |_| true).join();
        assert_eq!((waited.done.len(), waited.unfinished.len()), (0, 0));
    });
}

/// P32.
#[test]
fn a_cancelled_job_is_done_at_once() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (_gate, running) = gated(&pool, ());
        let cancelled = pool.submit(|| ());
        cancelled.cancel();
        let waited = wait([running, cancelled], |_| true).join();
        assert!(matches!(waited.done[..], [Err(JoinError::Cancelled(CancelReason::Requested))]));
    });
}

/// P32.
#[test]
fn a_shutdown_that_cancels_ends_a_wait_that_is_under_way() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let handles = [(); 3].map(|()| pool.submit(|| ()));
        thread::scope(|scope| {
            scope.spawn(|| pool.shutdown(Shutdown::Cancel).unwrap());
            let waited = wait(handles, Result::is_ok).join(); // While the worker is busy still.
            assert!(
                waited.done.iter().all(|result| matches!(
                    result,
                    Err(JoinError::Cancelled(CancelReason::ShutDown))
                ))
            );
            gate.open();
        });
    });
}

/// P33.
#[test]
fn a_hundred_jobs_that_one_gate_lets_go_are_all_done() {
    watched(|| {
        for _ in 0..5 {
            let barrier = Arc::new(Barrier::new(100));
            let threads: Vec<_> = (0..100)
                .map(|_| {
                    let barrier = barrier.clone();
                    raw_thread::spawn(move || barrier.wait().is_leader())
                })
                .collect();
            let waited = wait(threads, Result::is_err).join();
            assert_eq!((waited.done.len(), waited.unfinished.len()), (100, 0));
        }
    });
}

/// P33: four threads each wait for jobs which the other three hand in and let go.
#[test]
fn many_waits_at_once_each_get_their_own() {
    watched(|| {
        let pool = ThreadPool::new(2);
        thread::scope(|scope| {
            for n in 0..4 {
                let pool = &pool;
                scope.spawn(move || {
                    for _ in 0..50 {
                        let waited = wait((0..10).map(|_| pool.submit(move || n)), |_| false);
                        let done = waited.join().done;
                        assert!(done.len() == 10 && done.into_iter().all(|got| got.unwrap() == n));
                    }
                });
            }
        });
    });
}

/// P34.
#[test]
fn one_wait_takes_jobs_of_two_pools_and_a_thread() {
    watched(|| {
        let (one, two) = (ThreadPool::new(1), ThreadPool::new(1));
        let handles = [one.submit(|| 1), two.submit(|| 2), raw_thread::spawn(|| 3)];
        let done = wait(handles, |_| false).join().done;
        assert_eq!(done.into_iter().map(Result::unwrap).sum::<i32>(), 6);
    });
}

/// P24: two that were there together come back together.
#[test]
fn more_than_one_may_be_enough() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let handles = [1, 2, 3].map(|n| pool.submit(move || n));
        flush(&pool);
        let waited = wait(handles, |_| true).join();
        assert_eq!((waited.done.len(), waited.unfinished.len()), (3, 0));
    });
}

/// P28.
#[test]
fn each_result_is_asked_about_once() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mut asked = 0;
        let handles: Vec<_> = (0..20).map(|n| pool.submit(move || n)).collect();
        wait(handles, |_| {
            asked += 1;
            false
        })
        .join();
        assert_eq!(asked, 20);
    });
}

/// P28.
#[test]
fn a_question_that_panics_loses_no_result() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let handles: Vec<_> = (0..5).map(|n| pool.submit(move || n)).collect();
        let mut asked = 0;
        let mut waiting = wait(handles, |_| {
            asked += 1;
            if asked == 2 {
                panic_quietly("a hard question")
            }
            false
        });
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(&mut waiting))).is_err());
        let done = waiting.join().done;
        assert_eq!(done.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    });
}

/// P24, P109.
#[test]
fn a_wait_can_be_awaited() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (_gate, slow) = gated(&pool, 1);
        let waited = block_on(async { wait([slow, pool.submit(|| 2)], |_| true).await });
        assert_eq!((waited.done.len(), waited.unfinished.len()), (1, 1));
    });
}

/// P14.
#[test]
fn a_wait_that_is_dropped_detaches_its_jobs() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let ran = Count::default();
        let handles = [(); 3].map(|()| {
            let ran = ran.clone();
            pool.submit(move || ran.add_one())
        });
        let mut waiting = wait(handles, |_| false);
        assert!(poll(&mut waiting, Waker::noop()).is_pending());
        drop(waiting);
        gate.open();
        flush(&pool);
        assert_eq!(ran.get(), 3);
    });
}

/// P29: it is never asleep, and still the clock is looked at.
#[test]
fn a_future_that_always_wakes_itself_does_not_outlast_a_timeout() {
    watched(|| {
        let waited = wait([Restless, Restless], |_| true).join_timeout(Duration::from_millis(1));
        assert_eq!((waited.done.len(), waited.unfinished.len()), (0, 2));
    });
}

/// P24.
#[test]
fn a_future_that_always_wakes_itself_does_not_hide_the_others() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let job: Boxed<_> = Box::pin(pool.submit(|| 7));
        let waited = wait([Box::pin(Restless), job], |_| true).join();
        assert_eq!((waited.done.len(), waited.unfinished.len()), (1, 1));
    });
}

/// P24: on the only worker of a pool, where nobody else could run the jobs.
#[test]
fn a_job_may_wait_for_the_first_of_its_own_jobs() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let waited = wait([1, 2, 3].map(|n| pool.submit(move || n)), |_| true).join();
                (waited.done.len(), waited.unfinished.len())
            }
        });
        assert_eq!(outer.join().unwrap(), (1, 2), "one was run for the wait, the others later");
    });
}

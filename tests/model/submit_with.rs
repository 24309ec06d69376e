//! Jobs that can be asked to stop: a token against the queue, the worker and the handle.

use std::sync::Arc;

use shuttle::sync::Barrier;
use shuttle::thread;

use super::{Tally, random_schedules};
use crate::error::{CancelReason, JoinError};
use crate::{Cancel, CancellationToken, ThreadPool, block_on};

/// The token is cancelled before, while or after the job is handed in, watched, begun and done.
#[test]
fn a_job_whose_token_is_cancelled_runs_or_is_cancelled_but_never_both() {
    random_schedules("asked: a token against the start", 100_000, || {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let (runs, held, is_done) = (Tally::default(), Arc::new(()), Tally::default());
        let canceller = thread::spawn({
            let (token, is_done) = (token.clone(), is_done.clone());
            move || {
                token.cancel();
                is_done.add_one();
            }
        });
        thread::yield_now(); // Nothing else lets the canceller go first.
        let was_cancelled_before = is_done.get() == 1;
        let job = pool.submit_with(&token, {
            let (runs, held) = (runs.clone(), held.clone());
            move |_| {
                runs.add_one();
                drop(held);
            }
        });
        let result = job.join();
        canceller.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.queued, stats.settled), (1, 0, 1));
        drop(pool);
        assert_eq!(runs.get(), usize::from(result.is_ok()));
        assert!(!(was_cancelled_before && result.is_ok()), "it began all the same");
        assert!(matches!(result, Ok(()) | Err(JoinError::Cancelled(CancelReason::Requested))));
        assert_eq!(Arc::strong_count(&held), 1, "the closure is still somewhere");
    });
}

/// The worker is at the gate, so that nobody but the one that waits can settle the job.
#[test]
fn a_queued_job_is_cancelled_with_its_token_at_once() {
    random_schedules("asked: a token against a join", 50_000, || {
        let [begun, gate] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let first = pool.submit({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.wait();
                gate.wait();
            }
        });
        begun.wait();
        let canceller = thread::spawn({
            let token = token.clone();
            move || token.cancel()
        });
        let second = pool.submit_with(&token, |_| unreachable!("the worker is at the first"));
        assert!(second.join().is_err());
        gate.wait();
        first.join().unwrap();
        canceller.join().unwrap();
    });
}

/// The job ends only when it is asked to: so it is dequeued, or asked, and never too late.
#[test]
fn a_job_that_waits_for_its_token_is_never_too_late_to_cancel() {
    random_schedules("asked: cancel against start, with a token", 100_000, || {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let job = pool.submit_with(&token, |token| block_on(token.cancelled()));
        let cancelled = job.cancel();
        let result = job.join();
        match cancelled {
            Cancel::Dequeued => assert!(result.is_err()),
            // The worker may have taken it and not begun: then its own look at the token was enough.
            Cancel::Asked => assert!(matches!(
                result,
                Ok(CancelReason::Requested) | Err(JoinError::Cancelled(CancelReason::Requested))
            )),
            Cancel::TooLate => panic!("nobody else ends it"),
        }
        assert!(!token.is_cancelled(), "the token of the job is a child");
    });
}

#[test]
fn a_cancel_that_races_the_end_changes_nothing() {
    random_schedules("asked: cancel against the end", 50_000, || {
        let (begun, pool) = (Arc::new(Barrier::new(2)), ThreadPool::new(1));
        let job = pool.submit_with(&CancellationToken::new(), {
            let begun = begun.clone();
            move |token| {
                begun.wait();
                token.is_cancelled()
            }
        });
        begun.wait();
        let cancelled = job.cancel();
        assert_ne!(cancelled, Cancel::Dequeued, "it has begun");
        let was_asked = job.join().expect("it has begun, and so it returns");
        assert!(!was_asked || cancelled == Cancel::Asked);
    });
}

/// The handle and the token, both at once, while the worker is elsewhere.
#[test]
fn a_job_that_two_cancel_settles_once() {
    random_schedules("asked: a token against the handle", 50_000, || {
        let gate = Arc::new(Barrier::new(2));
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let first = pool.submit({
            let gate = gate.clone();
            move || {
                gate.wait();
            }
        });
        let second = pool.submit_with(&token, |_| unreachable!("two cancel it"));
        let canceller = thread::spawn({
            let token = token.clone();
            move || token.cancel()
        });
        let _ = second.cancel(); // What it says depends on how far the other one is.
        assert!(second.join().is_err());
        canceller.join().unwrap();
        assert_eq!(pool.stats().settled, 1);
        gate.wait();
        first.join().unwrap();
    });
}

/// Room comes, and the submitter that waits for it has had enough, at the same time. Neither is lost.
#[test]
fn a_submitter_that_has_had_enough_of_waiting_for_room_takes_none_along() {
    random_schedules("asked: a token against room", 50_000, || {
        let [begun, gate] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
        let (pool, token) = (Arc::new(pool), CancellationToken::new());
        let first = pool.submit({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.wait();
                gate.wait();
            }
        });
        begun.wait();
        let queued = pool.submit(|| ());
        let submitter = thread::spawn({
            let (pool, token) = (pool.clone(), token.clone());
            move || drop(pool.submit_with(&token, |_| ()).join())
        });
        let canceller = thread::spawn(move || token.cancel());
        thread::yield_now();
        let _ = queued.cancel(); // There is room again, for the submitter or for nobody.
        submitter.join().unwrap();
        canceller.join().unwrap();
        drop(pool.try_submit(|| ()).expect("the room of both is free again"));
        assert!(pool.try_submit(|| ()).is_err(), "there is room for one, and for one only");
        gate.wait();
        first.join().unwrap();
    });
}

/// Nobody makes room for the job, and it settles all the same.
#[test]
fn a_submit_to_a_full_queue_ends_with_its_token() {
    random_schedules("asked: a token against a full queue", 50_000, || {
        let [begun, gate] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
        let (pool, token) = (Arc::new(pool), CancellationToken::new());
        let first = pool.submit({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.wait();
                gate.wait();
            }
        });
        begun.wait();
        let queued = pool.submit(|| ());
        let submitter = thread::spawn({
            let (pool, token) = (pool.clone(), token.clone());
            move || pool.submit_with(&token, |_| ()).join()
        });
        token.cancel();
        let submitted = submitter.join().unwrap();
        assert!(matches!(submitted, Err(JoinError::Cancelled(CancelReason::Requested))));
        gate.wait();
        first.join().unwrap();
        queued.join().unwrap();
    });
}

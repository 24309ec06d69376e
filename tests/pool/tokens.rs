//! Jobs that can be asked to stop: by a token, by their handle, or by nobody's waiting any more.

use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use handspun::{
    Cancel, CancelReason, CancellationToken, Cancelled, Clock, JoinError, JoinHandle, Shutdown,
    ThreadPool, as_completed, block_on,
};

use crate::setup::{Held, busy, flush, gated};
use crate::support::{Count, CountsDrop, Gate, WakeCounter, panic_quietly, poll, watched};

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Rounds of a race, as many as a test has the time for.
const ROUNDS: usize = if cfg!(debug_assertions) { 1_000 } else { 10_000 };

fn reason_of<T>(result: Result<T, JoinError>) -> Option<CancelReason> {
    match result {
        Err(JoinError::Cancelled(reason)) => Some(reason),
        Err(JoinError::Panicked(_)) | Ok(_) => None,
    }
}

/// A job that has begun, and pauses until it is asked to stop.
fn pausing(
    pool: &ThreadPool,
    token: &CancellationToken,
) -> JoinHandle<Result<&'static str, Cancelled>> {
    let begun = Gate::closed();
    let begins = begun.clone();
    let handle = pool.submit_with(token, move |token| {
        begins.open();
        token.sleep(HOUR).map(|()| "slept")
    });
    begun.pass();
    handle
}

#[test]
fn a_job_whose_token_nobody_cancels_is_like_any_other() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(2), CancellationToken::with_timeout(HOUR));
        let handles: Vec<_> = (0..100).map(|n| pool.submit_with(&token, move |_| n)).collect();
        let sum: i32 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
        assert_eq!((sum, token.is_cancelled()), (4950, false));
    });
}

/// P9 and P114, with a token.
#[test]
fn a_token_cancelled_while_its_job_is_queued_ends_the_wait_for_it_then_and_there() {
    watched(|| {
        let (pool, token, dropped) =
            (ThreadPool::new(1), CancellationToken::new(), Count::default());
        let gate = busy(&pool);
        let (captured, (counter, waker)) = (CountsDrop(dropped.clone()), WakeCounter::new());
        let mut queued = pool.submit_with(&token, move |_| drop(captured));
        assert!(poll(&mut queued, &waker).is_pending());
        token.cancel_because("lunch");
        assert_eq!(counter.wakes(), 1);
        assert_eq!(reason_of(queued.join()), Some(CancelReason::Because("lunch".into())));
        assert_eq!((dropped.get(), pool.stats().queued), (1, 0));
        gate.open();
    });
}

/// P8, with a token.
#[test]
fn a_job_that_is_handed_in_with_a_cancelled_token_never_runs() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(2), CancellationToken::new());
        token.cancel();
        for _ in 0..ROUNDS {
            let job = pool.submit_with(&token, |_| unreachable!("it was cancelled before"));
            assert_eq!(reason_of(job.join()), Some(CancelReason::Requested));
        }
        assert_eq!(pool.stats().settled, ROUNDS);
    });
}

/// P114.
#[test]
fn a_running_job_sees_that_its_token_is_cancelled_and_gives_what_it_returns() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let running = pausing(&pool, &token);
        token.cancel_because("lunch");
        let cancelled = running.join().unwrap().unwrap_err();
        assert_eq!(cancelled.reason, CancelReason::Because("lunch".into()));
    });
}

/// P117: it may ignore the token, and then nothing has happened.
#[test]
fn a_job_that_does_not_look_at_its_token_runs_to_its_end() {
    watched(|| {
        let (pool, token, gate) = (ThreadPool::new(1), CancellationToken::new(), Gate::closed());
        let (passes, begun) = (gate.clone(), Gate::closed());
        let begins = begun.clone();
        let running = pool.submit_with(&token, move |_| {
            begins.open();
            passes.pass();
            7
        });
        begun.pass();
        token.cancel();
        gate.open();
        assert_eq!(running.join().unwrap(), 7);
    });
}

/// Nobody waits for it: so it stays where it is, and is not run.
#[test]
fn a_cancelled_job_whose_handle_is_gone_is_dropped_when_its_turn_comes() {
    watched(|| {
        let (pool, token, dropped) =
            (ThreadPool::new(1), CancellationToken::new(), Count::default());
        let (gate, captured) = (busy(&pool), CountsDrop(dropped.clone()));
        drop(pool.submit_with(&token, move |_| {
            let _captured = captured;
            unreachable!("it was cancelled in the queue")
        }));
        token.cancel();
        assert_eq!((dropped.get(), pool.stats().queued), (0, 1));
        gate.open();
        flush(&pool);
        assert_eq!((dropped.get(), pool.stats().queued), (1, 0));
    });
}

/// P117. Nobody but the alarm looks at the clock here: the only worker is busy.
#[test]
fn a_deadline_settles_a_queued_job_though_no_worker_is_free() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let token = CancellationToken::with_timeout(MILLISECOND);
        let queued = [(); 10].map(|()| pool.submit_with(&token, |_| ()));
        for job in queued {
            assert_eq!(reason_of(job.join()), Some(CancelReason::DeadlinePassed));
        }
        assert_eq!(block_on(token.cancelled()), CancelReason::DeadlinePassed);
        gate.open();
    });
}

/// P117.
#[test]
fn a_jump_of_the_clock_ends_the_wait_for_all_that_are_queued() {
    watched(|| {
        let (pool, clock) = (ThreadPool::new(1), Clock::jumping());
        let gate = busy(&pool);
        let token = CancellationToken::on(&clock).child_with_timeout(HOUR);
        let queued: Vec<_> = (0..100).map(|_| pool.submit_with(&token, |_| ())).collect();
        clock.advance(HOUR);
        let mut reasons = queued.into_iter().map(|job| reason_of(job.join()).unwrap());
        assert!(reasons.all(|reason| reason == CancelReason::DeadlinePassed));
        gate.open();
    });
}

/// P117.
#[test]
fn a_running_job_sees_its_deadline() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let token = CancellationToken::with_timeout(MILLISECOND * 5);
        let running = pool.submit_with(&token, |token| token.sleep(HOUR));
        // It may have been in the queue for all of its time.
        let reason = match running.join() {
            Ok(slept) => slept.unwrap_err().to_string(),
            Err(never_began) => never_began.to_string(),
        };
        assert!(reason.contains("its deadline has passed"), "{reason}");
    });
}

/// P117.
#[test]
fn a_job_that_returns_before_its_deadline_is_none_the_wiser() {
    watched(|| {
        let (pool, clock) = (ThreadPool::new(1), Clock::jumping());
        let token = CancellationToken::on(&clock).child_with_timeout(HOUR);
        let job = pool.submit_with(&token, |token| token.remaining());
        flush(&pool);
        clock.advance(HOUR);
        assert_eq!(job.join().unwrap(), Some(HOUR));
    });
}

/// P7, with a token.
#[test]
fn cancel_asks_a_running_job_as_often_as_it_is_called() {
    watched(|| {
        let (pool, all) = (ThreadPool::new(1), CancellationToken::new());
        let (gate, begun) = (Held(Gate::closed()), Gate::closed());
        let (passes, begins) = (gate.0.clone(), begun.clone());
        let running = pool.submit_with(&all, move |token| {
            begins.open();
            passes.pass();
            token.is_cancelled()
        });
        let other = pool.submit_with(&all, CancellationToken::is_cancelled);
        begun.pass();
        assert_eq!([running.cancel(), running.cancel()], [Cancel::Asked; 2]);
        gate.open();
        assert!(running.join().unwrap());
        assert!(!other.join().unwrap() && !all.is_cancelled(), "only the job's own was cancelled");
    });
}

#[test]
fn cancel_comes_too_late_for_a_running_job_without_a_token_and_for_a_finished_one() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let (gate, running) = gated(&pool, ());
        assert_eq!(running.cancel(), Cancel::TooLate);
        let next = pool.submit_with(&token, |token| token.clone());
        gate.open();
        flush(&pool);
        assert_eq!(next.cancel(), Cancel::TooLate);
        assert!(!next.join().unwrap().is_cancelled());
    });
}

#[test]
fn cancel_takes_a_queued_job_with_a_token_out_of_the_queue() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let gate = busy(&pool);
        let queued = pool.submit_with(&token, |_| ());
        assert_eq!([queued.cancel(), queued.cancel()], [Cancel::Dequeued; 2]);
        assert!(!token.is_cancelled());
        gate.open();
    });
}

#[test]
fn a_token_that_outlives_its_jobs_keeps_nothing_of_them() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(2), CancellationToken::with_timeout(HOUR));
        let (dropped, mut last) = (Count::default(), Weak::new());
        for n in 0..ROUNDS {
            let captured = Arc::new(CountsDrop(dropped.clone()));
            last = Arc::downgrade(&captured);
            let job = pool.submit_with(&token, move |_| drop(captured));
            if n % 3 == 0 {
                job.cancel();
            } else if n % 3 == 1 {
                job.join().unwrap();
            }
        }
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!((dropped.get(), last.strong_count()), (ROUNDS, 0));
        assert!(token.cancel());
    });
}

#[test]
fn a_token_does_not_keep_a_pool_alive() {
    watched(|| {
        let (token, hook) = (CancellationToken::with_timeout(HOUR), Arc::new(()));
        let stays = Arc::downgrade(&hook);
        let builder = ThreadPool::builder().threads(1).on_start(move |_| drop(hook.clone()));
        let pool = builder.build().unwrap();
        drop(pool.submit_with(&token, |_| ()));
        let gate = busy(&pool);
        drop(pool.submit_with(&token, |_| ()));
        gate.open();
        drop(pool);
        assert_eq!(stays.strong_count(), 0);
    });
}

#[test]
fn a_queued_job_whose_handle_is_dropped_never_runs_if_that_cancels_it() {
    watched(|| {
        let (pool, dropped) = (ThreadPool::new(1), Count::default());
        let (gate, captured) = (busy(&pool), CountsDrop(dropped.clone()));
        let queued = pool.submit(move || {
            let _captured = captured;
            unreachable!("it was not wanted any more")
        });
        drop(queued.cancel_on_drop());
        assert_eq!((dropped.get(), pool.stats().queued), (1, 0));
        gate.open();
    });
}

#[test]
fn a_running_job_whose_handle_is_dropped_is_asked_to_stop() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        drop(pausing(&pool, &token).cancel_on_drop());
        flush(&pool);
        assert!(!token.is_cancelled());
    });
}

#[test]
fn a_finished_job_whose_handle_is_dropped_has_run() {
    watched(|| {
        let (pool, dropped) = (ThreadPool::new(1), Count::default());
        let value = CountsDrop(dropped.clone());
        let job = pool.submit(move || value).cancel_on_drop();
        flush(&pool);
        assert!(format!("{job:?}").contains("Finished"));
        drop(job);
        assert_eq!(dropped.get(), 1);
    });
}

#[test]
fn a_handle_that_cancels_on_drop_can_be_awaited_and_joined_like_any_other() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let kept = |token: &CancellationToken| token.clone();
        let its = block_on(pool.submit_with(&token, kept).cancel_on_drop()).unwrap();
        assert!(!its.is_cancelled(), "it was awaited to its end");
        let its = pool.submit_with(&token, kept).cancel_on_drop().into_handle().join().unwrap();
        assert!(!its.is_cancelled());
    });
}

#[test]
fn a_task_that_is_dropped_while_it_awaits_a_job_stops_the_job() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let running = pausing(&pool, &token).cancel_on_drop();
        let mut task = Box::pin(async move { running.await.unwrap() });
        assert!(poll(&mut task, &WakeCounter::new().1).is_pending());
        drop(task);
        flush(&pool);
    });
}

/// P77, with tokens.
#[test]
fn a_shutdown_that_cancels_gives_its_own_reason_and_cancels_no_token() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let gate = busy(&pool);
        let queued = pool.submit_with(&token, |_| ());
        let begun = pool.shutdown_timeout(Shutdown::Cancel, Duration::ZERO);
        assert!(begun.is_err() && !token.is_cancelled());
        let late = pool.submit_with(&token, |_| ());
        for job in [queued, late] {
            assert_eq!(reason_of(job.join()), Some(CancelReason::ShutDown));
        }
        assert!(token.cancel());
        gate.open();
    });
}

/// P67, with a token.
#[test]
fn a_job_that_panics_cancels_nothing() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(1), CancellationToken::new());
        let job = pool.submit_with(&token, |_| panic_quietly("on purpose"));
        assert!(matches!(job.join(), Err(JoinError::Panicked(_))));
        assert!(!token.is_cancelled());
    });
}

/// P114.
#[test]
fn the_first_error_can_stop_all_the_others() {
    watched(|| {
        let (pool, all) = (ThreadPool::new(2), CancellationToken::new());
        let running = pausing(&pool, &all);
        let fails = pool.submit_with(&all, |_| Err(Cancelled { reason: CancelReason::Requested }));
        let queued =
            (0..100).map(|_| pool.submit_with(&all, |token| token.sleep(HOUR).map(|()| "")));
        let mut all_of_them = as_completed([running, fails].into_iter().chain(queued));
        assert!(all_of_them.join_next().unwrap().unwrap().is_err());
        all.cancel();
        assert!(all_of_them.all(|result| result.is_err() || result.unwrap().is_err()));
        assert_eq!(pool.stats().submitted, 102);
    });
}

/// P64: who waits for a job on a worker hears that its token was cancelled.
#[test]
fn a_worker_that_joins_a_cancelled_job_does_not_run_it() {
    watched(|| {
        let (pool, token) = (Arc::new(ThreadPool::new(1)), CancellationToken::new());
        let own = pool.clone();
        let outer = pool.submit(move || {
            let inner = own.submit_with(&token, |_| unreachable!("it was cancelled in the queue"));
            token.cancel();
            reason_of(inner.join())
        });
        assert_eq!(outer.join().unwrap(), Some(CancelReason::Requested));
    });
}

#[test]
fn a_job_that_is_taken_back_has_its_token() {
    watched(|| {
        let (pool, token) = (Arc::new(ThreadPool::new(1)), CancellationToken::new());
        let own = pool.clone();
        let outer = pool.submit_with(&token, move |token| {
            let inner = own.submit_with(token, |token| token.cancel_because("from below"));
            (inner.join().unwrap(), token.is_cancelled())
        });
        assert_eq!(outer.join().unwrap(), (true, false), "a child does not cancel its parent");
        assert!(!token.is_cancelled());
    });
}

#[test]
fn a_closure_may_cancel_its_token_and_submit_where_it_is_dropped() {
    watched(|| {
        struct Reenters(CancellationToken, Weak<ThreadPool>, Count);

        impl Drop for Reenters {
            fn drop(&mut self) {
                assert!(!self.0.cancel(), "that is why we are dropped");
                let job = self.1.upgrade().unwrap().submit_with(&self.0, |_| ());
                assert!(job.is_finished());
                self.2.add_one();
            }
        }

        let (pool, token) = (Arc::new(ThreadPool::new(1)), CancellationToken::new());
        let (gate, dropped) = (busy(&pool), Count::default());
        let captured = Reenters(token.clone(), Arc::downgrade(&pool), dropped.clone());
        let queued = pool.submit_with(&token, move |_| drop(captured));
        token.cancel();
        assert!(queued.join().is_err());
        assert_eq!(dropped.get(), 1);
        gate.open();
    });
}

#[test]
fn a_flood_of_queued_jobs_is_cancelled_with_one_token() {
    watched(|| {
        let (pool, token, dropped) =
            (ThreadPool::new(1), CancellationToken::new(), Count::default());
        let gate: Held = busy(&pool);
        let queued: Vec<_> = (0..10_000)
            .map(|_| {
                let captured = CountsDrop(dropped.clone());
                pool.submit_with(&token, move |_| drop(captured))
            })
            .collect();
        token.cancel();
        assert!(as_completed(queued).all(|result| reason_of(result).is_some()));
        assert_eq!((dropped.get(), pool.stats().queued), (10_000, 0));
        gate.open();
    });
}

#[test]
fn a_cancel_that_races_the_begin_settles_the_job_once() {
    watched(|| {
        let (pool, ran) = (ThreadPool::new(2), Count::default());
        let mut n_ran = 0;
        for _ in 0..ROUNDS {
            let (token, ran) = (CancellationToken::new(), ran.clone());
            let cancels = token.clone();
            let canceller = thread::spawn(move || cancels.cancel());
            let job = pool.submit_with(&token, move |_| ran.add_one());
            n_ran += usize::from(job.join().is_ok());
            assert!(canceller.join().unwrap());
        }
        assert_eq!((ran.get(), pool.stats().settled), (n_ran, ROUNDS));
    });
}

#[test]
fn deadlines_that_race_the_begin_leave_every_job_settled() {
    watched(|| {
        let (pool, last) = (ThreadPool::new(2), Arc::new(Mutex::new(None)));
        let jobs = (0..ROUNDS as u64).map(|n| {
            let token = CancellationToken::with_timeout(Duration::from_micros(n % 200));
            let last = last.clone();
            pool.submit_with(&token, move |token| *last.lock().unwrap() = token.deadline())
        });
        let settled = as_completed(jobs.collect::<Vec<_>>()).count();
        assert_eq!((settled, pool.stats().settled), (ROUNDS, ROUNDS));
    });
}

//! Our timers on foreign executors, and foreign timers on ours.

use std::future::pending;
use std::time::{Duration, Instant};

use handspun::{
    CancelReason, CancellationToken, Clock, Executor, ThreadPool, hold, join_all, run, sleep,
    sleep_until, timeout,
};

use crate::elsewhere::everywhere;
use crate::support::watched;

const MOMENT: Duration = Duration::from_millis(2);
const AN_HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_sleep_takes_its_time_in_any_executor() {
    everywhere(|_| async {
        let began = Instant::now();
        sleep(MOMENT).await;
        assert!(began.elapsed() >= MOMENT);
    });
}

#[test]
fn a_timeout_ends_what_hangs_in_any_executor() {
    everywhere(|_| async {
        assert!(timeout(MOMENT, pending::<()>()).await.is_err());
        assert_eq!(timeout(AN_HOUR, async { 1 }).await, Ok(1));
    });
}

#[test]
fn of_nested_timeouts_the_earlier_or_the_inner_says_so_in_any_executor() {
    everywhere(|_| async {
        assert!(timeout(MOMENT, timeout(AN_HOUR, pending::<()>())).await.is_err());
        assert!(timeout(AN_HOUR, timeout(MOMENT, pending::<()>())).await.unwrap().is_err());
        assert!(timeout(Duration::ZERO, timeout(Duration::MAX, pending::<()>())).await.is_err());
    });
}

#[test]
fn times_come_one_by_one_in_any_executor() {
    everywhere(|_| async {
        let clock = Clock::current();
        let began = clock.now();
        sleep_until(began).await;
        sleep_until(began + MOMENT).await;
        assert!(clock.now() - began >= MOMENT);
    });
}

#[test]
fn who_is_late_for_every_time_is_timed_out_in_any_executor() {
    everywhere(|_| async {
        let began = Clock::current().now();
        let late_for_each = async {
            loop {
                sleep_until(began).await;
            }
        };
        let late: Result<(), _> = timeout(MOMENT, late_for_each).await;
        assert!(late.is_err());
    });
}

#[test]
fn a_token_is_heard_in_any_executor() {
    everywhere(|spawn| async move {
        let token = CancellationToken::new();
        let its_token = token.clone();
        spawn(Box::pin(async move { assert!(its_token.cancel_because("enough")) }));
        token.cancelled().await;
        assert!(token.check().unwrap_err().to_string().contains("enough"));
    });
}

#[test]
fn a_token_that_is_out_of_time_is_heard_in_any_executor() {
    everywhere(|_| async {
        let token = CancellationToken::with_timeout(MOMENT);
        token.cancelled().await;
        assert_eq!(token.reason(), Some(CancelReason::DeadlinePassed));
    });
}

#[test]
fn a_clock_that_jumps_wakes_sleepers_in_any_executor() {
    everywhere(|spawn| async move {
        let clock = Clock::jumping();
        let token = CancellationToken::on(&clock).child_with_timeout(AN_HOUR);
        let waiting = token.cancelled();
        spawn(Box::pin(async move { clock.advance(AN_HOUR) }));
        waiting.await;
    });
}

/// A158: a timer of `async-io` beside timers of ours, which are quicker, or slower.
#[test]
fn a_foreign_timer_runs_beside_ours() {
    watched(|| {
        run(async {
            let began = Instant::now();
            async_io::Timer::after(MOMENT).await;
            assert!(began.elapsed() >= MOMENT);
            assert!(timeout(MOMENT, async_io::Timer::after(AN_HOUR)).await.is_err());
            let sleepers = (0..100).map(|_| async_io::Timer::after(MOMENT));
            assert!(timeout(AN_HOUR, join_all(sleepers)).await.is_ok());
        });
    });
}

/// Whoever enters a runtime of tokio has its clock too, on our executor.
#[test]
fn a_timer_of_tokio_runs_on_our_executor_within_its_runtime() {
    watched(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let tokio = builder.worker_threads(1).enable_time().build().unwrap();
        let _inside = tokio.enter();
        run(async {
            tokio::time::sleep(MOMENT).await;
            assert!(tokio::time::timeout(MOMENT, sleep(AN_HOUR)).await.is_err());
        });
    });
}

/// A limit of it: nobody has told the clock that something is under way. A job of ours does, and a hold.
#[test]
fn a_clock_that_jumps_waits_for_our_jobs_and_for_what_is_held_alone() {
    watched(|| {
        let executor = Executor::builder().clock(Clock::jumping()).build();
        let pool = ThreadPool::new(1);
        executor.run(async {
            let job = pool.submit(|| async_io::block_on(async_io::Timer::after(MOMENT)));
            assert!(timeout(AN_HOUR, job).await.is_ok());
            let held = hold();
            assert!(timeout(AN_HOUR, async_io::Timer::after(MOMENT)).await.is_ok());
            drop(held);
            // An hour of real time: nobody waits for it.
            assert!(timeout(AN_HOUR, async_io::Timer::after(AN_HOUR)).await.is_err());
        });
    });
}

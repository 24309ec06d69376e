//! Sleeps that are armed in one place and polled in another.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Instant;

use handspun::{Clock, Executor, Sleep, block_on, sleep, spawn, yield_now};

use crate::setup::{dawdle, executor, jumping, millis, run, secs};
use crate::support::{WakeCounter, poll, run_elsewhere, watched};

/// Polls a sleep of so many milliseconds once, inside of that executor.
fn armed_in(executor: &Executor, ms: u64) -> Sleep {
    executor.run(async {
        let mut sleep = sleep(millis(ms));
        poll_fn(|context| Poll::Ready(Pin::new(&mut sleep).poll(context).is_pending())).await;
        sleep
    })
}

/// A53.
#[test]
fn a_sleep_goes_from_an_executor_to_a_blocking_wait() {
    watched(|| {
        let executor = executor().build();
        let began = Instant::now();
        block_on(armed_in(&executor, 2));
        drop(executor);
        assert!(began.elapsed() >= millis(2));
    });
}

/// A53.
#[test]
fn a_sleep_goes_from_one_executor_to_another() {
    watched(|| {
        let (one, other) = (executor().build(), executor().build());
        let began = Instant::now();
        let alarm = armed_in(&one, 2);
        other.run(async { spawn(alarm).await.unwrap() });
        assert!(began.elapsed() >= millis(2));
    });
}

/// A53.
#[test]
fn a_sleep_survives_the_executor_that_armed_it() {
    watched(|| {
        let began = Instant::now();
        let alarm = armed_in(&executor().build(), 2);
        run(alarm);
        let alarm = armed_in(&executor().build(), 2);
        block_on(alarm);
        let alarm = armed_in(&executor().build(), 2);
        run_elsewhere(vec![Box::pin(alarm)]);
        assert!(began.elapsed() >= millis(6));
    });
}

/// A53: its task is on another thread, and is woken when the executor goes.
#[test]
fn a_sleep_that_waits_elsewhere_hears_of_the_end_of_its_executor() {
    watched(|| {
        let executor = executor().build();
        let alarm = armed_in(&executor, 3);
        let waiting = thread::spawn(move || block_on(alarm));
        executor.run(yield_now());
        drop(executor);
        waiting.join().unwrap();
    });
}

/// A48.
#[test]
fn a_sleep_may_be_dropped_on_another_thread() {
    watched(|| {
        let executor = executor().build();
        let alarm = armed_in(&executor, 3_600_000);
        thread::spawn(move || drop(alarm)).join().unwrap();
        assert!(executor.try_run(std::future::pending::<()>()).is_err(), "no timer is left");
    });
}

/// A54: a clock that jumps takes its sleeper along, wherever it is polled.
#[test]
fn a_sleep_of_a_jumping_clock_ends_in_another_executor_when_that_clock_moves() {
    watched(|| {
        let clock = Clock::jumping();
        let executor = executor().clock(clock.clone()).build();
        let alarm = armed_in(&executor, 3_600_000);
        let moving = thread::spawn(move || {
            dawdle();
            clock.advance(secs(3600));
        });
        run(alarm);
        moving.join().unwrap();
    });
}

/// A54: who waits for real time holds a clock that jumps, also if it began to wait elsewhere.
#[test]
fn a_sleep_of_the_real_clock_holds_the_time_of_an_executor_that_jumps() {
    watched(|| {
        for is_armed in [true, false] {
            let mut alarm = sleep(millis(1100));
            if is_armed {
                assert!(poll(&mut alarm, Waker::noop()).is_pending());
            }
            let executor = jumping();
            let hour = executor.spawn(async { sleep(secs(3600)).await });
            let is_over = executor.try_run(async {
                spawn(alarm).await.unwrap();
                hour.is_finished()
            });
            assert!(!is_over.unwrap(), "an hour has passed within a second");
        }
    });
}

#[test]
fn a_sleep_that_has_moved_keeps_no_waker_where_it_was() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        let mut asleep = sleep(secs(3600));
        assert!(poll(&mut asleep, &waker).is_pending());
        run(poll_fn(|context| {
            assert!(Pin::new(&mut asleep).poll(context).is_pending());
            Poll::Ready(())
        }));
        assert_eq!(Arc::strong_count(&counter), 2);
    });
}

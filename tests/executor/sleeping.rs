//! Sleeps in an executor: their order, their limits, and what becomes of them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use handspun::{Clock, Executor, Sleep, block_on, join_all, sleep, sleep_until, spawn, yield_now};

use crate::setup::{
    Log, Tally, counted, executor, in_order, jumping, jumping_in_order, millis, run, secs,
};
use crate::support::{WakeCounter, poll, until, watched};

/// Sleeps so long each, side by side, and gives the order in which they woke.
fn order_of(executor: &Executor, nanos: &[u64]) -> Vec<u64> {
    let log = Log::new();
    executor.run(async {
        let tasks = nanos.iter().map(|nanos| {
            let (log, nanos) = (log.clone(), *nanos);
            let sleep = sleep(Duration::from_nanos(nanos));
            spawn(async move {
                sleep.await;
                log.add(nanos);
            })
        });
        join_all(tasks.collect::<Vec<_>>()).await;
    });
    log.take()
}

/// A44.
#[test]
fn a_sleep_of_zero_lets_the_others_run_once() {
    watched(|| {
        for executor in [in_order(), jumping_in_order()] {
            let polls = Tally::default();
            executor.run(counted(polls.clone(), async {
                let other = spawn(async {});
                sleep(Duration::ZERO).await;
                assert!(other.is_finished());
            }));
            assert!(polls.get() <= 2);
        }
    });
}

/// A46.
#[test]
fn an_earlier_deadline_that_is_armed_later_fires_first() {
    watched(|| {
        assert_eq!(order_of(&jumping(), &[30, 10, 20]), [10, 20, 30]);
        let real = [3_000_000, 1_000_000, 2_000_000];
        assert_eq!(order_of(&in_order(), &real), [1_000_000, 2_000_000, 3_000_000]);
    });
}

/// A46.
#[test]
fn equal_deadlines_fire_in_the_order_in_which_they_were_armed() {
    watched(|| {
        let log = Log::new();
        jumping_in_order().run(async {
            let deadline = Clock::current().now() + secs(1);
            let tasks = (0..100).map(|n| {
                let log = log.clone();
                spawn(async move {
                    sleep_until(deadline).await;
                    log.add(n);
                })
            });
            join_all(tasks.collect::<Vec<_>>()).await;
        });
        assert_eq!(log.take(), (0..100).collect::<Vec<_>>());
    });
}

/// A47.
#[test]
fn deadlines_a_nanosecond_apart_keep_their_order_and_their_time() {
    watched(|| {
        let nanos: Vec<_> = (0..1000).map(|n| (n * 7919) % 1000 + 1).collect();
        let mut sorted = nanos.clone();
        sorted.sort_unstable();
        assert_eq!(order_of(&jumping(), &nanos), sorted);
        jumping().run(async {
            let began = Clock::current().now();
            sleep(Duration::from_nanos(1)).await;
            assert_eq!(Clock::current().now() - began, Duration::from_nanos(1));
        });
    });
}

/// A48.
#[test]
fn a_sleep_that_is_dropped_leaves_no_timer() {
    watched(|| {
        let clock = Clock::jumping();
        let executor = executor().clock(clock.clone()).build();
        let polls = Tally::default();
        executor.run(counted(polls.clone(), async {
            let began = clock.now();
            for seconds in [1, 2, 3] {
                poll_once(&mut sleep(secs(seconds))).await;
            }
            sleep(secs(60)).await;
            assert_eq!(clock.now() - began, secs(60));
        }));
        assert_eq!(polls.get(), 2, "those that were dropped woke nobody");
    });
}

async fn poll_once(sleep: &mut Sleep) {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *sleep).poll(context).is_ready())).await;
}

/// A51.
#[test]
fn the_longest_sleep_and_the_latest_deadline_mean_never() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            executor.run(async {
                let never = spawn(sleep(Duration::MAX));
                let late = spawn(sleep_until(Instant::now() + Duration::from_secs(u64::MAX >> 2)));
                sleep(millis(1)).await;
                assert!(!never.is_finished() && !late.is_finished());
            });
        }
    });
}

/// A52.
#[test]
fn ten_years_pass_in_a_moment() {
    watched(|| {
        const TEN_YEARS: Duration = secs(10 * 365 * 24 * 3600);
        let clock = Clock::jumping();
        let began = clock.now();
        executor().clock(clock.clone()).build().run(sleep_in(TEN_YEARS));
        assert_eq!(clock.now() - began, TEN_YEARS);
    });
}

async fn sleep_in(duration: Duration) {
    sleep(duration).await;
}

/// A53.
#[test]
fn only_the_newest_waker_of_a_sleep_is_woken() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let (older, old_waker) = WakeCounter::new();
            executor.run(async {
                let mut alarm = sleep(millis(2));
                assert!(poll(&mut alarm, &old_waker).is_pending());
                alarm.await;
            });
            assert_eq!(older.wakes(), 0);
        }
    });
}

/// A46: a thousand sleepers, and each is polled twice.
#[test]
fn a_sleeper_is_polled_when_its_time_has_come_and_not_before() {
    watched(|| {
        let polls = Tally::default();
        jumping().run(async {
            let sleepers = (1..=1000).map(|n| spawn(counted(polls.clone(), sleep(secs(n)))));
            join_all(sleepers.collect::<Vec<_>>()).await;
        });
        assert_eq!(polls.get(), 2000);
    });
}

/// What the executor knows to be past it does not look at again.
#[test]
fn a_sleep_until_a_time_that_has_been_fired_keeps_no_waker() {
    watched(|| {
        run(async {
            let (counter, waker) = WakeCounter::new();
            let began = Instant::now();
            sleep(millis(1)).await;
            let mut past = sleep_until(began);
            assert!(poll(&mut past, &waker).is_pending(), "the others come first");
            assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2));
            assert!(poll(&mut past, &waker).is_ready());
        });
    });
}

/// A48: a sleep that has fired, or is dropped elsewhere, leaves none either.
#[test]
fn a_sleep_that_is_dropped_on_another_thread_leaves_no_timer() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        run(async {
            let mut asleep = sleep(secs(3600));
            assert!(poll(&mut asleep, &waker).is_pending());
            thread::spawn(move || drop(asleep)).join().unwrap();
            assert_eq!(Arc::strong_count(&counter), 2);
            sleep(millis(1)).await;
        });
    });
}

/// The executor is away when its time comes, and has forgotten what it has fired.
#[test]
fn a_sleep_goes_on_in_the_next_run_of_its_executor() {
    watched(|| {
        let executor = executor().build();
        for is_late in [false, true] {
            let due = Instant::now() + millis(2);
            let mut alarm = executor.run(async {
                let mut alarm = sleep_until(due);
                poll_once(&mut alarm).await;
                alarm
            });
            until(|| !is_late || Instant::now() >= due);
            executor.run(async { (&mut alarm).await });
            assert!(Instant::now() >= due);
        }
    });
}

/// A156: a task that blocks its thread until a time blocks the others, but not for ever.
#[test]
fn a_sleep_in_a_blocking_wait_of_a_task_ends() {
    watched(|| {
        run(async {
            let began = Instant::now();
            block_on(sleep(millis(2)));
            assert!(began.elapsed() >= millis(2));
            assert!(block_on(handspun::timeout(millis(2), std::future::pending::<()>())).is_err());
        });
    });
}

/// A156: the same sleep, first awaited by the task and then waited for by its thread.
#[test]
fn a_sleep_that_was_awaited_may_be_waited_for() {
    watched(|| {
        run(async {
            let mut alarm = sleep(millis(2));
            poll_once(&mut alarm).await;
            block_on(&mut alarm);
            let mut alarm = sleep(millis(2));
            let _ = Pin::new(&mut alarm).poll(&mut Context::from_waker(Waker::noop()));
            block_on(async { (&mut alarm).await });
            yield_now().await;
        });
    });
}

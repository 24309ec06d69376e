//! Intervals: the exact schedules.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use handspun::{Clock, Interval, MissedTicks, interval, sleep, timeout};

use crate::setup::{executor, jumping, millis, secs};
use crate::support::watched;

/// For each of so many ticks: when it was due, and when it came.
async fn ticks(interval: &mut Interval, n: usize) -> Vec<(u64, u64)> {
    let clock = Clock::current();
    let mut ticks = Vec::new();
    for _ in 0..n {
        let due = interval.tick().await;
        ticks.push((due, clock.now()));
    }
    let began = ticks[0].0;
    ticks.iter().map(|(due, came)| ((*due - began).as_secs(), (*came - began).as_secs())).collect()
}

/// Ticks once in 10 s; after the second tick nobody comes for 25 s.
fn late(missed: MissedTicks) -> Vec<(u64, u64)> {
    jumping().run(async {
        let mut interval = interval(secs(10)).missed_ticks(missed);
        let first = interval.tick().await;
        interval.tick().await;
        sleep(secs(25)).await;
        let clock = Clock::current();
        let mut seen = Vec::new();
        for _ in 0..4 {
            let due = interval.tick().await;
            seen.push(((due - first).as_secs(), (clock.now() - first).as_secs()));
        }
        seen
    })
}

/// A61.
#[test]
fn the_first_tick_is_now_and_ticks_do_not_drift() {
    watched(|| {
        let seen = jumping().run(async { ticks(&mut interval(secs(10)), 4).await });
        assert_eq!(seen, [(0, 0), (10, 10), (20, 20), (30, 30)]);
    });
}

/// A61.
#[test]
fn missed_ticks_come_in_a_burst() {
    watched(|| assert_eq!(late(MissedTicks::Burst), [(20, 35), (30, 35), (40, 40), (50, 50)]));
}

/// A61.
#[test]
fn missed_ticks_delay_those_that_follow() {
    watched(|| assert_eq!(late(MissedTicks::Delay), [(20, 35), (45, 45), (55, 55), (65, 65)]));
}

/// A61.
#[test]
fn missed_ticks_are_skipped() {
    watched(|| assert_eq!(late(MissedTicks::Skip), [(20, 35), (40, 40), (50, 50), (60, 60)]));
}

/// A61.
#[test]
fn a_tick_that_is_taken_in_time_misses_nothing_under_any_policy() {
    watched(|| {
        for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            let seen = jumping().run(async {
                let mut interval = interval(secs(10)).missed_ticks(missed);
                interval.tick().await;
                sleep(secs(5)).await;
                ticks(&mut interval, 3).await
            });
            assert_eq!(seen, [(0, 0), (10, 10), (20, 20)], "{missed:?}");
        }
    });
}

/// A61.
#[test]
fn a_reset_begins_a_whole_period() {
    watched(|| {
        jumping().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let mut interval = interval(secs(10));
            interval.tick().await;
            sleep(secs(7)).await;
            interval.reset();
            interval.tick().await;
            assert_eq!(clock.now() - began, secs(17));
        });
    });
}

/// A61.
#[test]
#[should_panic(expected = "an interval of zero never ends")]
fn an_interval_of_zero_is_refused() {
    let _ = interval(secs(0));
}

/// A61: a tick that is given up comes all the same.
#[test]
fn a_wait_for_a_tick_that_is_dropped_loses_none() {
    watched(|| {
        let seen = jumping().run(async {
            let mut interval = interval(secs(10));
            interval.tick().await;
            assert!(timeout(secs(3), interval.tick()).await.is_err());
            ticks(&mut interval, 2).await
        });
        assert_eq!(seen, [(0, 0), (10, 10)]);
    });
}

/// A51.
#[test]
fn an_interval_of_all_time_ticks_once() {
    watched(|| {
        jumping().run(async {
            let mut interval = interval(Duration::MAX);
            interval.tick().await;
            assert!(timeout(secs(3600), interval.tick()).await.is_err());
        });
    });
}

/// A66: whoever is late for every tick is not ready for ever, and so can be timed out.
#[test]
fn a_task_that_is_late_for_every_tick_lets_the_others_run() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let late: Result<(), _> = executor.run(async {
                let mut interval = interval(Duration::from_nanos(1));
                let ticks = async {
                    loop {
                        interval.tick().await;
                    }
                };
                timeout(Duration::from_micros(10), ticks).await
            });
            assert!(late.is_err());
        }
    });
}

/// A61: what it waits for beside the tick may always be ready, and then each wait for the tick is polled once.
#[test]
fn a_tick_comes_though_every_wait_for_it_is_given_up() {
    watched(|| {
        executor().build().run(async {
            let mut interval = interval(millis(1));
            let mut n_ticks = 0;
            while n_ticks < 3 {
                let mut tick = pin!(interval.tick());
                poll_fn(|context| {
                    n_ticks += usize::from(tick.as_mut().poll(context).is_ready());
                    Poll::Ready(())
                })
                .await;
            }
        });
    });
}

//! Something that is done again and again, in a loop of sleeps: the exact schedules.

use std::time::Duration;

use handspun::{Clock, sleep, sleep_until, timeout};

use crate::setup::{executor, jumping, secs};
use crate::support::watched;

/// Four times of a loop with a period of 10 s, of which the first takes `work`.
async fn times(work: Duration) -> Vec<u64> {
    let clock = Clock::current();
    let (began, mut due, mut seen) = (clock.now(), 0, Vec::new());
    for _ in 0..4 {
        sleep_until(began + secs(due)).await;
        let now = (clock.now() - began).as_secs();
        seen.push(now);
        if now == 0 {
            sleep(work).await;
        }
        due += 10;
    }
    seen
}

#[test]
fn a_loop_that_counts_from_the_last_time_does_not_drift() {
    watched(|| {
        assert_eq!(jumping().run(times(secs(7))), [0, 10, 20, 30]);
    });
}

#[test]
fn a_loop_that_is_late_catches_up() {
    watched(|| {
        assert_eq!(jumping().run(times(secs(25))), [0, 25, 25, 30]);
    });
}

/// A66: one that is late for every time is not ready for ever, and so can be timed out.
#[test]
fn a_task_that_is_late_for_every_time_lets_the_others_run() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let late: Result<(), _> = executor.run(async {
                let mut next = Clock::current().now();
                let late_for_each = async {
                    loop {
                        sleep_until(next).await;
                        next += Duration::from_nanos(1);
                    }
                };
                timeout(Duration::from_micros(10), late_for_each).await
            });
            assert!(late.is_err());
        }
    });
}

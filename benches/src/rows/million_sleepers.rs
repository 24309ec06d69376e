//! What does it cost to wake a million tasks that sleep?
//!
//! The time in the table is processor time, from the moment when all of them are asleep until the last
//! has ended: what they cost to fire. The CPU column adds what they cost to spawn and to arm. How much
//! memory each takes meanwhile is what the program `weights` says.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::Row;
use crate::line_up::LineUp;
use crate::{cpu, executors};

pub(crate) const ROW: Row = Row {
    name: "million-sleepers",
    question: "What processor time does it take to fire 1,000,000 sleeping tasks, each?",
    line_up: |scale| sleepers(scale.of(1_000_000), 1.0),
};

/// How many tasks of this turn have begun to sleep.
///
/// ORDERING: Relaxed, everywhere. One thread writes and reads it: contenders come one after another.
static ASLEEP: AtomicU64 = AtomicU64::new(0);

/// So many of them, a hundred milliseconds from the first to the last.
pub(crate) fn sleepers(n: u64, target: impl Into<Option<f64>>) -> LineUp {
    // Long enough that all are asleep before the first is due.
    let first = Duration::from_micros(20_000 + 2 * n);
    let tokio = executors::tokio();

    LineUp::told(n)
        .ours_told("handspun", target, move || {
            handspun::run(async {
                let start = begin();
                let sleeper = |number| {
                    handspun::spawn(async move {
                        ASLEEP.fetch_add(1, Relaxed);
                        handspun::sleep_until(start + first + offset(number, n)).await;
                    })
                };
                let tasks: Vec<_> = (0..n).map(sleeper).collect();
                while ASLEEP.load(Relaxed) < n {
                    handspun::yield_now().await;
                }
                let before = cpu::time_used();
                for task in tasks {
                    task.await.expect("the task does not panic");
                }
                each(before, n)
            })
        })
        .peer_told("tokio, one thread", move || {
            tokio.block_on(async {
                let start = begin();
                let sleeper = |number| {
                    tokio::spawn(async move {
                        ASLEEP.fetch_add(1, Relaxed);
                        let due = start + first + offset(number, n);
                        tokio::time::sleep_until(due.into()).await;
                    })
                };
                let tasks: Vec<_> = (0..n).map(sleeper).collect();
                while ASLEEP.load(Relaxed) < n {
                    tokio::task::yield_now().await;
                }
                let before = cpu::time_used();
                for task in tasks {
                    task.await.expect("the task does not panic");
                }
                each(before, n)
            })
        })
        .peer_told("async-io on smol", move || {
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(async {
                let start = begin();
                let sleeper = |number| {
                    executor.spawn(async move {
                        ASLEEP.fetch_add(1, Relaxed);
                        smol::Timer::at(start + first + offset(number, n)).await;
                    })
                };
                let tasks: Vec<_> = (0..n).map(sleeper).collect();
                while ASLEEP.load(Relaxed) < n {
                    smol::future::yield_now().await;
                }
                let before = cpu::time_used();
                for task in tasks {
                    task.await;
                }
                each(before, n)
            }))
        })
}

fn begin() -> Instant {
    ASLEEP.store(0, Relaxed);
    Instant::now()
}

/// Spread over a tenth of a second, and not in order.
fn offset(number: u64, of: u64) -> Duration {
    Duration::from_nanos(number * 7_919 % of * 100_000_000 / of)
}

/// The processor time since `before`, for one of `n`.
fn each(before: Duration, n: u64) -> Vec<Duration> {
    vec![(cpu::time_used() - before) / u32::try_from(n).expect("a million fits")]
}

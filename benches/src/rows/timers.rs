//! What does a timer cost that fires?
//!
//! The CPU column is the one to read: all of them wait for the same tenth of a second.

use std::time::Duration;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "timers",
    question: "What does a sleep cost, of 100,000 that end within a tenth of a second?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(100_000);
    let tokio = executors::tokio();

    LineUp::throughput(n, n)
        .ours("handspun", 0.6, move || {
            handspun::run(async {
                let sleep = |number| handspun::spawn(handspun::sleep(length_of(number, n)));
                let tasks: Vec<_> = (0..n).map(sleep).collect();
                for task in tasks {
                    task.await.expect("the task does not panic");
                }
                n
            })
        })
        .peer("tokio, one thread", move || {
            tokio.block_on(async {
                let sleep = |number| tokio::spawn(tokio::time::sleep(length_of(number, n)));
                let tasks: Vec<_> = (0..n).map(sleep).collect();
                for task in tasks {
                    task.await.expect("the task does not panic");
                }
                n
            })
        })
        .peer("async-io on smol", move || {
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(async {
                let sleep = |number| executor.spawn(smol::Timer::after(length_of(number, n)));
                let tasks: Vec<_> = (0..n).map(sleep).collect();
                for task in tasks {
                    task.await;
                }
                n
            }))
        })
}

/// Spread over the tenth of a second, and not in order.
fn length_of(number: u64, of: u64) -> Duration {
    Duration::from_nanos(number * 7_919 % of * 100_000_000 / of)
}

//! What does a timer cost that fires?
//!
//! The CPU column is the one to read: all of them wait for the same tenth of a second.

use std::time::Duration;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{crowd, executors};

pub(crate) const ROW: Row = Row {
    name: "timers",
    question: "What does a sleep cost, of 100,000 that end within a tenth of a second?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(100_000);
    let tokio = executors::tokio();

    LineUp::throughput(n, n)
        .ours("handspun", 1.0, move || {
            crowd::on_handspun(n, |number| {
                let sleep = handspun::sleep(length_of(number, n));
                async {
                    sleep.await;
                    1
                }
            })
        })
        .peer("tokio, one thread", move || {
            crowd::on_tokio(&tokio, n, |number| {
                let sleep = tokio::time::sleep(length_of(number, n));
                async {
                    sleep.await;
                    1
                }
            })
        })
        .peer("async-io on smol", move || {
            crowd::on_smol(n, |number| {
                let sleep = smol::Timer::after(length_of(number, n));
                async {
                    sleep.await;
                    1
                }
            })
        })
}

/// Spread over the tenth of a second, and not in order.
fn length_of(number: u64, of: u64) -> Duration {
    Duration::from_nanos(number * 7_919 % of * 100_000_000 / of)
}

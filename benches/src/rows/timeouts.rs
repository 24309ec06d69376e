//! What does a timeout cost that never fires?
//!
//! That is what becomes of most timeouts: the timer is set, and taken out again.

use std::time::Duration;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "timeouts",
    question: "What does a timeout of ten seconds cost, around a yield?",
    line_up,
};

const LONG: Duration = Duration::from_secs(10);

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200_000);
    let tokio = executors::tokio();

    LineUp::throughput(n, n)
        .ours("handspun", 1.0, move || {
            handspun::run(async {
                for _ in 0..n {
                    handspun::timeout(LONG, handspun::yield_now()).await.expect("it is quick");
                }
                n
            })
        })
        .peer("tokio, one thread", move || {
            tokio.block_on(async {
                for _ in 0..n {
                    tokio::time::timeout(LONG, tokio::task::yield_now())
                        .await
                        .expect("it is quick");
                }
                n
            })
        })
        .peer("async-io on smol", move || {
            // On a task: `async_io::block_on` would look at its timers after each wake of its own future.
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(executor.spawn(async move {
                for _ in 0..n {
                    let late = async {
                        smol::Timer::after(LONG).await;
                    };
                    smol::future::or(smol::future::yield_now(), late).await;
                }
                n
            })))
        })
        .baseline("handspun, the yield alone", move || {
            handspun::run(async {
                for _ in 0..n {
                    handspun::yield_now().await;
                }
                n
            })
        })
}

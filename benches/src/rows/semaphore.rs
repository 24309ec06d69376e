//! What does it cost to wait for one of three permits, with a thousand tasks in line?

use std::rc::Rc;
use std::sync::Arc;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "semaphore",
    question: "What does a permit cost, of 3, for which 1,000 tasks stand in line?",
    line_up,
};

const TIMES: u64 = 50;

fn line_up(scale: Scale) -> LineUp {
    let n_tasks = scale.of(1_000);
    let tokio = executors::tokio();

    LineUp::throughput(n_tasks * TIMES, n_tasks * TIMES)
        .ours("handspun Semaphore", 0.6, move || {
            handspun::run(async {
                let semaphore = Rc::new(handspun::Semaphore::new(3));
                let spawn = |_| {
                    let semaphore = semaphore.clone();
                    handspun::spawn(async move {
                        for _ in 0..TIMES {
                            let _permit = semaphore.acquire().await.expect("it stays open");
                            handspun::yield_now().await;
                        }
                        TIMES
                    })
                };
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("tokio Semaphore", move || {
            tokio.block_on(async {
                let semaphore = Arc::new(tokio::sync::Semaphore::new(3));
                let spawn = |_| {
                    let semaphore = semaphore.clone();
                    tokio::spawn(async move {
                        for _ in 0..TIMES {
                            let _permit = semaphore.acquire().await.expect("it stays open");
                            tokio::task::yield_now().await;
                        }
                        TIMES
                    })
                };
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
        .peer("async-lock, on handspun", move || {
            handspun::run(async {
                let semaphore = Rc::new(smol::lock::Semaphore::new(3));
                let spawn = |_| {
                    let semaphore = semaphore.clone();
                    handspun::spawn(async move {
                        for _ in 0..TIMES {
                            let _permit = semaphore.acquire().await;
                            handspun::yield_now().await;
                        }
                        TIMES
                    })
                };
                let tasks: Vec<_> = (0..n_tasks).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("the task does not panic");
                }
                sum
            })
        })
}

//! What does it cost to wait for one of three permits, with a thousand tasks in line?
//!
//! Ours and tokio's hand a permit to the first in line. With async-lock's, a task that has just given one
//! back may take it again before the first in line has looked: fewer waits, and no order.

use std::rc::Rc;
use std::sync::Arc;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{crowd, executors};

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
        .ours("handspun Semaphore", 1.0, move || {
            let semaphore = Rc::new(handspun::Semaphore::new(3));
            crowd::on_handspun(n_tasks, |_| {
                let semaphore = semaphore.clone();
                async move {
                    for _ in 0..TIMES {
                        let _permit = semaphore.acquire().await.expect("it stays open");
                        handspun::yield_now().await;
                    }
                    TIMES
                }
            })
        })
        .peer("tokio Semaphore", move || {
            let semaphore = Arc::new(tokio::sync::Semaphore::new(3));
            crowd::on_tokio(&tokio, n_tasks, |_| {
                tokio_takes(semaphore.clone(), tokio::task::yield_now)
            })
        })
        .peer("tokio Semaphore, on handspun", move || {
            let semaphore = Arc::new(tokio::sync::Semaphore::new(3));
            crowd::on_handspun(n_tasks, |_| tokio_takes(semaphore.clone(), handspun::yield_now))
        })
        .peer("async-lock, on handspun", move || {
            let semaphore = Rc::new(smol::lock::Semaphore::new(3));
            crowd::on_handspun(n_tasks, |_| {
                let semaphore = semaphore.clone();
                async move {
                    for _ in 0..TIMES {
                        let _permit = semaphore.acquire().await;
                        handspun::yield_now().await;
                    }
                    TIMES
                }
            })
        })
}

async fn tokio_takes(semaphore: Arc<tokio::sync::Semaphore>, yield_now: impl AsyncFn()) -> u64 {
    for _ in 0..TIMES {
        let _permit = semaphore.acquire().await.expect("it stays open");
        yield_now().await;
    }
    TIMES
}

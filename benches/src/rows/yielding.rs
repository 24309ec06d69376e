//! What does one poll cost, of a task that has just woken itself?

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{crowd, executors};

pub(crate) const ROW: Row = Row {
    name: "yield",
    question: "What does it cost a task to let all the others go first, of 1,000 that do?",
    line_up,
};

const TIMES: u64 = 200;

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(1_000);
    let (tokio, tokio_local) = (executors::tokio(), executors::tokio_local());
    let compio = executors::compio();
    let on_tokio = |_| yield_often(tokio::task::yield_now);
    let on_smol = |_| yield_often(smol::future::yield_now);

    LineUp::throughput(n * TIMES, n * TIMES)
        .ours("handspun", 1.0, move || crowd::on_handspun(n, |_| yield_often(handspun::yield_now)))
        .peer("tokio, one thread", move || crowd::on_tokio(&tokio, n, on_tokio))
        .peer("tokio LocalRuntime", move || crowd::on_tokio_local(&tokio_local, n, on_tokio))
        .peer("smol LocalExecutor", move || crowd::on_smol(n, on_smol))
        .peer("futures LocalPool", move || crowd::on_local_pool(n, on_smol))
        .peer("compio", move || crowd::on_compio(&compio, n, on_smol))
}

async fn yield_often<F: Future<Output = ()>>(yield_now: impl Fn() -> F) -> u64 {
    for _ in 0..TIMES {
        yield_now().await;
    }
    TIMES
}

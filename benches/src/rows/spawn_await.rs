//! What does a task cost, from its spawn to its result?
//!
//! All are spawned first and awaited afterwards, on an executor that has one thread: the one that asks.

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::{crowd, executors};

pub(crate) const ROW: Row = Row {
    name: "spawn-await",
    question: "What does it cost to spawn 200,000 empty tasks and to await them all?",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200_000);
    let (tokio, tokio_local) = (executors::tokio(), executors::tokio_local());
    let compio = executors::compio();
    let task = async |number| number;

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun", 1.3, move || crowd::on_handspun(n, task))
        .peer("tokio, one thread", move || crowd::on_tokio(&tokio, n, task))
        .peer("tokio LocalRuntime", move || crowd::on_tokio_local(&tokio_local, n, task))
        .peer("smol LocalExecutor", move || crowd::on_smol(n, task))
        .peer("futures LocalPool", move || crowd::on_local_pool(n, task))
        .peer("compio", move || crowd::on_compio(&compio, n, task))
}

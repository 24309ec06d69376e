//! What does a pool cost that has one job a millisecond, and nothing to do in between?
//!
//! Here the CPU column is the answer. A pool that looks around for long before it sleeps pays for it
//! after each job; the baseline is a thread that only sleeps.

use std::thread;
use std::time::Duration;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools;

pub(crate) const ROW: Row = Row {
    name: "trickle",
    question: "What does one empty job a millisecond cost, submitted and joined? (See the CPU.)",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200);
    let (ours, threadpool, tokio) = (pools::handspun(), pools::threadpool(), pools::tokio());
    let (sender, results) = crossbeam_channel::bounded(1);

    LineUp::latency(n)
        .ours("handspun submit, join", 1.01, move || {
            pause();
            ours.submit(|| 1).join().expect("the job does not panic")
        })
        .peer("threadpool + channel", move || {
            pause();
            let sender = sender.clone();
            threadpool.execute(move || sender.send(1).expect("the receiver outlives every job"));
            results.recv().expect("we hold a sender")
        })
        .peer("tokio spawn_blocking", move || {
            pause();
            tokio.block_on(tokio.spawn_blocking(|| 1)).expect("the job does not panic")
        })
        .baseline("no job at all", || {
            pause();
            1
        })
}

fn pause() {
    thread::sleep(Duration::from_millis(1));
}

//! What does a pool cost that has nothing to do at all?
//!
//! Here the CPU column is the answer. A pool whose idle workers look around now and then, or are woken
//! by a timer, shows it; one whose workers sleep costs what threads cost that wait for a message. In
//! every turn the pool is built, has one job for each worker, is left alone, and is dropped, for a pool
//! that is idle next to others could not be told from them. What that takes is in the figure as well,
//! once for all the milliseconds; the two sleeping threads of the baseline pay it too.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use super::Row;
use crate::line_up::{LineUp, Scale};
use crate::pools::{self, WORKERS};

pub(crate) const ROW: Row = Row {
    name: "idle",
    question: "What does a millisecond cost of a pool that has nothing to do? (See the CPU.)",
    line_up,
};

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(500);
    let nothing = move || {
        thread::sleep(Duration::from_millis(n));
        n
    };
    LineUp::throughput(n, n)
        .ours("handspun", 1.01, move || {
            let pool = pools::handspun();
            (0..WORKERS).for_each(|_| drop(pool.submit(|| black_box(1))));
            nothing()
        })
        .peer("rayon", move || {
            let pool = pools::rayon();
            pool.broadcast(|_| black_box(1));
            nothing()
        })
        .peer("threadpool", move || {
            let pool = pools::threadpool();
            (0..WORKERS).for_each(|_| pool.execute(|| _ = black_box(1)));
            nothing()
        })
        .peer("tokio", move || {
            let runtime = pools::tokio();
            (0..WORKERS).for_each(|_| drop(runtime.spawn(async { black_box(1) })));
            nothing()
        })
        .baseline("two threads that wait", move || {
            let (sender, messages) = crossbeam_channel::bounded::<()>(0);
            let wait = || {
                let messages = messages.clone();
                thread::spawn(move || messages.recv())
            };
            let threads: Vec<_> = (0..WORKERS).map(|_| wait()).collect();
            let slept = nothing();
            drop(sender);
            for thread in threads {
                let end = thread.join().expect("the thread does not panic");
                assert!(end.is_err(), "nobody sends a message");
            }
            slept
        })
        .baseline("nothing at all", nothing)
}

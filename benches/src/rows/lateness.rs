//! How late is a timer?
//!
//! A sleep promises *at least* its length. What is above it is the system's (a thread that sleeps is
//! woken some 50 µs late, and has to get a core), and the executor's. Ten tasks sleep at a time, each
//! for 1 to 20 ms, and each looks at the clock when it is awake again: these times are the answer, and
//! not how long it all took.

use std::thread;
use std::time::{Duration, Instant};

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "lateness",
    question: "How late is a sleep of 1 to 20 ms, when ten tasks sleep at a time?",
    line_up,
};

const N_SLEEPERS: u64 = 10;

fn line_up(scale: Scale) -> LineUp {
    let n_each = scale.of(1_000) / N_SLEEPERS;
    let tokio = executors::tokio_local();

    LineUp::told(n_each * N_SLEEPERS)
        .ours_told("handspun", 1.1, move || {
            handspun::run(async {
                let sleeper = |number| {
                    handspun::spawn(times(number, n_each, async |length| {
                        handspun::sleep(length).await
                    }))
                };
                let tasks: Vec<_> = (0..N_SLEEPERS).map(sleeper).collect();
                let mut times = Vec::new();
                for task in tasks {
                    times.extend(task.await.expect("the task does not panic"));
                }
                times
            })
        })
        .peer_told("tokio LocalRuntime", move || {
            tokio.block_on(async {
                let sleeper = |number| {
                    let sleep = async |length| tokio::time::sleep(length).await;
                    tokio::task::spawn_local(times(number, n_each, sleep))
                };
                let tasks: Vec<_> = (0..N_SLEEPERS).map(sleeper).collect();
                let mut times = Vec::new();
                for task in tasks {
                    times.extend(task.await.expect("the task does not panic"));
                }
                times
            })
        })
        .peer_told("async-io on smol", move || {
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(async {
                let sleeper = |number| {
                    let sleep = async |length| _ = smol::Timer::after(length).await;
                    executor.spawn(times(number, n_each, sleep))
                };
                let tasks: Vec<_> = (0..N_SLEEPERS).map(sleeper).collect();
                let mut times = Vec::new();
                for task in tasks {
                    times.extend(task.await);
                }
                times
            }))
        })
        .baseline_told("ten threads", move || {
            let sleeper = move |number| thread::spawn(move || times_of_a_thread(number, n_each));
            let threads: Vec<_> = (0..N_SLEEPERS).map(sleeper).collect();
            let join = |thread: thread::JoinHandle<_>| thread.join().expect("it does not panic");
            threads.into_iter().flat_map(join).collect()
        })
}

/// Sleeps `n` times, and says how late each was.
async fn times(number: u64, n: u64, sleep: impl AsyncFn(Duration)) -> Vec<Duration> {
    let mut times = Vec::new();
    for length in lengths(number, n) {
        let due = Instant::now() + length;
        sleep(length).await;
        times.push(since(due));
    }
    times
}

fn times_of_a_thread(number: u64, n: u64) -> Vec<Duration> {
    let sleep = |length| {
        let due = Instant::now() + length;
        thread::sleep(length);
        since(due)
    };
    lengths(number, n).map(sleep).collect()
}

fn since(due: Instant) -> Duration {
    Instant::now().checked_duration_since(due).expect("nobody wakes too early")
}

/// From 1 to 20 ms to the nanosecond, in an order that looks random, and is the same for everybody.
fn lengths(number: u64, n: u64) -> impl Iterator<Item = Duration> {
    let first = number * n;
    (first..first + n).map(|place| {
        let scattered = (place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        Duration::from_nanos(1_000_000 + scattered % 19_000_000)
    })
}

//! What is weighed: how each contender brings a great many of a thing into being at once.
//!
//! Knows nothing of the allocator: it is told how to read how much is in use.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;

use crate::line_up::Role;
use crate::pools::WORKERS;
use crate::{executors, pools};

/// One table.
pub(crate) struct Thing {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    pub(crate) contenders: &'static [Contender],
}

/// Somebody who has the thing.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// What so many of them take together, read by the function that is passed.
    pub(crate) bytes: fn(u64, InUse<'_>) -> u64,
}

type InUse<'a> = &'a dyn Fn() -> u64;

const fn ours(name: &'static str, bytes: fn(u64, InUse<'_>) -> u64) -> Contender {
    Contender { name, role: Role::Ours, bytes }
}

const fn peer(name: &'static str, bytes: fn(u64, InUse<'_>) -> u64) -> Contender {
    Contender { name, role: Role::Peer, bytes }
}

pub(crate) const ALL: &[Thing] = &[
    Thing {
        name: "queued-job",
        question: "How many bytes does a queued job take, with what its result comes home by?",
        contenders: &[
            ours("handspun submit", job_of_handspun),
            ours("handspun submit_all", jobs_of_handspun),
            peer("rayon spawn + channel", job_of_rayon),
            peer("threadpool + channel", job_of_threadpool),
            peer("tokio spawn_blocking", job_of_tokio),
        ],
    },
    Thing {
        name: "sleeping-task",
        question: "How many bytes does a task take that sleeps, with its handle?",
        contenders: &[
            ours("handspun", task_of_handspun),
            peer("tokio, one thread", task_of_tokio),
            peer("async-io on smol", task_of_smol),
        ],
    },
    Thing {
        name: "armed-timer",
        question: "How many bytes does a sleep take that one task has boxed and polled once?",
        contenders: &[
            ours("handspun", timer_of_handspun),
            peer("tokio, one thread", timer_of_tokio),
            peer("async-io on smol", timer_of_smol),
        ],
    },
];

/// So long that nothing ends before it is weighed.
const LONG: Duration = Duration::from_secs(3_600);

fn job_of_handspun(n: u64, in_use: InUse<'_>) -> u64 {
    let pool = pools::handspun();
    let gate = held(|wait| drop(pool.submit(wait)));
    let before = in_use();
    let mut handles = Vec::with_capacity(n as usize);
    handles.extend((0..n).map(|number| pool.submit(move || number)));
    let bytes = in_use() - before;
    gate.wait();
    drop(handles);
    bytes
}

fn jobs_of_handspun(n: u64, in_use: InUse<'_>) -> u64 {
    let pool = pools::handspun();
    let gate = held(|wait| drop(pool.submit(wait)));
    let before = in_use();
    let handles = pool.submit_all((0..n).map(|number| move || number));
    let bytes = in_use() - before;
    gate.wait();
    drop(handles);
    bytes
}

fn job_of_rayon(n: u64, in_use: InUse<'_>) -> u64 {
    let pool = pools::rayon();
    let gate = held(|wait| pool.spawn(wait));
    let (sender, results) = crossbeam_channel::unbounded();
    let before = in_use();
    for number in 0..n {
        let sender = sender.clone();
        pool.spawn(move || sender.send(number).expect("we hold the receiver"));
    }
    let bytes = in_use() - before;
    drop(sender);
    gate.wait();
    assert_eq!(results.into_iter().count() as u64, n, "every job runs");
    bytes
}

fn job_of_threadpool(n: u64, in_use: InUse<'_>) -> u64 {
    let pool = pools::threadpool();
    let gate = held(|wait| pool.execute(wait));
    let (sender, results) = crossbeam_channel::unbounded();
    let before = in_use();
    for number in 0..n {
        let sender = sender.clone();
        pool.execute(move || sender.send(number).expect("we hold the receiver"));
    }
    let bytes = in_use() - before;
    drop(sender);
    gate.wait();
    assert_eq!(results.into_iter().count() as u64, n, "every job runs");
    bytes
}

fn job_of_tokio(n: u64, in_use: InUse<'_>) -> u64 {
    let runtime = pools::tokio();
    let gate = held(|wait| drop(runtime.spawn_blocking(wait)));
    let before = in_use();
    let mut handles = Vec::with_capacity(n as usize);
    handles.extend((0..n).map(|number| runtime.spawn_blocking(move || number)));
    let bytes = in_use() - before;
    gate.wait();
    drop(handles);
    bytes
}

/// Gives every worker a job in which it waits at the barrier that is returned, and which the caller
/// has yet to reach.
fn held(mut submit: impl FnMut(Box<dyn FnOnce() + Send>)) -> Arc<Barrier> {
    let (here, gate) = (Arc::new(Barrier::new(WORKERS + 1)), Arc::new(Barrier::new(WORKERS + 1)));
    for _ in 0..WORKERS {
        let (here, gate) = (here.clone(), gate.clone());
        submit(Box::new(move || {
            here.wait();
            gate.wait();
        }));
    }
    here.wait();
    gate
}

/// How many tasks have begun to sleep. A process weighs one thing, once, and on one thread.
static ASLEEP: AtomicU64 = AtomicU64::new(0);

/// The body of each task. It makes the sleep itself: one that is passed in would be in the task twice.
async fn sleeper<F: Future>(sleep: impl FnOnce() -> F) {
    // ORDERING: Relaxed. Only one thread reads and writes it.
    ASLEEP.fetch_add(1, Relaxed);
    sleep().await;
}

fn some_are_awake(n: u64) -> bool {
    // ORDERING: Relaxed, as above.
    ASLEEP.load(Relaxed) < n
}

fn task_of_handspun(n: u64, in_use: InUse<'_>) -> u64 {
    handspun::run(async {
        let before = in_use();
        let mut tasks = Vec::with_capacity(n as usize);
        tasks.extend((0..n).map(|_| handspun::spawn(sleeper(|| handspun::sleep(LONG)))));
        while some_are_awake(n) {
            handspun::yield_now().await;
        }
        in_use() - before
    })
}

fn task_of_tokio(n: u64, in_use: InUse<'_>) -> u64 {
    executors::tokio().block_on(async {
        let before = in_use();
        let mut tasks = Vec::with_capacity(n as usize);
        tasks.extend((0..n).map(|_| tokio::spawn(sleeper(|| tokio::time::sleep(LONG)))));
        while some_are_awake(n) {
            tokio::task::yield_now().await;
        }
        in_use() - before
    })
}

fn task_of_smol(n: u64, in_use: InUse<'_>) -> u64 {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let before = in_use();
        let mut tasks = Vec::with_capacity(n as usize);
        tasks.extend((0..n).map(|_| executor.spawn(sleeper(|| smol::Timer::after(LONG)))));
        while some_are_awake(n) {
            smol::future::yield_now().await;
        }
        in_use() - before
    }))
}

fn timer_of_handspun(n: u64, in_use: InUse<'_>) -> u64 {
    handspun::run(armed(n, in_use, || handspun::sleep(LONG)))
}

fn timer_of_tokio(n: u64, in_use: InUse<'_>) -> u64 {
    executors::tokio().block_on(armed(n, in_use, || tokio::time::sleep(LONG)))
}

fn timer_of_smol(n: u64, in_use: InUse<'_>) -> u64 {
    smol::block_on(armed(n, in_use, || smol::Timer::after(LONG)))
}

/// Polls `n` sleeps once each, and lets them go when they have been weighed. In boxes for everybody,
/// because one of them may not move.
async fn armed<F: Future>(n: u64, in_use: InUse<'_>, sleep: impl Fn() -> F) -> u64 {
    let before = in_use();
    let mut sleeps: Vec<Pin<Box<F>>> = Vec::with_capacity(n as usize);
    std::future::poll_fn(|context| {
        for _ in 0..n {
            let mut sleep = Box::pin(sleep());
            assert!(sleep.as_mut().poll(context).is_pending(), "an hour has not passed");
            sleeps.push(sleep);
        }
        Poll::Ready(())
    })
    .await;
    in_use() - before
}

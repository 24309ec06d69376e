//! What does a job cost when all the others are queued before it runs?
//!
//! The workers are held until the last job is queued, so that the queue is as long as the name says: a
//! million in the row, and from a thousand in a curve. The cost of a job should be about the same at each
//! length; what it grows by is memory that does not fit into the caches any more.

use std::sync::{Arc, Barrier};

use super::Row;
use crate::line_up::{LineUp, UNTARGETED};
use crate::pools::{self, WORKERS};

pub(crate) const ROW: Row = Row {
    name: "queue-depth",
    question: "What does an empty job cost when 1,000,000 are queued before the first one runs?",
    line_up: |scale| of(1, scale.of(1_000_000), 1.0),
};

/// The curve's line-up: so many are queued at a time, and a hundred thousand in a turn if they are fewer.
pub(crate) fn deep(n: u64) -> LineUp {
    of((100_000 / n).max(1), n, UNTARGETED)
}

/// So many times, `n` jobs.
fn of(times: u64, n: u64, target: impl Into<Option<f64>>) -> LineUp {
    let (ours, rayon) = (pools::handspun(), pools::rayon());
    let (threadpool, tokio) = (pools::threadpool(), pools::tokio());
    LineUp::throughput(times * n, times * (0..n).sum::<u64>())
        .ours("handspun submit", target, move || (0..times).map(|_| with_handles(&ours, n)).sum())
        .peer("rayon spawn + channel", move || through_a_channel(&rayon, times, n))
        .peer("threadpool + channel", move || through_a_channel(&threadpool, times, n))
        .peer("tokio spawn_blocking + channel", move || through_a_channel(&tokio, times, n))
}

fn with_handles(pool: &handspun::ThreadPool, n: u64) -> u64 {
    let gate = Gate::shut(pool);
    let handles: Vec<_> = (0..n).map(|number| pool.submit(move || number)).collect();
    gate.open();
    handles.into_iter().map(|handle| handle.join().expect("the job does not panic")).sum()
}

fn through_a_channel(pool: &impl Spawn, times: u64, n: u64) -> u64 {
    let run = |_| {
        let gate = Gate::shut(pool);
        let (sender, results) = crossbeam_channel::unbounded();
        for number in 0..n {
            let sender = sender.clone();
            pool.spawn(move || sender.send(number).expect("we hold the receiver"));
        }
        drop(sender);
        gate.open();
        results.into_iter().sum::<u64>()
    };
    (0..times).map(run).sum()
}

/// Holds every worker of a pool until it is opened.
struct Gate(Arc<Barrier>);

impl Gate {
    fn shut(pool: &impl Spawn) -> Self {
        let gate = Arc::new(Barrier::new(WORKERS + 1));
        for _ in 0..WORKERS {
            let gate = gate.clone();
            pool.spawn(move || {
                gate.wait();
            });
        }
        Self(gate)
    }

    fn open(self) {
        self.0.wait();
    }
}

/// A pool that runs a closure, whatever else it can do.
trait Spawn {
    fn spawn(&self, job: impl FnOnce() + Send + 'static);
}

impl Spawn for handspun::ThreadPool {
    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.submit(job));
    }
}

impl Spawn for rayon::ThreadPool {
    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(job);
    }
}

impl Spawn for threadpool::ThreadPool {
    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.execute(job);
    }
}

impl Spawn for tokio::runtime::Runtime {
    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        drop(self.spawn_blocking(job));
    }
}

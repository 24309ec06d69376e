//! The same seed gives the same run, and no seed breaks a promise.

use handspun::{
    Clock, Executor, Queue, Semaphore, join_all, map_concurrent, sleep, spawn, task_group,
    yield_now,
};
use std::rc::Rc;

use crate::setup::{Log, millis, secs};
use crate::support::watched;

fn seeded(seed: u64) -> Executor {
    Executor::builder().clock(Clock::jumping()).seed(seed).build()
}

/// Who was polled, and when by the clock.
fn trace_of(seed: u64) -> Vec<(usize, u128)> {
    let log = Log::new();
    let clock = Clock::jumping();
    let executor = Executor::builder().clock(clock.clone()).seed(seed).build();
    let began = clock.now();
    executor.run(async {
        let tasks = (0..8).map(|n| {
            let (log, clock) = (log.clone(), clock.clone());
            spawn(async move {
                for pause in 0..4 {
                    log.add((n, (clock.now() - began).as_nanos()));
                    yield_now().await;
                    sleep(millis(pause * 7 % 3)).await;
                }
            })
        });
        join_all(tasks.collect::<Vec<_>>()).await;
    });
    log.take()
}

/// A26, A59.
#[test]
fn the_same_seed_gives_the_same_trace() {
    watched(|| {
        for seed in 0..10 {
            assert_eq!(trace_of(seed), trace_of(seed));
        }
    });
}

/// A26.
#[test]
fn different_seeds_give_different_traces() {
    watched(|| {
        let mut traces: Vec<_> = (0..10).map(trace_of).collect();
        traces.sort_unstable();
        traces.dedup();
        assert_eq!(traces.len(), 10);
    });
}

/// A26: 0 is as good a seed as any, and so is the one that the generator would not like.
#[test]
fn every_seed_shuffles() {
    watched(|| {
        let in_order: Vec<_> = (0..8).collect();
        for seed in [0, 0x9E37_79B9_7F4A_7C15, u64::MAX] {
            let mut traces = Vec::new();
            for _ in 0..2 {
                traces.push(trace_of(seed));
            }
            let first: Vec<_> = traces[0].iter().take(8).map(|(n, _)| *n).collect();
            assert_ne!(first, in_order, "seed {seed}");
        }
    });
}

/// A26: a program with a bit of everything.
async fn program() -> u64 {
    let gate = Rc::new(Semaphore::new(2));
    let queue = Rc::new(Queue::bounded(3));
    let sum = spawn({
        let queue = queue.clone();
        async move {
            let mut sum = 0;
            while let Ok(item) = queue.get().await {
                sum += *item;
            }
            sum
        }
    });
    let passed = task_group(async |group| {
        for n in 0..10 {
            let (gate, queue) = (gate.clone(), queue.clone());
            group.spawn(async move {
                let _permit = gate.acquire().await.unwrap();
                sleep(secs(n % 3)).await;
                queue.put(n).await.unwrap();
            });
        }
    });
    passed.await.unwrap();
    let mut squares = map_concurrent(0..10, 3, async |n: u64| {
        sleep(millis(10 - n)).await;
        n * n
    });
    while let Some(square) = squares.next().await {
        queue.put(square.unwrap()).await.unwrap();
    }
    queue.close(handspun::Close::Drain);
    sum.await.unwrap()
}

/// A26.
#[test]
fn ten_seeds_give_the_same_answer() {
    watched(|| {
        for seed in 0..10 {
            assert_eq!(seeded(seed).run(program()), 45 + 285, "seed {seed}");
        }
    });
}

/// A26: the order of those who wait in a line is a promise, and no seed touches it.
#[test]
fn no_seed_touches_the_order_of_equal_deadlines_of_one_task() {
    watched(|| {
        for seed in 0..10 {
            let log = Log::new();
            seeded(seed).run(async {
                for n in 0..5 {
                    sleep(secs(1)).await;
                    log.add(n);
                }
            });
            assert_eq!(log.take(), [0, 1, 2, 3, 4]);
        }
    });
}

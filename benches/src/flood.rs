//! The same flood for everybody: submit a job for each number of a range, join all, add up what
//! they return.
//!
//! Each function is what a careful user of that library would write. Where the library has no
//! handle that holds a result, the results come home through a channel.

use std::ops::Range;

use futures::executor::block_on;
use futures::task::SpawnExt;
use tokio::runtime::Runtime;

pub(crate) fn handspun(pool: &handspun::ThreadPool, numbers: Range<u64>) -> u64 {
    let handles: Vec<_> = numbers.map(|number| pool.submit(move || number)).collect();
    handles.into_iter().map(|handle| handle.join().expect("the job does not panic")).sum()
}

pub(crate) fn handspun_all(pool: &handspun::ThreadPool, numbers: Range<u64>) -> u64 {
    let handles = pool.submit_all(numbers.map(|number| move || number));
    handles.into_iter().map(|handle| handle.join().expect("the job does not panic")).sum()
}

pub(crate) fn rayon_spawn(pool: &rayon::ThreadPool, numbers: Range<u64>) -> u64 {
    let (sender, results) = crossbeam_channel::unbounded();
    for number in numbers {
        let sender = sender.clone();
        pool.spawn(move || sender.send(number).expect("we hold the receiver"));
    }
    // The iteration below ends when the last sender is gone, and ours is one of them.
    drop(sender);
    results.into_iter().sum()
}

/// Rayon's scope, begun on a worker: the jobs are spawned from inside, onto that worker's own
/// deque.
pub(crate) fn rayon_scope(pool: &rayon::ThreadPool, numbers: Range<u64>) -> u64 {
    let mut results = vec![0; numbers.clone().count()];
    pool.scope(|scope| {
        for (slot, number) in results.iter_mut().zip(numbers) {
            scope.spawn(move |_| *slot = number);
        }
    });
    results.iter().sum()
}

/// Rayon's scope, begun on the calling thread: the jobs are spawned from outside, as everybody
/// else's here.
pub(crate) fn rayon_in_place_scope(pool: &rayon::ThreadPool, numbers: Range<u64>) -> u64 {
    let mut results = vec![0; numbers.clone().count()];
    pool.in_place_scope(|scope| {
        for (slot, number) in results.iter_mut().zip(numbers) {
            scope.spawn(move |_| *slot = number);
        }
    });
    results.iter().sum()
}

pub(crate) fn threadpool(pool: &threadpool::ThreadPool, numbers: Range<u64>) -> u64 {
    let (sender, results) = crossbeam_channel::unbounded();
    for number in numbers {
        let sender = sender.clone();
        pool.execute(move || sender.send(number).expect("we hold the receiver"));
    }
    drop(sender);
    results.into_iter().sum()
}

pub(crate) fn tokio(runtime: &Runtime, numbers: Range<u64>) -> u64 {
    let handles = numbers.map(|number| runtime.spawn_blocking(move || number)).collect();
    runtime.block_on(add_up(handles))
}

/// The job is a task that never waits: it runs on the workers that tasks have, and not on those for jobs
/// that block.
pub(crate) fn tokio_tasks(runtime: &Runtime, numbers: Range<u64>) -> u64 {
    let handles = numbers.map(|number| runtime.spawn(async move { number })).collect();
    runtime.block_on(add_up(handles))
}

async fn add_up(handles: Vec<tokio::task::JoinHandle<u64>>) -> u64 {
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.expect("the job does not panic");
    }
    sum
}

pub(crate) fn futures(pool: &futures::executor::ThreadPool, numbers: Range<u64>) -> u64 {
    let handles: Vec<_> = numbers
        .map(|number| {
            pool.spawn_with_handle(async move { number }).expect("the pool is not shut down")
        })
        .collect();
    block_on(async {
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    })
}

pub(crate) fn rusty_pool(pool: &rusty_pool::ThreadPool, numbers: Range<u64>) -> u64 {
    let handles: Vec<_> = numbers.map(|number| pool.evaluate(move || number)).collect();
    handles.into_iter().map(|handle| handle.await_complete()).sum()
}

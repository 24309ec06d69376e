//! Waiting for one job: whoever waits, and however, hears of it once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Tally, random_schedules};
use crate::{ThreadPool, block_on};

#[test]
fn a_job_that_is_awaited_wakes_its_task() {
    random_schedules("handle: await against settle", 100_000, || {
        let pool = ThreadPool::new(1);
        let sum = block_on(async {
            let (left, right) = (pool.submit(|| 20), pool.submit(|| 22));
            left.await.unwrap() + right.await.unwrap()
        });
        assert_eq!(sum, 42);
    });
}

/// A future may be polled by one task and then move to another.
#[test]
fn the_newest_waker_is_the_one_that_is_woken() {
    random_schedules("handle: a waker replaced against settle", 100_000, || {
        let pool = ThreadPool::new(1);
        let mut job = pool.submit(|| 7);
        let first = Pin::new(&mut job).poll(&mut Context::from_waker(Waker::noop()));
        let value = match first {
            Poll::Ready(value) => value,
            Poll::Pending => block_on(job),
        };
        assert_eq!(value.unwrap(), 7);
    });
}

#[test]
fn a_callback_runs_exactly_once() {
    random_schedules("handle: on_complete against settle", 100_000, || {
        let pool = ThreadPool::new(1);
        let calls = Tally::default();
        pool.submit(|| 7).on_complete({
            let calls = calls.clone();
            move |result| {
                assert_eq!(result.unwrap(), 7);
                calls.add_one();
            }
        });
        drop(pool);
        assert_eq!(calls.get(), 1);
    });
}

/// The value is counted by its drop, whichever of the two threads has to dispose of it.
#[test]
fn a_result_that_nobody_reads_is_dropped_once() {
    random_schedules("handle: drop against settle", 100_000, || {
        struct Counted(Tally);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.add_one();
            }
        }
        let pool = ThreadPool::new(1);
        let drops = Tally::default();
        let value = Counted(drops.clone());
        drop(pool.submit(move || value));
        drop(pool);
        assert_eq!(drops.get(), 1);
    });
}

/// The hook hears of a panic if, and only if, nobody read it.
#[test]
fn a_panic_is_read_or_told_to_the_hook() {
    random_schedules("handle: drop against a panic", 100_000, || {
        let told = Tally::default();
        let hook = told.clone();
        let pool = ThreadPool::builder().threads(1).panic_hook(move |_| hook.add_one());
        let pool = Arc::new(pool.build().unwrap());
        let read = pool.submit(|| std::panic::resume_unwind(Box::new("read")));
        drop(pool.submit(|| std::panic::resume_unwind(Box::new("unread"))));
        assert!(read.join().is_err());
        drop(pool);
        assert_eq!(told.get(), 1);
    });
}

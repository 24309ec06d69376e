//! The core module: a parker never loses a wake, and what settles is heard of.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use shuttle::thread;

use super::every_schedule;
use crate::wait::block_on::block_on_until;
use crate::wait::clock::Deadline;
use crate::wait::parker::Parker;
use crate::wait::settle::Settle;

/// Waits in a thread for what a cell settles to, as `JoinHandle::join` does.
fn join<T>(cell: &Settle<(), T>) -> T {
    let value = std::future::poll_fn(|context: &mut Context<'_>| -> Poll<T> { cell.poll(context) });
    block_on_until(pin!(value), Deadline::Never, Duration::ZERO).expect("never has not passed")
}

fn running() -> Settle<(), u32> {
    let cell = Settle::queued(());
    cell.begin();
    cell
}

#[test]
fn an_unpark_always_ends_the_park() {
    every_schedule("parker: one unpark, one park", 10_000, || {
        let parker = Arc::new(Parker::new());
        let other = parker.clone();
        let waker = thread::spawn(move || other.unpark());
        parker.park(Deadline::Never); // The checker reports a deadlock if this never returns.
        waker.join().unwrap();
    });
}

#[test]
fn two_unparks_end_two_parks_or_count_as_one() {
    every_schedule("parker: two unparkers", 100_000, || {
        let parker = Arc::new(Parker::new());
        let wakers: Vec<_> = (0..2)
            .map(|_| {
                let parker = parker.clone();
                thread::spawn(move || parker.unpark())
            })
            .collect();
        parker.park(Deadline::Never);
        for waker in wakers {
            waker.join().unwrap();
        }
        parker.unpark();
        parker.park(Deadline::Never);
    });
}

#[test]
fn a_settled_value_reaches_a_thread_that_joins() {
    every_schedule("settle: join against settle", 100_000, || {
        let cell = Arc::new(running());
        let worker = cell.clone();
        let worker = thread::spawn(move || assert_eq!(worker.settle(7).run(), None));
        assert_eq!(join(&cell), 7);
        worker.join().unwrap();
    });
}

#[test]
fn a_value_is_read_or_comes_back_but_never_both() {
    every_schedule("settle: abandon against settle", 100_000, || {
        let cell = Arc::new(running());
        let worker = cell.clone();
        let worker = thread::spawn(move || worker.settle(7).run());
        let (left_behind, handed_back) = (cell.abandon(), worker.join().unwrap());
        assert!(left_behind.is_some() ^ handed_back.is_some());
    });
}

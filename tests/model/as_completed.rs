//! Waiting for many jobs: posts and registrations, and a worker that helps while it waits.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use shuttle::sync::Barrier;
use shuttle::thread;

use super::{Tally, every_schedule, only_the_first_starts, random_schedules};
use crate::wait::settle::Settle;
use crate::{AsCompleted, Shutdown, ThreadPool, as_completed, block_on};

/// No pool: the post of one member against the look of the one who waits, every schedule of it.
#[test]
fn a_post_ends_the_wait() {
    every_schedule("completed: post against look", 100_000, || {
        let cell = Arc::new(Settle::<(), u32>::queued(()));
        cell.begin();
        let settler = thread::spawn({
            let cell = cell.clone();
            move || assert_eq!(cell.settle(7).run(), None)
        });
        let member = Box::pin(poll_fn(move |context| cell.poll(context)));
        assert_eq!(as_completed([member]).join_next(), Some(7));
        settler.join().unwrap();
    });
}

#[test]
fn every_member_is_yielded_once() {
    random_schedules("completed: registration against settle", 100_000, || {
        let pool = ThreadPool::new(2);
        let handles = [1, 2, 4].map(|n| pool.submit(move || n));
        let sum: i32 = as_completed(handles).map(Result::unwrap).sum();
        assert_eq!(sum, 7);
    });
}

/// The second member stands where the first stood, and its post must count again.
#[test]
fn a_place_serves_one_member_after_another() {
    random_schedules("completed: a place used again", 100_000, || {
        let pool = ThreadPool::new(1);
        let mut completed = AsCompleted::new();
        for n in 0..3 {
            completed.add(pool.submit(move || n));
            assert_eq!(completed.join_next().unwrap().unwrap(), n);
        }
        assert!(completed.join_next().is_none());
    });
}

#[test]
fn cancelled_members_are_yielded_too() {
    random_schedules("completed: a cancelling shutdown against the wait", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let handles = [pool.submit(|| ()), pool.submit(|| ())];
        let canceller = thread::spawn({
            let pool = pool.clone();
            move || pool.shutdown(Shutdown::Cancel).unwrap()
        });
        assert_eq!(as_completed(handles).count(), 2);
        canceller.join().unwrap();
    });
}

/// A pool of one thread waits for its own jobs: nobody else could run them.
#[test]
fn a_lone_worker_helps_itself() {
    random_schedules("completed: any-wait on the only worker", 100_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let sum = pool.submit({
            let pool = pool.clone();
            move || {
                let members = [1, 2].map(|n| pool.submit(move || n));
                as_completed(members).map(Result::unwrap).sum::<i32>()
            }
        });
        assert_eq!(sum.join().unwrap(), 3);
    });
}

/// A worker that searches may come to wait for the very job that counts on it. So that this is not too
/// rare, the worker sets out only when `a` has its member, and finds `b` before it in the line.
#[test]
fn a_waiting_worker_runs_the_job_when_the_free_worker_is_gone() {
    random_schedules("completed: any-wait against the last free worker", 100_000, || {
        let [b_is_queued, member_is_queued] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let on_start = {
            let member_is_queued = member_is_queued.clone();
            move |number| {
                if number > 0 {
                    member_is_queued.wait();
                }
            }
        };
        let pool = ThreadPool::builder().threads(2).on_start(on_start).build().unwrap();
        let pool = Arc::new(pool);
        let a = pool.submit({
            let (pool, b_is_queued) = (pool.clone(), b_is_queued.clone());
            move || {
                b_is_queued.wait();
                let mut completed = as_completed([pool.submit(|| 7)]);
                member_is_queued.wait();
                completed.join_next().unwrap().unwrap()
            }
        });
        let b = pool.submit(move || a.join().unwrap());
        b_is_queued.wait();
        assert_eq!(b.join().unwrap(), 7);
    });
}

/// The worker that a waiting one counts on fails at its start.
#[test]
fn a_waiting_worker_runs_the_job_when_the_free_worker_is_lost() {
    random_schedules("completed: any-wait against a lost worker", 100_000, || {
        let pool = ThreadPool::builder().threads(2).on_start(only_the_first_starts).build();
        let pool = Arc::new(pool.unwrap());
        let outer = pool.submit({
            let pool = pool.clone();
            move || as_completed([pool.submit(|| 7)]).join_next().unwrap().unwrap()
        });
        assert_eq!(outer.join().unwrap(), 7);
    });
}

/// A member that waits inside its poll, for a moment, for a job which is not what it stands for.
#[test]
fn an_offer_to_a_wait_inside_a_poll_is_not_for_the_wait_around_it() {
    random_schedules("completed: a wait inside a wait", 20_000, || {
        let pool = Arc::new(ThreadPool::new(1));
        let is_waiting = Tally::default();
        let outer = pool.submit({
            let (pool, is_waiting) = (pool.clone(), is_waiting.clone());
            move || {
                let mut stranger = pool.submit({
                    let is_waiting = is_waiting.clone();
                    move || assert_eq!(is_waiting.get(), 2, "it runs on top of the wait")
                });
                let member = poll_fn(|context| {
                    if is_waiting.get() == 1 {
                        return Poll::Ready(());
                    }
                    block_on(poll_fn(|context| {
                        assert!(Pin::new(&mut stranger).poll(context).is_pending());
                        Poll::Ready(())
                    }));
                    is_waiting.add_one();
                    let waker = context.waker().clone();
                    thread::spawn(move || waker.wake());
                    Poll::Pending
                });
                as_completed([Box::pin(member)]).join_next().unwrap();
                is_waiting.add_one();
                stranger
            }
        });
        outer.join().unwrap().join().unwrap();
    });
}

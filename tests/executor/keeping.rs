//! Timers that outlive the loop which set them: between two runs, after the end, and while a task blocks.
//!
//! Knows nothing of how timers are kept. What must always hold: every timer has one keeper that fires it,
//! and a thread that blocks where its executor would have fired timers fires them itself.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};

use handspun::{
    CancellationToken, Clock, Executor, JoinError, ThreadPool, as_completed, block_on, sleep,
    spawn, timeout, yield_now,
};

use crate::setup::{executor, hands_out, jumping, millis, secs};
use crate::support::watched;

#[test]
fn a_sleep_that_was_set_in_a_run_is_over_between_two_runs() {
    watched(|| {
        let executor = executor().build();
        let mut sleeps = executor.run(async { as_completed([sleep(millis(1))]) });
        assert_eq!(sleeps.join_next(), Some(()));
        executor.run(yield_now());
    });
}

#[test]
fn a_sleep_that_was_set_in_a_run_is_over_after_its_executor() {
    watched(|| {
        let mut sleeps = executor().build().run(async { as_completed([sleep(millis(1))]) });
        assert_eq!(sleeps.join_next(), Some(()));
    });
}

#[test]
fn a_task_that_sleeps_between_two_runs_is_ready_in_the_second() {
    watched(|| {
        let executor = executor().build();
        let task = executor.spawn(sleep(millis(1)));
        executor.run(yield_now());
        assert!(executor.run(task).is_ok());
    });
}

#[test]
fn the_end_of_a_run_wakes_no_task_that_sleeps() {
    let (executor, n_polls) = (executor().build(), Rc::new(Cell::new(0)));
    for _ in 0..100 {
        let (n_polls, mut sleeps) = (n_polls.clone(), sleep(secs(3600)));
        drop(executor.spawn(poll_fn(move |context| {
            n_polls.set(n_polls.get() + 1);
            Pin::new(&mut sleeps).poll(context)
        })));
    }
    for _ in 0..3 {
        executor.run(yield_now());
    }
    assert_eq!(n_polls.get(), 100, "each is polled when it begins");
}

#[test]
fn a_task_that_blocks_for_sleeps_that_were_set_before_is_woken_by_them() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            executor.run(async {
                let sleeps = as_completed([2, 1].map(|n| sleep(millis(n))));
                assert_eq!(sleeps.count(), 2); // A blocking loop: this thread would have fired them.
            });
        }
    });
}

#[test]
fn a_task_that_blocks_for_a_time_of_a_jumping_clock_jumps_to_it() {
    watched(|| {
        jumping().run(async {
            let began = Clock::current().now();
            block_on(sleep(secs(3600)));
            assert_eq!(Clock::current().now() - began, secs(3600));
        });
    });
}

#[test]
fn a_task_that_blocks_fires_the_timers_of_the_others() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            executor.run(async {
                let mut early = pin!(sleep(millis(1)));
                let first = timeout(millis(0), early.as_mut()).await;
                assert!(first.is_err());
                let others = spawn(async { sleep(millis(1)).await });
                yield_now().await;
                block_on(sleep(millis(2)));
                assert!(timeout(secs(3600), others).await.unwrap().is_ok());
                assert_eq!(timeout(secs(3600), early).await, Ok(()));
            });
        }
    });
}

/// A timer that is due and not fired would end every park at once.
#[test]
fn a_task_that_blocks_sleeps_on_though_a_timer_of_the_others_is_due() {
    watched(|| {
        executor().build().run(async {
            drop(spawn(sleep(millis(1))));
            yield_now().await;
            let (mut n_polls, mut blocks) = (0, sleep(millis(5)));
            block_on(poll_fn(|context| {
                n_polls += 1;
                Pin::new(&mut blocks).poll(context)
            }));
            assert!(n_polls < 10, "{n_polls}");
        });
    });
}

#[test]
fn what_wakes_a_task_while_it_blocks_is_not_lost_when_it_is_done() {
    watched(|| {
        executor().build().run(async {
            let (hand_over, handed) = mpsc::channel::<Waker>();
            let (go, gone) = mpsc::channel();
            let waking = std::thread::spawn(move || {
                let waker = handed.recv().unwrap();
                let _kept: Waker = gone.recv().unwrap(); // So that the wait is not proved to hang.
                waker.wake();
            });
            let other = spawn(hands_out(hand_over, 1));
            yield_now().await;
            // The wake of `other` is what ends the park, and the wait is over by then.
            let mut is_over = false;
            block_on(poll_fn(|context| {
                if std::mem::replace(&mut is_over, true) {
                    return Poll::Ready(());
                }
                go.send(context.waker().clone()).unwrap(); // It may be woken by another thread, too.
                Poll::Pending
            }));
            other.await.unwrap();
            waking.join().unwrap();
        });
    });
}

#[test]
fn a_deadline_cancels_a_queued_job_while_the_task_that_submitted_it_blocks() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (open, gate) = mpsc::channel::<()>();
        let busy = pool.submit(move || gate.recv());
        executor().build().run(async {
            let token = CancellationToken::with_timeout(millis(1));
            let queued = pool.submit_with(&token, |_| unreachable!("its time is over"));
            assert!(matches!(queued.join(), Err(JoinError::Cancelled(_))));
        });
        drop(open);
        assert!(busy.join().unwrap().is_err());
    });
}

#[test]
fn a_deadline_cancels_a_queued_job_after_the_run_in_which_it_was_submitted() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (open, gate) = mpsc::channel::<()>();
        let busy = pool.submit(move || gate.recv());
        let executor: Executor = executor().build();
        let queued = executor.run(async {
            let token = CancellationToken::with_timeout(millis(1));
            pool.submit_with(&token, |_| unreachable!("its time is over"))
        });
        assert!(matches!(queued.join(), Err(JoinError::Cancelled(_))));
        drop(open);
        assert!(busy.join().unwrap().is_err());
    });
}

//! What a task costs: no time that grows with the others.

use std::future::pending;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use handspun::{Executor, spawn, yield_now};

use crate::setup::{dawdle, hands_out, in_order};
use crate::support::watched;

/// Each wake from elsewhere would be followed by a look at all of them, if that were not put off.
#[test]
fn a_wake_from_afar_costs_no_look_at_every_task() {
    watched(|| {
        const N_WAKES: usize = 200;
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in wakers {
                dawdle();
                waker.wake();
            }
        });
        let executor = Executor::new();
        let took = executor.run(async {
            let mut last = spawn(pending::<()>());
            for _ in 0..100_000 {
                let before = last;
                last = spawn(async move { before.await.unwrap() });
            }
            yield_now().await;
            let began = Instant::now();
            spawn(hands_out(sender, N_WAKES)).await.unwrap();
            began.elapsed()
        });
        waking.join().unwrap();
        assert!(took < Duration::from_secs(2), "{N_WAKES} wakes took {took:?}");
    });
}

#[test]
fn many_that_are_spawned_from_afar_are_cancelled_before_they_arrive() {
    watched(|| {
        let executor = in_order();
        let remote = executor.remote();
        let tasks: Vec<_> = (0..40_000).map(|_| remote.spawn(pending::<()>)).collect();
        for task in &tasks {
            assert!(task.cancel());
        }
        let began = Instant::now();
        executor.run(yield_now());
        let took = began.elapsed();
        assert!(tasks.iter().all(|task| task.is_finished()));
        assert!(took < Duration::from_secs(2), "40,000 cancels took {took:?}");
    });
}

//! Spawning from other threads.

use std::future::pending;
use std::sync::mpsc;
use std::thread;

use handspun::{CancelReason, Clock, JoinError, block_on, yield_now};

use crate::setup::{OnDrop, executor, jumping, run, secs};
use crate::support::{Count, CountsDrop, panic_quietly, watched};

/// A4, A9.
#[test]
fn four_threads_spawn_a_thousand_tasks_each() {
    watched(|| {
        let executor = executor().build();
        let threads = [(); 4].map(|()| {
            let remote = executor.remote();
            thread::spawn(move || {
                let tasks = (0..1000_u64).map(|n| remote.spawn(move || async move { n }));
                tasks
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|task| block_on(task).unwrap())
                    .sum::<u64>()
            })
        });
        executor.run(async {
            while threads.iter().any(|thread| !thread.is_finished()) {
                yield_now().await;
            }
        });
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 499_500);
        }
    });
}

/// A29.
#[test]
fn a_function_that_panics_before_it_gives_a_future_is_a_task_that_panicked() {
    watched(|| {
        let executor = executor().build();
        let task = executor.remote().spawn(|| -> std::future::Ready<()> { panic_quietly("oh no") });
        assert!(matches!(executor.run(task), Err(JoinError::Panicked(_))));
    });
}

/// A31: its message has not been read, and it has no slot yet.
#[test]
fn what_is_spawned_from_afar_may_be_cancelled_before_it_arrives() {
    watched(|| {
        let executor = executor().build();
        let remote = executor.remote();
        let cancelled = |result| matches!(result, Err(JoinError::Cancelled(_)));
        let outside = remote.spawn(|| async { unreachable!("it was cancelled") });
        assert!(outside.cancel());
        executor.run(async {
            let inside = remote.spawn(|| async { unreachable!("it was cancelled") });
            assert!(inside.cancel());
            assert!(cancelled(inside.await));
            assert!(cancelled(outside.await));
        });
    });
}

/// A19.
#[test]
fn mail_that_nobody_reads_settles_and_is_dropped() {
    watched(|| {
        let drops = Count::default();
        let executor = executor().build();
        let remote = executor.remote();
        let send = || {
            let counts = CountsDrop(drops.clone());
            remote.spawn(move || async move { drop(counts) })
        };
        let unread = send();
        drop(executor);
        let late = send();
        assert_eq!(drops.get(), 2);
        for task in [unread, late] {
            let result = block_on(task);
            assert!(matches!(result, Err(JoinError::Cancelled(CancelReason::ShutDown))));
        }
    });
}

/// What comes too late is dropped where it would have run: with the executor, and its clock, around it.
#[test]
fn unread_messages_are_dropped_on_the_clock_of_its_executor() {
    watched(|| {
        let clock = Clock::jumping();
        clock.advance(secs(3600));
        let executor = executor().clock(clock.clone()).build();
        let (say, said) = mpsc::channel();
        let says_when = OnDrop(move || say.send(Clock::current().now()).unwrap());
        drop(executor.remote().spawn(move || async move { drop(says_when) }));
        drop(executor);
        assert_eq!(said.recv(), Ok(clock.now()));
    });
}

/// A36: closures in unread messages whose drops panic, more than one.
#[test]
fn unread_messages_whose_drops_panic_are_contained() {
    watched(|| {
        let drops = Count::default();
        let executor = executor().build();
        let remote = executor.remote();
        for _ in 0..3 {
            let panics = crate::support::PanicsWhenDropped(drops.clone());
            drop(remote.spawn(move || async move { drop(panics) }));
        }
        drop(executor);
        assert_eq!(drops.get(), 3);
    });
}

/// A19: a future that is dropped in the end may still use its remote, in vain.
#[test]
fn a_drop_at_the_end_may_spawn_from_afar() {
    watched(|| {
        let executor = executor().build();
        let remote = executor.remote();
        let (sender, tasks) = mpsc::channel();
        let spawns = OnDrop(move || sender.send(remote.spawn(|| async {})).unwrap());
        drop(executor.spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
        drop(executor);
        let task = tasks.recv().unwrap();
        assert!(matches!(block_on(task), Err(JoinError::Cancelled(_))));
    });
}

/// A54: a clock does not jump over what another thread may still send, if nobody waits for a time.
#[test]
fn an_executor_waits_for_its_remotes_and_hears_of_the_last_one() {
    watched(|| {
        let executor = jumping();
        let remote = executor.remote();
        let sender = thread::spawn(move || {
            let task = remote.spawn(|| async { handspun::sleep(secs(3600)).await });
            block_on(task).unwrap();
        });
        let hang = executor.try_run(pending::<()>()).unwrap_err();
        assert_eq!(hang.dump().tasks.len(), 1);
        sender.join().unwrap();
        run(async {});
    });
}

//! Channels of others, which wake tasks of ours.

use std::thread;

use futures::channel::mpsc as futures_mpsc;
use futures::{SinkExt, StreamExt};
use handspun::{Executor, join_all, run, spawn, spawn_named, yield_now};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::support::watched;

/// A158: the value comes from another thread, while ours sleeps.
#[test]
fn a_oneshot_of_tokio_wakes_our_executor() {
    watched(|| {
        let answers = run(async {
            let tasks = (0..100).map(|n| {
                let (sender, receiver) = oneshot::channel();
                thread::spawn(move || sender.send(n));
                spawn(receiver)
            });
            join_all(tasks.collect::<Vec<_>>()).await
        });
        let sum: usize = answers.into_iter().map(|answer| answer.unwrap().unwrap()).sum();
        assert_eq!(sum, 4_950);
    });
}

/// A154.
#[test]
fn a_hundred_thousand_answers_from_two_threads_lose_no_wake_up() {
    watched(|| {
        let n_right = run(async {
            let (mut senders, mut waits) = (vec![], vec![]);
            for n in 0..100_000 {
                let (sender, receiver) = oneshot::channel();
                senders.push((n, sender));
                waits.push(spawn(async move { receiver.await == Ok(n) }));
            }
            let second_half = senders.split_off(50_000);
            for half in [senders, second_half] {
                thread::spawn(move || half.into_iter().all(|(n, sender)| sender.send(n).is_ok()));
            }
            join_all(waits).await.into_iter().filter(|right| matches!(right, Ok(true))).count()
        });
        assert_eq!(n_right, 100_000);
    });
}

/// A158.
#[test]
fn a_channel_of_tokio_is_read_here_and_filled_there() {
    watched(|| {
        let (sender, mut receiver) = mpsc::channel(4);
        let producer = thread::spawn(move || (0..1_000).all(|n| sender.blocking_send(n).is_ok()));
        let sum = run(async {
            let mut sum = 0;
            while let Some(n) = receiver.recv().await {
                sum += n;
            }
            sum
        });
        assert_eq!(sum, 499_500);
        assert!(producer.join().unwrap());
    });
}

#[test]
fn a_broadcast_and_a_watch_of_tokio_reach_every_task() {
    watched(|| {
        run(async {
            let (sender, _) = broadcast::channel(1);
            let (state, _) = watch::channel(0);
            let tasks = [(); 10].map(|()| {
                let (mut news, mut state) = (sender.subscribe(), state.subscribe());
                spawn(async move {
                    (news.recv().await.unwrap(), state.wait_for(|n| *n > 1).await.is_ok())
                })
            });
            yield_now().await;
            sender.send("news").unwrap();
            state.send(2).unwrap();
            for heard in join_all(tasks).await {
                assert_eq!(heard.unwrap(), ("news", true));
            }
        });
    });
}

/// A158.
#[test]
fn a_channel_of_futures_joins_tasks_of_ours() {
    watched(|| {
        let sum = run(async {
            let (mut sender, receiver) = futures_mpsc::channel(0);
            let producer = spawn(async move {
                for n in 0..1_000_u64 {
                    sender.send(n).await.unwrap();
                }
            });
            let sum = receiver.fold(0, async |sum, n| sum + n).await;
            producer.await.unwrap();
            sum
        });
        assert_eq!(sum, 499_500);
    });
}

/// Tasks on our executor and on smol's, with one channel between them.
#[test]
fn an_async_channel_joins_two_executors() {
    watched(|| {
        let (questions, asked) = async_channel::bounded::<(u64, async_channel::Sender<u64>)>(1);
        smol::spawn(async move {
            while let Ok((n, answer)) = asked.recv().await {
                answer.send(n * n).await.unwrap();
            }
        })
        .detach();
        run(async {
            for n in 0..100 {
                let (answer, is_answered) = async_channel::bounded(1);
                questions.send((n, answer)).await.unwrap();
                assert_eq!(is_answered.recv().await, Ok(n * n));
            }
        });
    });
}

/// A task that waits for something foreign may be woken at any time: no report says that it hangs.
#[test]
fn a_task_that_waits_for_something_foreign_is_not_given_up() {
    watched(|| {
        let executor = Executor::new();
        let (sender, receiver) = oneshot::channel();
        let waits = executor.spawn(receiver);
        executor.run(async {
            spawn_named("idle", yield_now()).await.unwrap();
            assert_eq!(executor.dump().tasks[1].waits_for.as_deref(), Some("something else"));
        });
        let late = thread::spawn(move || sender.send("late"));
        assert_eq!(executor.try_run(waits).unwrap().unwrap(), Ok("late"));
        late.join().unwrap().unwrap();
    });
}

/// What can never come is told by the channel itself: its other side is gone.
#[test]
fn a_channel_whose_other_side_is_gone_ends_the_wait() {
    watched(|| {
        run(async {
            let (sender, receiver) = oneshot::channel::<()>();
            let waits = spawn(receiver);
            yield_now().await;
            drop(sender);
            assert!(waits.await.unwrap().is_err());
        });
    });
}

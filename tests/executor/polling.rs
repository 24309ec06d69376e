//! Who is polled, how often, and in which order.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use handspun::{join_all, sleep, spawn, yield_now};

use crate::setup::{Log, Tally, counted, executor, hands_out, in_order, millis, run};
use crate::support::watched;

/// A1.
#[test]
fn a_spawned_task_rests_until_its_executor_runs() {
    watched(|| {
        let executor = executor().build();
        let polls = Tally::default();
        let task = executor.spawn(counted(polls.clone(), async {}));
        assert_eq!((polls.get(), task.is_finished()), (0, false));
        executor.run(task).unwrap();
        assert_eq!(polls.get(), 1);
    });
}

/// A2.
#[test]
fn a_run_ends_with_its_future_and_the_next_run_goes_on_with_the_rest() {
    watched(|| {
        let executor = in_order();
        let polls = Tally::default();
        let task = executor.spawn(counted(polls.clone(), async {
            yield_now().await;
            yield_now().await;
            7
        }));
        let answer = executor.run(async {
            yield_now().await;
            "done"
        });
        assert_eq!((answer, polls.get(), executor.n_tasks()), ("done", 2, 1));
        assert_eq!(executor.run(task).unwrap(), 7);
        assert_eq!((polls.get(), executor.n_tasks()), (3, 0));
    });
}

/// A3.
#[test]
fn a_future_is_polled_once_for_each_wake() {
    watched(|| {
        let (of_main, of_task) = (Tally::default(), Tally::default());
        let (sender, wakers) = mpsc::channel();
        let waking = thread::spawn(move || wakers.into_iter().for_each(std::task::Waker::wake));
        let (polls, counts) = (of_task.clone(), of_main.clone());
        run(counted(counts, async move {
            spawn(counted(polls, hands_out(sender, 100))).await.unwrap();
        }));
        waking.join().unwrap();
        assert_eq!((of_main.get(), of_task.get()), (2, 101));
    });
}

/// A3, A12, A13.
#[test]
fn many_wakes_before_a_poll_are_one() {
    watched(|| {
        let polls = Tally::default();
        run(counted(polls.clone(), async {
            let mut is_first = true;
            poll_fn(|context| {
                (0..100).for_each(|_| context.waker().wake_by_ref());
                if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            // A wake that came during the last poll counts, too: it is one more, and for nothing.
            hands_out(mpsc::channel().0, 0).await;
        }));
        assert_eq!(polls.get(), 2);
    });
}

/// A4.
#[test]
fn tasks_that_spawn_tasks_all_run() {
    async fn family(depth: u32, born: Tally) {
        born.add_one();
        if depth > 0 {
            let children = [(); 2].map(|()| spawn(boxed(depth - 1, born.clone())));
            join_all(children).await.into_iter().for_each(Result::unwrap);
        }
    }
    fn boxed(depth: u32, born: Tally) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(family(depth, born))
    }
    watched(|| {
        let born = Tally::default();
        run(family(9, born.clone()));
        assert_eq!(born.get(), 1023);
    });
}

/// A7.
#[test]
fn tasks_that_always_yield_take_turns() {
    watched(|| {
        let log = Log::new();
        handspun::run(async {
            let tasks = ["a", "b", "c"].map(|name| {
                let log = log.clone();
                spawn(async move {
                    for _ in 0..100 {
                        log.add(name);
                        yield_now().await;
                    }
                })
            });
            join_all(tasks).await;
        });
        assert_eq!(log.take(), ["a", "b", "c"].repeat(100));
    });
}

/// A8.
#[test]
fn a_task_that_always_wakes_itself_starves_nobody() {
    watched(|| {
        let executor = executor().build();
        let remote = executor.remote();
        executor.run(async move {
            let busy = spawn(async {
                loop {
                    yield_now().await;
                }
            });
            sleep(millis(1)).await;
            let (sender, answer) = mpsc::channel();
            let afar = thread::spawn(move || {
                let task = remote.spawn(move || async move { sender.send(7).unwrap() });
                handspun::block_on(task).unwrap();
            });
            while answer.try_recv().is_err() {
                yield_now().await;
            }
            busy.cancel();
            afar.join().unwrap();
        });
    });
}

/// A8: the future that `run` was given is one among the others.
#[test]
fn the_main_future_has_its_turn_among_a_thousand_busy_tasks() {
    watched(|| {
        let turns = Tally::default();
        handspun::run(async {
            for _ in 0..1000 {
                let turns = turns.clone();
                drop(spawn(async move {
                    loop {
                        turns.add_one();
                        yield_now().await;
                    }
                }));
            }
            for _ in 0..10 {
                yield_now().await;
            }
        });
        assert_eq!(turns.get(), 10_000);
    });
}

/// A8, A44: what is woken in a turn is polled in the next one.
#[test]
fn a_yield_lets_each_of_the_others_be_polled_once() {
    watched(|| {
        let log = Log::new();
        handspun::run(async {
            let other = spawn({
                let log = log.clone();
                async move {
                    log.add("other");
                    yield_now().await;
                    log.add("other");
                }
            });
            log.add("main");
            yield_now().await;
            log.add("main");
            other.await.unwrap();
        });
        assert_eq!(log.take(), ["main", "other", "main", "other"]);
    });
}

//! Tasks: their outputs, their panics, their names, and what is told of them.

use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use handspun::{Ending, Executor, JoinError, Step, block_on, spawn, spawn_named, yield_now};

use crate::setup::{Tally, executor, in_order, run};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, panic_quietly, watched};

/// A28.
#[test]
fn a_task_that_is_over_gives_its_output_at_once() {
    watched(|| {
        handspun::run(async {
            let task = spawn(async { Rc::new(7) });
            yield_now().await;
            assert!(task.is_finished());
            assert_eq!(*task.await.unwrap(), 7);
        });
    });
}

/// A28.
#[test]
fn a_task_may_be_awaited_on_another_thread() {
    watched(|| {
        let executor = executor().build();
        let task = executor.spawn(async {
            yield_now().await;
            7
        });
        let awaiting = thread::spawn(move || block_on(task).unwrap());
        executor.run(async {
            while !awaiting.is_finished() {
                yield_now().await;
            }
        });
        assert_eq!(awaiting.join().unwrap(), 7);
    });
}

/// A29.
#[test]
fn a_panic_is_the_tasks_own() {
    watched(|| {
        run(async {
            let sibling = spawn(async {
                yield_now().await;
                7
            });
            let Err(JoinError::Panicked(panic)) = spawn(async { panic_quietly("oh no") }).await
            else {
                unreachable!("it has no output");
            };
            assert_eq!(panic.message(), "oh no");
            assert_eq!(panic.submitted_at().file(), file!());
            assert_eq!(sibling.await.unwrap(), 7);
        });
    });
}

/// A29: what a panicking future held is dropped before its handle settles, though a drop panics too.
#[test]
fn a_panic_drops_what_the_task_held() {
    watched(|| {
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let result = run(async move {
            spawn(async move {
                let _counts = counts;
                yield_now().await;
                panic_quietly("oh no")
            })
            .await
        });
        assert!(matches!(result, Err(JoinError::Panicked(_))));
        assert_eq!(drops.get(), 1);
    });
}

/// An executor whose panics are told to a channel.
fn told(tells: Sender<String>) -> Executor {
    Executor::builder()
        .panic_hook(move |panic| tells.send(panic.message().to_owned()).unwrap())
        .build()
}

/// A29.
#[test]
fn a_panic_that_nobody_reads_is_told_to_the_hook() {
    watched(|| {
        let (tells, told_of) = mpsc::channel();
        told(tells).run(async {
            drop(spawn(async { panic_quietly("before") }));
            let kept = spawn(async { panic_quietly("after") });
            yield_now().await;
            drop(kept);
            assert!(spawn(async { panic_quietly("read") }).await.is_err());
        });
        assert_eq!(told_of.try_iter().collect::<Vec<_>>(), ["before", "after"]);
    });
}

/// A37.
#[test]
fn the_output_of_a_detached_task_is_dropped_when_it_comes() {
    watched(|| {
        let drops = Count::default();
        let output = CountsDrop(drops.clone());
        handspun::run(async {
            drop(spawn(async move {
                yield_now().await;
                output
            }));
            yield_now().await;
            assert_eq!(drops.get(), 0, "it goes on");
            yield_now().await;
            assert_eq!(drops.get(), 1);
        });
    });
}

/// A37: and if that drop panics, nobody else feels it.
#[test]
fn an_unread_output_whose_drop_panics_is_contained() {
    watched(|| {
        let drops = Count::default();
        let output = PanicsWhenDropped(drops.clone());
        run(async {
            drop(spawn(async move { output }));
            yield_now().await;
        });
        assert_eq!(drops.get(), 1);
    });
}

/// A41.
#[test]
fn a_million_tasks_end_and_none_is_left() {
    watched(|| {
        let done = Tally::default();
        let executor = in_order();
        executor.run(async {
            for _ in 0..100 {
                for _ in 0..10_000 {
                    let done = done.clone();
                    drop(spawn(async move { done.add_one() }));
                }
                yield_now().await;
            }
        });
        assert_eq!((done.get(), executor.n_tasks()), (1_000_000, 0));
    });
}

/// A41.
#[test]
fn an_old_waker_does_not_poll_the_task_that_has_its_slot_now() {
    watched(|| {
        let (sender, wakers) = mpsc::channel();
        let polls = Tally::default();
        handspun::run(async {
            let first = spawn(crate::setup::hands_out(sender, 1));
            yield_now().await;
            let old: std::task::Waker = wakers.recv().unwrap();
            assert!(first.cancel());
            let second = spawn(crate::setup::counted(polls.clone(), pending::<()>()));
            yield_now().await;
            (0..10).for_each(|_| old.wake_by_ref());
            yield_now().await;
            assert_eq!(polls.get(), 1);
            drop(second);
        });
    });
}

/// A42.
#[test]
fn a_waker_that_is_kept_for_ever_keeps_no_future() {
    watched(|| {
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let (sender, wakers) = mpsc::channel();
        handspun::run(async {
            let task = spawn(async move {
                let _counts = counts;
                crate::setup::hands_out(sender, 1).await;
            });
            yield_now().await;
            let kept: std::task::Waker = wakers.recv().unwrap();
            kept.wake_by_ref();
            task.await.unwrap();
            assert_eq!(drops.get(), 1);
        });
    });
}

/// A39, as far as a task has a self: its name and number stay its own.
#[test]
fn names_and_numbers_stay_with_their_tasks() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let tasks = ["one", "two"].map(|name| spawn_named(name, pending::<()>()));
            yield_now().await;
            let said = tasks.each_ref().map(|task| (task.name(), task.number()));
            assert_eq!(said, [(Some("one"), 1), (Some("two"), 2)]);
            let dump = executor.dump();
            let names: Vec<_> = dump.tasks.iter().map(|task| task.name.as_deref()).collect();
            assert_eq!(names, [Some("main"), Some("one"), Some("two")]);
        });
    });
}

/// What an observer of tasks hears: the number, and what became of it.
fn observed(tells: Sender<(usize, Step)>) -> handspun::ExecutorBuilder {
    executor().observer(move |event| tells.send((event.number, event.step)).unwrap())
}

#[test]
fn the_observer_hears_of_the_beginning_and_the_end_of_each_task() {
    watched(|| {
        let (tells, told) = mpsc::channel();
        observed(tells).build().run(async {
            spawn(async {}).await.unwrap();
            assert!(spawn(async { panic_quietly("oh no") }).await.is_err());
            assert!(spawn(pending::<()>()).cancel());
            drop(spawn(pending::<()>()));
        });
        let told: Vec<_> = told.try_iter().collect();
        let ends = told.iter().filter_map(|(number, step)| {
            if let Step::Settled(ending) = step { Some((*number, *ending)) } else { None }
        });
        let (returned, panicked, cancelled) =
            (Ending::Returned, Ending::Panicked, Ending::Cancelled);
        let expected = [(1, returned), (2, panicked), (3, cancelled), (4, cancelled)];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
        assert_eq!(told.len(), 8);
    });
}

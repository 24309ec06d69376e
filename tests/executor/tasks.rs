//! Tasks: their outputs, their panics, their names, and what is told of them.

use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use handspun::{
    Ending, Executor, JoinError, Step, ThreadPool, block_on, spawn, spawn_named, yield_now,
};

use crate::setup::{Tally, executor, in_order, millis, run, secs};
use crate::support::{Count, CountsDrop, Gate, PanicsWhenDropped, panic_quietly, watched};

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

/// What an observer of tasks hears: the number, and how long a poll took or what became of it.
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

/// The polls that kept the others waiting, by task, and whether they blocked the thread.
fn slow_polls(told: &mpsc::Receiver<(usize, Step)>) -> Vec<(usize, bool)> {
    let polls = told.try_iter().filter_map(|(number, step)| {
        if let Step::SlowPoll { blocked, .. } = step { Some((number, blocked)) } else { None }
    });
    polls.collect()
}

/// A156.
#[test]
fn a_task_that_blocks_the_thread_is_told_of() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (tells, told) = mpsc::channel();
        observed(tells).slow_poll(secs(3600)).build().run(async {
            spawn(async {}).await.unwrap();
            let (go, gone) = mpsc::channel::<()>();
            // Longer than a wait spins.
            let job = pool.submit(move || gone.recv_timeout(millis(50)).is_err());
            spawn(async move { job.join().unwrap() }).await.unwrap();
            drop(go);
            spawn(async {}).await.unwrap();
        });
        assert_eq!(slow_polls(&told), [(2, true)]);
    });
}

/// A156: nobody was told of the block in the first run, and the second does not answer for it.
#[test]
fn a_block_in_one_executor_is_not_told_of_another() {
    watched(|| {
        run(async {
            let pool = ThreadPool::new(1);
            let gate = Gate::closed();
            let passes = gate.clone();
            let job = pool.submit(move || passes.pass());
            assert!(job.join_timeout(millis(1)).is_err());
            gate.open();
        });
        let (tells, told) = mpsc::channel();
        observed(tells).slow_poll(secs(3600)).build().run(async { spawn(async {}).await.unwrap() });
        assert_eq!(slow_polls(&told), []);
    });
}

#[test]
fn a_slow_poll_is_told_of_with_the_name_and_the_line_of_its_task() {
    watched(|| {
        let (tells, told) = mpsc::channel();
        let executor = executor().slow_poll(millis(2)).observer(move |event| {
            if let Step::SlowPoll { blocked, spawned_at, .. } = event.step {
                tells.send((event.name.map(str::to_owned), spawned_at.line(), blocked)).unwrap();
            }
        });
        let busy = || async {
            let began = std::time::Instant::now();
            while began.elapsed() < millis(2) {}
        };
        let line_of_run = line!() + 1;
        let line = executor.build().run(async {
            busy().await;
            let line = line!() + 1;
            spawn_named("busy", busy()).await.unwrap();
            line
        });
        let of_main = (Some("main".to_owned()), line_of_run, false);
        let of_the_task = (Some("busy".to_owned()), line, false);
        let told: Vec<_> = told.try_iter().collect();
        assert!(told.contains(&of_main) && told.contains(&of_the_task), "{told:?}");
    });
}

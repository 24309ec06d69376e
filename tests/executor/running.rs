//! Runs: nested, in turn, and how they end.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use handspun::{Executor, JoinError, block_on, run, sleep, spawn, yield_now};

use crate::setup::{Log, OnDrop, millis, secs};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, panic_quietly, watched};

/// What a panic says.
fn said(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

/// A22.
#[test]
fn a_run_inside_of_a_run_says_what_to_do() {
    watched(|| {
        run(async {
            let said = said(|| run(async {}));
            assert!(said.contains("`.await` the future or `spawn` it"), "{said}");
        });
        run(async {}); // The thread is as it was.
    });
}

/// A22.
#[test]
fn a_run_inside_of_a_blocking_wait_of_a_task_says_what_to_do() {
    watched(|| {
        run(async {
            let said = block_on(async { said(|| run(async {})) });
            assert!(said.contains("runs on this thread already"), "{said}");
        });
    });
}

/// A21.
#[test]
fn two_executors_take_turns_on_one_thread() {
    watched(|| {
        let log = Log::new();
        let executors = [Executor::new(), Executor::new()];
        for (n, executor) in executors.iter().enumerate() {
            let log = log.clone();
            drop(executor.spawn(async move {
                loop {
                    log.add(n);
                    yield_now().await;
                }
            }));
        }
        for _ in 0..2 {
            executors[0].run(async {});
            executors[1].run(async {});
        }
        assert_eq!(log.take(), [0, 1, 0, 1]);
    });
}

/// A21: a task of one is spawned and awaited in a run of the other, and woken there.
#[test]
fn a_task_of_one_executor_may_be_spawned_and_cancelled_in_a_run_of_another() {
    watched(|| {
        let (one, other) = (Executor::new(), Executor::new());
        let task = one.run(async { other.spawn(async { 7 }) });
        assert_eq!((one.n_tasks(), other.n_tasks()), (0, 1));
        assert_eq!(other.run(task).unwrap(), 7);
        let endless = other.spawn(pending::<()>());
        one.run(async { assert!(endless.cancel()) });
        assert!(matches!(other.run(endless), Err(JoinError::Cancelled(_))));
    });
}

/// A28.
#[test]
fn a_task_may_be_awaited_in_another_executor_once_it_is_over() {
    watched(|| {
        let (one, other) = (Executor::new(), Executor::new());
        let task = one.spawn(async { Rc::new(7) });
        one.run(yield_now());
        assert_eq!(*other.run(task).unwrap(), 7);
    });
}

/// A43.
#[test]
fn an_output_survives_its_executor() {
    watched(|| {
        let executor = Executor::new();
        let task = executor.spawn(async { vec![1, 2, 3] });
        executor.run(yield_now());
        drop(executor);
        assert!(!task.cancel() && task.is_finished());
        assert_eq!(block_on(task).unwrap(), [1, 2, 3]);
    });
}

/// A19, A24.
#[test]
fn what_is_left_is_dropped_once_inside_of_its_executor() {
    watched(|| {
        let drops = Count::default();
        run(async {
            for n in 0..10 {
                let counts = CountsDrop(drops.clone());
                let spawns = OnDrop(|| drop(spawn(async { unreachable!("all is over") })));
                drop(spawn(async move {
                    let _held = (counts, spawns);
                    if n % 2 == 0 {
                        sleep(secs(3600)).await;
                    }
                    pending::<()>().await;
                }));
            }
            yield_now().await;
        });
        assert_eq!(drops.get(), 10);
    });
}

/// A19, A36.
#[test]
fn drops_that_panic_at_the_end_cost_nobody_his_own() {
    watched(|| {
        let drops = Count::default();
        let executor = Executor::builder().panic_hook(|_| ()).build();
        let tasks = [(); 3].map(|()| {
            let panics = PanicsWhenDropped(drops.clone());
            executor.spawn(async move {
                let _panics = panics;
                pending::<()>().await;
            })
        });
        executor.run(yield_now());
        drop(executor);
        assert_eq!(drops.get(), 3);
        for task in tasks {
            assert!(matches!(block_on(task), Err(JoinError::Panicked(_))));
        }
    });
}

/// A19: who waits for a task that is dropped with its executor is told.
#[test]
fn a_task_that_is_left_settles_as_cancelled() {
    watched(|| {
        let task = run(async { spawn(pending::<()>()) });
        assert!(task.is_finished());
        assert!(matches!(block_on(task), Err(JoinError::Cancelled(_))));
    });
}

/// A24: the future that `run` was given panics, and the thread is as it was.
#[test]
fn a_run_that_panics_leaves_the_thread_and_the_executor_usable() {
    watched(|| {
        let executor = Executor::new();
        let steps = Rc::new(Cell::new(0));
        let task = executor.spawn({
            let steps = steps.clone();
            async move {
                loop {
                    steps.set(steps.get() + 1);
                    yield_now().await;
                }
            }
        });
        let main = async {
            yield_now().await;
            panic_quietly("oh no")
        };
        assert!(catch_unwind(AssertUnwindSafe(|| executor.run(main))).is_err());
        executor.run(yield_now());
        run(async {});
        assert!(steps.get() >= 2 && !task.is_finished());
    });
}

/// A24: the main future is dropped where tasks can be spawned, and before its executor ends.
#[test]
fn a_main_future_that_panics_is_dropped_inside() {
    watched(|| {
        let executor = Executor::new();
        let main = async {
            let _spawns = OnDrop(|| drop(spawn(async {})));
            yield_now().await;
            panic_quietly("oh no")
        };
        assert!(catch_unwind(AssertUnwindSafe(|| executor.run(main))).is_err());
        assert_eq!(executor.n_tasks(), 1);
    });
}

/// A2: a run inside of what blocks a plain thread is no nested run.
#[test]
fn a_run_inside_of_a_plain_wait_is_allowed() {
    watched(|| {
        let answer = block_on(async {
            run(async {
                sleep(millis(1)).await;
                spawn(async { 7 }).await.unwrap()
            })
        });
        assert_eq!(answer, 7);
    });
}

/// A24: what the executor keeps (its observer, for one) goes with it, though a waker is left.
#[test]
fn an_executor_that_is_over_keeps_nothing_but_for_its_handles() {
    watched(|| {
        let probe = std::sync::Arc::new(());
        let kept = probe.clone();
        let executor = Executor::builder().observer(move |_| drop(kept.clone())).build();
        let task = executor.spawn(sleep(secs(3600)));
        executor.run(yield_now());
        drop(executor);
        assert!(
            std::sync::Arc::strong_count(&probe) > 1,
            "a handle may still have to tell of its end"
        );
        drop(task);
        assert_eq!(std::sync::Arc::strong_count(&probe), 1);
    });
}

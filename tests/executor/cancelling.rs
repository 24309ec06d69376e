//! Cancelling a task drops it where it stands, whoever does it, and whenever.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use handspun::{CancelReason, JoinError, Task, sleep, spawn, yield_now};

use crate::setup::{OnDrop, executor, run, secs};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, watched};

fn is_cancelled<T>(result: Result<T, JoinError>) -> bool {
    matches!(result, Err(JoinError::Cancelled(CancelReason::Requested)))
}

/// A31.
#[test]
fn a_task_cancelled_before_its_first_poll_never_runs() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let counts = CountsDrop(drops.clone());
            let task = spawn(async move {
                let _counts = counts;
                unreachable!("it was cancelled before")
            });
            assert!(task.cancel());
            assert_eq!((drops.get(), task.is_finished(), task.cancel()), (1, true, false));
            let task: Task<()> = task;
            assert!(is_cancelled(task.await));
        });
    });
}

/// A31.
#[test]
fn a_task_may_be_cancelled_before_its_executor_runs() {
    watched(|| {
        let executor = executor().build();
        let task = executor.spawn(async { unreachable!("it was cancelled before") });
        assert!(task.cancel());
        let task: Task<()> = task;
        assert!(is_cancelled(executor.run(task)));
        assert_eq!(executor.n_tasks(), 0);
    });
}

/// A32.
#[test]
fn a_suspended_task_is_dropped_at_once_and_its_timer_with_it() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let drops = Count::default();
            let counts = CountsDrop(drops.clone());
            let task = spawn(async move {
                let _counts = counts;
                sleep(secs(3600)).await;
            });
            yield_now().await;
            drop(task.cancel_on_drop());
            assert_eq!((drops.get(), executor.n_tasks()), (1, 0));
        });
    });
}

/// A33.
#[test]
fn to_cancel_what_is_over_changes_nothing() {
    watched(|| {
        handspun::run(async {
            let task = spawn(async { 7 });
            yield_now().await;
            assert!(!task.cancel());
            assert_eq!(task.await.unwrap(), 7);
        });
    });
}

/// A task that is handed its own handle, and what it does with it.
fn with_itself<F: Future<Output = i32> + 'static>(
    body: impl FnOnce(Rc<RefCell<Option<Task<i32>>>>) -> F + 'static,
) -> Rc<RefCell<Option<Task<i32>>>> {
    let own = Rc::new(RefCell::new(None));
    let task = spawn(body(own.clone()));
    own.replace(Some(task));
    own
}

/// A34.
#[test]
fn a_task_that_cancels_itself_goes_after_its_poll() {
    watched(|| {
        handspun::run(async {
            let drops = Count::default();
            let (counts, seen) = (CountsDrop(drops.clone()), drops.clone());
            let own = with_itself(|own| async move {
                let _counts = counts;
                assert!(own.borrow().as_ref().unwrap().cancel());
                assert_eq!(seen.get(), 0);
                pending().await
            });
            yield_now().await;
            assert_eq!(drops.get(), 1);
            let task = own.take().unwrap();
            assert!(is_cancelled(task.await));
        });
    });
}

/// A34: what is ready by the end of that very poll is kept.
#[test]
fn a_task_that_cancels_itself_and_is_ready_gives_its_output() {
    watched(|| {
        handspun::run(async {
            let own = with_itself(|own| async move {
                assert!(own.borrow().as_ref().unwrap().cancel());
                7
            });
            yield_now().await;
            let task = own.take().unwrap();
            assert_eq!(task.await.unwrap(), 7);
        });
    });
}

/// A36.
#[test]
fn a_drop_that_panics_in_a_cancel_is_the_tasks_own() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let panics = PanicsWhenDropped(drops.clone());
            let task = spawn(async move {
                let _panics = panics;
                pending::<()>().await;
            });
            assert!(task.cancel());
            assert_eq!(drops.get(), 1);
            assert!(matches!(task.await, Err(JoinError::Panicked(_))));
        });
    });
}

/// A36: a drop is other people's code, and may use the executor.
#[test]
fn a_drop_may_spawn_cancel_and_wake() {
    watched(|| {
        run(async {
            let other = Rc::new(RefCell::new(Some(spawn(pending::<()>()))));
            let spawned = Rc::new(RefCell::new(None));
            let (victim, born) = (other.clone(), spawned.clone());
            let does_all = OnDrop(move || {
                assert!(victim.borrow().as_ref().unwrap().cancel());
                born.replace(Some(spawn(async { 7 })));
            });
            let task = spawn(async move {
                let _does_all = does_all;
                pending::<()>().await;
            });
            yield_now().await;
            assert!(task.cancel());
            let born = spawned.take().unwrap();
            assert_eq!(born.await.unwrap(), 7);
            let other = other.take().unwrap();
            assert!(is_cancelled(other.await));
        });
    });
}

/// A32: a chain of tasks, each of which keeps the next, is cancelled from one end.
#[test]
fn a_chain_of_tasks_is_cancelled_from_one_end() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let mut last = spawn(pending::<()>()).cancel_on_drop();
            for _ in 0..1000 {
                let next = last;
                last = spawn(async move {
                    let _next = next;
                    pending::<()>().await;
                })
                .cancel_on_drop();
            }
            drop(last);
            assert_eq!(executor.n_tasks(), 0);
        });
    });
}

/// A32, A18.
#[test]
fn a_cancel_from_another_thread_reaches_a_sleeping_executor() {
    watched(|| {
        run(async {
            let (sender, handles) = mpsc::channel::<Task<()>>();
            let canceller = thread::spawn(move || {
                let task = handles.recv().unwrap();
                assert!(task.cancel());
                assert!(is_cancelled(handspun::block_on(task)));
            });
            let (dropped, is_dropped) = (Count::default(), Count::default());
            drop(is_dropped);
            let counts = CountsDrop(dropped.clone());
            let (wakes, mut is_woken) = (Rc::new(RefCell::new(None::<std::task::Waker>)), false);
            let waker = wakes.clone();
            let tells = OnDrop(move || waker.take().unwrap().wake());
            sender.send(executor_task(counts, tells)).unwrap();
            poll_fn(|context| {
                if std::mem::replace(&mut is_woken, true) {
                    return Poll::Ready(());
                }
                wakes.replace(Some(context.waker().clone()));
                Poll::Pending
            })
            .await;
            assert_eq!(dropped.get(), 1);
            canceller.join().unwrap();
        });
    });
}

/// A task that ends only when it is dropped, and these with it.
fn executor_task(counts: CountsDrop, tells: OnDrop<impl FnMut() + 'static>) -> Task<()> {
    spawn(async move {
        let _held = (counts, tells);
        pending::<()>().await;
    })
}

/// A33: a handle that cancels on drop and has given its output cancels nobody.
#[test]
fn a_handle_that_was_taken_out_again_cancels_nothing() {
    watched(|| {
        run(async {
            let task = spawn(async {
                yield_now().await;
                7
            });
            let task = task.cancel_on_drop().into_handle();
            assert_eq!(task.await.unwrap(), 7);
            let kept = spawn(async { 8 }).cancel_on_drop();
            assert_eq!(kept.await.unwrap(), 8);
        });
    });
}

//! Tasks that own one another, a hundred thousand in a row: no drop is as deep as the chain is long.
//!
//! Each test runs in a process of its own, since a stack that overflows ends the process.

use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use handspun::{
    Cancel, CancelOnDrop, Executor, MapConcurrent, Remote, Task, TaskGroup, ThreadPool,
    map_concurrent, run, spawn, yield_now,
};

use crate::setup::{OnDrop, Tally, in_order, on_a_small_stack};
use crate::support::{Count, Gate, panic_quietly, poll, watched};

const N: usize = 100_000;

/// Tasks of which each owns the next, and counts its own end.
fn chain(executor: &Executor, ends: &Tally) -> CancelOnDrop<Task<()>> {
    let mut next = None;
    for _ in 0..N {
        let ends = ends.clone();
        let counts = OnDrop(move || ends.add_one());
        let owned = next.take();
        let task = executor.spawn(async move {
            let _owned = (counts, owned);
            pending::<()>().await;
        });
        next = Some(task.cancel_on_drop());
    }
    next.expect("there is one at least")
}

#[test]
fn a_chain_is_cancelled_at_its_head() {
    on_a_small_stack("chains::a_chain_is_cancelled_at_its_head", || {
        let (executor, ends) = (in_order(), Tally::default());
        let head = chain(&executor, &ends);
        executor.run(async {
            yield_now().await;
            drop(head);
            assert_eq!(ends.get(), N, "all of them are dropped when the cancel returns");
        });
        assert_eq!(executor.n_tasks(), 0);
    });
}

#[test]
fn a_chain_ends_with_its_executor() {
    on_a_small_stack("chains::a_chain_ends_with_its_executor", || {
        let (executor, ends) = (in_order(), Tally::default());
        drop(executor.spawn({
            let head = chain(&executor, &ends);
            async move { drop(head) }
        }));
        drop(executor);
        assert_eq!(ends.get(), N);
    });
}

fn nest(group: &TaskGroup, depth: usize, ends: Tally) {
    group.spawn(async move {
        let counts = ends.clone();
        let _counts = OnDrop(move || counts.add_one());
        let inner = TaskGroup::new();
        if depth > 1 {
            nest(&inner, depth - 1, ends);
        }
        pending::<()>().await;
    });
}

#[test]
fn a_group_in_a_group_in_a_group_is_cancelled_from_outside() {
    on_a_small_stack("chains::a_group_in_a_group_in_a_group_is_cancelled_from_outside", || {
        let (executor, ends) = (in_order(), Tally::default());
        executor.run(async {
            let group = TaskGroup::new();
            nest(&group, N, ends.clone());
            while executor.n_tasks() < N {
                yield_now().await;
            }
            yield_now().await;
            drop(group);
            assert_eq!(ends.get(), N);
        });
    });
}

#[test]
fn what_is_spawned_in_vain_by_a_drop_may_spawn_in_vain() {
    fn in_vain(group: &Rc<TaskGroup>, left: usize) {
        let (owned, mut left) = (group.clone(), left);
        let again = OnDrop(move || {
            if left > 0 {
                left -= 1;
                in_vain(&owned, left);
                left = 0;
            }
        });
        group.spawn(async move { drop(again) });
    }
    on_a_small_stack("chains::what_is_spawned_in_vain_by_a_drop_may_spawn_in_vain", || {
        in_order().run(async {
            let group = Rc::new(TaskGroup::new());
            group.cancel();
            in_vain(&group, N);
        });
    });
}

/// Woken, it drops a task, and that wakes whoever waits for it.
struct DropsTheNext(Mutex<Option<CancelOnDrop<Task<()>>>>);

impl Wake for DropsTheNext {
    fn wake(self: Arc<Self>) {
        let next = self.0.lock().unwrap().take();
        drop(next);
    }
}

#[test]
fn wakers_may_drop_the_next_task() {
    on_a_small_stack("chains::wakers_may_drop_the_next_task", || {
        let executor = in_order();
        let mut next = None;
        for _ in 0..N {
            let mut task = executor.spawn(pending::<()>());
            let waker = Arc::new(DropsTheNext(Mutex::new(next.take()))).into();
            assert!(poll(&mut task, &waker).is_pending());
            next = Some(task.cancel_on_drop());
        }
        executor.run(async {
            yield_now().await;
            drop(next);
        });
        assert_eq!(executor.n_tasks(), 0);
    });
}

#[test]
fn a_drop_at_the_end_may_spawn_from_afar_again_and_again() {
    fn afar(remote: &Remote, left: usize) -> Task<()> {
        let (again, mut left) = (remote.clone(), left);
        let spawns = OnDrop(move || {
            if left > 0 {
                left -= 1;
                drop(afar(&again, left));
                left = 0;
            }
        });
        remote.spawn(move || async move { drop(spawns) })
    }
    on_a_small_stack("chains::a_drop_at_the_end_may_spawn_from_afar_again_and_again", || {
        let executor = in_order();
        let remote = executor.remote();
        drop(afar(&remote, N));
        drop(executor);
    });
}

#[test]
fn tasks_from_afar_that_own_each_other_are_cancelled_at_the_head() {
    on_a_small_stack(
        "chains::tasks_from_afar_that_own_each_other_are_cancelled_at_the_head",
        || {
            let executor = in_order();
            let remote = executor.remote();
            let mut next: Option<CancelOnDrop<Task<()>>> = None;
            for _ in 0..N {
                let owned = next.take();
                let task = remote.spawn(move || async move {
                    let _owned = owned;
                    pending::<()>().await;
                });
                next = Some(task.cancel_on_drop());
            }
            executor.run(async {
                yield_now().await;
                drop(next);
            });
        },
    );
}

#[test]
fn a_map_in_a_map_in_a_map_is_dropped_from_outside() {
    fn nest(depth: usize, ends: Tally) -> MapConcurrent<()> {
        map_concurrent([()], 1, move |()| {
            let ends = ends.clone();
            async move {
                let counts = ends.clone();
                let _counts = OnDrop(move || counts.add_one());
                if depth > 1 {
                    nest(depth - 1, ends).next().await;
                }
                pending::<()>().await;
            }
        })
    }
    on_a_small_stack("chains::a_map_in_a_map_in_a_map_is_dropped_from_outside", || {
        let (executor, ends) = (in_order(), Tally::default());
        executor.run(async {
            let mut map = nest(N, ends.clone());
            let mut next = Box::pin(map.next());
            while executor.n_tasks() < N {
                assert!(poll(&mut next, Waker::noop()).is_pending());
                yield_now().await;
            }
            yield_now().await;
            drop(next);
            drop(map);
            assert_eq!(ends.get(), N);
        });
    });
}

/// The next map is in inputs that were not taken, and panics of their drops are contained.
#[test]
fn maps_whose_inputs_own_the_next_map_are_dropped_at_the_head() {
    on_a_small_stack("chains::maps_whose_inputs_own_the_next_map_are_dropped_at_the_head", || {
        let ends = Tally::default();
        run(async {
            let mut next = None;
            for _ in 0..N {
                let (owned, ends) = (next.take(), ends.clone());
                let counts = OnDrop(move || {
                    ends.add_one();
                    panic_quietly("an input's drop")
                });
                let inputs = [None, Some((counts, owned))];
                next = Some(map_concurrent(inputs, 1, |_| pending::<()>()));
            }
            yield_now().await;
            drop(next);
            assert_eq!(ends.get(), N);
        });
    });
}

/// A task that was spawned is cancelled by the drop of the one before it, from the executor's own end.
#[test]
fn a_drop_at_the_end_may_spawn_in_vain_again_and_again() {
    fn again(left: usize) -> impl Drop {
        let mut left = left;
        OnDrop(move || {
            if left > 0 {
                left -= 1;
                let spawns = again(left);
                drop(spawn(async move { drop(spawns) }));
                left = 0;
            }
        })
    }
    on_a_small_stack("chains::a_drop_at_the_end_may_spawn_in_vain_again_and_again", || {
        let executor = in_order();
        let spawns = again(N);
        drop(executor.spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
        drop(executor);
    });
}

/// Drops one inside of another, by cancels, more deeply than such code nests; and then runs the body.
fn deep_in_drops(body: impl FnOnce() + Send + 'static) {
    struct Runs(Option<Box<dyn FnOnce() + Send>>);
    impl Drop for Runs {
        fn drop(&mut self) {
            if let Some(body) = self.0.take() {
                body();
            }
        }
    }
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let busy = pool.submit({
        let gate = gate.clone();
        move || gate.pass()
    });
    let mut body: Box<dyn FnOnce() + Send> = Box::new(body);
    for _ in 0..20 {
        let runs = Runs(Some(body));
        let job = pool.submit(move || drop(runs));
        body = Box::new(move || assert_eq!(job.cancel(), Cancel::Dequeued));
    }
    body();
    gate.open();
    busy.join().unwrap();
}

#[test]
fn a_run_deep_in_drops_hears_of_the_end_of_its_tasks() {
    watched(|| {
        let n_runs = Count::default();
        let counts = n_runs.clone();
        deep_in_drops(move || {
            let panicked = run(async { spawn(async { panic_quietly("a task") }).await.is_err() });
            let cancelled = run(async {
                let task = spawn(pending::<()>());
                yield_now().await;
                task.cancel();
                task.await.is_err()
            });
            assert!(panicked && cancelled);
            counts.add_one();
        });
        assert_eq!(n_runs.get(), 1);
    });
}

#[test]
fn an_executor_that_is_dropped_deep_in_drops_drops_its_futures() {
    watched(|| {
        let n_spawned = Count::default();
        let counts = n_spawned.clone();
        deep_in_drops(move || {
            let executor = in_order();
            let spawns = OnDrop(move || {
                drop(spawn(pending::<()>())); // It is cancelled at once, and does not panic.
                counts.add_one();
            });
            let task = executor.spawn(async move {
                let _spawns = spawns;
                pending::<()>().await;
            });
            executor.run(yield_now());
            drop(executor);
            assert!(task.is_finished());
        });
        assert_eq!(n_spawned.get(), 1);
    });
}

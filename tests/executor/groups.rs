//! Groups of tasks: none outlives its group, whatever ends it.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use handspun::{TaskGroup, sleep, spawn, task_group, timeout, yield_now};

use crate::setup::{
    OnDrop, Tally, executor, in_order, jumping, millis, panicking_waker, run, secs,
};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, poll, watched};

/// A member that counts itself out.
async fn stays(counts: CountsDrop) {
    let _counts = counts;
    pending::<()>().await;
}

/// A138.
#[test]
fn a_group_waits_for_children_of_its_children() {
    watched(|| {
        jumping().run(async {
            let done = Tally::default();
            let group = TaskGroup::new();
            let (spawner, counts) = (group.spawner(), done.clone());
            group.spawn(async move {
                for _ in 0..3 {
                    sleep(secs(1)).await;
                    let counts = counts.clone();
                    let late = async move {
                        sleep(secs(5)).await;
                        counts.add_one();
                    };
                    drop(spawner.spawn(late));
                }
            });
            group.join().await.unwrap();
            assert_eq!(done.get(), 3);
        });
    });
}

/// A138.
#[test]
fn an_empty_group_is_over_at_once() {
    watched(|| {
        run(async {
            TaskGroup::new().join().await.unwrap();
            assert_eq!(task_group(async |_| 7).await.unwrap(), 7);
        });
    });
}

/// A147.
#[test]
fn a_group_that_is_dropped_has_dropped_its_tasks() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            for _ in 0..10 {
                group.spawn(stays(CountsDrop(drops.clone())));
            }
            yield_now().await;
            drop(group);
            assert_eq!((drops.get(), executor.n_tasks()), (10, 0));
        });
    });
}

/// A147: so has a wait for a group, and a group with a body.
#[test]
fn a_wait_for_a_group_that_is_dropped_has_dropped_its_tasks() {
    watched(|| {
        let executor = jumping();
        executor.run(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            group.spawn(stays(CountsDrop(drops.clone())));
            assert!(timeout(secs(1), group.join()).await.is_err());
            let body = async |group: &TaskGroup| {
                group.spawn(stays(CountsDrop(drops.clone())));
                stays(CountsDrop(drops.clone())).await;
            };
            assert!(timeout(secs(1), task_group(body)).await.is_err());
            assert_eq!((drops.get(), executor.n_tasks()), (3, 0));
        });
    });
}

/// A147.
#[test]
fn a_group_keeps_nothing_of_a_member_that_is_over() {
    watched(|| {
        let executor = in_order();
        executor.run(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            for _ in 0..1000 {
                let counts = CountsDrop(drops.clone());
                group.spawn(async move { drop(counts) });
                yield_now().await;
            }
            assert_eq!(drops.get(), 1000);
            assert_eq!(format!("{group:?}"), "TaskGroup(0 tasks)");
            group.join().await.unwrap();
        });
    });
}

/// A147: a member may hold its group, and let it go.
#[test]
fn a_group_may_be_dropped_by_its_own_member() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let drops = Count::default();
            let kept = Rc::new(RefCell::new(None));
            let group = TaskGroup::new();
            group.spawn(stays(CountsDrop(drops.clone())));
            let (own, counts) = (kept.clone(), CountsDrop(drops.clone()));
            let member = group.spawn(async move {
                drop(own.take());
                stays(counts).await;
            });
            kept.replace(Some(group));
            assert_eq!(member.await, None);
            assert_eq!((drops.get(), executor.n_tasks()), (2, 0));
        });
    });
}

/// A142.
#[test]
fn a_member_that_is_cancelled_is_no_failure() {
    watched(|| {
        run(async {
            let group = TaskGroup::new();
            let (kept, cancelled) = (group.spawn(async { 7 }), group.spawn(pending::<()>()));
            yield_now().await;
            assert!(cancelled.cancel() && !cancelled.cancel());
            group.join().await.unwrap();
            assert_eq!((kept.await, cancelled.await), (Some(7), None));
        });
    });
}

/// A36: before their first poll.
#[test]
fn drops_that_panic_while_a_group_is_cancelled_are_contained() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            for _ in 0..4 {
                let panics = PanicsWhenDropped(drops.clone());
                group.spawn(async move {
                    let _panics = panics;
                    pending::<()>().await;
                });
            }
            group.cancel();
            let failures = group.join().await.unwrap_err();
            assert_eq!((drops.get(), failures.failures.len()), (4, 4));
        });
    });
}

/// A143.
#[test]
fn a_group_inside_of_a_group_goes_with_it() {
    watched(|| {
        let executor = in_order();
        executor.run(async {
            let drops = Count::default();
            let outer = TaskGroup::new();
            let counts = drops.clone();
            outer.spawn(async move {
                let inner = TaskGroup::new();
                for _ in 0..3 {
                    inner.spawn(stays(CountsDrop(counts.clone())));
                }
                inner.join().await.unwrap();
            });
            yield_now().await;
            outer.cancel();
            assert_eq!((drops.get(), executor.n_tasks()), (3, 0));
            outer.join().await.unwrap();
        });
    });
}

/// A139: a body that cancels its own group goes on, and nothing has failed.
#[test]
fn a_body_that_cancels_its_group_goes_on() {
    watched(|| {
        let output = jumping().run(task_group(async |group| {
            group.spawn(pending::<()>());
            group.cancel();
            sleep(secs(1)).await;
            7
        }));
        assert_eq!(output.unwrap(), 7);
    });
}

/// A141: members are dropped before the task that waits for them has settled.
#[test]
fn a_task_that_is_cancelled_takes_its_group_along() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let drops = Count::default();
            let counts = drops.clone();
            let task = spawn(task_group(async move |group| {
                group.spawn(stays(CountsDrop(counts.clone())));
                sleep(millis(3_600_000)).await;
            }));
            yield_now().await;
            yield_now().await;
            assert!(task.cancel());
            assert_eq!((drops.get(), executor.n_tasks()), (1, 0));
        });
    });
}

/// A21: a group knows its tasks, and not their slots. To cancel one of another executor is a message to that.
#[test]
fn a_group_may_have_tasks_of_two_executors() {
    watched(|| {
        let (one, other) = (executor().build(), executor().build());
        let group = TaskGroup::new();
        let drops = Count::default();
        let first = one.run(async { group.spawn(stays(CountsDrop(drops.clone()))) });
        let second = other.run(async { group.spawn(stays(CountsDrop(drops.clone()))) });
        other.run(async { group.cancel() });
        assert_eq!(drops.get(), 1, "the other is told, and asleep");
        assert_eq!((one.run(first), other.run(second), drops.get()), (None, None, 2));
        other.run(group.join()).unwrap();
    });
}

/// A16: a foreign waker that panics costs a member neither its output nor its turn, nor does it end a drop.
#[test]
fn a_waker_that_panics_when_a_group_is_over_is_contained() {
    watched(|| {
        jumping().run(async {
            for is_dropped in [false, true] {
                let group = TaskGroup::new();
                let member = group.spawn(sleep(secs(1)));
                let mut joins = Box::pin(group.spawner().join());
                let (wakes, waker) = panicking_waker();
                assert!(poll(&mut joins, &waker).is_pending());
                let kept = Some(group).filter(|_| !is_dropped);
                assert_eq!(member.await.is_some(), !is_dropped);
                assert_eq!(wakes.get(), 1);
                drop(kept);
            }
        });
    });
}

/// A36: what a member drops may spawn into the group that is over.
#[test]
fn a_drop_may_spawn_into_its_group_in_vain() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let group = TaskGroup::new();
            let spawner = group.spawner();
            let spawns =
                OnDrop(move || drop(spawner.spawn(async { unreachable!("the group is over") })));
            group.spawn(async move {
                let _spawns = spawns;
                pending::<()>().await;
            });
            yield_now().await;
            group.cancel();
            assert_eq!(executor.n_tasks(), 0);
            group.join().await.unwrap();
        });
    });
}

/// A138: a wait of its own for each.
#[test]
fn a_group_is_waited_for_by_as_many_as_like() {
    watched(|| {
        jumping().run(async {
            let group = TaskGroup::new();
            let others = [group.spawner(), group.spawner()].map(|group| spawn(group.join()));
            drop(group.spawn(sleep(secs(1))));
            yield_now().await; // They wait by now.
            group.join().await.unwrap();
            for other in others {
                timeout(secs(1), other).await.unwrap().unwrap().unwrap();
            }
        });
    });
}

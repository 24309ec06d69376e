//! Groups of tasks: none outlives its group, whatever ends it.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use handspun::{JoinError, TaskGroup, sleep, spawn, task_group, timeout, yield_now};

use crate::setup::{
    OnDrop, Tally, executor, in_order, jumping, jumping_in_order, millis, panicking_waker, run,
    secs,
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
            group
                .spawn(async move {
                    for _ in 0..3 {
                        sleep(secs(1)).await;
                        let counts = counts.clone();
                        let late = async move {
                            sleep(secs(5)).await;
                            counts.add_one();
                        };
                        spawner.spawn(late).unwrap().detach();
                    }
                })
                .detach();
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
            let group = TaskGroup::new().limit(3);
            for _ in 0..10 {
                group.spawn(stays(CountsDrop(drops.clone()))).detach();
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
            group.spawn(stays(CountsDrop(drops.clone()))).detach();
            assert!(timeout(secs(1), group.join()).await.is_err());
            let body = async |group: &TaskGroup| {
                group.spawn(stays(CountsDrop(drops.clone()))).detach();
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
                group.spawn(async move { drop(counts) }).detach();
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
            group.spawn(stays(CountsDrop(drops.clone()))).detach();
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

/// A142: one that has not begun, because of the limit.
#[test]
fn a_member_that_waits_for_its_turn_may_be_cancelled() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let group = TaskGroup::new().limit(1);
            let first = group.spawn(pending::<()>());
            let waiting = group.spawn(stays(CountsDrop(drops.clone())));
            assert!(waiting.cancel());
            assert_eq!(drops.get(), 1);
            assert_eq!(waiting.await, None);
            assert!(first.cancel());
            group.join().await.unwrap();
        });
    });
}

/// A83.
#[test]
fn a_group_with_a_limit_lets_so_many_go_on_in_their_order() {
    watched(|| {
        let log = crate::setup::Log::new();
        jumping_in_order().run(async {
            let group = TaskGroup::new().limit(2);
            for n in 0..6 {
                let log = log.clone();
                group
                    .spawn(async move {
                        log.add((n, "begins"));
                        sleep(secs(1)).await;
                        log.add((n, "ends"));
                    })
                    .detach();
            }
            group.join().await.unwrap();
        });
        let expected =
            [0, 2, 4].map(|n| [(n, "begins"), (n + 1, "begins"), (n, "ends"), (n + 1, "ends")]);
        let mut log = log.take();
        log.chunks_mut(4).for_each(|four| four.sort_by_key(|(_, what)| what.len() < 6));
        assert_eq!(log, expected.concat());
    });
}

/// A147: a hundred thousand that wait for their turn, in an executor that ends.
#[test]
fn many_that_wait_for_their_turn_end_with_their_executor() {
    watched(|| {
        let drops = Count::default();
        let executor = executor().build();
        let group = executor.run(async {
            let group = TaskGroup::new().limit(1);
            for _ in 0..100_000 {
                group.spawn(stays(CountsDrop(drops.clone()))).detach();
            }
            group
        });
        drop(executor);
        assert_eq!(drops.get(), 100_000);
        drop(group);
    });
}

/// A142: those that wait for their turn, two hundred thousand, are not looked through for each that is cancelled.
#[test]
fn many_that_wait_for_their_turn_may_be_cancelled_one_by_one() {
    watched(|| {
        run(async {
            let group = TaskGroup::new().limit(1);
            let members = (0..200_000).map(|_| group.spawn(pending::<()>())).collect::<Vec<_>>();
            assert!(members.iter().rev().all(handspun::Member::cancel));
            group.join().await.unwrap();
        });
    });
}

/// A36: those that wait for their turn, and whose drops panic.
#[test]
fn drops_that_panic_while_a_group_is_cancelled_are_contained() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let group = TaskGroup::new().limit(1);
            for _ in 0..4 {
                let panics = PanicsWhenDropped(drops.clone());
                group
                    .spawn(async move {
                        let _panics = panics;
                        pending::<()>().await;
                    })
                    .detach();
            }
            group.cancel();
            let failures = group.join().await.unwrap_err();
            assert_eq!((drops.get(), failures.iter().count()), (4, 4));
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
            outer
                .spawn(async move {
                    let inner = TaskGroup::new();
                    for _ in 0..3 {
                        inner.spawn(stays(CountsDrop(counts.clone()))).detach();
                    }
                    inner.join().await.unwrap();
                })
                .detach();
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
            group.spawn(pending::<()>()).detach();
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
                group.spawn(stays(CountsDrop(counts.clone()))).detach();
                sleep(millis(3_600_000)).await;
            }));
            yield_now().await;
            yield_now().await;
            assert!(task.cancel());
            assert_eq!((drops.get(), executor.n_tasks()), (1, 0));
        });
    });
}

/// A21: numbers and slots are of one executor, and so the tasks of a group are. When they are over it may move.
#[test]
fn a_group_with_tasks_of_one_executor_takes_none_of_another() {
    watched(|| {
        let (one, other) = (executor().build(), executor().build());
        let group = Rc::new(TaskGroup::new());
        let first = one.run(async { group.spawn(yield_now()) });
        let spawns = group.clone();
        let refused = other.run(async { spawn(async move { drop(spawns.spawn(async {})) }).await });
        let Err(JoinError::Panicked(panic)) = refused else { unreachable!("it has no output") };
        assert!(panic.message().contains("of another executor"), "{}", panic.message());
        assert_eq!(one.run(first), Some(()));
        assert_eq!(other.run(async { group.spawn(async { 7 }).await }), Some(7));
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
                let mut joins = Box::pin(group.join());
                let (wakes, waker) = panicking_waker();
                assert!(poll(&mut joins, &waker).is_pending());
                if is_dropped {
                    drop(joins);
                }
                assert_eq!(member.await.is_some(), !is_dropped);
                assert_eq!(wakes.get(), 1);
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
            let spawns = OnDrop(move || {
                if let Some(member) = spawner.spawn(async { unreachable!("the group is over") }) {
                    member.detach();
                }
            });
            group
                .spawn(async move {
                    let _spawns = spawns;
                    pending::<()>().await;
                })
                .detach();
            yield_now().await;
            group.cancel();
            assert_eq!(executor.n_tasks(), 0);
            group.join().await.unwrap();
        });
    });
}

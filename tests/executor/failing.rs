//! Groups in which something fails.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use handspun::{Failure, Failures, Member, Panic, TaskGroup, sleep, task_group, yield_now};

use crate::setup::{executor, in_order, jumping, run, secs};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, panic_quietly, watched};

fn words(failures: &Failures) -> Vec<String> {
    let word = |failure: &Failure| match failure.error.downcast_ref::<Panic>() {
        Some(panic) => panic.message().to_owned(),
        None => failure.error.to_string(),
    };
    failures.failures.iter().map(word).collect()
}

/// A139.
#[test]
fn the_first_failure_cancels_the_others_and_says_why() {
    watched(|| {
        let executor = jumping();
        executor.run(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            for _ in 0..3 {
                let counts = CountsDrop(drops.clone());
                let endless = async move {
                    let _counts = counts;
                    pending::<()>().await;
                };
                group.spawn(endless);
            }
            let fails = group.try_spawn(async {
                sleep(secs(1)).await;
                Err::<(), _>("no more paper")
            });
            let failures = group.join().await.unwrap_err();
            assert_eq!(words(&failures), ["no more paper"]);
            assert_eq!((drops.get(), executor.n_tasks(), fails.await), (3, 0, None));
            assert_eq!(failures.failures[0].spawned_at.file(), file!());
            assert!(failures.to_string().starts_with("1 of 4 tasks failed"));
        });
    });
}

/// A139.
#[test]
fn a_panic_is_a_failure() {
    watched(|| {
        run(async {
            let group = TaskGroup::new();
            group.spawn(async { panic_quietly("oh no") });
            let other = group.spawn(pending::<()>());
            assert_eq!(words(&group.join().await.unwrap_err()), ["oh no"]);
            assert_eq!(other.await, None);
        });
    });
}

/// A139.
#[test]
fn a_failure_ends_the_body() {
    watched(|| {
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let result = run(task_group(async move |group| {
            group.try_spawn(async { Err::<(), _>("no more paper") });
            let _counts = counts;
            pending::<()>().await;
        }));
        assert_eq!(words(&result.unwrap_err()), ["no more paper"]);
        assert_eq!(drops.get(), 1);
    });
}

/// A139: a failure after the body is a failure.
#[test]
fn a_failure_after_the_body_is_told() {
    watched(|| {
        let result = jumping().run(task_group(async |group| {
            let late = async {
                sleep(secs(1)).await;
                Err::<(), _>("too late")
            };
            group.try_spawn(late);
            7
        }));
        assert_eq!(words(&result.unwrap_err()), ["too late"]);
    });
}

/// A139: two that fail in the same turn are both told of; the second had run by then.
#[test]
fn failures_are_in_the_order_in_which_they_came() {
    watched(|| {
        handspun::run(async {
            let group = TaskGroup::supervising();
            group.try_spawn(async { Err::<(), _>("one") });
            group.spawn(async { panic_quietly("two") });
            group.try_spawn(async { Ok::<_, String>(3) });
            let failures = group.join().await.unwrap_err();
            assert_eq!(words(&failures), ["one", "two"]);
            assert_eq!(failures.failures.len(), 2);
        });
    });
}

/// A148.
#[test]
fn a_supervising_group_lets_the_others_go_on() {
    watched(|| {
        jumping().run(async {
            let group = TaskGroup::supervising();
            let members: Vec<_> = (0..6)
                .map(|n| {
                    group.spawn(async move {
                        sleep(secs(1)).await;
                        if n % 2 == 0 {
                            panic_quietly("even")
                        }
                        n
                    })
                })
                .collect();
            assert_eq!(words(&group.join().await.unwrap_err()), ["even"; 3]);
            let mut kept = Vec::new();
            for member in members {
                kept.extend(member.await);
            }
            assert_eq!(kept, [1, 3, 5]);
        });
    });
}

/// A144, A146.
#[test]
fn a_group_that_is_over_drops_what_is_spawned() {
    watched(|| {
        let executor = in_order();
        executor.run(async {
            let drops = Count::default();
            let unpolled = || {
                let counts = CountsDrop(drops.clone());
                async move {
                    let _counts = counts;
                    unreachable!("the group is over")
                }
            };
            let group = TaskGroup::new();
            let spawner = group.spawner();
            group.try_spawn(async { Err::<(), _>("no more paper") });
            yield_now().await;
            let late: handspun::Member<()> = group.spawn(unpolled());
            let later: handspun::Member<()> = spawner.spawn(unpolled());
            assert_eq!((drops.get(), executor.n_tasks()), (2, 0));
            assert_eq!((late.await, later.await), (None, None));
            assert!(group.join().await.is_err());
            assert_eq!(spawner.spawn(async {}).await, None);
        });
    });
}

/// A141.
#[test]
fn a_cancelled_group_with_a_failure_tells_the_failure() {
    watched(|| {
        handspun::run(async {
            let group = TaskGroup::supervising();
            group.try_spawn(async { Err::<(), _>("no more paper") });
            group.spawn(pending::<()>());
            yield_now().await;
            group.cancel();
            assert_eq!(words(&group.join().await.unwrap_err()), ["no more paper"]);
        });
    });
}

/// A143.
#[test]
fn a_failure_in_an_inner_group_may_fail_the_outer_one() {
    watched(|| {
        run(async {
            let outer = TaskGroup::new();
            outer.try_spawn(async {
                let inner = TaskGroup::new();
                inner.try_spawn(async { Err::<(), _>("deep inside") });
                inner.join().await
            });
            let sibling = outer.spawn(pending::<()>());
            let failures = outer.join().await.unwrap_err();
            assert!(words(&failures)[0].contains("deep inside"), "{failures}");
            assert_eq!(sibling.await, None);
        });
    });
}

/// A139: a body that panics has cancelled its tasks.
#[test]
fn a_body_that_panics_takes_its_tasks_along() {
    watched(|| {
        let executor = executor().build();
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let body = task_group(async move |group| {
            group.spawn(async move {
                let _counts = counts;
                pending::<()>().await;
            });
            yield_now().await;
            panic_quietly("oh no")
        });
        let body: handspun::Task<Result<(), _>> = executor.spawn(body);
        assert!(executor.run(body).is_err());
        assert_eq!((drops.get(), executor.n_tasks()), (1, 0));
    });
}

/// How a member is cancelled while its clean-up panics.
async fn with_a_clean_up_that_panics(
    cancel: impl FnOnce(&TaskGroup, &Member<()>),
    awaited: bool,
) -> Vec<String> {
    let group = TaskGroup::supervising();
    let panics = PanicsWhenDropped(Count::default());
    let member = group.spawn(async move {
        let _panics = panics;
        pending::<()>().await;
    });
    yield_now().await;
    cancel(&group, &member);
    if awaited {
        assert_eq!(member.await, None);
    } else {
        drop(member);
    }
    words(&group.join().await.unwrap_err())
}

#[test]
fn a_clean_up_that_panics_is_a_failure_of_the_group() {
    watched(|| {
        for awaited in [false, true] {
            run(async {
                let alone = |_: &TaskGroup, member: &Member<()>| assert!(member.cancel());
                let all = |group: &TaskGroup, _: &Member<()>| group.cancel();
                let failures = [
                    with_a_clean_up_that_panics(alone, awaited).await,
                    with_a_clean_up_that_panics(all, awaited).await,
                ];
                for failures in failures {
                    assert!(
                        failures.len() == 1 && failures[0].contains("a drop that panics"),
                        "{failures:?}"
                    );
                }
            });
        }
    });
}

/// The first fails, which cancels the second, which fails at that.
#[test]
fn a_clean_up_that_panics_after_a_failure_is_told_too() {
    watched(|| {
        run(async {
            let group = TaskGroup::new();
            let panics = PanicsWhenDropped(Count::default());
            let second = group.spawn(async move {
                let _panics = panics;
                pending::<()>().await;
            });
            group.try_spawn(async { Err::<(), _>("the first") });
            let failures = words(&group.join().await.unwrap_err());
            assert_eq!(failures.len(), 2, "{failures:?}");
            assert_eq!(second.await, None);
        });
    });
}

/// Nobody asks the group, so the hook is asked to.
#[test]
fn a_clean_up_that_panics_when_the_group_is_dropped_is_told_to_the_hook() {
    watched(|| {
        for awaited in [false, true] {
            let told = Arc::new(AtomicUsize::new(0));
            let tells = told.clone();
            let hook = move |_: &Panic| {
                tells.fetch_add(1, Relaxed); // ORDERING: Relaxed. One thread.
            };
            executor().panic_hook(hook).build().run(async {
                let group = TaskGroup::new();
                let panics = PanicsWhenDropped(Count::default());
                let member = group.spawn(async move {
                    let _panics = panics;
                    pending::<()>().await;
                });
                yield_now().await;
                drop(group);
                if awaited {
                    assert_eq!(member.await, None);
                }
            });
            assert_eq!(told.load(Relaxed), 1, "awaited: {awaited}"); // ORDERING: Relaxed, as above.
        }
    });
}

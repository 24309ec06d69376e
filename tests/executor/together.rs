//! Several at once: all, all or the first error, the first, and as they finish.

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::task::Waker;

use handspun::{
    JoinError, as_completed, join_all, race, sleep, spawn, timeout, try_join_all, wait, yield_now,
};

use crate::setup::{Tally, counted, hands_out, jumping, millis, run, secs};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, panic_quietly, watched};

/// A76.
#[test]
fn all_of_none_is_ready_at_once() {
    watched(|| {
        let polls = Tally::default();
        run(counted(polls.clone(), async {
            assert_eq!(join_all([] as [std::future::Ready<()>; 0]).await, []);
            assert_eq!(
                try_join_all([] as [std::future::Ready<Result<(), ()>>; 0]).await,
                Ok(vec![])
            );
        }));
        assert_eq!(polls.get(), 1);
    });
}

/// A76.
#[test]
#[should_panic(expected = "a race needs somebody who runs")]
fn a_race_of_none_is_refused() {
    run(race([] as [std::future::Ready<()>; 0]));
}

/// A77.
#[test]
fn the_first_error_drops_the_others_before_it_is_given() {
    watched(|| {
        jumping().run(async {
            let drops = Count::default();
            let results = (1..=10_u64).map(|n| {
                let counts = CountsDrop(drops.clone());
                async move {
                    let _counts = counts;
                    sleep(secs(n)).await;
                    if n == 3 { Err(n) } else { Ok(n) }
                }
            });
            let failed = try_join_all(results.collect::<Vec<_>>());
            let mut failed = std::pin::pin!(failed);
            assert_eq!(failed.as_mut().await, Err(3));
            assert_eq!(drops.get(), 10);
        });
    });
}

/// A77: tasks go with their handles, if these cancel on drop.
#[test]
fn the_first_error_cancels_tasks_whose_handles_do() {
    watched(|| {
        let executor = jumping();
        executor.run(async {
            let tasks = (1..=10_u64).map(|n| {
                let task = spawn(async move {
                    sleep(secs(n)).await;
                    if n == 3 {
                        panic_quietly("oh no")
                    }
                });
                task.cancel_on_drop()
            });
            assert!(try_join_all(tasks.collect::<Vec<_>>()).await.is_err());
            assert_eq!(executor.n_tasks(), 0);
        });
    });
}

/// A78.
#[test]
fn each_slot_says_what_became_of_it() {
    watched(|| {
        run(async {
            let cancelled = spawn(pending());
            cancelled.cancel();
            let tasks = [spawn(async { 1 }), spawn(async { panic_quietly("oh no") }), cancelled];
            let slots = join_all(tasks).await;
            assert!(matches!(slots[0], Ok(1)));
            assert!(matches!(slots[1], Err(JoinError::Panicked(_))));
            assert!(matches!(slots[2], Err(JoinError::Cancelled(_))));
        });
    });
}

/// A79.
#[test]
fn a_join_that_is_dropped_drops_all_its_parts() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let parts = [(); 10].map(|()| {
                let counts = CountsDrop(drops.clone());
                async move {
                    let _counts = counts;
                    pending::<()>().await;
                }
            });
            let task = spawn(join_all(parts));
            yield_now().await;
            task.cancel();
            assert_eq!(drops.get(), 10);
        });
    });
}

/// A81.
#[test]
fn to_cancel_a_join_whose_parts_are_all_over_changes_nothing() {
    watched(|| {
        run(async {
            let parts = [1, 2].map(|n| spawn(async move { n }));
            let all = spawn(join_all(parts));
            while !all.is_finished() {
                yield_now().await;
            }
            assert!(!all.cancel());
            assert_eq!(all.await.unwrap().into_iter().flatten().collect::<Vec<_>>(), [1, 2]);
        });
    });
}

/// A82.
#[test]
fn ten_thousand_that_finish_one_by_one_are_polled_twice_each() {
    watched(|| {
        let (of_parts, of_all) = (Tally::default(), Tally::default());
        jumping().run(async {
            let parts = (1..=10_000).map(|n| counted(of_parts.clone(), sleep(secs(n))));
            counted(of_all.clone(), join_all(parts.collect::<Vec<_>>())).await;
        });
        assert_eq!(of_parts.get(), 20_000);
        assert!(of_all.get() <= 10_002, "{}", of_all.get());
    });
}

/// A84.
#[test]
fn a_part_that_panics_takes_the_others_along() {
    watched(|| {
        let drops = Count::default();
        let parts = (0..10).map(|n| {
            let counts = CountsDrop(drops.clone());
            async move {
                let _counts = counts;
                yield_now().await;
                if n == 5 {
                    panic_quietly("oh no")
                }
                pending::<()>().await;
            }
        });
        let all = join_all(parts.collect::<Vec<_>>());
        assert!(catch_unwind(AssertUnwindSafe(|| run(all))).is_err());
        assert_eq!(drops.get(), 10);
    });
}

/// A84: a part whose drop panics.
#[test]
fn a_drop_that_panics_in_a_join_leaves_none_of_the_others() {
    watched(|| {
        run(async {
            let drops = Count::default();
            let parts = (0..10).map(|n| {
                let counts = CountsDrop(drops.clone());
                let panics = (n == 5).then(|| PanicsWhenDropped(drops.clone()));
                async move {
                    let _held = (counts, panics);
                    pending::<()>().await;
                }
            });
            let all = spawn(join_all(parts.collect::<Vec<_>>()));
            yield_now().await;
            assert!(all.cancel());
            assert_eq!(drops.get(), 11);
            assert!(matches!(all.await, Err(JoinError::Panicked(_))));
        });
    });
}

#[test]
fn the_first_to_be_ready_wins_and_the_others_are_dropped() {
    watched(|| {
        jumping().run(async {
            let drops = Count::default();
            let runners = [3, 1, 2].map(|n| {
                let counts = CountsDrop(drops.clone());
                async move {
                    let _counts = counts;
                    sleep(secs(n)).await;
                    n
                }
            });
            assert_eq!(race(runners).await, 1);
            assert_eq!(drops.get(), 3);
            assert_eq!(race([ready(1), ready(2)]).await, 1, "of those that are ready, the first");
        });
    });
}

/// A86.
#[test]
fn what_comes_as_it_finishes_may_be_left_and_taken_up_again() {
    watched(|| {
        jumping().run(async {
            let tasks = [3, 1, 2].map(|n| {
                spawn(async move {
                    sleep(secs(n)).await;
                    n
                })
            });
            let mut completed = as_completed(tasks);
            assert_eq!(completed.next().await.unwrap().unwrap(), 1);
            sleep(secs(1)).await;
            assert!(timeout(secs(0), pending::<()>()).await.is_err());
            let mut rest = Vec::new();
            while let Some(n) = completed.next().await {
                rest.push(n.unwrap());
            }
            assert_eq!(rest, [2, 3]);
        });
    });
}

/// A87.
#[test]
fn what_has_finished_in_time_comes_before_the_time_is_over() {
    watched(|| {
        jumping().run(async {
            let mut completed = as_completed([1, 2, 9].map(|n| spawn(sleep(secs(n)))));
            let mut n_done = 0;
            let late = timeout(secs(5), async {
                while let Some(result) = completed.next().await {
                    result.unwrap();
                    n_done += 1;
                }
            });
            assert!(late.await.is_err());
            assert_eq!(n_done, 2);
            assert!(completed.next().await.unwrap().is_ok(), "it was not lost");
        });
    });
}

/// A88.
#[test]
fn two_that_finish_in_one_turn_come_without_another_wait() {
    watched(|| {
        handspun::run(async {
            let mut completed = as_completed([1, 2].map(|n| spawn(async move { n })));
            yield_now().await;
            let polls = Tally::default();
            counted(polls.clone(), async {
                assert!(completed.next().await.is_some());
                assert!(completed.next().await.is_some());
                assert!(completed.next().await.is_none());
            })
            .await;
            assert_eq!(polls.get(), 1);
        });
    });
}

/// A89.
#[test]
fn a_wait_for_some_gives_back_the_others_which_go_on() {
    watched(|| {
        jumping().run(async {
            let tasks = || {
                [3_u64, 1, 2].map(|n| {
                    spawn(async move {
                        sleep(secs(n)).await;
                        if n == 2 {
                            panic_quietly("oh no")
                        }
                    })
                })
            };
            let first = wait(tasks(), |_| true).await;
            assert_eq!((first.done.len(), first.unfinished.len()), (1, 2));
            let failed = wait(tasks(), Result::is_err).await;
            assert_eq!((failed.done.len(), failed.unfinished.len()), (2, 1));
            let all = wait(tasks(), |_| false).await;
            assert_eq!((all.done.len(), all.unfinished.len()), (3, 0));
            let others = join_all(first.unfinished).await;
            assert_eq!(others.iter().filter(|result| result.is_err()).count(), 1);
        });
    });
}

/// A89: the same with a time, in a task.
#[test]
fn a_wait_for_some_in_a_time_gives_back_the_others_which_go_on() {
    watched(|| {
        jumping().run(async {
            let mut completed = as_completed([3, 1, 9, 2].map(|n| spawn(sleep(secs(n)))));
            let mut n_done = 0;
            let in_time = async {
                while completed.next().await.is_some() {
                    n_done += 1;
                }
            };
            assert!(timeout(millis(2500), in_time).await.is_err());
            let (done, unfinished) = completed.into_parts();
            assert_eq!((n_done, done.len(), unfinished.len()), (2, 0, 2));
            assert!(join_all(unfinished).await.iter().all(Result::is_ok));
        });
    });
}

/// A82: a wake of a part from another thread.
#[test]
fn a_part_may_be_woken_from_another_thread() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = std::thread::spawn(move || wakers.into_iter().for_each(Waker::wake));
        run(async move {
            let parts = (0..100).map(|_| hands_out(sender.clone(), 10)).collect::<Vec<_>>();
            drop(sender);
            join_all(parts).await;
        });
        waking.join().unwrap();
    });
}

//! Timeouts: who says that time is over, and when a value is there all the same.

use std::future::{pending, ready};
use std::pin::pin;
use std::time::Duration;

use handspun::{Clock, JoinError, as_completed, join_all, sleep, spawn, timeout, yield_now};

use crate::setup::{OnDrop, Tally, counted, executor, jumping, millis, secs};
use crate::support::{Count, CountsDrop, watched};

/// A62.
#[test]
fn a_value_that_is_there_beats_a_deadline_that_is_past() {
    watched(|| {
        jumping().run(async {
            sleep(secs(10)).await;
            assert_eq!(timeout(Duration::ZERO, ready(7)).await, Ok(7));
        });
    });
}

/// A63.
#[test]
fn a_timeout_of_zero_polls_once_and_then_is_over() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            executor.run(async {
                let polls = Tally::default();
                let late = timeout(Duration::ZERO, counted(polls.clone(), pending::<()>()));
                assert!(late.await.is_err());
                assert!((1..=2).contains(&polls.get()), "{}", polls.get());
            });
        }
    });
}

/// A64.
#[test]
fn a_value_that_comes_in_the_moment_of_the_deadline_wins() {
    watched(|| {
        jumping().run(async {
            let value = async {
                sleep(secs(10)).await;
                7
            };
            assert_eq!(timeout(secs(10), value).await, Ok(7));
        });
    });
}

/// A66.
#[test]
fn a_future_that_always_wakes_itself_is_timed_out() {
    watched(|| {
        let busy = async {
            loop {
                yield_now().await;
            }
        };
        let late: Result<(), _> = handspun::run(async { timeout(millis(2), busy).await });
        assert!(late.is_err());
    });
}

/// A timeout around a timeout around what takes for ever: what the outer one gives, and after how long.
fn nested(outer: u64, inner: u64) -> (String, u64) {
    jumping().run(async move {
        let clock = Clock::current();
        let began = clock.now();
        let result = timeout(secs(outer), timeout(secs(inner), pending::<()>())).await;
        let who = match result {
            Ok(Ok(())) => unreachable!("it takes for ever"),
            Ok(Err(_)) => "inner",
            Err(_) => "outer",
        };
        (who.to_owned(), (clock.now() - began).as_secs())
    })
}

/// A67, A68, A69.
#[test]
fn of_two_timeouts_the_earlier_says_so_and_of_equal_ones_the_inner() {
    watched(|| {
        assert_eq!(nested(1, 2), ("outer".to_owned(), 1));
        assert_eq!(nested(2, 1), ("inner".to_owned(), 1));
        assert_eq!(nested(1, 1), ("inner".to_owned(), 1));
    });
}

/// Four of one deadline.
#[test]
fn the_innermost_of_equal_timeouts_says_so() {
    watched(|| {
        let program = async || {
            let inner = timeout(millis(2), timeout(millis(2), pending::<()>()));
            matches!(timeout(millis(2), timeout(millis(2), inner)).await, Ok(Ok(Ok(Err(_)))))
        };
        assert!(jumping().run(program()));
    });
}

/// A68.
#[test]
fn the_outer_timeout_fires_after_the_inner_one_has() {
    watched(|| {
        jumping().run(async {
            let began = Clock::current().now();
            let outer = timeout(secs(3), async {
                assert!(timeout(secs(1), pending::<()>()).await.is_err());
                pending::<()>().await;
            });
            assert!(outer.await.is_err());
            assert_eq!(Clock::current().now() - began, secs(3));
        });
    });
}

/// A67.
#[test]
fn a_timeout_drops_its_future_before_it_is_over() {
    watched(|| {
        jumping().run(async {
            let drops = Count::default();
            let counts = CountsDrop(drops.clone());
            let mut late = pin!(timeout(secs(1), async move {
                let _counts = counts;
                pending::<()>().await;
            }));
            assert!(late.as_mut().await.is_err());
            assert_eq!(drops.get(), 1);
        });
    });
}

/// A71.
#[test]
fn a_timeout_of_all_time_never_fires() {
    watched(|| {
        jumping().run(async {
            let slow = async {
                sleep(secs(1 << 33)).await;
                7
            };
            assert_eq!(timeout(Duration::MAX, slow).await, Ok(7));
        });
    });
}

/// A72: clean-up that needs time is spawned by what is dropped.
#[test]
fn a_timeout_works_in_what_cleans_up_after_a_timeout() {
    watched(|| {
        jumping().run(async {
            let (sender, cleaned) = std::sync::mpsc::channel();
            let cleans = OnDrop(move || {
                let sender = sender.clone();
                drop(spawn(async move {
                    sender.send(timeout(secs(1), pending::<()>()).await.is_err()).unwrap();
                }));
            });
            let late = timeout(secs(1), async move {
                let _cleans = cleans;
                pending::<()>().await;
            });
            assert!(late.await.is_err());
            sleep(secs(2)).await;
            assert!(cleaned.try_recv().unwrap());
        });
    });
}

/// A73.
#[test]
fn a_task_cancelled_inside_a_timeout_is_cancelled_and_not_late() {
    watched(|| {
        jumping().run(async {
            let task = spawn(timeout(secs(10), pending::<()>()));
            yield_now().await;
            assert!(task.cancel());
            assert!(matches!(task.await, Err(JoinError::Cancelled(_))));
            let task = spawn(pending::<()>());
            let canceller = task.cancel_on_drop();
            drop(canceller);
        });
    });
}

/// A69: side by side in one future, and each with its own waker.
#[test]
fn equal_timeouts_around_and_inside_many_leave_none_behind() {
    watched(|| {
        jumping().run(async {
            let parts = (0..100).map(|_| timeout(secs(1), pending::<()>()));
            let slots = timeout(secs(1), join_all(parts.collect::<Vec<_>>())).await.unwrap();
            assert!(slots.iter().all(Result::is_err));
            let parts = (0..100).map(|_| timeout(secs(1), pending::<()>()));
            let slots = timeout(secs(2), join_all(parts.collect::<Vec<_>>())).await.unwrap();
            assert!(slots.iter().all(Result::is_err));
        });
    });
}

#[test]
fn a_member_whose_own_timeout_is_longer_than_each_wait_for_it_is_posted() {
    watched(|| {
        jumping().run(async {
            let mut completed = as_completed([Box::pin(timeout(secs(5), pending::<()>()))]);
            let mut waits = 0;
            let member = loop {
                waits += 1;
                assert!(waits < 20, "its time was over after five");
                if let Ok(member) = timeout(secs(1), completed.next()).await {
                    break member;
                }
            };
            assert!(matches!(member, Some(Err(_))));
        });
    });
}

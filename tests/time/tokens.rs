//! One token: asked, awaited, slept on, guarded, and cancelled by anybody at any moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use handspun::{CancelReason, CancellationToken, Cancelled, Clock, block_on};

use crate::setup::{HOUR, MILLISECOND, ROUNDS, SECOND, calls};
use crate::support::{
    Count, CountsDrop, Task, WakeCounter, panic_quietly, poll, run_elsewhere, watched,
};

fn because(why: &str) -> CancelReason {
    CancelReason::Because(why.into())
}

/// A127.
#[test]
fn a_token_is_cancelled_once_and_for_one_reason() {
    let token = CancellationToken::new();
    assert!(!token.is_cancelled() && token.check().is_ok() && token.reason().is_none());
    assert!(token.cancel_because("lunch"));
    assert!(!token.cancel() && !token.cancel_because("supper"));
    assert_eq!(token.check(), Err(Cancelled { reason: because("lunch") }));
}

#[test]
fn clones_are_the_same_token() {
    let token = CancellationToken::new();
    token.clone().cancel();
    assert_eq!(token.reason(), Some(CancelReason::Requested));
}

#[test]
fn dropping_a_token_cancels_nothing() {
    let token = CancellationToken::new();
    let child = token.child();
    drop(token.clone());
    drop(token);
    assert!(!child.is_cancelled());
}

#[test]
fn a_token_shows_whether_and_why_it_is_cancelled() {
    let token = CancellationToken::new();
    assert_eq!(format!("{token:?}"), "CancellationToken(not cancelled)");
    token.cancel_because("lunch");
    assert_eq!(format!("{token:?}"), "CancellationToken(cancelled: lunch)");
    assert_eq!(token.check().unwrap_err().to_string(), "cancelled: lunch");
}

/// A127.
#[test]
fn whoever_comes_to_wait_after_the_cancel_is_answered_at_once_every_time() {
    let token = CancellationToken::new();
    token.cancel();
    let (counter, waker) = WakeCounter::new();
    let mut wait = token.cancelled();
    for _ in 0..3 {
        assert!(poll(&mut wait, &waker).is_ready());
        assert!(poll(&mut token.cancelled(), &waker).is_ready());
        assert!(token.check().is_err());
    }
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2), "nothing was kept");
}

/// A128.
#[test]
fn a_cancel_wakes_all_who_wait_once_before_it_returns() {
    let token = CancellationToken::new();
    let (counter, waker) = WakeCounter::new();
    let mut waits: Vec<_> = (0..10).map(|_| token.cancelled()).collect();
    for wait in &mut waits {
        assert!(poll(wait, &waker).is_pending() && poll(wait, &waker).is_pending());
    }
    token.cancel();
    token.cancel();
    assert_eq!(counter.wakes(), 10);
    assert!(waits.iter_mut().all(|wait| poll(wait, &waker).is_ready()));
}

#[test]
fn a_wait_that_is_dropped_is_not_woken() {
    let token = CancellationToken::new();
    let (counter, waker) = WakeCounter::new();
    let mut wait = token.cancelled();
    assert!(poll(&mut wait, &waker).is_pending());
    drop(wait);
    assert_eq!(Arc::strong_count(&counter), 2, "its waker is gone too");
    token.cancel();
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn a_wait_outlives_the_token_that_it_came_from() {
    let (parent, (counter, waker)) = (CancellationToken::new(), WakeCounter::new());
    let mut wait = parent.child().cancelled();
    assert!(poll(&mut wait, &waker).is_pending());
    parent.cancel();
    assert_eq!(counter.wakes(), 1);
    assert!(poll(&mut wait, &waker).is_ready());
}

#[test]
fn a_foreign_executor_awaits_a_thousand_tokens() {
    watched(|| {
        let (parent, heard) = (CancellationToken::new(), Count::default());
        let waits = (0..1000).map(|_| {
            let (token, heard) = (parent.child(), heard.clone());
            let task: Task = Box::pin(async move {
                assert_eq!(token.cancelled().await, CancelReason::Requested);
                heard.add_one();
            });
            task
        });
        let mut tasks: Vec<_> = waits.collect();
        let canceller = parent.clone();
        tasks.push(Box::pin(async move { assert!(canceller.cancel()) }));
        run_elsewhere(tasks);
        assert_eq!(heard.get(), 1000);
    });
}

#[test]
fn a_waker_that_panics_does_not_keep_the_next_from_being_woken() {
    let token = CancellationToken::new();
    let (counter, waker) = WakeCounter::new();
    let wakers = [calls(|| panic_quietly("woken")), waker];
    let waits = wakers.map(|waker| {
        let mut wait = token.cancelled();
        assert!(poll(&mut wait, &waker).is_pending());
        wait
    });
    assert!(token.cancel());
    assert_eq!(counter.wakes(), 1);
    drop(waits);
}

#[test]
fn a_waker_may_do_anything_with_the_token_that_wakes_it() {
    watched(|| {
        let (token, seen) = (CancellationToken::new(), Count::default());
        let other = Arc::new(Mutex::new(Some(token.cancelled())));
        let waker = calls({
            let (token, seen) = (token.clone(), seen.clone());
            move || {
                assert!(!token.cancel() && token.child().is_cancelled());
                drop(other.lock().unwrap().take());
                assert_eq!(block_on(token.cancelled()), CancelReason::Requested);
                seen.add_one();
            }
        });
        let mut wait = token.cancelled();
        assert!(poll(&mut wait, &waker).is_pending());
        token.cancel();
        assert_eq!(seen.get(), 1);
    });
}

#[test]
fn a_wait_that_sees_the_deadline_itself_may_be_woken_by_what_it_sees() {
    watched(|| {
        let clock = Clock::jumping();
        let token = CancellationToken::on(&clock).child_with_timeout(SECOND);
        let (counter, waker) = WakeCounter::new();
        let mut waits = [(); 3].map(|()| token.cancelled());
        for wait in &mut waits {
            assert!(poll(wait, &waker).is_pending());
        }
        clock.advance(SECOND);
        for wait in &mut waits {
            let answer = poll(wait, &waker);
            assert_eq!(answer, std::task::Poll::Ready(CancelReason::DeadlinePassed));
        }
        drop(waits);
        assert_eq!(Arc::strong_count(&counter), 2);
    });
}

/// A127, A134.
#[test]
fn one_of_several_threads_cancels_and_all_see_its_reason() {
    watched(|| {
        for _ in 0..ROUNDS {
            let (token, all) = (CancellationToken::new(), Barrier::new(3));
            let reasons = thread::scope(|scope| {
                let cancel = |why: &'static str| {
                    all.wait();
                    (token.cancel_because(why), token.reason().unwrap(), because(why))
                };
                let cancels = ["a", "b", "c"].map(|why| scope.spawn(move || cancel(why)));
                cancels.map(|thread| thread.join().unwrap())
            });
            let winners: Vec<_> = reasons.iter().filter(|(is_first, ..)| *is_first).collect();
            assert_eq!(winners.len(), 1);
            assert!(reasons.iter().all(|(_, seen, _)| *seen == winners[0].2));
        }
    });
}

/// A133.
#[test]
fn a_cancel_that_races_a_wait_ends_it() {
    watched(|| {
        for _ in 0..ROUNDS {
            let parent = CancellationToken::new();
            let token = parent.child();
            let waiter = thread::spawn(move || block_on(token.cancelled()));
            parent.cancel();
            assert_eq!(waiter.join().unwrap(), CancelReason::Requested);
        }
    });
}

#[test]
fn a_passed_deadline_cancels_for_its_own_reason() {
    watched(|| {
        let token = CancellationToken::with_timeout(MILLISECOND);
        assert_eq!(block_on(token.cancelled()), CancelReason::DeadlinePassed);
        assert!(!token.cancel(), "it is cancelled");
    });
}

#[test]
fn the_time_that_remains_goes_with_the_clock_and_stops_at_nothing() {
    let clock = Clock::jumping();
    let token = CancellationToken::on(&clock).child_with_timeout(SECOND);
    assert_eq!(token.deadline(), Some(clock.now() + SECOND));
    let steps = [0, 400, 599, 1, 5000].map(|millis| {
        clock.advance(MILLISECOND * millis);
        (token.remaining().unwrap().as_millis(), token.is_cancelled())
    });
    assert_eq!(steps, [(1000, false), (600, false), (1, false), (0, true), (0, true)]);
}

#[test]
fn a_deadline_of_the_real_clock_needs_nobody_who_waits() {
    let token = CancellationToken::with_timeout(Duration::ZERO);
    assert!(token.is_cancelled());
    assert_eq!(token.reason(), Some(CancelReason::DeadlinePassed));
    assert_eq!(token.remaining(), Some(Duration::ZERO));
}

#[test]
fn a_thread_that_pauses_goes_on_when_its_time_has_come() {
    watched(|| {
        let began = Instant::now();
        assert_eq!(CancellationToken::new().sleep(MILLISECOND * 2), Ok(()));
        assert!(began.elapsed() >= MILLISECOND * 2);
    });
}

#[test]
fn a_thread_that_pauses_is_woken_by_the_cancel() {
    watched(|| {
        for clock in [Clock::real(), Clock::jumping()] {
            let token = CancellationToken::on(&clock);
            let pauses = token.clone();
            let sleeper = thread::spawn(move || pauses.sleep(HOUR));
            token.cancel_because("lunch");
            let woken = sleeper.join().unwrap();
            assert_eq!(woken, Err(Cancelled { reason: because("lunch") }));
        }
    });
}

#[test]
fn a_pause_ends_with_the_deadline_of_its_token() {
    watched(|| {
        let paused = CancellationToken::with_timeout(MILLISECOND).sleep(HOUR);
        assert_eq!(paused, Err(Cancelled { reason: CancelReason::DeadlinePassed }));
    });
}

#[test]
fn a_pause_of_no_time_only_looks() {
    watched(|| {
        for clock in [Clock::real(), Clock::jumping()] {
            let token = CancellationToken::on(&clock);
            assert!(token.sleep(Duration::ZERO).is_ok());
            token.cancel();
            assert!(token.sleep(Duration::ZERO).is_err());
        }
    });
}

#[test]
fn a_pause_for_ever_ends_with_the_cancel() {
    watched(|| {
        let token = CancellationToken::new();
        let pauses = token.clone();
        let sleeper = thread::spawn(move || pauses.sleep(Duration::MAX));
        token.cancel();
        assert!(sleeper.join().unwrap().is_err());
    });
}

/// A137.
#[test]
fn a_guard_cancels_on_whatever_way_out() {
    let token = CancellationToken::new();
    let unwinds = AssertUnwindSafe(|| {
        let _guard = token.drop_guard();
        assert!(!token.is_cancelled());
        panic_quietly("out");
    });
    assert!(catch_unwind(unwinds).is_err());
    assert_eq!(token.reason(), Some(CancelReason::Requested));
}

/// A137.
#[test]
fn a_guard_that_is_taken_apart_gives_its_token_back_uncancelled() {
    let token = CancellationToken::new();
    let again = token.drop_guard().into_handle().drop_guard();
    assert!(!token.is_cancelled());
    drop(again);
    assert!(token.is_cancelled());
}

#[test]
fn a_task_that_is_dropped_while_it_waits_leaves_nothing_with_the_token() {
    let (token, dropped) = (CancellationToken::new(), Count::default());
    let (counter, waker) = WakeCounter::new();
    let (captured, waits) = (CountsDrop(dropped.clone()), token.clone());
    let mut task = Box::pin(async move {
        let _captured = captured;
        waits.cancelled().await
    });
    assert!(poll(&mut task, &waker).is_pending());
    drop(task);
    token.cancel();
    assert_eq!((dropped.get(), counter.wakes(), Arc::strong_count(&counter)), (1, 0, 2));
}

//! A jumping clock moves when it is told to, and wakes whom it passes, in order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use handspun::{CancelReason, CancellationToken, Clock, WaitForCancel, block_on};

use crate::setup::{HOUR, MILLISECOND, ROUNDS, SECOND, calls};
use crate::support::{Count, WakeCounter, panic_quietly, poll, until, watched};

/// A wait for a deadline that is so far ahead, with a waker.
fn waits_for(clock: &Clock, seconds: u32, waker: &Waker) -> WaitForCancel {
    let token = CancellationToken::on(clock).child_with_timeout(SECOND * seconds);
    let mut wait = token.cancelled();
    assert!(poll(&mut wait, waker).is_pending());
    wait
}

/// Who was woken, in that order.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<u32>>>);

impl Order {
    fn waker(&self, name: u32) -> Waker {
        let order = self.clone();
        calls(move || order.0.lock().unwrap().push(name))
    }

    fn names(&self) -> Vec<u32> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn a_jumping_clock_stands_still_until_it_is_advanced() {
    let clock = Clock::jumping();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(clock.now() - before, Duration::from_nanos(1));
}

#[test]
fn clones_are_the_same_clock() {
    let clock = Clock::jumping();
    let before = clock.now();
    clock.clone().advance(HOUR);
    assert_eq!(clock.now() - before, HOUR);
}

#[test]
fn one_advance_wakes_in_the_order_of_the_deadlines() {
    let (clock, order) = (Clock::jumping(), Order::default());
    let waits = [3, 1, 4, 2].map(|name| waits_for(&clock, name, &order.waker(name)));
    clock.advance(SECOND * 3);
    assert_eq!(order.names(), [1, 2, 3]);
    drop(waits);
}

#[test]
fn equal_deadlines_wake_in_the_order_in_which_they_were_waited_for() {
    let (clock, order) = (Clock::jumping(), Order::default());
    let waits: Vec<_> = (0..100).map(|name| waits_for(&clock, 1, &order.waker(name))).collect();
    clock.advance(SECOND);
    assert_eq!(order.names(), (0..100).collect::<Vec<_>>());
    drop(waits);
}

#[test]
fn a_deadline_wakes_at_its_nanosecond_and_not_before() {
    let (clock, (counter, waker)) = (Clock::jumping(), WakeCounter::new());
    let mut wait = waits_for(&clock, 1, &waker);
    clock.advance(SECOND - Duration::from_nanos(1));
    assert!(counter.wakes() == 0 && poll(&mut wait, &waker).is_pending());
    clock.advance(Duration::from_nanos(1));
    assert!(counter.wakes() == 1 && poll(&mut wait, &waker).is_ready());
}

#[test]
fn a_waker_may_advance_the_clock_and_the_order_stays() {
    watched(|| {
        let (clock, order) = (Clock::jumping(), Order::default());
        let advances = {
            let (clock, order) = (clock.clone(), order.clone());
            calls(move || {
                order.0.lock().unwrap().push(1);
                clock.advance(HOUR);
            })
        };
        let first = waits_for(&clock, 1, &advances);
        let others = [2, 50].map(|name| waits_for(&clock, name, &order.waker(name)));
        clock.advance(SECOND * 2);
        assert_eq!(order.names(), [1, 2, 50], "50 is due within the hour, and 2 before it");
        drop((first, others));
    });
}

#[test]
fn a_waker_may_drop_a_wait_that_is_due_and_then_it_is_not_woken() {
    watched(|| {
        let (clock, (counter, waker)) = (Clock::jumping(), WakeCounter::new());
        let second = Arc::new(Mutex::new(None));
        let drops = {
            let second = second.clone();
            calls(move || drop(second.lock().unwrap().take()))
        };
        let first = waits_for(&clock, 1, &drops);
        *second.lock().unwrap() = Some(waits_for(&clock, 2, &waker));
        clock.advance(HOUR);
        assert_eq!((counter.wakes(), second.lock().unwrap().is_none()), (0, true));
        drop(first);
    });
}

#[test]
fn a_wait_that_is_dropped_lets_go_of_its_waker_at_once() {
    let (clock, (counter, waker)) = (Clock::jumping(), WakeCounter::new());
    drop(waits_for(&clock, 1, &waker));
    assert_eq!(Arc::strong_count(&counter), 2, "the test's own, and its waker");
    clock.advance(HOUR);
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn the_newest_waker_is_woken_and_the_one_before_let_go() {
    let (clock, [(old, old_waker), (new, new_waker)]) =
        (Clock::jumping(), [(); 2].map(|()| WakeCounter::new()));
    let mut wait = waits_for(&clock, 1, &old_waker);
    assert!(poll(&mut wait, &new_waker).is_pending());
    assert_eq!(Arc::strong_count(&old), 2);
    clock.advance(SECOND);
    assert_eq!((old.wakes(), new.wakes()), (0, 1));
}

#[test]
fn the_longest_timeout_is_never_over() {
    let clock = Clock::jumping();
    let token = CancellationToken::on(&clock).child_with_timeout(Duration::MAX);
    clock.advance(HOUR * 24 * 365 * 100);
    assert_eq!((token.deadline(), token.remaining(), token.reason()), (None, None, None));
}

#[test]
fn an_advance_beyond_all_time_says_so_and_moves_nothing() {
    let clock = Clock::jumping();
    let before = clock.now();
    let advance = catch_unwind(AssertUnwindSafe(|| clock.advance(Duration::MAX)));
    let message = advance.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("there is no such time"), "{message}");
    assert_eq!(clock.now(), before);
}

#[test]
#[should_panic(expected = "the real clock cannot be advanced")]
fn the_real_clock_cannot_be_advanced() {
    Clock::real().advance(SECOND);
}

#[test]
fn a_waker_that_panics_does_not_keep_the_next_from_being_woken() {
    let (clock, (counter, waker)) = (Clock::jumping(), WakeCounter::new());
    let panics = calls(|| panic_quietly("woken"));
    let waits = [waits_for(&clock, 1, &panics), waits_for(&clock, 2, &waker)];
    clock.advance(HOUR);
    assert_eq!(counter.wakes(), 1);
    drop(waits);
}

#[test]
fn threads_that_advance_at_once_move_the_clock_by_the_sum() {
    watched(|| {
        let (clock, woken) = (Clock::jumping(), Count::default());
        let (before, counts) = (clock.now(), woken.clone());
        let waker = calls(move || counts.add_one());
        let waits: Vec<_> = (1..=400).map(|n| waits_for(&clock, n, &waker)).collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| clock.advance(SECOND)));
            }
        });
        assert_eq!((clock.now() - before, woken.get()), (SECOND * 400, 400));
        drop(waits);
    });
}

#[test]
fn a_jump_between_the_look_and_the_timer_is_not_missed() {
    watched(|| {
        for _ in 0..ROUNDS {
            let clock = Clock::jumping();
            let token = CancellationToken::on(&clock).child_with_timeout(MILLISECOND);
            let waiter = thread::spawn(move || block_on(token.cancelled()));
            clock.advance(MILLISECOND);
            assert_eq!(waiter.join().unwrap(), CancelReason::DeadlinePassed);
        }
    });
}

#[test]
fn a_thread_that_pauses_on_a_jumping_clock_goes_on_when_its_time_has_come() {
    watched(|| {
        let clock = Clock::jumping();
        let token = CancellationToken::on(&clock);
        let sleeper = thread::spawn(move || token.sleep(HOUR));
        until(|| {
            clock.advance(HOUR);
            sleeper.is_finished()
        });
        assert_eq!(sleeper.join().unwrap(), Ok(()));
    });
}

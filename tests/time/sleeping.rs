//! Sleeps and timeouts under `block_on`, under any executor, and on any thread.

use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use handspun::{Elapsed, Sleep, block_on, sleep, sleep_until, timeout};

use crate::setup::{HOUR, MILLISECOND, ROUNDS, calls};
use crate::support::{
    Count, CountsDrop, Gate, PanicsWhenDropped, Task, WakeCounter, panic_quietly, poll,
    run_elsewhere, threads_named, until, watched, with_address_space_of,
};

/// Keeps the processor until it is that late.
fn stay_until(deadline: Instant) {
    until(|| Instant::now() >= deadline);
}

/// A sleep that was polled before it was over, as on a busy machine a short one may not be.
fn asleep(length: Duration, waker: &Waker) -> Sleep {
    loop {
        let mut asleep = sleep(length);
        if poll(&mut asleep, waker).is_pending() {
            return asleep;
        }
    }
}

#[test]
fn a_sleep_is_not_over_before_its_time() {
    watched(|| {
        for micros in [0, 1, 100, 3_000] {
            let (began, length) = (Instant::now(), Duration::from_micros(micros));
            block_on(sleep(length));
            assert!(began.elapsed() >= length);
        }
    });
}

#[test]
fn the_time_of_a_sleep_counts_from_its_call() {
    let mut asleep = sleep(MILLISECOND);
    stay_until(Instant::now() + MILLISECOND);
    assert!(poll(&mut asleep, Waker::noop()).is_pending(), "others go first");
    assert!(poll(&mut asleep, Waker::noop()).is_ready());
}

#[test]
fn a_sleep_until_a_time_that_is_past_lets_others_go_first_and_keeps_nothing() {
    let (counter, waker) = WakeCounter::new();
    let mut asleep = sleep_until(Instant::now());
    assert!(poll(&mut asleep, &waker).is_pending());
    assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (1, 2), "nothing was kept");
    assert!(poll(&mut asleep, &waker).is_ready());
}

/// A sleep that looks at the time itself, before the alarm has.
#[test]
fn a_sleep_that_is_over_before_the_alarm_knows_leaves_no_timer() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        for _ in 0..ROUNDS {
            let mut asleep = asleep(Duration::from_micros(50), &waker);
            stay_until(Instant::now() + Duration::from_micros(50));
            assert!(poll(&mut asleep, &waker).is_ready());
            until(|| Arc::strong_count(&counter) == 2); // The alarm may have it in its hands.
        }
    });
}

#[test]
fn a_loop_of_sleeps_that_are_too_short_ends_with_the_timeout_around_it() {
    let sleeps = async {
        loop {
            sleep(Duration::ZERO).await;
            sleep_until(Instant::now()).await;
        }
    };
    watched(|| assert!(block_on(timeout(MILLISECOND, sleeps)).is_err()));
}

#[test]
fn a_sleep_polled_again_after_it_was_over_is_over() {
    watched(|| {
        let mut asleep = sleep(MILLISECOND);
        block_on(&mut asleep);
        assert!(poll(&mut asleep, &WakeCounter::new().1).is_ready());
    });
}

#[test]
fn the_longest_sleep_is_never_over_and_keeps_no_waker() {
    let (counter, waker) = WakeCounter::new();
    let mut asleep = sleep(Duration::MAX);
    assert!(poll(&mut asleep, &waker).is_pending());
    assert_eq!(Arc::strong_count(&counter), 2);
}

/// A task that sleeps for so long, and says that it did.
fn sleeps(length: Duration, over: &Count) -> Task {
    let over = over.clone();
    Box::pin(async move {
        let began = Instant::now();
        sleep(length).await;
        assert!(began.elapsed() >= length);
        over.add_one();
    })
}

#[test]
fn a_foreign_executor_runs_a_thousand_sleeps_at_once() {
    watched(|| {
        let over = Count::default();
        let lengths = (0..1000).map(|n| Duration::from_micros(n * 7919 % 5000));
        run_elsewhere(lengths.map(|length| sleeps(length, &over)).collect());
        assert_eq!(over.get(), 1000);
    });
}

#[test]
fn a_foreign_executor_may_sleep_again_and_again() {
    watched(|| {
        let done = Count::default();
        let counts = done.clone();
        run_elsewhere(vec![Box::pin(async move {
            for _ in 0..20 {
                sleep(Duration::from_micros(100)).await;
            }
            counts.add_one();
        })]);
        assert_eq!(done.get(), 1);
    });
}

#[test]
fn sleepers_on_four_threads_share_one_alarm() {
    watched(|| {
        let over = Count::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let tasks = (0..50).map(|n| sleeps(Duration::from_micros(n * 20), &over));
                        run_elsewhere(tasks.collect());
                        // One that ends may still be listed beside one that begins.
                        assert!(threads_named("handspun-alarm").len() <= 2);
                    }
                });
            }
        });
        assert_eq!(over.get(), 2000);
        let asleep = &mut sleep(HOUR);
        assert!(poll(asleep, &WakeCounter::new().1).is_pending());
        until(|| threads_named("handspun-alarm").len() == 1);
    });
}

#[test]
fn a_sleep_that_has_moved_wakes_where_it_was_polled_last() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        let asleep = asleep(MILLISECOND * 5, &waker);
        thread::spawn(move || block_on(asleep)).join().unwrap();
        assert!(counter.wakes() <= 1, "only if it moved too late");
        assert_eq!(Arc::strong_count(&counter), 2);
    });
}

#[test]
fn a_sleep_dropped_on_another_thread_lets_go_of_its_waker() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        let mut asleep = sleep(HOUR);
        assert!(poll(&mut asleep, &waker).is_pending());
        thread::spawn(move || drop(asleep)).join().unwrap();
        assert_eq!(Arc::strong_count(&counter), 2);
    });
}

#[test]
fn a_waker_that_panics_does_not_stop_the_alarm() {
    watched(|| {
        let panicked = Count::default();
        let counts = panicked.clone();
        let panics = calls(move || {
            counts.add_one();
            // Here it is woken if it is over at its first poll, as it may be on a busy machine.
            if thread::current().name() == Some("handspun-alarm") {
                panic_quietly("woken");
            }
        });
        let _asleep = asleep(MILLISECOND, &panics);
        panicked.reach(1);
        block_on(sleep(MILLISECOND));
    });
}

struct WakerThatPanicsWhenDropped(
    #[expect(dead_code, reason = "its drop counts")] PanicsWhenDropped,
);

impl Wake for WakerThatPanicsWhenDropped {
    fn wake(self: Arc<Self>) {
        // Being woken is not what it is about.
    }
}

#[test]
fn a_sleep_contains_the_panic_of_the_waker_that_it_drops() {
    watched(|| {
        let dropped = Count::default();
        let mut asleep = sleep(HOUR);
        let waker = WakerThatPanicsWhenDropped(PanicsWhenDropped(dropped.clone()));
        let waker = Waker::from(Arc::new(waker));
        assert!(poll(&mut asleep, &waker).is_pending());
        drop(waker);
        assert_eq!(dropped.get(), 0, "the sleep has the last of it");
        drop(asleep);
        assert_eq!(dropped.get(), 1);
    });
}

/// Sleeps `left` times in a row, on the alarm's own thread: its waker polls the next sleep.
fn sleeps_when_woken(left: usize, done: Gate) {
    let place = Arc::new(Mutex::new(None::<Sleep>));
    let kept = place.clone();
    let waker = calls(move || {
        // Not while it is polled: on a busy machine it may be over by then, and wakes in its first poll.
        if let Ok(mut kept) = kept.try_lock() {
            drop(kept.take());
        }
        if left == 0 { done.open() } else { sleeps_when_woken(left - 1, done.clone()) }
    });
    let mut place = place.lock().unwrap();
    let asleep = place.insert(sleep(Duration::from_micros(50)));
    if poll(asleep, &waker).is_ready() {
        drop(place);
        waker.wake();
    }
}

#[test]
fn a_waker_may_sleep_again_on_the_thread_that_wakes_it() {
    watched(|| {
        let done = Gate::closed();
        sleeps_when_woken(100, done.clone());
        done.pass();
    });
}

#[test]
fn a_value_that_is_ready_beats_a_timeout_of_zero() {
    watched(|| assert_eq!(block_on(timeout(Duration::ZERO, ready(7))), Ok(7)));
}

#[test]
fn a_value_that_comes_late_beats_a_time_that_nobody_saw_passing() {
    let (sender, value) = mpsc::channel();
    let waker = WakeCounter::new().1;
    let mut bounded = loop {
        let receives = poll_fn(|_| value.try_recv().map_or(Poll::Pending, Poll::Ready));
        let mut bounded = Box::pin(timeout(MILLISECOND * 5, receives));
        if poll(&mut bounded, &waker).is_pending() {
            break bounded;
        }
    };
    stay_until(Instant::now() + MILLISECOND * 5);
    sender.send(7).unwrap();
    assert_eq!(poll(&mut bounded, &waker), Poll::Ready(Ok(7)));
}

#[test]
fn a_timeout_says_how_long_it_was_and_drops_the_future_where_it_stands() {
    watched(|| {
        let dropped = Count::default();
        let captured = CountsDrop(dropped.clone());
        let stuck = async move {
            let _captured = captured;
            pending::<()>().await;
        };
        assert_eq!(block_on(timeout(MILLISECOND, stuck)), Err(Elapsed { timeout: MILLISECOND }));
        assert_eq!(dropped.get(), 1);
    });
}

#[test]
fn the_time_of_a_timeout_counts_from_its_call() {
    watched(|| {
        let bounded = timeout(MILLISECOND, sleep(HOUR));
        let before = Instant::now() + MILLISECOND;
        stay_until(before);
        let mut bounded = pin!(bounded);
        let mut poll = || bounded.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending(), "others go first");
        assert!(matches!(poll(), Poll::Ready(Err(_))));
    });
}

#[test]
fn the_shorter_of_two_timeouts_ends_the_wait() {
    watched(|| {
        let inner = block_on(timeout(HOUR, timeout(MILLISECOND, pending::<()>())));
        assert_eq!(inner, Ok(Err(Elapsed { timeout: MILLISECOND })));
        let outer = block_on(timeout(MILLISECOND, timeout(HOUR, pending::<()>())));
        assert_eq!(outer, Err(Elapsed { timeout: MILLISECOND }));
    });
}

#[test]
fn a_foreign_executor_bounds_what_never_comes() {
    watched(|| {
        let over = Count::default();
        let tasks = (0..100).map(|n| {
            let over = over.clone();
            let task: Task = Box::pin(async move {
                let bounded = timeout(Duration::from_micros(n * 30), pending::<()>());
                assert!(bounded.await.is_err());
                over.add_one();
            });
            task
        });
        run_elsewhere(tasks.collect());
        assert_eq!(over.get(), 100);
    });
}

/// Takes all the address space but what less than a thread needs.
fn take_the_room_of_a_thread() -> Vec<Vec<u8>> {
    let mut taken = Vec::with_capacity(1 << 10);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 19).is_err() {
            taken.pop(); // The rest of the test allocates too.
            return taken;
        }
        taken.push(block);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_sleep_ends_though_the_system_refuses_the_alarm_its_thread() {
    let name = "sleeping::a_sleep_ends_though_the_system_refuses_the_alarm_its_thread";
    with_address_space_of(1 << 18, name, || {
        watched(|| {
            let taken = take_the_room_of_a_thread();
            let began = Instant::now();
            block_on(sleep(MILLISECOND * 5));
            assert!(began.elapsed() >= MILLISECOND * 5);
            assert_eq!(threads_named("handspun-alarm").len(), 0);
            drop(taken);
            // Now there is one to be had; it is named when it has begun, and ends when nothing has slept for a second.
            until(|| {
                block_on(sleep(MILLISECOND));
                threads_named("handspun-alarm").len() == 1
            });
        });
    });
}

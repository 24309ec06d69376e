//! An event, and those who wait until it is set.

use std::sync::Arc;
use std::thread;

use handspun::{Event, block_on};

use crate::setup::{Polled, ROUNDS};
use crate::support::watched;

/// A118.
#[test]
fn setting_an_event_wakes_all_who_wait() {
    let event = Event::new();
    let waiting: Vec<_> = (0..5).map(|_| Polled::waiting(event.wait())).collect();
    event.set();
    assert!(waiting.iter().all(|waiting| waiting.wakes() == 1));
    waiting.into_iter().for_each(Polled::now);
}

/// A118: a wait that was ended is not taken back.
#[test]
fn an_event_that_is_cleared_before_they_look_lets_them_go_on() {
    let event = Event::new();
    let told = Polled::waiting(event.wait());
    event.set();
    event.clear();
    let late = Polled::waiting(event.wait());
    told.now();
    assert_eq!(late.wakes(), 0);
    event.set();
    late.now();
}

/// A119.
#[test]
fn an_event_that_is_set_makes_nobody_wait() {
    let event = Event::new();
    assert!(!event.is_set());
    event.set();
    event.set();
    assert!(event.is_set());
    Polled::new(event.wait()).now();
    event.clear();
    assert!(!event.is_set());
}

/// A119.
#[test]
fn a_wait_that_is_dropped_is_not_woken_and_leaves_no_waker() {
    let event = Event::new();
    let mut dropped = Polled::waiting(event.wait());
    let (counter, stays) = (dropped.replace_waker(), Polled::waiting(event.wait()));
    drop(dropped);
    assert_eq!(Arc::strong_count(&counter), 1);
    event.set();
    assert_eq!((counter.wakes(), stays.wakes()), (0, 1));
    drop(stays);
}

/// A126.
#[test]
fn the_newest_waker_of_a_wait_is_woken() {
    let event = Event::new();
    let mut moved = Polled::waiting(event.wait());
    let old = moved.replace_waker();
    assert!(moved.poll().is_pending());
    event.set();
    assert_eq!((old.wakes(), moved.wakes()), (0, 1));
}

#[test]
fn an_event_says_whether_it_is_set() {
    let event = Event::default();
    assert_eq!(format!("{event:?}"), "Event(not set)");
    event.set();
    assert_eq!(format!("{event:?}"), "Event(set)");
}

/// Two threads hand a turn to and fro.
#[test]
fn two_flags_pass_a_turn_between_threads() {
    watched(|| {
        let (ping, pong) = (Event::new(), Event::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    block_on(ping.wait());
                    ping.clear();
                    pong.set();
                }
            });
            for _ in 0..ROUNDS {
                ping.set();
                block_on(pong.wait());
                pong.clear();
            }
        });
    });
}

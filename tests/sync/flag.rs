//! A flag, and those who wait until it is set.

use std::sync::Arc;
use std::thread;

use handspun::{Flag, block_on};

use crate::setup::{Polled, ROUNDS};
use crate::support::watched;

/// A118.
#[test]
fn setting_a_flag_wakes_all_who_wait() {
    let flag = Flag::new();
    let waiting: Vec<_> = (0..5).map(|_| Polled::waiting(flag.wait())).collect();
    flag.set();
    assert!(waiting.iter().all(|waiting| waiting.wakes() == 1));
    waiting.into_iter().for_each(Polled::now);
}

/// A118: a wait that was ended is not taken back.
#[test]
fn a_flag_that_is_cleared_before_they_look_lets_them_go_on() {
    let flag = Flag::new();
    let told = Polled::waiting(flag.wait());
    flag.set();
    flag.clear();
    let late = Polled::waiting(flag.wait());
    told.now();
    assert_eq!(late.wakes(), 0);
    flag.set();
    late.now();
}

/// A119.
#[test]
fn a_flag_that_is_set_makes_nobody_wait() {
    let flag = Flag::new();
    assert!(!flag.is_set());
    flag.set();
    flag.set();
    assert!(flag.is_set());
    Polled::new(flag.wait()).now();
    flag.clear();
    assert!(!flag.is_set());
}

/// A119.
#[test]
fn a_wait_that_is_dropped_is_not_woken_and_leaves_no_waker() {
    let flag = Flag::new();
    let mut dropped = Polled::waiting(flag.wait());
    let (counter, stays) = (dropped.replace_waker(), Polled::waiting(flag.wait()));
    drop(dropped);
    assert_eq!(Arc::strong_count(&counter), 1);
    flag.set();
    assert_eq!((counter.wakes(), stays.wakes()), (0, 1));
    drop(stays);
}

/// A126.
#[test]
fn the_newest_waker_of_a_wait_is_woken() {
    let flag = Flag::new();
    let mut moved = Polled::waiting(flag.wait());
    let old = moved.replace_waker();
    assert!(moved.poll().is_pending());
    flag.set();
    assert_eq!((old.wakes(), moved.wakes()), (0, 1));
}

#[test]
fn a_flag_says_whether_it_is_set() {
    let flag = Flag::default();
    assert_eq!(format!("{flag:?}"), "Flag(not set)");
    flag.set();
    assert_eq!(format!("{flag:?}"), "Flag(set)");
}

/// Two threads hand a turn to and fro.
#[test]
fn two_flags_pass_a_turn_between_threads() {
    watched(|| {
        let (ping, pong) = (Flag::new(), Flag::new());
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

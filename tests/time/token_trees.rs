//! Tokens and their children: what goes down the tree, what does not, and trees of any shape.

use std::sync::Arc;
use std::thread;

use handspun::{CancelReason, CancellationToken, Clock, block_on};

use crate::setup::{HOUR, ROUNDS, SECOND, calls};
use crate::support::{Count, WakeCounter, poll, watched};

/// Deep and wide enough that one call for each node would overflow the stack, and one pass over all
/// for each would take minutes.
const MANY: usize = 100_000;

/// A128.
#[test]
fn a_cancel_goes_down_to_the_last_of_them_with_one_reason() {
    let parent = CancellationToken::new();
    let children = [(); 3].map(|()| parent.child());
    let grandchildren = children.clone().map(|child| child.child());
    parent.cancel_because("lunch");
    for below in children.iter().chain(&grandchildren) {
        assert_eq!(below.reason(), Some(CancelReason::Because("lunch".into())));
    }
}

/// A128, A129.
#[test]
fn a_child_that_is_cancelled_leaves_parent_and_siblings_alone() {
    let parent = CancellationToken::new();
    let [first, second] = [(); 2].map(|()| parent.child());
    assert!(first.cancel());
    assert!(!parent.is_cancelled() && !second.is_cancelled());
}

#[test]
fn a_child_keeps_the_reason_that_it_had_before_its_parent() {
    let parent = CancellationToken::new();
    let child = parent.child();
    let grandchild = child.child();
    child.cancel_because("first");
    parent.cancel_because("second");
    for below in [child, grandchild] {
        assert_eq!(below.reason(), Some(CancelReason::Because("first".into())));
    }
}

#[test]
fn a_child_of_a_cancelled_token_is_born_cancelled() {
    let parent = CancellationToken::new();
    parent.cancel_because("before");
    let child = parent.child_with_timeout(HOUR);
    assert_eq!(child.reason(), Some(CancelReason::Because("before".into())));
    assert!(block_on(child.child().cancelled()) == CancelReason::Because("before".into()));
}

#[test]
fn a_deadline_is_the_earliest_from_here_up() {
    let clock = Clock::jumping();
    let root = CancellationToken::on(&clock);
    let parent = root.child_with_timeout(SECOND * 2);
    let (earlier, later) = (parent.child_with_timeout(SECOND), parent.child_with_timeout(HOUR));
    let deadlines = [&root, &parent, &earlier, &later, &parent.child()].map(|one| one.deadline());
    let after = [None, Some(2), Some(1), Some(2), Some(2)];
    assert_eq!(deadlines, after.map(|seconds| Some(clock.now() + SECOND * seconds?)));
}

#[test]
fn a_deadline_that_is_past_is_the_reason_for_all_that_have_it() {
    let clock = Clock::jumping();
    let root = CancellationToken::on(&clock);
    let owner = root.child_with_timeout(SECOND);
    let [sees, sibling] = [(); 2].map(|()| owner.child_with_timeout(HOUR));
    clock.advance(SECOND);
    assert!(sees.is_cancelled());
    assert!(!sibling.cancel_because("too late") && !owner.cancel_because("too late"));
    assert!([&owner, &sibling].map(|one| one.reason()) == [(); 2].map(|()| sees.reason()));
    assert_eq!((sees.reason(), root.reason()), (Some(CancelReason::DeadlinePassed), None));
}

#[test]
fn a_deadline_holds_for_all_below_though_its_owner_was_dropped() {
    let clock = Clock::jumping();
    let owner = CancellationToken::on(&clock).child_with_timeout(SECOND);
    let [sees, sibling] = [(); 2].map(|()| owner.child().child());
    drop(owner);
    let (counter, waker) = WakeCounter::new();
    let mut wait = sibling.child().cancelled();
    assert!(poll(&mut wait, &waker).is_pending());
    clock.advance(SECOND);
    assert_eq!((sees.check().is_err(), counter.wakes()), (true, 1), "its timer");
    assert!(!sibling.cancel(), "its time is over as well");
}

/// A129.
#[test]
fn a_cancel_reaches_grandchildren_whose_parents_are_gone() {
    for is_wide in [false, true] {
        let root = CancellationToken::new();
        let middle = root.child();
        let mut below: Vec<_> = (0..3).map(|_| middle.child().child()).collect();
        drop(middle);
        below.truncate(if is_wide { 3 } else { 1 });
        assert!(below.iter().all(|token| !token.is_cancelled()));
        root.cancel_because("the end");
        let reason = Some(CancelReason::Because("the end".into()));
        assert!(below.iter().all(|token| token.reason() == reason));
    }
}

#[test]
fn a_token_in_the_middle_is_cancelled_though_those_above_are_gone() {
    let root = CancellationToken::new();
    let middle = root.child().child();
    let [left, right] = [(); 2].map(|()| middle.child());
    drop(root);
    drop(left);
    middle.cancel();
    assert!(right.is_cancelled());
}

/// Each is the child of the one before.
fn chain() -> Vec<CancellationToken> {
    let first = Some(CancellationToken::new());
    std::iter::successors(first, |last| Some(last.child())).take(MANY).collect()
}

/// Runs it on a stack which even a call of a few bytes would fill, made once for each token.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let small = thread::Builder::new().stack_size(1 << 18);
    watched(|| small.spawn(test).unwrap().join().unwrap());
}

/// A131.
#[test]
fn a_deep_chain_is_cancelled_from_the_top() {
    on_a_small_stack(|| {
        let chain = chain();
        chain[0].cancel();
        assert!(chain.iter().all(CancellationToken::is_cancelled));
    });
}

#[test]
fn a_deep_chain_is_cancelled_from_the_middle_down() {
    on_a_small_stack(|| {
        let chain = chain();
        chain[MANY / 2].cancel();
        assert_eq!(chain.iter().filter(|token| token.is_cancelled()).count(), MANY - MANY / 2);
    });
}

/// A131.
#[test]
fn a_deep_chain_is_dropped_from_the_bottom_and_from_the_top() {
    on_a_small_stack(|| {
        let mut bottom_first = chain();
        while bottom_first.pop().is_some() {}
        let top_first = chain();
        let last = top_first.last().unwrap().clone();
        drop(top_first);
        drop(last);
    });
}

#[test]
fn a_deep_chain_whose_middle_is_gone_is_still_one() {
    on_a_small_stack(|| {
        let mut chain = chain();
        let (last, first) = (chain.pop().unwrap(), chain.swap_remove(0));
        drop(chain);
        assert!(!last.is_cancelled());
        first.cancel();
        assert!(last.is_cancelled());
    });
}

#[test]
fn a_deep_chain_of_deadlines_is_over_with_the_first() {
    on_a_small_stack(|| {
        let clock = Clock::jumping();
        let first = CancellationToken::on(&clock).child_with_timeout(SECOND);
        let later = |last: &CancellationToken| Some(last.child_with_timeout(HOUR));
        let chain: Vec<_> = std::iter::successors(Some(first), later).take(MANY).collect();
        clock.advance(SECOND);
        assert!(chain[MANY - 1].is_cancelled() && !chain[0].cancel());
    });
}

/// A128, A131.
#[test]
fn a_hundred_thousand_children_are_all_woken_once() {
    watched(|| {
        let (parent, woken) = (CancellationToken::new(), Count::default());
        let counts = woken.clone();
        let waker = calls(move || counts.add_one());
        let mut waits: Vec<_> = (0..MANY).map(|_| parent.child().cancelled()).collect();
        assert!(waits.iter_mut().all(|wait| poll(wait, &waker).is_pending()));
        parent.cancel();
        assert_eq!(woken.get(), MANY);
        assert!(waits.iter_mut().all(|wait| poll(wait, &waker).is_ready()));
    });
}

#[test]
fn a_waker_may_add_children_while_all_are_being_cancelled() {
    watched(|| {
        let (parent, born) = (CancellationToken::new(), Count::default());
        let waker = calls({
            let (parent, born) = (parent.clone(), born.clone());
            move || {
                let child = parent.child();
                assert!(child.is_cancelled() && child.child().is_cancelled());
                born.add_one();
            }
        });
        let mut waits: Vec<_> = (0..100).map(|_| parent.child().cancelled()).collect();
        assert!(waits.iter_mut().all(|wait| poll(wait, &waker).is_pending()));
        parent.cancel();
        assert_eq!(born.get(), 100);
    });
}

/// A131.
#[test]
fn children_that_come_and_go_while_their_parent_is_cancelled_are_all_cancelled() {
    watched(|| {
        for _ in 0..ROUNDS {
            let parent = Arc::new(CancellationToken::new());
            let threads = [(); 2].map(|()| {
                let parent = parent.clone();
                thread::spawn(move || {
                    let kept: Vec<_> = (0..10).map(|_| parent.child().child()).collect();
                    (0..10).for_each(|_| drop(parent.child()));
                    kept
                })
            });
            parent.cancel();
            for thread in threads {
                assert!(thread.join().unwrap().iter().all(CancellationToken::is_cancelled));
            }
        }
    });
}

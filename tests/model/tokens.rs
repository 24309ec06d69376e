//! Cancellation tokens: whoever waits hears of it once, and nobody slips through the tree.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use shuttle::thread;

use super::{Tally, every_schedule};
use crate::error::CancelReason;
use crate::{CancellationToken, WaitForCancel, block_on};

/// Cancels in a thread of its own, for a reason of its own.
fn cancel(token: &CancellationToken, why: &'static str) -> thread::JoinHandle<bool> {
    let token = token.clone();
    thread::spawn(move || token.cancel_because(why))
}

fn because(why: &str) -> Option<CancelReason> {
    Some(CancelReason::Because(why.into()))
}

struct Woken(Tally);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.add_one();
    }
}

fn poll(wait: &mut WaitForCancel, waker: &Waker) -> Poll<CancelReason> {
    Pin::new(wait).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_cancel_ends_every_wait() {
    every_schedule("tokens: cancel against a wait", 1_000_000, || {
        let token = CancellationToken::new();
        let (woken, mut earlier) = (Tally::default(), token.child().cancelled());
        assert!(poll(&mut earlier, &Arc::new(Woken(woken.clone())).into()).is_pending());
        let canceller = cancel(&token, "lunch");
        assert_eq!(Some(block_on(token.cancelled())), because("lunch"));
        assert!(canceller.join().unwrap());
        assert_eq!(woken.get(), 1);
    });
}

#[test]
fn two_waits_of_one_token_end_both() {
    every_schedule("tokens: cancel against two waits", 100_000, || {
        let token = CancellationToken::new();
        let (woken, mut earlier) = (Tally::default(), token.cancelled());
        assert!(poll(&mut earlier, &Arc::new(Woken(woken.clone())).into()).is_pending());
        let canceller = cancel(&token, "lunch");
        assert_eq!(Some(block_on(token.cancelled())), because("lunch"));
        canceller.join().unwrap();
        assert_eq!(woken.get(), 1);
    });
}

/// A wait may be polled by one task and then move to another.
#[test]
fn the_newest_waker_of_a_wait_is_the_one_that_is_woken() {
    every_schedule("tokens: a waker replaced against cancel", 100_000, || {
        let token = CancellationToken::new();
        let mut wait = token.cancelled();
        assert!(poll(&mut wait, Waker::noop()).is_pending());
        let canceller = cancel(&token, "lunch");
        assert_eq!(Some(block_on(wait)), because("lunch"));
        canceller.join().unwrap();
    });
}

#[test]
fn who_sees_that_it_is_cancelled_sees_why() {
    every_schedule("tokens: cancel against a look", 10_000, || {
        let token = CancellationToken::new();
        let child = token.child();
        let canceller = cancel(&token, "lunch");
        thread::yield_now(); // To look at a token is no step of its own to the checker.
        if token.is_cancelled() {
            assert_eq!([token.reason(), child.reason()], [(); 2].map(|()| because("lunch")));
        }
        canceller.join().unwrap();
    });
}

#[test]
fn a_child_made_while_its_parent_is_cancelled_is_cancelled_too() {
    every_schedule("tokens: cancel against a birth", 10_000, || {
        let parent = CancellationToken::new();
        let canceller = cancel(&parent, "lunch");
        let child = parent.child();
        canceller.join().unwrap();
        assert_eq!(child.reason(), because("lunch"));
    });
}

/// The one in the middle is held by nobody any more, but stands between the root and its child.
#[test]
fn a_token_that_goes_leaves_its_children_to_be_cancelled() {
    every_schedule("tokens: cancel against a release", 10_000, || {
        let root = CancellationToken::new();
        let middle = root.child();
        let leaf = middle.child();
        let releaser = thread::spawn(move || drop(middle));
        root.cancel_because("lunch");
        assert_eq!(leaf.reason(), because("lunch"));
        releaser.join().unwrap();
        assert_eq!(leaf.child().reason(), because("lunch"));
    });
}

/// The last to go takes the other along, whichever that is; and the root is cancelled meanwhile.
#[test]
fn tokens_that_go_at_once_go_once() {
    every_schedule("tokens: a release against a release", 100_000, || {
        let root = CancellationToken::new();
        let middle = root.child();
        let leaf = middle.child();
        let releaser = thread::spawn(move || drop(middle));
        let canceller = cancel(&root, "lunch");
        drop(leaf);
        releaser.join().unwrap();
        canceller.join().unwrap();
        assert_eq!(root.child().reason(), because("lunch"));
    });
}

/// A wait that goes is woken or not, but takes nothing away from the one behind it in the line.
#[test]
fn a_wait_that_goes_while_the_token_is_cancelled_leaves_nothing() {
    every_schedule("tokens: cancel against the end of a wait", 10_000, || {
        let token = CancellationToken::new();
        let wakers = [(); 2].map(|()| Arc::new(Woken(Tally::default())));
        let mut waits = [(); 2].map(|()| token.cancelled());
        for (wait, waker) in waits.iter_mut().zip(&wakers) {
            assert!(poll(wait, &waker.clone().into()).is_pending());
        }
        let [goes, mut stays] = waits;
        let canceller = cancel(&token, "lunch");
        drop(goes);
        canceller.join().unwrap();
        assert!(wakers[0].0.get() <= 1);
        assert_eq!(wakers[1].0.get(), 1);
        assert!(wakers.iter().all(|waker| Arc::strong_count(waker) == 1));
        assert!(poll(&mut stays, Waker::noop()).is_ready());
    });
}

/// A waker that has been let go is not woken any more.
#[test]
fn a_wait_that_has_gone_is_not_woken() {
    every_schedule("tokens: the end of a wait, then cancel", 10_000, || {
        let token = CancellationToken::new();
        let waker = Arc::new(Woken(Tally::default()));
        let mut wait = token.cancelled();
        assert!(poll(&mut wait, &waker.clone().into()).is_pending());
        let holder = thread::spawn(move || drop(wait));
        holder.join().unwrap();
        assert_eq!(Arc::strong_count(&waker), 1);
        token.cancel();
        assert_eq!(waker.0.get(), 0);
    });
}

#[test]
fn two_cancels_have_one_winner() {
    every_schedule("tokens: cancel against cancel", 10_000, || {
        let token = CancellationToken::new();
        let other = cancel(&token, "lunch");
        let is_ours = token.cancel_because("tea");
        let is_theirs = other.join().unwrap();
        assert!(is_ours ^ is_theirs);
        assert_eq!(token.reason(), because(if is_ours { "tea" } else { "lunch" }));
    });
}

/// From above and from the middle: what is below has the reason of the middle, whichever that is.
#[test]
fn all_below_a_cancelled_token_have_its_reason() {
    every_schedule("tokens: cancel above against cancel below", 10_000, || {
        let root = CancellationToken::new();
        let middle = root.child();
        let leaf = middle.child();
        let other = cancel(&root, "lunch");
        let is_ours = middle.cancel_because("tea");
        assert_eq!(middle.reason(), because(if is_ours { "tea" } else { "lunch" }));
        assert!(other.join().unwrap());
        assert_eq!(middle.reason(), because(if is_ours { "tea" } else { "lunch" }));
        assert_eq!(leaf.reason(), middle.reason());
        assert_eq!(root.reason(), because("lunch"));
    });
}

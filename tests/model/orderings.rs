//! Weak memory: the `ORDERING:` arguments that carry something, re-stated for a checker that
//! explores what a processor may reorder.
//!
//! Knows nothing of the real source, whose atomics are shuttle's in a model. So each statement here
//! is as small as its argument, and stands beside the mistake that it rules out.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, its helpers it does not"
)]

use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::Tally;

/// Runs a program in every order in which threads may run and memory may answer.
fn every_execution(name: &str, program: impl Fn() + Send + Sync + 'static) {
    let runs = Tally::default();
    let counter = runs.clone();
    loom::model(move || {
        counter.add_one();
        program();
    });
    println!("model {name}: all {} executions", runs.get());
}

/// The parker's state word, and what two unparkers wrote before they unparked.
#[derive(Default)]
struct Parker {
    state: AtomicU8,
    messages: [AtomicUsize; 2],
}

const EMPTY: u8 = 0;
const NOTIFIED: u8 = 1;

impl Parker {
    /// As `unpark`, with its ordering to be chosen.
    fn tell(&self, messenger: usize, unpark: Ordering) {
        self.messages[messenger].store(1, Relaxed);
        self.state.swap(NOTIFIED, unpark);
    }

    /// As `take_notice`, with its ordering to be chosen.
    fn take_notice(&self, take: Ordering) -> bool {
        self.state.compare_exchange(NOTIFIED, EMPTY, take, Relaxed).is_ok()
    }

    fn message(&self, messenger: usize) -> usize {
        self.messages[messenger].load(Relaxed)
    }
}

/// One unparks, the other parks; with what orderings?
fn hand_over(name: &str, unpark: Ordering, take: Ordering) {
    every_execution(name, move || {
        let parker = Arc::new(Parker::default());
        let other = parker.clone();
        let unparker = thread::spawn(move || other.tell(0, unpark));
        if parker.take_notice(take) {
            assert_eq!(parker.message(0), 1, "the message came after its notice");
        }
        unparker.join().unwrap();
    });
}

#[test]
fn what_is_written_before_an_unpark_is_seen_after_the_park() {
    hand_over("orderings: a notice carries its message", Release, Acquire);
}

#[test]
#[should_panic(expected = "the message came after its notice")]
fn a_relaxed_unpark_would_lose_the_message() {
    hand_over("a relaxed unpark", Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "the message came after its notice")]
fn a_relaxed_park_would_lose_the_message() {
    hand_over("a relaxed park", Release, Relaxed);
}

/// The second notice overwrites the first. Whoever takes it sees both messages: a swap goes on with
/// the release of the notice that it overwrites, and needs no Acquire for that.
#[test]
fn a_notice_that_is_overwritten_still_carries_its_message() {
    every_execution("orderings: a notice overwritten", || {
        let parker = Arc::new(Parker::default());
        let unparkers = [0, 1].map(|messenger| {
            let parker = parker.clone();
            thread::spawn(move || {
                parker.messages[messenger].store(1, Relaxed);
                parker.state.swap(NOTIFIED + messenger as u8, Release)
            })
        });
        // The second of the two swaps is the one whose old value is not `EMPTY`.
        let seen = parker.state.load(Acquire);
        let messages = [parker.message(0), parker.message(1)];
        let before = unparkers.map(|unparker| unparker.join().unwrap());
        if seen != EMPTY {
            let last = usize::from(seen - NOTIFIED);
            assert_eq!(messages[last], 1);
            if before[last] != EMPTY {
                assert_eq!(messages, [1, 1], "the first message was lost");
            }
        }
    });
}

/// A worker takes a job under the lock and counts it settled after that, relaxed.
fn count(name: &str, count_under_the_lock: bool) {
    every_execution(name, move || {
        let queued = Arc::new(Mutex::new(1));
        let settled = Arc::new(AtomicUsize::new(0));
        let worker = thread::spawn({
            let (queued, settled) = (queued.clone(), settled.clone());
            move || {
                *queued.lock().unwrap() -= 1;
                settled.fetch_add(1, Relaxed);
            }
        });
        let (n_queued, n_settled) = if count_under_the_lock {
            let queued = queued.lock().unwrap();
            (*queued, settled.load(Relaxed))
        } else {
            let n_queued = *queued.lock().unwrap();
            (n_queued, settled.load(Relaxed))
        };
        assert!(n_queued + n_settled <= 1, "settled before it was taken");
        worker.join().unwrap();
    });
}

#[test]
fn a_count_read_under_the_lock_is_of_jobs_that_were_taken() {
    count("orderings: the relaxed count of the settled", true);
}

#[test]
#[should_panic(expected = "settled before it was taken")]
fn a_count_read_after_the_lock_would_be_ahead_of_the_queue() {
    count("a count read too late", false);
}

/// A token's flag: one writes and then cancels, the other looks, without the tree's lock.
fn cancel(name: &str, set: Ordering, is_set: Ordering) {
    every_execution(name, move || {
        let (flag, message) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let canceller = thread::spawn({
            let (flag, message) = (flag.clone(), message.clone());
            move || {
                message.store(1, Relaxed);
                flag.store(true, set);
            }
        });
        if flag.load(is_set) {
            assert_eq!(message.load(Relaxed), 1, "the message came after the cancel");
        }
        canceller.join().unwrap();
    });
}

#[test]
fn what_is_written_before_a_cancel_is_seen_by_who_sees_it() {
    cancel("orderings: a cancel carries its message", Release, Acquire);
}

#[test]
#[should_panic(expected = "the message came after the cancel")]
fn a_relaxed_cancel_would_lose_the_message() {
    cancel("a relaxed cancel", Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "the message came after the cancel")]
fn a_relaxed_look_would_lose_the_message() {
    cancel("a relaxed look", Release, Relaxed);
}

/// Two finish an item each, and count it out; who joins looks at the count.
fn count_out(name: &str, count: Ordering, look: Ordering) {
    every_execution(name, move || {
        let n = Arc::new(AtomicUsize::new(2));
        let done = Arc::new([(); 2].map(|()| AtomicUsize::new(0)));
        let workers = [0, 1].map(|item| {
            let (n, done) = (n.clone(), done.clone());
            thread::spawn(move || {
                done[item].store(1, Relaxed);
                n.fetch_sub(1, count);
            })
        });
        if n.load(look) == 0 {
            let done = [0, 1].map(|item| done[item].load(Relaxed));
            assert_eq!(done, [1, 1], "the work came after its end");
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn what_was_done_with_each_item_is_seen_by_who_sees_that_there_are_none() {
    count_out("orderings: the last item carries the work on all", Release, Acquire);
}

#[test]
#[should_panic(expected = "the work came after its end")]
fn a_relaxed_count_of_items_would_lose_the_work() {
    count_out("a relaxed count of items", Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "the work came after its end")]
fn a_relaxed_join_would_lose_the_work() {
    count_out("a relaxed join", Release, Relaxed);
}

/// Two wake a task: the first one queues it, and the second finds it queued and adds nothing but its
/// message. A poll that answers both has to see both.
fn wake(name: &str, wake: Ordering, begin_poll: Ordering) {
    every_execution(name, move || {
        let task = Arc::new((
            AtomicBool::new(false),
            Mutex::new(0),
            [(); 2].map(|()| AtomicUsize::new(0)),
        ));
        let wakers = [0, 1].map(|n| {
            let task = task.clone();
            thread::spawn(move || {
                let (is_queued, queue, messages) = &*task;
                messages[n].store(1, Relaxed);
                if !is_queued.swap(true, wake) {
                    *queue.lock().unwrap() += 1;
                }
            })
        });
        let (is_queued, queue, messages) = &*task;
        let is_ready = std::mem::take(&mut *queue.lock().unwrap()) > 0;
        let seen = is_ready.then(|| {
            is_queued.swap(false, begin_poll);
            [0, 1].map(|n| messages[n].load(Relaxed))
        });
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
        if *queue.lock().unwrap() == 0 {
            assert!(seen.is_none_or(|seen| seen == [1, 1]), "the message came after its wake");
        }
    });
}

#[test]
fn what_is_written_before_a_wake_is_seen_by_the_poll_that_answers_it() {
    wake("orderings: a wake carries its message", Release, Acquire);
}

#[test]
#[should_panic(expected = "the message came after its wake")]
fn a_relaxed_wake_would_lose_the_message() {
    wake("a relaxed wake", Relaxed, Acquire);
}

#[test]
#[should_panic(expected = "the message came after its wake")]
fn a_relaxed_poll_would_lose_the_message() {
    wake("a relaxed poll", Release, Relaxed);
}

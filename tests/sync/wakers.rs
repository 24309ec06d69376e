//! Every wait has one waker, the newest; and none once it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use handspun::{
    AsCompleted, CancellationToken, Close, Event, Queue, Semaphore, generator, join_all, race, wait,
};

use crate::setup::survives;
use crate::support::{WakeCounter, poll};

/// Something that can be waited for over and over, and what ends the wait.
struct Case {
    name: &'static str,
    wait: Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()>>>>,
    end: Box<dyn Fn()>,
}

impl Case {
    fn new<T: 'static, F: Future<Output = ()> + 'static>(
        name: &'static str,
        what: T,
        mut wait: impl FnMut(&'static T) -> F + 'static,
        end: impl Fn(&'static T) + 'static,
    ) -> Self {
        let what: &'static T = Box::leak(Box::new(what));
        Self {
            name,
            wait: Box::new(move || Box::pin(wait(what))),
            end: Box::new(move || end(what)),
        }
    }
}

fn discard(queue: &Queue<u32>) {
    queue.close(Close::Discard);
}

fn full() -> Queue<u32> {
    let queue = Queue::bounded(1);
    queue.try_put(1).unwrap();
    queue
}

/// One of each kind, that nothing ends but its `end`.
fn cases() -> Vec<Case> {
    vec![
        Case::new("get", Queue::<u32>::unbounded(), async |queue| drop(queue.get().await), discard),
        Case::new("put", full(), async |queue| assert!(queue.put(2).await.is_err()), discard),
        Case::new("join", full(), |queue| queue.join(), discard),
        Case::new(
            "acquire",
            Semaphore::new(0),
            async |semaphore| drop(semaphore.acquire().await),
            |semaphore| semaphore.add_permits(1),
        ),
        Case::new("event", Event::new(), |event| event.wait(), Event::set),
        Case::new(
            "token",
            CancellationToken::new(),
            async |token| drop(token.cancelled().await),
            |token| assert!(token.cancel()),
        ),
        Case::new(
            "wait",
            Event::new(),
            async |event| drop(wait([event.wait()], |()| true).await),
            Event::set,
        ),
        Case::new(
            "join_all",
            Event::new(),
            async |event| drop(join_all([event.wait()]).await),
            Event::set,
        ),
        Case::new("race", Event::new(), async |event| race([event.wait()]).await, Event::set),
    ]
}

/// Waits with one waker, then with another one, and is woken by this.
fn hears_with_the_newest<F: Future + ?Sized>(
    name: &str,
    mut wait: Pin<&mut F>,
    end: impl FnOnce(),
) {
    let [(old, old_waker), (new, new_waker)] = [(); 2].map(|()| WakeCounter::new());
    for waker in [&old_waker, &new_waker] {
        assert!(wait.as_mut().poll(&mut Context::from_waker(waker)).is_pending(), "{name}");
    }
    end();
    assert_eq!((old.wakes(), new.wakes()), (0, 1), "{name}");
    assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(), "{name}");
}

#[test]
fn a_wait_that_is_polled_with_another_waker_is_woken_by_that() {
    for mut case in cases() {
        hears_with_the_newest(case.name, (case.wait)().as_mut(), case.end);
    }
}

#[test]
fn a_next_that_is_polled_with_another_waker_is_woken_by_that() {
    let event = Event::new();
    let mut completed = AsCompleted::new();
    completed.add(event.wait());
    hears_with_the_newest("as_completed", Box::pin(completed.next()).as_mut(), || event.set());
    event.clear();
    let mut items = generator(async |mut out| {
        event.wait().await;
        out.yield_item(7).await;
    });
    hears_with_the_newest("generator", Box::pin(items.next()).as_mut(), || event.set());
}

/// The first `next` is dropped, and the second one comes with a waker of its own.
#[test]
fn a_next_after_one_that_was_dropped_is_woken_by_its_own_waker() {
    let event = Event::new();
    let mut completed = AsCompleted::new();
    completed.add(event.wait());
    assert!(poll_once(completed.next(), Waker::noop()).is_pending());
    hears_with_the_newest("as_completed", Box::pin(completed.next()).as_mut(), || event.set());
}

const MANY: usize = 20_000;

fn poll_once<F: Future>(wait: F, waker: &Waker) -> Poll<F::Output> {
    Box::pin(wait).as_mut().poll(&mut Context::from_waker(waker))
}

#[test]
fn twenty_thousand_waits_that_are_dropped_leave_no_waker() {
    for mut case in cases() {
        let (counter, waker) = WakeCounter::new();
        for _ in 0..MANY {
            assert!(poll_once((case.wait)(), &waker).is_pending());
        }
        assert_eq!(Arc::strong_count(&counter), 2, "{}", case.name);
    }
}

#[test]
fn twenty_thousand_nexts_that_are_dropped_leave_no_waker() {
    let (counter, waker) = WakeCounter::new();
    let event = Event::new();
    let mut completed = AsCompleted::new();
    completed.add(event.wait());
    for _ in 0..MANY {
        assert!(poll_once(completed.next(), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 2);
}

/// While it stands at something of its own, the body waits with the waker that it was polled with last.
#[test]
fn a_generator_keeps_no_waker_for_itself() {
    let (counter, waker) = WakeCounter::new();
    let event = Event::new();
    let mut items = generator(async |mut out| {
        out.yield_item(1).await;
        event.wait().await;
    });
    assert!(poll_once(items.next(), &waker).is_ready());
    assert_eq!(Arc::strong_count(&counter), 2, "the item is taken, and nobody waits");
    for _ in 0..MANY {
        assert!(poll_once(items.next(), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&counter), 3);
    drop(items);
    assert_eq!(Arc::strong_count(&counter), 2);
}

/// How many bytes of this process are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

const MILLION: usize = 1_000_000;

/// Runs in a process of its own: the memory is measured.
#[test]
fn a_million_waits_that_have_gone_give_their_memory_back() {
    survives("wakers::a_million_waits_that_have_gone_give_their_memory_back", || {
        let event = Event::new();
        let before = resident();
        let mut waits: Vec<_> = (0..MILLION).map(|_| event.wait()).collect();
        for wait in &mut waits {
            assert!(poll(wait, Waker::noop()).is_pending());
        }
        drop(waits);
        let left = resident().saturating_sub(before);
        assert!(left < 8 << 20, "{left} bytes are left");
    });
}

//! Streams from async closures: who runs when, what ends them, and what a drop leaves.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use handspun::{Event, Queue, ThreadPool, as_completed, block_on, generator, timeout};

use crate::setup::Polled;
use crate::support::{Count, CountsDrop, WakeCounter, panic_quietly, watched};

#[test]
fn items_come_in_the_order_in_which_they_are_given() {
    let mut numbers = generator(async |mut out| {
        for n in 0..3 {
            out.yield_item(n).await;
        }
    });
    let all =
        block_on(async { [numbers.next().await, numbers.next().await, numbers.next().await] });
    assert_eq!(all, [Some(0), Some(1), Some(2)]);
    assert_eq!([block_on(numbers.next()), block_on(numbers.next())], [None, None]);
}

/// Back-pressure: it is never ahead of whoever asks.
#[test]
fn a_body_runs_only_while_it_is_asked() {
    let n_begun = Cell::new(0);
    let mut numbers = generator(async |mut out| {
        loop {
            n_begun.set(n_begun.get() + 1);
            out.yield_item(n_begun.get()).await;
        }
    });
    assert_eq!(n_begun.get(), 0);
    for n in 1..10 {
        assert_eq!(block_on(numbers.next()), Some(n));
        assert_eq!(n_begun.get(), n);
    }
}

#[test]
fn a_body_waits_for_others_between_its_items() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut lengths = generator(async |mut out| {
            for word in ["one", "three"] {
                out.yield_item(pool.submit(|| word.len()).await).await;
            }
        });
        assert_eq!(block_on(lengths.next()).unwrap().unwrap(), 3);
        assert_eq!(block_on(lengths.next()).unwrap().unwrap(), 5);
        assert!(block_on(lengths.next()).is_none());
    });
}

/// Errors in the middle are values, and the stream goes on if its body does.
#[test]
fn an_error_is_an_item_like_another() {
    let mut parsed = generator(async |mut out| {
        for word in ["1", "two", "3"] {
            out.yield_item(word.parse::<u32>()).await;
        }
    });
    let all: Vec<_> =
        std::iter::from_fn(|| block_on(parsed.next())).map(|item| item.ok()).collect();
    assert_eq!(all, [Some(1), None, Some(3)]);
}

/// A149.
#[test]
fn dropping_a_generator_drops_its_body_where_it_stands() {
    let (drops, at_the_end) = (Count::default(), Event::new());
    let mut items = generator(async |mut out| {
        let _held = CountsDrop(drops.clone());
        out.yield_item(CountsDrop(drops.clone())).await;
        at_the_end.set();
    });
    drop(block_on(items.next()));
    assert_eq!(drops.get(), 1);
    drop(items);
    assert_eq!((drops.get(), at_the_end.is_set()), (2, false));
}

/// A149.
#[test]
fn a_panic_of_the_body_comes_out_where_it_is_asked() {
    let mut items = generator(async |mut out| {
        out.yield_item(1).await;
        panic_quietly("no more")
    });
    assert_eq!(block_on(items.next()), Some(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(items.next())));
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "no more");
    assert_eq!(block_on(items.next()), None);
}

#[test]
fn a_body_that_has_finished_is_dropped_at_once() {
    let drops = Count::default();
    let mut items = generator(async |mut out| {
        let _held = CountsDrop(drops.clone());
        out.yield_item(()).await;
    });
    assert!(block_on(items.next()).is_some());
    assert!(block_on(items.next()).is_none());
    assert_eq!(drops.get(), 1);
    drop(items);
}

/// Whoever asks may give up, and ask again.
#[test]
fn dropping_the_wait_for_an_item_loses_nothing() {
    let queue = Queue::<u32>::unbounded();
    let mut items = generator(async |mut out| {
        while let Ok(item) = queue.get().await {
            out.yield_item(item.into_inner()).await;
        }
    });
    drop(Polled::waiting(items.next()));
    queue.try_put(7).unwrap();
    assert_eq!(block_on(items.next()), Some(7));
}

#[test]
fn an_item_whose_give_is_dropped_is_not_given() {
    let drops = Count::default();
    let mut items = generator(async |mut out| {
        let given_up = {
            let mut give = pin!(out.yield_item(Some(CountsDrop(drops.clone()))));
            let waker = WakeCounter::new().1;
            give.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        };
        assert!(given_up && drops.get() == 1);
        out.yield_item(None).await;
    });
    assert!(block_on(items.next()).unwrap().is_none());
    assert!(block_on(items.next()).is_none());
}

/// A body may poll its `yield_item` with a waker of its own, as `as_completed` does.
#[test]
fn a_give_inside_another_wait_hears_that_it_is_asked() {
    watched(|| {
        let mut items = generator(async |mut out| {
            let gives = [Box::pin(async {
                out.yield_item(1).await;
                out.yield_item(2).await;
            })];
            as_completed(gives).next().await;
        });
        assert_eq!(block_on(items.next()), Some(1));
        assert_eq!(block_on(items.next()), Some(2));
        assert_eq!(block_on(items.next()), None);
    });
}

/// Whoever asks is woken for what the body waits for, and never because it has asked.
#[test]
fn asking_for_items_wakes_nobody() {
    let mut items = generator(async |mut out| {
        loop {
            out.yield_item(()).await;
        }
    });
    let (counter, waker) = WakeCounter::new();
    for _ in 0..5 {
        let mut next = items.next();
        let polled = crate::support::poll(&mut next, &waker);
        assert!(matches!(polled, Poll::Ready(Some(()))));
    }
    assert_eq!(counter.wakes(), 0);
}

#[test]
fn a_generator_of_a_body_that_may_be_sent_may_be_sent() {
    watched(|| {
        let mut items = generator(|mut out| async move { out.yield_item(7).await });
        assert_eq!(format!("{items:?}"), "Generator { is_finished: false, .. }");
        let elsewhere = std::thread::spawn(move || block_on(items.next()));
        assert_eq!(elsewhere.join().unwrap(), Some(7));
    });
}

#[test]
fn a_timeout_around_an_item_leaves_the_generator_good() {
    watched(|| {
        let go = Event::new();
        let mut items = generator(async |mut out| {
            go.wait().await;
            out.yield_item("at last").await;
        });
        assert!(block_on(timeout(Duration::from_millis(1), items.next())).is_err());
        go.set();
        assert_eq!(block_on(items.next()), Some("at last"));
    });
}

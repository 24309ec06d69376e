//! A queue: who waits, who is handed what, what a drop leaves, and how it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handspun::{Close, Closed, Queue, TryError, block_on, timeout};

use crate::setup::{Polled, ROUNDS};
use crate::support::{
    Count, CountsDrop, PanicsWhenDropped, Task, panic_quietly, run_elsewhere, watched,
};

/// A queue with these in it, and room for no more.
fn full(items: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator>) -> Queue<u32> {
    let items = items.into_iter();
    let queue = Queue::bounded(items.len());
    items.for_each(|item| queue.try_put(item).unwrap());
    queue
}

fn got(queue: &Queue<u32>) -> Result<u32, TryError> {
    queue.try_get().map(|item| item.into_inner())
}

#[test]
fn items_come_out_in_the_order_in_which_they_went_in() {
    let queue = full([1, 2, 3]);
    assert_eq!((queue.len(), queue.unfinished(), queue.is_empty()), (3, 3, false));
    assert_eq!([got(&queue), got(&queue), got(&queue)], [Ok(1), Ok(2), Ok(3)]);
    assert!(queue.is_empty());
}

/// A106.
#[test]
fn a_get_that_gives_up_leaves_its_item_to_the_next() {
    let queue = Queue::unbounded();
    let (gives_up, next) = (Polled::waiting(queue.get()), Polled::waiting(queue.get()));
    drop(gives_up);
    queue.try_put(7).unwrap();
    assert_eq!(next.wakes(), 1);
    assert_eq!(*next.now().unwrap(), 7);
}

/// A107: the item stays in the queue, and the next in line is woken for it.
#[test]
fn a_get_that_was_served_and_gives_up_passes_its_item_on() {
    let queue = Queue::unbounded();
    let (gives_up, next) = (Polled::waiting(queue.get()), Polled::waiting(queue.get()));
    queue.try_put(7).unwrap();
    assert_eq!((gives_up.wakes(), next.wakes()), (1, 0));
    drop(gives_up);
    assert_eq!((next.wakes(), queue.len()), (1, 1));
    assert_eq!(*next.now().unwrap(), 7);
}

/// A107: the last of many that give up leaves the item for whoever comes.
#[test]
fn an_item_outlives_all_who_gave_up_on_it() {
    let queue = Queue::unbounded();
    let line: Vec<_> = (0..5).map(|_| Polled::waiting(queue.get())).collect();
    queue.try_put(7).unwrap();
    for gives_up in line {
        assert_eq!(gives_up.wakes(), 1);
        drop(gives_up);
    }
    assert_eq!(got(&queue), Ok(7));
}

/// A108.
#[test]
fn a_put_that_gives_up_has_put_nothing() {
    let queue = full([1]);
    let drops = Count::default();
    let things = Queue::bounded(1);
    things.try_put(CountsDrop(drops.clone())).unwrap();
    drop(Polled::waiting(things.put(CountsDrop(drops.clone()))));
    assert_eq!((drops.get(), things.len(), things.unfinished()), (1, 1, 1));
    let (gives_up, next) = (Polled::waiting(queue.put(2)), Polled::waiting(queue.put(3)));
    drop(gives_up);
    assert_eq!(got(&queue), Ok(1));
    assert_eq!(next.now(), Ok(()));
    assert_eq!((got(&queue), got(&queue)), (Ok(3), Err(TryError::WouldBlock(()))));
}

/// A108: room that was handed to somebody who is gone goes to the next.
#[test]
fn a_put_that_was_served_and_gives_up_passes_its_room_on() {
    let queue = full([1]);
    let (gives_up, next) = (Polled::waiting(queue.put(2)), Polled::waiting(queue.put(3)));
    assert_eq!(got(&queue), Ok(1));
    assert_eq!((gives_up.wakes(), next.wakes()), (1, 0));
    drop(gives_up);
    assert_eq!(next.wakes(), 1);
    assert_eq!(next.now(), Ok(()));
    assert_eq!(got(&queue), Ok(3));
}

/// A109: who comes without waiting overtakes nobody, neither for room nor for an item.
#[test]
fn whoever_only_tries_overtakes_nobody() {
    let queue = full([1]);
    let putting = Polled::waiting(queue.put(2));
    assert_eq!(queue.try_put(3), Err(TryError::WouldBlock(3)));
    assert_eq!(got(&queue), Ok(1));
    assert_eq!(queue.try_put(3), Err(TryError::WouldBlock(3)), "the room is promised");
    assert_eq!(putting.now(), Ok(()));
    assert_eq!(got(&queue), Ok(2));
    let getting = Polled::waiting(queue.get());
    queue.try_put(4).unwrap();
    assert_eq!(got(&queue), Err(TryError::WouldBlock(())), "the item is promised");
    assert_eq!(*getting.now().unwrap(), 4);
}

/// A109.
#[test]
fn full_and_empty_and_closed_are_told_apart() {
    let queue = full([1]);
    let refused = queue.try_put(2).unwrap_err();
    assert_eq!(
        (refused.to_string(), refused.into_inner()),
        ("not without waiting for it".into(), 2)
    );
    got(&queue).unwrap();
    assert_eq!(got(&queue).unwrap_err(), TryError::WouldBlock(()));
    queue.close(Close::Drain);
    let refused = queue.try_put(3).unwrap_err();
    assert_eq!((format!("{refused:?}"), refused.into_inner()), ("Closed(..)".into(), 3));
    assert_eq!(got(&queue).unwrap_err().to_string(), "it is closed");
}

/// A111: there is no way to hold an item that ends without its being done.
#[test]
fn an_item_is_done_when_it_is_dropped_by_whatever() {
    let queue = Arc::new(full([1, 2, 3]));
    let join = Polled::waiting(queue.join());
    drop(queue.try_get());
    let panicking = thread::spawn({
        let queue = queue.clone();
        move || {
            let _item = queue.try_get();
            panic_quietly("at work")
        }
    });
    assert!(panicking.join().is_err());
    assert_eq!((queue.unfinished(), join.wakes()), (1, 0));
    assert_eq!(queue.try_get().unwrap().into_inner(), 3);
    assert_eq!(join.wakes(), 1);
    join.now();
}

#[test]
fn an_item_is_there_like_its_value() {
    let queue = Queue::unbounded();
    queue.try_put(vec![1]).unwrap();
    let mut item = queue.try_get().unwrap();
    item.push(2);
    assert_eq!((item.len(), format!("{item:?}")), (2, "Item([1, 2])".into()));
}

/// What is done is done after the value is gone, also if its drop panics.
#[test]
fn an_item_whose_drop_panics_is_done_all_the_same() {
    let queue = Queue::unbounded();
    queue.try_put(PanicsWhenDropped(Count::default())).unwrap();
    let item = queue.try_get().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(item))).is_err());
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn a_join_of_nothing_does_not_wait() {
    let queue = Queue::<u32>::unbounded();
    Polled::new(queue.join()).now();
}

/// It was so at the moment when it was told.
#[test]
fn a_join_that_was_told_stands_whatever_is_put_afterwards() {
    let queue = full([1]);
    let (told, gone) = (Polled::waiting(queue.join()), Polled::waiting(queue.join()));
    got(&queue).unwrap();
    queue.try_put(2).unwrap();
    drop(gone);
    told.now();
    drop(Polled::waiting(queue.join()));
}

/// A112.
#[test]
fn a_queue_that_is_drained_gives_what_is_left_and_then_ends() {
    let queue = full([1, 2]);
    let putting = Polled::waiting(queue.put(3));
    queue.close(Close::Drain);
    assert_eq!(putting.now().unwrap_err().into_inner(), 3);
    assert!(Polled::new(queue.put(4)).now().is_err());
    assert_eq!((got(&queue), queue.is_closed()), (Ok(1), true));
    assert_eq!(*Polled::new(queue.get()).now().unwrap(), 2);
    assert_eq!(Polled::new(queue.get()).now().unwrap_err(), Closed::default());
}

/// A112.
#[test]
fn a_queue_that_is_closed_while_it_is_empty_ends_for_all_who_wait() {
    for how in [Close::Drain, Close::Discard] {
        let queue = Queue::<u32>::bounded(1);
        let line: Vec<_> = (0..3).map(|_| Polled::waiting(queue.get())).collect();
        queue.close(how);
        assert!(line.iter().all(|get| get.wakes() == 1));
        assert!(line.into_iter().all(|get| get.now().is_err()));
    }
}

/// A107, A112: while an item is promised, it is not lost that whoever has the promise may go.
#[test]
fn an_item_that_was_promised_at_the_close_is_not_lost_with_its_getter() {
    let queue = Queue::unbounded();
    let (promised, next) = (Polled::waiting(queue.get()), Polled::waiting(queue.get()));
    queue.try_put(7).unwrap();
    queue.close(Close::Drain);
    assert_eq!(next.wakes(), 0, "it may still be its turn");
    drop(promised);
    assert_eq!(*next.now().unwrap(), 7);
    assert_eq!(got(&queue), Err(TryError::Closed(())));
}

/// A112: and if it is taken, the others are told of the end.
#[test]
fn the_last_item_of_a_closed_queue_ends_the_wait_of_the_others() {
    let queue = Queue::unbounded();
    let (promised, next) = (Polled::waiting(queue.get()), Polled::waiting(queue.get()));
    queue.try_put(7).unwrap();
    queue.close(Close::Drain);
    assert_eq!(*promised.now().unwrap(), 7);
    assert_eq!(next.wakes(), 1);
    assert!(next.now().is_err());
}

/// A113.
#[test]
fn what_is_discarded_is_done_and_what_was_got_is_not() {
    let queue = full([1, 2, 3]);
    let in_hand = queue.try_get().unwrap();
    let join = Polled::waiting(queue.join());
    queue.close(Close::Discard);
    assert_eq!((queue.len(), queue.unfinished(), join.wakes()), (0, 1, 0));
    assert_eq!(got(&queue), Err(TryError::Closed(())));
    drop(in_hand);
    join.now();
}

/// A113.
#[test]
fn a_discard_with_nothing_in_hand_ends_the_join() {
    let queue = full([1, 2]);
    let (join, putting) = (Polled::waiting(queue.join()), Polled::waiting(queue.put(3)));
    queue.close(Close::Discard);
    assert_eq!(putting.now().unwrap_err().into_inner(), 3);
    join.now();
}

/// A113: the item that a get was promised is discarded like the others.
#[test]
fn a_get_that_was_served_before_the_discard_is_told_of_it() {
    let queue = Queue::unbounded();
    let (promised, gone) = (Polled::waiting(queue.get()), Polled::waiting(queue.get()));
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    queue.close(Close::Discard);
    drop(gone);
    assert!(promised.now().is_err());
    assert_eq!(queue.unfinished(), 0);
}

/// A put that has room and has not looked has put nothing yet.
#[test]
fn a_put_that_was_served_before_the_close_gives_its_item_back() {
    let queue = full([1]);
    let putting = Polled::waiting(queue.put(2));
    got(&queue).unwrap();
    queue.close(Close::Drain);
    assert_eq!(putting.now().unwrap_err().into_inner(), 2);
    assert_eq!(got(&queue), Err(TryError::Closed(())));
}

#[test]
fn a_queue_that_is_drained_can_still_be_discarded_and_not_the_reverse() {
    let queue = full([1, 2]);
    queue.close(Close::Drain);
    assert_eq!(got(&queue), Ok(1));
    queue.close(Close::Discard);
    queue.close(Close::Drain);
    assert_eq!((got(&queue), queue.unfinished()), (Err(TryError::Closed(())), 0));
}

/// Those who wait are told before other people's drops run, and whatever these do.
#[test]
fn a_discard_whose_items_panic_tells_everybody() {
    let (queue, drops) = (Queue::bounded(2), Count::default());
    queue.try_put(Some(PanicsWhenDropped(drops.clone()))).unwrap();
    queue.try_put(None).unwrap();
    let (join, putting) = (Polled::waiting(queue.join()), Polled::waiting(queue.put(None)));
    assert!(catch_unwind(AssertUnwindSafe(|| queue.close(Close::Discard))).is_err());
    assert_eq!((drops.get(), queue.unfinished(), putting.wakes()), (1, 0, 1));
    join.now();
}

/// A116.
#[test]
fn a_queue_without_room_is_refused_with_a_reason() {
    let made = catch_unwind(|| Queue::<u32>::bounded(0));
    let said = made.unwrap_err();
    assert!(said.downcast_ref::<&str>().unwrap().contains("capacity 0"));
}

#[test]
fn a_queue_without_a_limit_always_has_room() {
    let queue = Queue::unbounded();
    for n in 0..10_000 {
        queue.try_put(n).unwrap();
    }
    assert_eq!(queue.len(), 10_000);
    assert_eq!(
        format!("{queue:?}"),
        "Queue { len: 10000, unfinished: 10000, is_closed: false, .. }"
    );
}

#[test]
fn dropping_a_queue_drops_what_is_in_it() {
    let (queue, drops) = (Queue::unbounded(), Count::default());
    for _ in 0..3 {
        queue.try_put(CountsDrop(drops.clone())).unwrap();
    }
    let item = queue.try_get().unwrap().into_owned();
    drop(queue);
    assert_eq!(drops.get(), 2);
    drop(item);
    assert_eq!(drops.get(), 3);
}

/// A117.
#[test]
fn a_loop_over_a_queue_ends_when_it_is_closed() {
    watched(|| {
        let queue = Queue::bounded(2);
        let sum = thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                block_on(async {
                    let mut sum = 0;
                    while let Ok(item) = queue.get().await {
                        sum += *item;
                    }
                    sum
                })
            });
            (1..=100).for_each(|n| block_on(queue.put(n)).unwrap());
            block_on(queue.join());
            queue.close(Close::Drain);
            consumer.join().unwrap()
        });
        assert_eq!(sum, 5050);
    });
}

/// Tasks of somebody else's executor, on one thread.
#[test]
fn a_queue_serves_tasks_of_any_executor() {
    watched(|| {
        let (queue, sum) = (Arc::new(Queue::bounded(3)), Arc::new(std::sync::Mutex::new(0)));
        let consumers = (0..4).map(|_| {
            let (queue, sum) = (queue.clone(), sum.clone());
            Box::pin(async move {
                while let Ok(item) = queue.get().await {
                    *sum.lock().unwrap() += *item;
                }
            }) as Task
        });
        let producer = Box::pin({
            let queue = queue.clone();
            async move {
                for n in 1..=100 {
                    queue.put(n).await.unwrap();
                }
                queue.join().await;
                queue.close(Close::Drain);
            }
        }) as Task;
        run_elsewhere(consumers.chain([producer]).collect());
        assert_eq!(*sum.lock().unwrap(), 5050);
    });
}

/// Threads that get with no time to wait, over and over: each item is got once, whoever gave up on it.
#[test]
fn threads_that_give_up_at_random_lose_no_item_and_double_none() {
    watched(|| {
        let (queue, n_items) = (Queue::<usize>::bounded(4), 20 * ROUNDS);
        let consume = || {
            let mut sum = 0;
            loop {
                match block_on(timeout(Duration::ZERO, queue.get())) {
                    Ok(Ok(item)) => sum += item.into_inner(),
                    Ok(Err(_closed)) => return sum,
                    Err(_elapsed) => thread::yield_now(),
                }
            }
        };
        let sum = thread::scope(|scope| {
            let consumers = [(); 3].map(|()| scope.spawn(consume));
            (1..=n_items).for_each(|n| block_on(queue.put(n)).unwrap());
            queue.close(Close::Drain);
            consumers.map(|consumer| consumer.join().unwrap()).into_iter().sum::<usize>()
        });
        assert_eq!((sum, queue.unfinished()), (n_items * (n_items + 1) / 2, 0));
    });
}

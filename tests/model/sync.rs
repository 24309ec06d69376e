//! Sharing: what is given goes to somebody who is there, and everybody hears of the end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use shuttle::thread;

use super::{every_schedule, random_schedules};
use crate::{Close, Event, Permit, Queue, Semaphore, block_on};

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits for a permit in a thread, and gives it back.
fn pass(semaphore: &Arc<Semaphore>, n: usize) -> thread::JoinHandle<bool> {
    let semaphore = semaphore.clone();
    thread::spawn(move || block_on(semaphore.acquire_many(n)).is_ok())
}

/// One in front gives up while the permit comes back, and one behind it waits.
#[test]
fn a_permit_reaches_who_stays_though_the_first_in_line_goes() {
    random_schedules("sync: a permit against a waiter that goes", 20_000, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let mut goes = semaphore.acquire();
        assert!(poll(&mut goes).is_pending());
        let stays = pass(&semaphore, 1);
        let holder = thread::spawn(move || drop(permit));
        drop(goes);
        holder.join().unwrap();
        assert!(stays.join().unwrap());
        assert_eq!(semaphore.available(), 1);
    });
}

/// The first in line wants more than there will be; those behind it do not, once it has gone.
#[test]
fn one_that_wants_many_and_goes_makes_way() {
    every_schedule("sync: a wait for many that goes", 100_000, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let other = semaphore.clone();
        let goes = thread::spawn(move || {
            let mut many = other.acquire_many(2);
            assert!(poll(&mut many).is_pending());
        });
        assert!(pass(&semaphore, 1).join().unwrap());
        goes.join().unwrap();
    });
}

/// One was served and has not looked yet; a newcomer comes to an empty line.
#[test]
fn a_permit_that_was_handed_over_is_nobody_elses() {
    every_schedule("sync: a newcomer against a hand-over", 100_000, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let mut first = semaphore.acquire();
        assert!(poll(&mut first).is_pending());
        let holder = thread::spawn(move || drop(permit));
        assert!(semaphore.try_acquire().is_err());
        holder.join().unwrap();
        assert!(semaphore.try_acquire().is_err());
        assert!(poll(&mut first).is_ready());
    });
}

#[test]
fn a_close_ends_every_wait_for_a_permit() {
    random_schedules("sync: close against two waits", 20_000, || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit: Permit<'static> = semaphore.try_acquire().unwrap().into_owned();
        let waiting = [1, 2].map(|n| pass(&semaphore, n));
        semaphore.close();
        drop(permit);
        for waiting in waiting {
            assert!(!waiting.join().unwrap());
        }
    });
}

/// Two are put where there is room for one, and got by whoever comes.
#[test]
fn what_is_put_is_got_and_the_end_is_told() {
    random_schedules("sync: put, get and close", 20_000, || {
        let queue = Arc::new(Queue::bounded(1));
        let getters = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || {
                block_on(async {
                    let mut sum = 0;
                    while let Ok(item) = queue.get().await {
                        sum += *item;
                    }
                    sum
                })
            })
        });
        for n in [1, 2, 4] {
            block_on(queue.put(n)).unwrap();
        }
        queue.close(Close::Drain);
        let sums = getters.map(|getter| getter.join().unwrap());
        assert_eq!(sums.iter().sum::<u32>(), 7);
        block_on(queue.join());
    });
}

/// The one that was promised the last item goes while the queue is closed.
#[test]
fn the_last_item_of_a_closed_queue_is_got_though_the_first_in_line_goes() {
    random_schedules("sync: close against a get that goes", 20_000, || {
        let queue = Arc::new(Queue::bounded(1));
        let mut goes = queue.get();
        assert!(poll(&mut goes).is_pending());
        let other = queue.clone();
        let stays = thread::spawn(move || block_on(other.get()).is_ok());
        let other = queue.clone();
        let putter = thread::spawn(move || {
            other.try_put(()).unwrap();
            other.close(Close::Drain);
        });
        drop(goes);
        putter.join().unwrap();
        let is_got = stays.join().unwrap();
        assert!(is_got && queue.is_empty());
    });
}

/// Room that comes free while the first in line gives up.
#[test]
fn room_reaches_who_stays_though_the_first_in_line_goes() {
    random_schedules("sync: room against a put that goes", 20_000, || {
        let queue = Arc::new(Queue::bounded(1));
        queue.try_put(1).unwrap();
        let mut goes = queue.put(2);
        assert!(poll(&mut goes).is_pending());
        let other = queue.clone();
        let stays = thread::spawn(move || block_on(other.put(3)).unwrap());
        let other = queue.clone();
        let getter = thread::spawn(move || drop(block_on(other.get()).unwrap()));
        drop(goes);
        getter.join().unwrap();
        stays.join().unwrap();
        assert_eq!(*queue.try_get().unwrap(), 3);
    });
}

/// The last item is done while another one is put.
#[test]
fn a_join_waits_for_what_is_put_while_the_last_is_done() {
    every_schedule("sync: the last done against a put", 100_000, || {
        let queue = Arc::new(Queue::unbounded());
        queue.try_put(1).unwrap();
        let last = queue.try_get().unwrap().into_owned();
        let worker = thread::spawn(move || drop(last));
        queue.try_put(2).unwrap();
        let mut join = queue.join();
        assert!(poll(&mut join).is_pending());
        worker.join().unwrap();
        assert!(poll(&mut join).is_pending());
        drop(queue.try_get().unwrap());
        assert!(poll(&mut join).is_ready());
    });
}

/// Two are done at once, and each may be the last.
#[test]
fn the_last_of_two_items_is_told_of() {
    random_schedules("sync: the last done against the last but one", 20_000, || {
        let queue = Queue::unbounded();
        let workers = [1, 2].map(|n| {
            queue.try_put(n).unwrap();
            let item = queue.try_get().unwrap().into_owned();
            thread::spawn(move || drop(item))
        });
        block_on(queue.join());
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn a_join_hears_of_the_last_item() {
    every_schedule("sync: join against the last done", 100_000, || {
        let queue = Queue::unbounded();
        queue.try_put(1).unwrap();
        let last = queue.try_get().unwrap().into_owned();
        let worker = thread::spawn(move || drop(last));
        block_on(queue.join());
        worker.join().unwrap();
    });
}

#[test]
fn an_event_that_is_set_ends_every_wait() {
    every_schedule("sync: set and clear against two waits", 100_000, || {
        let event = Arc::new(Event::new());
        let mut earlier = event.wait();
        assert!(poll(&mut earlier).is_pending());
        let other = event.clone();
        let setter = thread::spawn(move || other.set());
        block_on(event.wait());
        event.clear();
        setter.join().unwrap();
        assert!(poll(&mut earlier).is_ready());
    });
}

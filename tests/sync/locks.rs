//! Everything that can serve as a lock, under one suite: what holds of one holds of all.
//!
//! A104: each test here runs over a semaphore of one permit, borrowed and owned, over one that is
//! always acquired whole, over a queue that holds a token, and over one that has room for one.

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;

use handspun::{Queue, Semaphore, block_on};

use crate::setup::{Polled, ROUNDS, Rng};
use crate::support::{panic_quietly, watched};

/// Whoever has it is in; dropping it lets the next one in.
type Guard = Box<dyn Any + Send>;
type Locking = Pin<Box<dyn Future<Output = Guard> + Send>>;

trait Lock: Send + Sync {
    fn lock(&self) -> Locking;
    fn try_lock(&self) -> Option<Guard>;
}

struct OnePermit(Arc<Semaphore>);

impl Lock for OnePermit {
    fn lock(&self) -> Locking {
        let semaphore = self.0.clone();
        Box::pin(async move { Box::new(semaphore.acquire().await.unwrap().into_owned()) as Guard })
    }

    fn try_lock(&self) -> Option<Guard> {
        Some(Box::new(self.0.try_acquire().ok()?.into_owned()))
    }
}

struct AllPermits(&'static Semaphore);

impl Lock for AllPermits {
    fn lock(&self) -> Locking {
        let semaphore = self.0;
        Box::pin(async move { Box::new(semaphore.acquire_many(1).await.unwrap()) as Guard })
    }

    fn try_lock(&self) -> Option<Guard> {
        Some(Box::new(self.0.try_acquire().ok()?))
    }
}

/// Calls a function when it is dropped.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A queue with a token in it: whoever gets it puts it back.
struct OneToken(Arc<Queue<()>>);

impl OneToken {
    fn guard(queue: Arc<Queue<()>>) -> Guard {
        Box::new(AtEnd(move || queue.try_put(()).unwrap()))
    }
}

impl Lock for OneToken {
    fn lock(&self) -> Locking {
        let queue = self.0.clone();
        Box::pin(async move {
            queue.get().await.unwrap().into_inner();
            Self::guard(queue)
        })
    }

    fn try_lock(&self) -> Option<Guard> {
        self.0.try_get().ok()?.into_inner();
        Some(Self::guard(self.0.clone()))
    }
}

/// A queue with room for one: whoever has put something in gets it out again.
struct OneRoom(Arc<Queue<()>>);

impl OneRoom {
    fn guard(queue: Arc<Queue<()>>) -> Guard {
        Box::new(AtEnd(move || drop(queue.try_get().unwrap())))
    }
}

impl Lock for OneRoom {
    fn lock(&self) -> Locking {
        let queue = self.0.clone();
        Box::pin(async move {
            queue.put(()).await.unwrap();
            Self::guard(queue)
        })
    }

    fn try_lock(&self) -> Option<Guard> {
        self.0.try_put(()).ok()?;
        Some(Self::guard(self.0.clone()))
    }
}

fn each_lock(test: impl Fn(Arc<dyn Lock>)) {
    let token = Arc::new(Queue::unbounded());
    token.try_put(()).unwrap();
    test(Arc::new(OnePermit(Arc::new(Semaphore::new(1)))));
    test(Arc::new(AllPermits(Box::leak(Box::new(Semaphore::new(1))))));
    test(Arc::new(OneToken(token)));
    test(Arc::new(OneRoom(Arc::new(Queue::bounded(1)))));
}

fn waiting(lock: &Arc<dyn Lock>) -> Polled<'static, Guard> {
    Polled::waiting(lock.lock())
}

/// A91.
#[test]
fn one_is_in_and_its_end_wakes_exactly_one() {
    each_lock(|lock| {
        let guard = Polled::new(lock.lock()).now();
        let (first, second) = (waiting(&lock), waiting(&lock));
        drop(guard);
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        drop(first.now());
        drop(second.now());
        assert!(lock.try_lock().is_some());
    });
}

/// A92.
#[test]
fn those_who_wait_are_let_in_in_the_order_they_came() {
    each_lock(|lock| {
        let mut guard = lock.try_lock().unwrap();
        let mut line: Vec<_> = (0..10).map(|_| waiting(&lock)).collect();
        while !line.is_empty() {
            drop(guard);
            assert!(line[1..].iter_mut().all(|later| later.poll().is_pending()));
            guard = line.remove(0).now();
        }
    });
}

/// A92: it is handed over, and never free in between.
#[test]
fn nobody_overtakes_who_was_let_in_and_has_not_looked_yet() {
    each_lock(|lock| {
        let guard = lock.try_lock().unwrap();
        let first = waiting(&lock);
        drop(guard);
        assert!(lock.try_lock().is_none());
        let newcomer = waiting(&lock);
        drop(first.now());
        drop(newcomer.now());
    });
}

/// A93.
#[test]
fn who_gives_up_before_its_turn_is_passed_over() {
    each_lock(|lock| {
        let guard = lock.try_lock().unwrap();
        let (gives_up, next) = (waiting(&lock), waiting(&lock));
        drop(gives_up);
        drop(guard);
        assert_eq!(next.wakes(), 1);
        drop(next.now());
    });
}

/// A94, A104: the bug that wedged the semaphores of asyncio for years.
#[test]
fn who_is_let_in_and_gives_up_unawares_lets_the_next_one_in() {
    each_lock(|lock| {
        let guard = lock.try_lock().unwrap();
        let (gives_up, next) = (waiting(&lock), waiting(&lock));
        drop(guard);
        assert_eq!((gives_up.wakes(), next.wakes()), (1, 0));
        drop(gives_up);
        assert_eq!(next.wakes(), 1);
        let last = waiting(&lock);
        drop(next.now());
        drop(last);
        assert!(lock.try_lock().is_some(), "nobody waits, and it is free");
    });
}

/// A102.
#[test]
fn a_panic_lets_the_next_one_in() {
    watched(|| {
        each_lock(|lock| {
            let guard = lock.try_lock().unwrap();
            let next = waiting(&lock);
            let holder = thread::spawn(move || {
                let _guard = guard;
                panic_quietly("inside")
            });
            assert!(holder.join().is_err());
            drop(next.now());
        });
    });
}

/// A126.
#[test]
fn the_newest_waker_is_woken_and_the_old_one_let_go() {
    each_lock(|lock| {
        let guard = lock.try_lock().unwrap();
        let mut moved = waiting(&lock);
        let old = moved.replace_waker();
        assert!(moved.poll().is_pending());
        assert_eq!(Arc::strong_count(&old), 1);
        drop(guard);
        assert_eq!((old.wakes(), moved.wakes()), (0, 1));
    });
}

/// Comes and goes at random: gives up in line, or as soon as it is let in, or is in for a moment.
fn come_and_go(lock: &Arc<dyn Lock>, mut rng: Rng, is_in: &AtomicBool) {
    for _ in 0..ROUNDS {
        let is_let_in = Polled::new(lock.lock()).poll().is_ready();
        if is_let_in || rng.below(2) == 0 {
            continue;
        }
        let guard = block_on(lock.lock());
        // ORDERING: Relaxed. The lock under test brings the threads in order.
        assert!(!is_in.swap(true, Relaxed));
        is_in.store(false, Relaxed); // ORDERING: Relaxed, as above.
        drop(guard);
    }
}

/// Nobody is in beside another, whoever gives up meanwhile, and in the end it is free.
#[test]
fn threads_that_give_up_at_random_leave_it_free() {
    watched(|| {
        each_lock(|lock| {
            let (is_in, together) = (AtomicBool::new(false), Barrier::new(4));
            thread::scope(|scope| {
                for seed in 0..4 {
                    let (lock, is_in, together) = (&lock, &is_in, &together);
                    scope.spawn(move || {
                        together.wait();
                        come_and_go(lock, Rng::of_seed(seed), is_in);
                    });
                }
            });
            assert!(lock.try_lock().is_some());
        });
    });
}

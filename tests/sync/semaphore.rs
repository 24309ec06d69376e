//! What a semaphore has beyond a lock: several permits, many at once, new ones, none any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};
use std::thread;

use handspun::{Closed, Permit, Semaphore, TryError, block_on};

use crate::setup::{Polled, ROUNDS, calls_when_dropped};
use crate::support::{panic_quietly, watched};

fn taken(semaphore: &Semaphore, n: usize) -> Permit<'_> {
    Polled::new(semaphore.acquire_many(n)).now().unwrap()
}

/// A91.
#[test]
fn as_many_as_there_are_permits_go_on_at_once() {
    let semaphore = Semaphore::new(3);
    let mut permits: Vec<_> = (0..3).map(|_| taken(&semaphore, 1)).collect();
    assert_eq!(semaphore.available(), 0);
    let (fourth, fifth) =
        (Polled::waiting(semaphore.acquire()), Polled::waiting(semaphore.acquire()));
    permits.pop();
    assert_eq!((fourth.wakes(), fifth.wakes()), (1, 0));
    permits.push(fourth.now().unwrap());
    permits.clear();
    assert!(fifth.now().is_ok());
    assert_eq!(semaphore.available(), 3);
}

/// A92, A96.
#[test]
fn many_are_not_starved_by_few() {
    let semaphore = Semaphore::new(3);
    let (one, two) = (taken(&semaphore, 1), taken(&semaphore, 2));
    let many = Polled::waiting(semaphore.acquire_many(3));
    drop(two);
    assert_eq!(semaphore.available(), 2);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryError::WouldBlock(()));
    let few = Polled::waiting(semaphore.acquire());
    drop(one);
    assert_eq!((many.wakes(), few.wakes()), (1, 0));
    drop(many.now());
    assert!(few.now().is_ok());
}

/// A96: what was kept for it goes to as many of the others as it is enough for.
#[test]
fn many_that_give_up_make_way_for_those_behind() {
    let semaphore = Semaphore::new(3);
    let _one = taken(&semaphore, 1);
    let many = Polled::waiting(semaphore.acquire_many(3));
    let few: Vec<_> = (0..3).map(|_| Polled::waiting(semaphore.acquire())).collect();
    drop(many);
    assert_eq!(few.iter().map(Polled::wakes).collect::<Vec<_>>(), [1, 1, 0]);
}

/// A94, A96.
#[test]
fn many_that_were_served_and_give_up_return_all_of_them() {
    let semaphore = Semaphore::new(3);
    let all = taken(&semaphore, 3);
    let many = Polled::waiting(semaphore.acquire_many(2));
    let few: Vec<_> = (0..3).map(|_| Polled::waiting(semaphore.acquire())).collect();
    drop(all);
    assert_eq!(few.iter().map(Polled::wakes).collect::<Vec<_>>(), [1, 0, 0]);
    drop(many);
    assert!(few.into_iter().map(Polled::now).all(|permit| permit.is_ok()));
    assert_eq!(semaphore.available(), 3);
}

/// A97: whoever wants none does not wait, not even behind others.
#[test]
fn none_at_all_can_always_be_had() {
    let semaphore = Semaphore::new(0);
    let _waiting = Polled::waiting(semaphore.acquire());
    drop(taken(&semaphore, 0));
    assert_eq!(semaphore.available(), 0);
}

/// A97, A101: there is no bound, for permits may be added; so more than there are is a wait.
#[test]
fn more_than_there_are_wait_until_some_are_added() {
    let semaphore = Semaphore::new(1);
    let many = Polled::waiting(semaphore.acquire_many(3));
    semaphore.add_permits(1);
    assert_eq!(many.wakes(), 0);
    semaphore.add_permits(1);
    assert_eq!(many.wakes(), 1);
    drop(many.now());
    assert_eq!(semaphore.available(), 3);
}

/// A101.
#[test]
fn permits_that_are_added_wake_as_many_as_they_are() {
    let semaphore = Semaphore::new(0);
    let waiting: Vec<_> = (0..3).map(|_| Polled::waiting(semaphore.acquire())).collect();
    semaphore.add_permits(2);
    assert_eq!(waiting.iter().map(Polled::wakes).collect::<Vec<_>>(), [1, 1, 0]);
}

#[test]
fn there_are_never_more_permits_than_can_be_counted() {
    let semaphore = Semaphore::new(usize::MAX);
    semaphore.add_permits(1);
    drop(taken(&semaphore, 1));
    assert_eq!(semaphore.available(), usize::MAX);
}

/// A98.
#[test]
fn a_permit_that_is_forgotten_is_gone_for_good() {
    let semaphore = Semaphore::new(3);
    taken(&semaphore, 2).forget();
    assert_eq!(semaphore.available(), 1);
    let next = Polled::waiting(semaphore.acquire_many(2));
    semaphore.add_permits(1);
    assert!(next.now().is_ok());
}

/// A98.
#[test]
fn an_owned_permit_goes_where_its_owner_goes() {
    watched(|| {
        let semaphore = Semaphore::new(1);
        let permit: Permit<'static> = block_on(semaphore.acquire()).unwrap().into_owned();
        assert!(semaphore.try_acquire().is_err());
        let waiting = Polled::waiting(semaphore.acquire());
        thread::spawn(move || drop(permit)).join().unwrap();
        let permit = waiting.now().unwrap().into_owned();
        assert_eq!(semaphore.available(), 0);
        drop(permit);
        assert_eq!(semaphore.available(), 1);
    });
}

/// A99.
#[test]
fn a_semaphore_that_is_closed_tells_everybody() {
    let semaphore = Arc::new(Semaphore::new(2));
    let permits = taken(&semaphore, 2);
    let waiting: Vec<_> = (1..4).map(|n| Polled::waiting(semaphore.acquire_many(n))).collect();
    semaphore.close();
    assert!(waiting.iter().all(|waiting| waiting.wakes() == 1));
    drop(permits);
    for waiting in waiting {
        assert_eq!(waiting.now().unwrap_err(), Closed::default());
    }
    assert!(semaphore.is_closed() && Polled::new(semaphore.acquire_many(0)).now().is_err());
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryError::Closed(()));
    semaphore.add_permits(5);
    assert_eq!(semaphore.available(), 0);
}

/// A99: nobody has been told yet that it was served, so nobody is let in after the end.
#[test]
fn who_was_served_before_the_close_and_looks_after_it_is_told_of_it() {
    let semaphore = Semaphore::new(1);
    let permit = taken(&semaphore, 1);
    let (served, gone) =
        (Polled::waiting(semaphore.acquire()), Polled::waiting(semaphore.acquire()));
    drop(permit);
    semaphore.close();
    assert!(served.now().is_err());
    drop(gone);
    semaphore.close();
}

/// A102.
#[test]
fn a_permit_in_a_panic_is_given_back() {
    let semaphore = Semaphore::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = taken(&semaphore, 1);
        panic_quietly("inside")
    }));
    assert!(panicked.is_err());
    assert_eq!(semaphore.available(), 1);
}

/// A126: a waker may own what it waits for, so that its drop comes back in.
#[test]
fn a_waker_whose_drop_calls_back_in_is_no_deadlock() {
    watched(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let waker = || {
            let semaphore = semaphore.clone();
            calls_when_dropped(move || assert!(semaphore.try_acquire().is_err()))
        };
        let mut waiting = Box::pin(semaphore.acquire());
        for waker in [waker(), waker()] {
            assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        drop(waiting);
        let mut waiting = Box::pin(semaphore.acquire());
        let last = waker();
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&last)).is_pending());
        drop(last);
        semaphore.close();
        assert!(Polled::new(waiting).now().is_err());
    });
}

struct PanicsWhenWoken;

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        panic_quietly("a waker")
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_asleep() {
    let semaphore = Semaphore::new(0);
    let panicking = Waker::from(Arc::new(PanicsWhenWoken));
    let mut first = Box::pin(semaphore.acquire());
    assert!(first.as_mut().poll(&mut Context::from_waker(&panicking)).is_pending());
    let second = Polled::waiting(semaphore.acquire());
    semaphore.add_permits(2);
    assert_eq!(second.wakes(), 1);
    assert!(second.now().is_ok() && Polled::new(first).now().is_ok());
}

#[test]
fn what_a_semaphore_says_of_itself_is_short() {
    let semaphore = Semaphore::new(2);
    let permit = semaphore.try_acquire().unwrap();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, is_closed: false, .. }");
    assert_eq!(format!("{permit:?}"), "Permit { n: 1, .. }");
    assert_eq!(TryError::WouldBlock(()).to_string(), "not without waiting for it");
    assert_eq!(TryError::Closed(()).to_string(), "it is closed");
    assert_eq!(Closed::<()>::default().to_string(), "it is closed");
}

/// A hundred threads through three permits: never four are inside.
#[test]
fn no_more_threads_are_inside_than_there_are_permits() {
    watched(|| {
        let (semaphore, n_inside) = (Semaphore::new(3), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let _permit = block_on(semaphore.acquire()).unwrap();
                        // ORDERING: Relaxed. Each of the counts is of one moment, and that is all.
                        assert!(n_inside.fetch_add(1, Relaxed) < 3);
                        n_inside.fetch_sub(1, Relaxed); // ORDERING: Relaxed, as above.
                    }
                });
            }
        });
        assert_eq!(semaphore.available(), 3);
    });
}

/// Coming, leaving from the middle and being served cost the same with a million in line: a walk
/// through the line would take hours here.
#[test]
fn a_million_waiters_cost_a_million_times_one() {
    watched(|| {
        let semaphore = Semaphore::new(0);
        let mut context = Context::from_waker(Waker::noop());
        let mut line: Vec<_> = (0..1_000_000).map(|_| semaphore.acquire()).collect();
        let mut poll = |waiting: &mut _| Future::poll(Pin::new(waiting), &mut context).is_ready();
        assert!(!line.iter_mut().any(&mut poll));
        for at in (250_000..750_000).rev() {
            drop(line.swap_remove(at));
        }
        for _ in 0..line.len() {
            semaphore.add_permits(1);
        }
        assert_eq!(
            line.iter_mut().filter_map(|waiting| poll(waiting).then_some(())).count(),
            500_000
        );
    });
}

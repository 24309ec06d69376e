//! Wakers: woken, cloned and dropped anywhere, at any time.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::sync::{Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use handspun::{Executor, spawn, yield_now};

use crate::setup::{OnDrop, Tally, counted, executor, hands_out, run};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, watched};

/// A9.
#[test]
fn a_wake_from_another_thread_ends_the_sleep() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in wakers {
                thread::yield_now(); // Now and then the executor sleeps already, now and then not.
                waker.wake_by_ref();
                drop(waker);
            }
        });
        run(hands_out(sender, 10_000));
        waking.join().unwrap();
    });
}

/// A11: a library may park the thread in a poll, and finds tokens of the thread there.
#[test]
fn a_park_inside_a_poll_eats_no_wake() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let (woken, is_woken) = mpsc::channel();
        let waking = thread::spawn(move || {
            for waker in wakers {
                waker.wake();
                woken.send(()).unwrap();
            }
        });
        let mut left = 100;
        run(poll_fn(move |context| {
            sender.send(context.waker().clone()).unwrap();
            is_woken.recv().unwrap();
            thread::current().unpark();
            thread::park();
            left -= 1;
            if left > 0 { Poll::Pending } else { Poll::Ready(()) }
        }));
        waking.join().unwrap();
    });
}

/// A14.
#[test]
fn a_wake_from_another_thread_during_a_poll_means_one_more() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let (woken, is_woken) = mpsc::channel();
        let waking = thread::spawn(move || {
            for waker in wakers {
                waker.wake();
                let _ = woken.send(()); // Nobody listens to the last.
            }
        });
        let polls = Tally::default();
        let mut n = 0;
        run(counted(
            polls.clone(),
            poll_fn(move |context| {
                n += 1;
                if n == 3 {
                    return Poll::Ready(());
                }
                sender.send(context.waker().clone()).unwrap();
                if n == 2 {
                    is_woken.iter().nth(1); // Once for the poll before, and once in this one.
                }
                Poll::Pending
            }),
        ));
        waking.join().unwrap();
        assert_eq!(polls.get(), 3);
    });
}

/// A16.
#[test]
fn a_waker_may_be_woken_during_and_after_the_end_of_its_executor() {
    watched(|| {
        for _ in 0..50 {
            let (sender, wakers) = mpsc::channel();
            let (started, is_started) = mpsc::channel();
            let executor = executor().build();
            drop(executor.spawn(hands_out(sender, 1)));
            executor.run(yield_now());
            let waking = thread::spawn(move || {
                let waker: Waker = wakers.recv().unwrap();
                started.send(()).unwrap();
                (0..100).for_each(|_| waker.wake_by_ref());
            });
            is_started.recv().unwrap();
            drop(executor);
            waking.join().unwrap();
        }
    });
}

/// A16: the drop of a task wakes another one, and itself.
#[test]
fn a_drop_at_the_end_may_wake_whom_it_likes() {
    watched(|| {
        let drops = Count::default();
        let executor = executor().build();
        for _ in 0..3 {
            let (sender, wakers) = mpsc::channel::<Waker>();
            let counts = CountsDrop(drops.clone());
            let wakes = OnDrop(move || wakers.try_iter().for_each(|waker| waker.wake()));
            drop(executor.spawn(async move {
                let _held = (wakes, counts);
                hands_out(sender, 1).await;
            }));
        }
        executor.run(yield_now());
        drop(executor);
        assert_eq!(drops.get(), 3);
    });
}

/// A16: the last to have anything of an executor may be a waker on another thread.
#[test]
fn a_waker_that_is_dropped_last_drops_what_the_executor_was_given() {
    watched(|| {
        let drops = Count::default();
        let held = [(); 2].map(|()| Mutex::new(PanicsWhenDropped(drops.clone())));
        let [by_hook, by_observer] = held;
        let executor = executor().panic_hook(move |_| drop(by_hook.lock().unwrap()));
        let executor = executor.observer(move |_| drop(by_observer.lock().unwrap())).build();
        let (sender, wakers) = mpsc::channel();
        executor.run(async move { drop(spawn(hands_out(sender, 1))) });
        executor.run(yield_now());
        drop(executor);
        let waker: Waker = wakers.recv().unwrap();
        assert_eq!(drops.get(), 0);
        assert!(thread::spawn(move || drop(waker)).join().is_ok());
        assert_eq!(drops.get(), 2);
    });
}

/// A17.
#[test]
fn a_wake_never_waits_for_the_executor() {
    const N: usize = 100_000;
    watched(|| {
        let (sender, wakers) = mpsc::channel();
        let executor = executor().build();
        for _ in 0..N {
            drop(executor.spawn(hands_out(sender.clone(), 1)));
        }
        executor.run(async move {
            yield_now().await;
            let waking =
                thread::spawn(move || wakers.iter().take(N).for_each(|waker| waker.wake()));
            waking.join().unwrap(); // The executor stands still, and reads no messages.
            yield_now().await;
            yield_now().await;
        });
        assert_eq!(executor.n_tasks(), 0);
    });
}

/// A18.
#[test]
fn a_future_is_dropped_at_home_wherever_its_wakers_go() {
    watched(|| {
        let home = thread::current().id();
        let (sender, wakers) = mpsc::channel();
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let executor = executor().build();
        let task = executor.spawn(async move {
            let _here = OnDrop(move || assert_eq!(thread::current().id(), home));
            let _counts = counts;
            hands_out(sender, 1).await;
            pending::<()>().await;
        });
        executor.run(yield_now());
        let canceller = thread::spawn(move || {
            let waker: Waker = wakers.recv().unwrap();
            drop(waker.clone());
            assert!(task.cancel());
            waker.wake();
        });
        canceller.join().unwrap();
        assert_eq!(drops.get(), 0, "it is asked for, and the thread there does it");
        executor.run(yield_now());
        assert_eq!(drops.get(), 1);
    });
}

/// What a thread does when it loses its locals.
type Farewell = OnDrop<Box<dyn FnMut()>>;

/// A23.
#[test]
fn a_waker_may_be_woken_when_a_thread_loses_its_locals() {
    thread_local! {
        static KEPT: RefCell<Option<Farewell>> = const { RefCell::new(None) };
    }
    watched(|| {
        let ending = thread::spawn(|| {
            KEPT.with(|kept| drop(kept.take())); // It is there before the executor's own locals, and goes after.
            let (sender, wakers) = mpsc::channel::<Waker>();
            let executor = executor().build();
            drop(executor.spawn(hands_out(sender, 1)));
            executor.run(yield_now());
            let waker = wakers.recv().unwrap();
            let wakes: Box<dyn FnMut()> = Box::new(move || waker.wake_by_ref());
            KEPT.with(|kept| kept.replace(Some(OnDrop(wakes))));
            std::mem::forget(executor);
        });
        ending.join().unwrap();
    });
}

/// A23: an executor that a thread-local keeps ends with its thread.
#[test]
fn an_executor_may_be_kept_in_a_thread_local() {
    thread_local! {
        static KEPT: RefCell<Option<Executor>> = const { RefCell::new(None) };
    }
    watched(|| {
        let drops = Count::default();
        let counts = CountsDrop(drops.clone());
        let ending = thread::spawn(|| {
            KEPT.with(|kept| *kept.borrow_mut() = Some(executor().build()));
            KEPT.with(|kept| {
                let kept = kept.borrow();
                let executor = kept.as_ref().unwrap();
                drop(executor.spawn(async move {
                    let _counts = counts;
                    pending::<()>().await;
                }));
                executor.run(yield_now());
            });
        });
        ending.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}

/// A13: a task that is woken by many threads at once is polled at least once afterwards.
#[test]
fn wakes_of_four_threads_at_once_lose_none() {
    watched(|| {
        let (sender, wakers) = mpsc::channel();
        let woken = Count::default();
        handspun::run(async {
            let task = spawn(hands_out(sender, 1));
            yield_now().await;
            let waker: Waker = wakers.recv().unwrap();
            let threads = [(); 4].map(|()| {
                let (waker, woken) = (waker.clone(), woken.clone());
                thread::spawn(move || {
                    woken.add_one();
                    waker.wake();
                })
            });
            task.await.unwrap();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(woken.get(), 4);
    });
}

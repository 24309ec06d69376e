//! A callback has the result once, whenever it was set, and nothing it does costs the pool a worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread;

use handspun::{Cancel, CancelReason, JoinError, Shutdown, ThreadPool, thread as raw_thread};

use crate::setup::{busy, flush, gated, in_a_process_of_its_own};
use crate::support::{Count, CountsDrop, Gate, WakeCounter, panic_quietly, poll, watched};

/// P18.
#[test]
fn a_callback_gets_the_value() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, results) = mpsc::channel();
        let (gate, handle) = gated(&pool, 7);
        handle.on_complete(move |result| sender.send(result.unwrap()).unwrap());
        assert!(results.try_recv().is_err(), "the job has not returned");
        gate.open();
        assert_eq!(results.recv(), Ok(7));
    });
}

/// P18.
#[test]
fn a_callback_gets_the_panic() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let (sender, results) = mpsc::channel();
        let handle = pool.submit(|| -> u8 { panic_quietly("oh no") });
        handle.on_complete(move |result| sender.send(result).unwrap());
        gate.open();
        let Err(JoinError::Panicked(panic)) = results.recv().unwrap() else {
            panic!("the job panics");
        };
        assert_eq!(panic.message(), "oh no");
    });
}

/// P18, P32.
#[test]
fn a_callback_hears_of_a_cancelled_job_when_it_is_cancelled() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, results) = mpsc::channel();
        let gate = busy(&pool);
        pool.submit(|| ()).on_complete(move |result| sender.send(result).unwrap());
        thread::scope(|scope| {
            scope.spawn(|| pool.shutdown(Shutdown::Cancel).unwrap());
            let heard = results.recv().unwrap(); // While the worker is busy still.
            assert!(matches!(heard, Err(JoinError::Cancelled(CancelReason::ShutDown))));
            gate.open();
        });
    });
}

/// P19.
#[test]
fn a_callback_that_comes_late_runs_at_once_in_its_caller() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let ready = pool.submit(|| 7);
        let panicked = pool.submit(|| -> i32 { panic_quietly("oh no") });
        let cancelled = {
            let _gate = busy(&pool);
            let handle = pool.submit(|| 7);
            assert_eq!(handle.cancel(), Cancel::Dequeued);
            handle
        };
        flush(&pool);
        let (sender, called) = mpsc::channel();
        for handle in [ready, panicked, cancelled] {
            let sender = sender.clone();
            handle.on_complete(move |_| sender.send(thread::current().id()).unwrap());
            assert_eq!(called.try_recv(), Ok(thread::current().id()));
        }
    });
}

/// P18.
#[test]
fn a_callback_runs_on_the_worker_that_finishes_the_job() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).name("worker").build().unwrap();
        let (sender, called) = mpsc::channel();
        let (gate, handle) = gated(&pool, ());
        handle.on_complete(move |_| {
            sender.send(thread::current().name().map(str::to_owned)).unwrap();
        });
        gate.open();
        assert_eq!(called.recv().unwrap().as_deref(), Some("worker-0"));
    });
}

/// P21.
#[test]
fn a_panicking_callback_leaves_its_worker_alive_and_is_told_to_the_hook() {
    watched(|| {
        let (sender, lost) = mpsc::channel();
        let builder = ThreadPool::builder().threads(1);
        let hook = builder.panic_hook(move |panic| {
            sender.send((panic.message().to_owned(), panic.submitted_at().line())).unwrap();
        });
        let pool = hook.build().unwrap();
        let (gate, handle) = gated(&pool, ());
        let (line, ()) = (line!(), handle.on_complete(|_| panic_quietly("dropped the result")));
        gate.open();
        flush(&pool);
        assert_eq!((pool.stats().threads, pool.stats().settled), (1, 2));
        drop(pool);
        assert_eq!(lost.iter().collect::<Vec<_>>(), [("dropped the result".to_owned(), line)]);
    });
}

/// P21.
#[test]
fn callbacks_after_one_that_panicked_run_all_the_same() {
    watched(|| {
        let called = Count::default();
        let pool = ThreadPool::builder().threads(1).panic_hook(|_| ()).build().unwrap();
        let gate = busy(&pool);
        for n in 0..4 {
            let called = called.clone();
            pool.submit(move || n).on_complete(move |result| {
                called.add_one();
                if result.unwrap() % 2 == 0 {
                    panic_quietly("even")
                }
            });
        }
        gate.open();
        flush(&pool);
        assert_eq!(called.get(), 4);
    });
}

/// P19, P21.
#[test]
fn a_late_callback_that_panics_does_not_unwind_into_its_caller() {
    watched(|| {
        let told = Count::default();
        let builder = ThreadPool::builder().threads(1).panic_hook({
            let told = told.clone();
            move |_| told.add_one()
        });
        let pool = builder.build().unwrap();
        let handle = pool.submit(|| ());
        flush(&pool);
        handle.on_complete(|_| panic_quietly("oh no"));
        assert_eq!(told.get(), 1);
    });
}

/// P21: a callback that read a panic has read it.
#[test]
fn a_panic_that_a_callback_was_given_is_not_told_to_the_hook() {
    watched(|| {
        let told = Count::default();
        let builder = ThreadPool::builder().threads(1).panic_hook({
            let told = told.clone();
            move |_| told.add_one()
        });
        let pool = builder.build().unwrap();
        pool.submit(|| panic_quietly("oh no")).on_complete(|result| assert!(result.is_err()));
        drop(pool);
        assert_eq!(told.get(), 0);
    });
}

/// P22.
#[test]
fn a_callback_may_submit_to_the_pool_and_join_what_it_submitted() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let (sender, results) = mpsc::channel();
        let (gate, handle) = gated(&pool, 6);
        handle.on_complete({
            let pool = pool.clone();
            move |six| {
                let product = pool.submit(move || six.unwrap() * 7).join();
                sender.send(product.unwrap()).unwrap();
            }
        });
        gate.open();
        assert_eq!(results.recv(), Ok(42));
    });
}

/// P22.
#[test]
fn a_callback_may_cancel_one_job_and_drop_the_handle_of_another() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, answers) = mpsc::channel();
        let ran = Count::default();
        let (gate, first) = gated(&pool, ());
        let second = pool.submit(|| unreachable!("the callback cancels it"));
        let third = pool.submit({
            let ran = ran.clone();
            move || ran.add_one()
        });
        first.on_complete(move |_| {
            sender.send(second.cancel()).unwrap();
            drop((second, third));
        });
        gate.open();
        assert_eq!(answers.recv(), Ok(Cancel::Dequeued));
        flush(&pool);
        assert_eq!(ran.get(), 1);
    });
}

/// P23.
#[test]
fn a_callback_that_races_the_end_of_its_job_runs_once() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let called = Count::default();
        for _ in 0..2000 {
            let called = called.clone();
            pool.submit(|| ()).on_complete(move |_| called.add_one());
        }
        drop(pool);
        assert_eq!(called.get(), 2000);
    });
}

/// P22, P107.
#[test]
fn what_a_callback_holds_is_let_go_once_it_has_run() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let gate = busy(&pool);
        for _ in 0..3 {
            let held = CountsDrop(drops.clone());
            pool.submit(|| ()).on_complete(move |_| drop(held));
        }
        assert_eq!(drops.get(), 0);
        gate.open();
        flush(&pool);
        assert_eq!(drops.get(), 3);
    });
}

/// P18.
#[test]
fn a_callback_takes_the_place_of_the_waker_that_was_there() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (counter, waker) = WakeCounter::new();
        let called = Count::default();
        let (gate, mut handle) = gated(&pool, ());
        assert!(poll(&mut handle, &waker).is_pending());
        handle.on_complete({
            let called = called.clone();
            move |_| called.add_one()
        });
        gate.open();
        flush(&pool);
        assert_eq!((called.get(), counter.wakes()), (1, 0));
    });
}

/// Waits for the pool when it is dropped, as a task does that owns one.
struct WaitsWhenDropped(Arc<ThreadPool>, Gate);

impl Wake for WaitsWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for WaitsWhenDropped {
    fn drop(&mut self) {
        self.1.open();
        flush(&self.0);
    }
}

/// P22: the waker that was there is dropped with no lock held, as a callback is called with none.
#[test]
fn a_callback_may_take_the_place_of_a_waker_that_waits_for_the_worker_when_dropped() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let called = Count::default();
        let (gate, mut handle) = gated(&pool, ());
        let waker = Waker::from(Arc::new(WaitsWhenDropped(pool.clone(), gate.0.clone())));
        assert!(poll(&mut handle, &waker).is_pending());
        drop(waker);
        handle.on_complete({
            let called = called.clone();
            move |_| called.add_one()
        });
        assert_eq!(called.get(), 1);
    });
}

/// P18.
#[test]
fn a_callback_of_a_raw_thread_gets_its_value() {
    watched(|| {
        let (sender, results) = mpsc::channel();
        raw_thread::spawn(|| 7).on_complete(move |result| sender.send(result.unwrap()).unwrap());
        assert_eq!(results.recv(), Ok(7));
    });
}

/// P14, P18.
#[test]
fn callbacks_have_run_when_the_pool_has_been_dropped() {
    watched(|| {
        let called = Count::default();
        let pool = ThreadPool::new(2);
        for _ in 0..100 {
            let called = called.clone();
            pool.submit(|| ()).on_complete(move |_| called.add_one());
        }
        drop(pool);
        assert_eq!(called.get(), 100);
    });
}

/// P11: it says so, by a panic, and does not wait for ever.
#[test]
fn a_handle_that_was_polled_to_its_end_has_nothing_for_a_callback() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut handle = pool.submit(|| ());
        flush(&pool);
        assert!(poll(&mut handle, Waker::noop()).is_ready());
        assert!(catch_unwind(AssertUnwindSafe(|| handle.on_complete(drop))).is_err());
    });
}

/// Submits to a pool that is shut down, again and again: each callback runs at once, and submits.
fn submit_again(pool: Arc<ThreadPool>, n_left: usize, n_ran: Count) {
    n_ran.add_one();
    if let Some(n_left) = n_left.checked_sub(1) {
        let handle = pool.submit(|| ());
        handle.on_complete(move |_| submit_again(pool, n_left, n_ran));
    }
}

#[test]
fn callbacks_that_submit_again_after_a_shutdown_take_no_stack() {
    in_a_process_of_its_own(
        "callbacks::callbacks_that_submit_again_after_a_shutdown_take_no_stack",
        || {
            let (pool, n_ran) = (Arc::new(ThreadPool::new(1)), Count::default());
            pool.shutdown(Shutdown::Drain).unwrap();
            submit_again(pool, 200_000, n_ran.clone());
            assert_eq!(n_ran.get(), 200_001);
        },
    );
}

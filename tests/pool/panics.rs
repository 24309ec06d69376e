//! A panic is a value in a handle. It costs no worker and is never lost.

use std::panic::{panic_any, resume_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use handspun::{Builder, CancelReason, JoinError, ThreadPool, as_completed};

use crate::support::{Count, Gate, PanicsWhenDropped, panic_quietly, until, watched};

fn message_of<T>(result: Result<T, JoinError>) -> String {
    match result {
        Err(JoinError::Panicked(panic)) => panic.message().to_owned(),
        Err(JoinError::Cancelled(reason)) => format!("cancelled: {reason}"),
        Ok(_) => "it has a value".to_owned(),
    }
}

/// A pool that keeps what its panic hook hears.
fn overheard(builder: Builder) -> (ThreadPool, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = heard.clone();
    let hook = move |panic: &handspun::Panic| keep.lock().unwrap().push(panic.message().to_owned());
    (builder.panic_hook(hook).build().unwrap(), heard)
}

/// P66.
#[test]
fn a_thousand_panics_cost_no_worker() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let handles: Vec<_> = (0..1000).map(|_| pool.submit(|| panic_quietly("as told"))).collect();
        for handle in handles {
            assert_eq!(message_of::<()>(handle.join()), "as told");
        }
        let stats = pool.stats();
        assert!(stats.threads <= 2 && stats.settled == 1000, "{stats:?}");
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
    });
}

#[test]
fn the_worker_that_ran_a_panicking_job_runs_the_next() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let before = pool.submit(|| thread::current().id()).join().unwrap();
        drop(pool.submit(|| panic_quietly("as told")).join());
        assert_eq!(pool.submit(|| thread::current().id()).join().unwrap(), before);
    });
}

/// P67.
#[test]
fn jobs_that_panic_while_the_pool_is_dropped_settle_all_the_same() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(2), Gate::closed());
        let handles: Vec<_> = (0..100)
            .map(|_| {
                let gate = gate.clone();
                pool.submit(move || {
                    gate.pass();
                    panic_quietly("while it ends")
                })
            })
            .collect();
        let dropper = thread::spawn(move || drop(pool));
        gate.open();
        dropper.join().unwrap();
        assert!(handles.iter().all(|handle| handle.is_finished()));
        for handle in handles {
            assert_eq!(message_of::<()>(handle.join()), "while it ends");
        }
    });
}

/// P67.
#[test]
fn a_pool_that_is_dropped_by_a_panic_ends_in_order() {
    watched(|| {
        let ran = Count::default();
        let count = ran.clone();
        let unwinding = thread::spawn(move || {
            let pool = ThreadPool::new(1);
            for _ in 0..10 {
                let count = count.clone();
                drop(pool.submit(move || count.add_one()));
            }
            panic_quietly("with a pool in hand");
        });
        unwinding.join().unwrap_err();
        assert_eq!(ran.get(), 10);
    });
}

/// P68.
#[test]
fn a_captured_value_that_panics_when_dropped_is_a_panic_of_the_job() {
    watched(|| {
        let (pool, drops) = (ThreadPool::new(1), Count::default());
        let captured = PanicsWhenDropped(drops.clone());
        let job = pool.submit(move || drop(captured));
        assert_eq!(message_of(job.join()), "a drop that panics");
        assert_eq!((drops.get(), pool.submit(|| 7).join().unwrap()), (1, 7));
    });
}

/// P68.
#[test]
fn a_captured_value_that_panics_when_it_is_cancelled_reaches_nobody() {
    watched(|| {
        let (pool, gate, drops) = (ThreadPool::new(1), Gate::closed(), Count::default());
        let blocker = pool.submit({
            let gate = gate.clone();
            move || gate.pass()
        });
        let captured = PanicsWhenDropped(drops.clone());
        let queued = pool.submit(move || drop(captured));
        queued.cancel();
        assert_eq!((drops.get(), queued.is_finished()), (1, true));
        gate.open();
        blocker.join().unwrap();
        assert_eq!(message_of(queued.join()), "cancelled: as requested");
    });
}

/// P68.
#[test]
fn a_result_that_panics_when_dropped_unread_costs_no_worker() {
    watched(|| {
        let (pool, drops) = (ThreadPool::new(1), Count::default());
        for _ in 0..10 {
            let count = drops.clone();
            drop(pool.submit(move || PanicsWhenDropped(count)));
        }
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
        assert_eq!((drops.get(), pool.stats().threads), (10, 1));
    });
}

/// P68.
#[test]
fn a_payload_that_panics_when_dropped_costs_no_worker() {
    watched(|| {
        let (pool, drops) = (ThreadPool::builder().threads(1).panic_hook(|_| ()), Count::default());
        let pool = pool.build().unwrap();
        for _ in 0..10 {
            let payload = PanicsWhenDropped(drops.clone());
            drop(pool.submit(move || resume_unwind(Box::new(payload))));
        }
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
        assert_eq!(drops.get(), 10, "each payload is dropped once");
    });
}

/// P68.
#[test]
fn a_payload_that_panics_when_dropped_is_contained_in_its_error() {
    watched(|| {
        let (pool, drops) = (ThreadPool::new(1), Count::default());
        let payload = PanicsWhenDropped(drops.clone());
        let job = pool.submit(move || resume_unwind(Box::new(payload)));
        let error: Result<(), _> = job.join();
        assert_eq!(message_of(error), "a payload that is not text");
        assert_eq!(drops.get(), 1);
    });
}

/// P69.
#[test]
fn on_start_that_panics_on_the_only_thread_cancels_what_is_queued_and_what_comes() {
    watched(|| {
        let at_the_gate = Gate::closed();
        let pool = ThreadPool::builder().threads(1).on_start({
            let at_the_gate = at_the_gate.clone();
            move |_| {
                at_the_gate.pass();
                panic_quietly("no licence")
            }
        });
        let pool = pool.build().unwrap();
        let queued: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
        at_the_gate.open();
        let why = "cancelled: there is no thread to run it on: `on_start` panicked: no licence";
        assert!(queued.into_iter().all(|job| message_of(job.join()) == why));
        assert_eq!(message_of(pool.submit(|| ()).join()), why);
        assert_eq!(pool.stats().threads, 0);
    });
}

/// A pool of two, the second of whose threads panics at its start once the gate is open.
fn pool_that_loses_its_second_thread(gate: &Gate) -> ThreadPool {
    let gate = gate.clone();
    let on_start = move |number| {
        if number == 1 {
            gate.pass();
            panic_quietly("no second licence");
        }
    };
    ThreadPool::builder().threads(2).on_start(on_start).build().unwrap()
}

/// P69.
#[test]
fn on_start_that_panics_on_a_later_thread_leaves_the_first_at_work() {
    watched(|| {
        let gate = Gate::closed();
        gate.open();
        let pool = pool_that_loses_its_second_thread(&gate);
        let handles: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
        let sum: usize = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
        assert_eq!(sum, 4950);
    });
}

/// P69.
#[test]
fn a_job_that_counted_on_a_thread_which_fails_goes_to_an_idle_one() {
    watched(|| {
        let (fail, go_on) = (Gate::closed(), Gate::closed());
        let pool = pool_that_loses_its_second_thread(&fail);
        let first = pool.submit({
            let go_on = go_on.clone();
            move || go_on.pass()
        });
        let second = pool.submit(|| ()); // Fetches the second thread, which stops at its start.
        go_on.open();
        first.join().unwrap();
        second.join().unwrap();
        until(|| pool.stats().idle == 1);
        let third = pool.submit(|| 7); // A thread is being started already.
        fail.open();
        assert_eq!(third.join().unwrap(), 7);
    });
}

/// P69.
#[test]
fn an_any_wait_that_counted_on_a_thread_which_fails_helps_itself() {
    watched(|| {
        for _ in 0..100 {
            let fail = Gate::closed();
            let pool = Arc::new(pool_that_loses_its_second_thread(&fail));
            let of_the_job = pool.clone();
            let outer = pool.submit(move || {
                let handles = [1, 2].map(|n| of_the_job.submit(move || n));
                fail.open();
                as_completed(handles).map(Result::unwrap).sum::<i32>()
            });
            assert_eq!(outer.join().unwrap(), 3);
        }
    });
}

/// P69.
#[test]
fn the_reason_of_a_pool_without_threads_says_why() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).on_start(|_| panic_quietly("no licence"));
        let job = pool.build().unwrap().submit(|| ());
        let error = job.join().unwrap_err();
        let JoinError::Cancelled(CancelReason::NoWorker(why)) = error else {
            panic!("{error}");
        };
        assert!(why.contains("no licence"), "{why}");
    });
}

/// P73.
#[test]
fn a_panic_that_nobody_reads_is_heard_once() {
    watched(|| {
        let (pool, heard) = overheard(ThreadPool::builder().threads(1));
        drop(pool.submit(|| panic_quietly("before it ran")));
        pool.submit(|| ()).join().unwrap();
        let finished = pool.submit(|| panic_quietly("after it ran"));
        until(|| finished.is_finished());
        drop(finished);
        drop(pool);
        assert_eq!(*heard.lock().unwrap(), ["before it ran", "after it ran"]);
    });
}

/// P73.
#[test]
fn a_panic_that_somebody_reads_is_not_heard() {
    watched(|| {
        let (pool, heard) = overheard(ThreadPool::builder().threads(1));
        drop(pool.submit(|| panic_quietly("joined")).join());
        as_completed([pool.submit(|| panic_quietly("as completed"))]).for_each(drop);
        drop(pool);
        assert!(heard.lock().unwrap().is_empty());
    });
}

#[test]
fn a_panic_hook_that_panics_costs_no_worker() {
    watched(|| {
        let hook = |_: &handspun::Panic| panic_quietly("a hook that panics");
        let pool = ThreadPool::builder().threads(1).panic_hook(hook).build().unwrap();
        for _ in 0..10 {
            drop(pool.submit(|| panic_quietly("as told")));
        }
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
        assert_eq!(pool.stats().threads, 1);
    });
}

#[test]
fn a_payload_keeps_its_type_across_the_threads() {
    watched(|| {
        let job = ThreadPool::new(1).submit(|| -> () { resume_unwind(Box::new(7_u8)) });
        let Err(JoinError::Panicked(panic)) = job.join() else {
            unreachable!("the job panics");
        };
        assert_eq!(*panic.into_payload().downcast::<u8>().unwrap(), 7);
    });
}

/// P74.
#[test]
fn a_panic_begins_on_a_thread_with_the_name_of_its_worker() {
    struct NameWhenDropped(Arc<Mutex<Option<String>>>);
    impl Drop for NameWhenDropped {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = thread::current().name().map(str::to_owned);
        }
    }
    watched(|| {
        let pool = ThreadPool::builder().threads(1).name("p74").build().unwrap();
        let name = Arc::default();
        let unwound = NameWhenDropped(Arc::clone(&name));
        let job = pool.submit(move || {
            let _unwound = unwound;
            panic_any("a panic that is printed, with the name of its thread")
        });
        drop::<Result<(), _>>(job.join());
        assert_eq!(name.lock().unwrap().as_deref(), Some("p74-0"));
    });
}

/// P73, for the calls of a map: a job of several inputs returns, and its panics are not lost with it.
#[test]
fn a_panic_that_a_map_never_yields_is_told_to_the_hook() {
    watched(|| {
        let heard = Count::default();
        let hears = heard.clone();
        let builder = ThreadPool::builder().threads(1).panic_hook(move |_| hears.add_one());
        let pool = builder.build().unwrap();
        let fails = |n| {
            if n > 0 {
                panic_quietly("not the first")
            }
        };
        let mut mapped = pool.map(0..10, fails).chunk(5);
        assert!(mapped.next().unwrap().is_ok());
        drop(mapped);
        drop(pool);
        // Four neighbours of the first result, and five in the second job if it had begun.
        assert!([4, 9].contains(&heard.get()), "{}", heard.get());
    });
}

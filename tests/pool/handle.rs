//! A handle gives its result once, to whoever waits, however they wait.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use handspun::{
    Cancel, CancelReason, JoinError, JoinHandle, StillRunning, ThreadPool, thread as raw_thread,
};

use crate::setup::{busy, flush, gated};
use crate::support::{Count, CountsDrop, Gate, panic_quietly, poll, watched};

/// P1.
#[test]
fn a_join_gives_what_the_job_returned() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let word = "seven".to_owned();
        assert_eq!(pool.submit(move || word.len()).join().unwrap(), 5);
    });
}

/// An error without a word to say.
#[derive(Debug)]
struct Wordless;

impl fmt::Display for Wordless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// P2, P16.
#[test]
fn an_error_that_a_job_returns_is_its_value() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let failed = pool.submit(|| Err::<(), _>(Wordless)).join();
        assert!(matches!(failed, Ok(Err(Wordless))));
    });
}

/// P2.
#[test]
fn a_panic_of_a_job_is_an_error_of_its_join() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (line, handle) = (line!(), pool.submit(|| -> u8 { panic_quietly("no more paper") }));
        let Err(JoinError::Panicked(panic)) = handle.join() else {
            panic!("the job panics");
        };
        assert_eq!(panic.message(), "no more paper");
        assert_eq!((panic.submitted_at().file(), panic.submitted_at().line()), (file!(), line));
    });
}

/// P3.
#[test]
fn a_timeout_of_zero_only_looks() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, running) = gated(&pool, 1);
        let queued = pool.submit(|| 2);
        let running = running.join_timeout(Duration::ZERO).unwrap_err().into_inner();
        let queued = queued.join_timeout(Duration::ZERO).unwrap_err().into_inner();

        gate.open();
        flush(&pool);
        assert_eq!(running.join_timeout(Duration::ZERO).unwrap().unwrap(), 1);
        assert_eq!(queued.join_timeout(Duration::ZERO).unwrap().unwrap(), 2);
    });
}

/// P4.
#[test]
fn a_join_returns_when_the_job_does() {
    watched(|| {
        let pool = ThreadPool::new(1);
        for n in 0..100 {
            let (gate, handle) = gated(&pool, n);
            // Some of these joins find the value there, some spin for it, some sleep.
            let opener = thread::spawn(move || gate.open());
            assert_eq!(handle.join().unwrap(), n);
            opener.join().unwrap();
        }
    });
}

/// P6, P17.
#[test]
fn a_handle_shows_how_far_its_job_is() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, first) = gated(&pool, ());
        let [second, third] = [(), ()].map(|()| pool.submit(|| ()));
        third.cancel();
        let shown = [&first, &second, &third].map(|handle| format!("{handle:?}"));
        assert_eq!(shown, ["Running", "Queued", "Finished"].map(|s| format!("JoinHandle({s})")));
        let finished = [&first, &second, &third].map(|handle| handle.is_finished());
        assert_eq!(finished, [false, false, true]);

        gate.open();
        flush(&pool);
        assert!(first.is_finished() && second.is_finished());
    });
}

/// P7, P8.
#[test]
fn a_job_cancelled_while_it_queues_never_runs() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, first) = gated(&pool, ());
        let second = pool.submit(|| unreachable!("it was cancelled in the queue"));

        // The only worker waits at the gate, so `second` has not begun.
        assert_eq!(second.cancel(), Cancel::Dequeued);
        assert_eq!(second.cancel(), Cancel::Dequeued, "again is the same");
        gate.open();

        first.join().unwrap();
        assert!(matches!(second.join(), Err(JoinError::Cancelled(_))));
    });
}

/// P7.
#[test]
fn a_job_that_has_begun_is_not_disturbed_by_cancel() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        assert_eq!(handle.cancel(), Cancel::TooLate, "it is running");
        gate.open();
        flush(&pool);
        assert_eq!(handle.cancel(), Cancel::TooLate, "it has finished");
        assert_eq!(handle.join().unwrap(), 7);
    });
}

/// P7, P8.
#[test]
fn a_cancel_that_races_the_worker_says_what_came_of_it() {
    watched(|| {
        let pool = ThreadPool::new(1);
        for _ in 0..500 {
            let handle = pool.submit(|| ());
            let cancel = handle.cancel();
            assert_eq!(handle.join().is_ok(), cancel == Cancel::TooLate);
        }
    });
}

/// P7: of several at once, whoever comes first cancels it.
#[test]
fn two_threads_may_cancel_a_job_at_once() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let _gate = busy(&pool);
        for _ in 0..200 {
            let handle = pool.submit(|| ());
            let barrier = Barrier::new(2);
            let cancel = || {
                barrier.wait();
                handle.cancel()
            };
            let answers = thread::scope(|scope| {
                let other = scope.spawn(cancel);
                [cancel(), other.join().unwrap()]
            });
            assert!(answers.contains(&Cancel::Dequeued));
            assert!(matches!(handle.join(), Err(JoinError::Cancelled(_))));
        }
    });
}

/// P9.
#[test]
fn cancel_drops_what_the_closure_holds_before_it_returns() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let _gate = busy(&pool);
        let drops = Count::default();
        let held = CountsDrop(drops.clone());
        let handle = pool.submit(move || drop(held));
        handle.cancel();
        assert_eq!(drops.get(), 1);
    });
}

/// P7.
#[test]
fn a_cancelled_join_says_that_it_was_asked_for() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let _gate = busy(&pool);
        let handle = pool.submit(|| ());
        handle.cancel();
        assert!(matches!(handle.join(), Err(JoinError::Cancelled(CancelReason::Requested))));
    });
}

/// P12.
#[test]
fn a_job_that_was_seen_finished_stays_finished() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, ());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !handle.is_finished() {
                        thread::yield_now();
                    }
                    let again = (0..100).all(|_| handle.is_finished());
                    assert!(again && format!("{handle:?}") == "JoinHandle(Finished)");
                });
            }
            gate.open();
        });
    });
}

/// P13.
#[test]
fn a_timed_join_gives_back_a_handle_as_good_as_before() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, mut handle) = gated(&pool, 7);
        for _ in 0..3 {
            handle = handle.join_timeout(Duration::from_millis(1)).unwrap_err().into_inner();
        }
        gate.open();
        assert_eq!(handle.join().unwrap(), 7);
    });
}

/// P3: the other end of the scale.
#[test]
fn the_longest_timeout_waits_for_the_job() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let opener = thread::spawn(move || gate.open());
        assert_eq!(handle.join_timeout(Duration::MAX).unwrap().unwrap(), 7);
        opener.join().unwrap();
    });
}

/// P47: whose timeout it was is told by where the error stands.
#[test]
fn a_timeout_that_a_job_meets_is_its_value() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (_gate, slow) = gated(&pool, ());
        let impatient = pool.submit(move || slow.join_timeout(Duration::ZERO));
        let outer = impatient.join_timeout(Duration::MAX).expect("ours is long enough");
        assert!(outer.unwrap().is_err(), "its own was not");
    });
}

/// P14.
#[test]
fn a_job_whose_handle_was_dropped_runs_and_drops_its_result_on_the_worker() {
    struct TellsWhereItDrops(mpsc::Sender<Option<String>>);
    impl Drop for TellsWhereItDrops {
        fn drop(&mut self) {
            self.0.send(thread::current().name().map(str::to_owned)).unwrap();
        }
    }
    watched(|| {
        let pool = ThreadPool::builder().threads(1).name("worker").build().unwrap();
        let (sender, dropped_at) = mpsc::channel();
        let (gate, handle) = gated(&pool, TellsWhereItDrops(sender));
        drop(handle);
        gate.open();
        let places: Vec<_> = dropped_at.iter().collect();
        assert_eq!(places, [Some("worker-0".to_owned())]);
    });
}

/// P14.
#[test]
fn a_result_that_nobody_took_is_dropped_with_the_handle() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let result = CountsDrop(drops.clone());
        let handle = pool.submit(move || result);
        flush(&pool);
        assert_eq!(drops.get(), 0, "it can still be taken");
        drop(handle);
        assert_eq!(drops.get(), 1);
    });
}

/// P14: whoever comes last drops it, and the other does not.
#[test]
fn a_handle_dropped_while_its_job_ends_drops_the_result_once() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        for n in 1..=500 {
            let (gate, handle) = gated(&pool, CountsDrop(drops.clone()));
            gate.open();
            drop(handle);
            flush(&pool);
            assert_eq!(drops.get(), n);
        }
    });
}

/// P13: a value that is there beats a deadline that is over, and neither loses it.
#[test]
fn a_timeout_that_races_the_end_of_the_job_loses_no_result() {
    watched(|| {
        let pool = ThreadPool::new(1);
        for n in 0..200 {
            let (gate, handle) = gated(&pool, n);
            gate.open();
            let result = match handle.join_timeout(Duration::from_micros(n % 40)) {
                Ok(result) => result,
                Err(still_running) => still_running.into_inner().join(),
            };
            assert_eq!(result.unwrap(), n);
        }
    });
}

/// P106.
#[test]
fn a_stray_unpark_does_not_end_a_join() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let joiner = thread::current();
        let pest = thread::spawn(move || {
            for _ in 0..1000 {
                joiner.unpark();
            }
            gate.open();
        });
        assert_eq!(handle.join().unwrap(), 7);
        pest.join().unwrap();
    });
}

/// P106: the wait is ours, and so is what ends it.
#[test]
fn a_join_leaves_the_token_of_its_thread_alone() {
    watched(|| {
        let pool = ThreadPool::new(1);
        thread::current().unpark();
        let (gate, handle) = gated(&pool, ());
        let opener = thread::spawn(move || gate.open());
        handle.join().unwrap();
        opener.join().unwrap();
        thread::park(); // Hangs, should the join have taken the token.
    });
}

/// P1.
#[test]
fn a_job_may_hold_nothing_or_a_megabyte() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).stack_size(32 << 20).build().unwrap();
        pool.submit(|| ()).join().unwrap();
        let roomy = thread::Builder::new().stack_size(32 << 20);
        let sum = roomy.spawn(move || {
            let large = [1_u8; 1 << 20];
            let back = pool.submit(move || large).join().unwrap();
            back.iter().map(|byte| usize::from(*byte)).sum::<usize>()
        });
        assert_eq!(sum.unwrap().join().unwrap(), 1 << 20);
    });
}

/// P4.
#[test]
fn a_handle_may_be_joined_on_another_thread() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let joiner = thread::spawn(move || handle.join().unwrap());
        gate.open();
        assert_eq!(joiner.join().unwrap(), 7);
    });
}

/// P11, as far as the types leave room for it.
#[test]
fn a_handle_gives_its_result_once() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut handle = pool.submit(|| 7);
        flush(&pool);
        assert!(poll(&mut handle, Waker::noop()).is_ready());
        assert!(handle.is_finished());
        assert_eq!(handle.cancel(), Cancel::TooLate);
        drop(handle);
    });
}

/// P14.
#[test]
fn a_job_may_drop_its_own_handle() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let (own, gate) = (Arc::new(Mutex::new(None)), Gate::closed());
        let result = CountsDrop(drops.clone());
        let handle = pool.submit({
            let (own, gate) = (own.clone(), gate.clone());
            move || {
                gate.pass();
                drop(own.lock().unwrap().take());
                result
            }
        });
        *own.lock().unwrap() = Some(handle);
        gate.open();
        flush(&pool);
        assert_eq!(drops.get(), 1, "nobody can read the result, so it is gone");
    });
}

/// P3, P13.
#[test]
fn a_raw_thread_can_be_joined_with_a_timeout() {
    watched(|| {
        let gate = Gate::closed();
        let handle = raw_thread::spawn({
            let gate = gate.clone();
            move || gate.pass()
        });
        let handle = handle.join_timeout(Duration::ZERO).unwrap_err().into_inner();
        assert_eq!(handle.cancel(), Cancel::TooLate, "a thread begins at once");
        gate.open();
        handle.join().unwrap();
    });
}

/// P2.
#[test]
fn a_panic_of_a_raw_thread_is_an_error_of_its_join() {
    watched(|| {
        let panicked = raw_thread::spawn(|| -> u8 { panic_quietly("oh no") }).join();
        assert!(matches!(panicked, Err(JoinError::Panicked(_))));
    });
}

/// P4: its thread-locals are going, and a wait keeps its place in one.
#[test]
fn a_thread_that_ends_may_still_join() {
    struct JoinsWhenDropped(ThreadPool, mpsc::Sender<i32>);
    impl Drop for JoinsWhenDropped {
        fn drop(&mut self) {
            self.1.send(self.0.submit(|| 7).join().unwrap()).unwrap();
        }
    }
    thread_local! {
        static LAST_WORDS: RefCell<Option<JoinsWhenDropped>> = const { RefCell::new(None) };
    }
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, results) = mpsc::channel();
        thread::spawn(move || {
            LAST_WORDS.set(Some(JoinsWhenDropped(pool, sender)));
            // The place of this wait is destroyed first, for it was taken last.
            raw_thread::spawn(|| ()).join().unwrap();
        });
        assert_eq!(results.recv(), Ok(7));
    });
}

/// P2: so that `?` carries errors anywhere, and a handle to a value that only one thread may see.
#[test]
fn handles_and_errors_may_be_sent_and_shared() {
    fn is_sent_and_shared<T: Send + Sync + 'static>() {}
    is_sent_and_shared::<JoinHandle<Cell<u8>>>();
    is_sent_and_shared::<JoinError>();
    is_sent_and_shared::<StillRunning<JoinHandle<Cell<u8>>>>();
}

//! A handle is a plain future: any executor may await it, and any waker may be left with it.

#![expect(unsafe_code, reason = "a waker whose clone panics cannot be made of `Wake`")]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;

use handspun::{JoinError, JoinHandle, ThreadPool, block_on, thread as raw_thread};

use crate::setup::{busy, flush, gated};
use crate::support::{
    Count, CountsDrop, Task, WakeCounter, panic_quietly, poll, run_elsewhere, watched,
};

/// P109.
#[test]
fn an_await_gives_what_a_join_would_have() {
    watched(|| {
        let pool = ThreadPool::new(1);
        block_on(async {
            assert_eq!(pool.submit(|| 7).await.unwrap(), 7);
            let panicked = pool.submit(|| panic_quietly("oh no")).await;
            assert!(matches!(panicked, Err(JoinError::Panicked(_))));
            let gate = busy(&pool);
            let cancelled = pool.submit(|| ());
            cancelled.cancel();
            assert!(matches!(cancelled.await, Err(JoinError::Cancelled(_))));
            gate.open();
        });
    });
}

/// P113.
#[test]
fn a_job_that_finished_before_the_first_poll_needs_no_wake() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (counter, waker) = WakeCounter::new();
        let mut handle = pool.submit(|| 7);
        flush(&pool);
        assert!(matches!(poll(&mut handle, &waker), Poll::Ready(Ok(7))));
        assert_eq!((counter.wakes(), Arc::strong_count(&counter)), (0, 2), "nothing was kept");
    });
}

/// P112.
#[test]
fn a_job_wakes_its_reader_once_however_often_it_was_polled() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (counter, waker) = WakeCounter::new();
        let (gate, mut handle) = gated(&pool, ());
        for _ in 0..10 {
            assert!(poll(&mut handle, &waker).is_pending());
        }
        gate.open();
        flush(&pool);
        assert_eq!(counter.wakes(), 1);
    });
}

/// P112: a task may move from one executor to another between two polls.
#[test]
fn a_handle_polled_with_another_waker_each_time_wakes_only_the_last() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, mut handle) = gated(&pool, ());
        let counters = [(); 5].map(|()| {
            let (counter, waker) = WakeCounter::new();
            assert!(poll(&mut handle, &waker).is_pending());
            counter
        });
        let held: Vec<_> = counters.iter().map(Arc::strong_count).collect();
        assert_eq!(held, [1, 1, 1, 1, 2], "stale wakers are let go at once");
        gate.open();
        flush(&pool);
        assert_eq!(counters.map(|counter| counter.wakes()), [0, 0, 0, 0, 1]);
    });
}

/// P111, as far as one owner can: what was polled may be joined, and what was joined in vain polled.
#[test]
fn a_handle_may_be_polled_first_and_joined_then() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (counter, waker) = WakeCounter::new();
        let (gate, mut handle) = gated(&pool, 7);
        assert!(poll(&mut handle, &waker).is_pending());
        let opener = thread::spawn(move || gate.open());
        assert_eq!(handle.join().unwrap(), 7);
        opener.join().unwrap();
        assert!(counter.wakes() <= 1, "the join may find the value before it leaves its own waker");
    });
}

/// P112.
#[test]
fn a_foreign_executor_awaits_a_thousand_jobs() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(2));
        let (sender, results) = mpsc::channel();
        let tasks = (0..1000_u64).map(|n| {
            let (pool, sender) = (pool.clone(), sender.clone());
            let task: Task = Box::pin(async move {
                let square = pool.submit(move || n * n).await.unwrap();
                let back = pool.submit(move || square.isqrt()).await.unwrap();
                sender.send(back).unwrap();
            });
            task
        });
        run_elsewhere(tasks.collect());
        let mut numbers: Vec<_> = results.try_iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    });
}

struct PanicsWhenWoken;

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        panic_quietly("woken")
    }
}

/// P112.
#[test]
fn a_waker_that_panics_when_woken_leaves_the_worker_and_the_result_alone() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, mut handle) = gated(&pool, 7);
        assert!(poll(&mut handle, &Arc::new(PanicsWhenWoken).into()).is_pending());
        gate.open();
        flush(&pool);
        assert_eq!(pool.stats().threads, 1);
        assert_eq!(handle.join().unwrap(), 7);
    });
}

struct PanicsWhenDropped(Count);

impl Wake for PanicsWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        self.0.add_one();
        panic_quietly("dropped")
    }
}

/// P112.
#[test]
fn a_waker_that_panics_when_dropped_leaves_the_worker_and_the_result_alone() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let (gate, mut handle) = gated(&pool, 7);
        assert!(poll(&mut handle, &Arc::new(PanicsWhenDropped(drops.clone())).into()).is_pending());
        gate.open();
        flush(&pool);
        assert_eq!((drops.get(), pool.stats().threads), (1, 1));
        assert_eq!(handle.join().unwrap(), 7);
    });
}

/// P112: a drop that unwinds while another panic does would abort the process.
#[test]
fn a_waker_that_panics_when_dropped_does_not_make_the_handles_drop_panic() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let (_gate, mut handle) = gated(&pool, 7);
        assert!(poll(&mut handle, &Arc::new(PanicsWhenDropped(drops.clone())).into()).is_pending());
        drop(handle);
        assert_eq!(drops.get(), 1);
    });
}

/// A waker whose clone panics, and which does nothing else.
fn panics_when_cloned() -> Waker {
    const TABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic_quietly("cloned"), |_| (), |_| (), |_| ());
    // SAFETY: none of the functions looks at the data, and none of them needs a thread of its own.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) }
}

/// P112.
#[test]
fn a_waker_that_panics_when_cloned_leaves_the_handle_as_it_was() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, mut handle) = gated(&pool, 7);
        let unwound =
            catch_unwind(AssertUnwindSafe(|| poll(&mut handle, &panics_when_cloned()).is_ready()));
        assert!(unwound.is_err(), "it is the poller's own waker, and the poller hears of it");
        gate.open();
        assert_eq!(handle.join().unwrap(), 7);
    });
}

/// Polls the handle it wakes for, from inside the wake, and keeps what it gets.
#[derive(Default)]
struct PollsWhenWoken {
    handle: Mutex<Option<JoinHandle<i32>>>,
    value: Mutex<Option<i32>>,
}

impl Wake for PollsWhenWoken {
    fn wake(self: Arc<Self>) {
        let handle = self.handle.lock().unwrap().take();
        if let Poll::Ready(Ok(value)) = poll(&mut handle.unwrap(), Waker::noop()) {
            *self.value.lock().unwrap() = Some(value);
        }
    }
}

/// P112.
#[test]
fn a_waker_may_poll_and_drop_the_handle_that_wakes_it() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let waker = Arc::new(PollsWhenWoken::default());
        let (gate, mut handle) = gated(&pool, 7);
        assert!(poll(&mut handle, &waker.clone().into()).is_pending());
        *waker.handle.lock().unwrap() = Some(handle);
        gate.open();
        flush(&pool);
        assert_eq!(*waker.value.lock().unwrap(), Some(7));
    });
}

/// P112: the next waker is kept before the last one's drop, which may ask for anything, runs.
#[test]
fn a_stale_waker_may_submit_to_the_pool_when_it_is_dropped() {
    struct SubmitsWhenDropped(Arc<ThreadPool>);
    impl Wake for SubmitsWhenDropped {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for SubmitsWhenDropped {
        fn drop(&mut self) {
            drop(self.0.submit(|| ()));
        }
    }
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let (gate, mut handle) = gated(&pool, 7);
        let waker = Waker::from(Arc::new(SubmitsWhenDropped(pool.clone())));
        assert!(poll(&mut handle, &waker).is_pending());
        drop(waker);
        assert!(poll(&mut handle, Waker::noop()).is_pending());
        assert_eq!(pool.stats().submitted, 2);
        gate.open();
        assert_eq!(handle.join().unwrap(), 7);
    });
}

/// P14, P109.
#[test]
fn an_await_that_is_given_up_detaches_the_job() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let (gate, mut handle) = gated(&pool, CountsDrop(drops.clone()));
        let (counter, waker) = WakeCounter::new();
        let mut task = Box::pin(async { (&mut handle).await.is_ok() });
        assert!(poll(&mut task, &waker).is_pending());
        drop(task);
        drop(handle);
        gate.open();
        flush(&pool);
        assert_eq!((drops.get(), counter.wakes()), (1, 0));
    });
}

/// P11.
#[test]
fn a_poll_after_the_result_panics() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut handle = pool.submit(|| 7);
        flush(&pool);
        assert!(poll(&mut handle, Waker::noop()).is_ready());
        let again = catch_unwind(AssertUnwindSafe(|| poll(&mut handle, Waker::noop()).is_ready()));
        assert!(again.is_err());
    });
}

/// P109.
#[test]
fn a_raw_thread_can_be_awaited() {
    watched(|| {
        assert_eq!(block_on(raw_thread::spawn(|| 7)).unwrap(), 7);
    });
}

/// P112: the inner wait has a place of its own, and the outer one's wake does not end up there.
#[test]
fn a_wait_inside_a_poll_does_not_disturb_the_wait_around_it() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (gate, outer) = gated(&pool, 1);
        let sum = block_on(async {
            let mut handles = VecDeque::from([outer, pool.submit(|| 2)]);
            let inner = block_on(handles.pop_back().unwrap()).unwrap();
            gate.open();
            let inner = inner + pool.submit(|| 4).join().unwrap();
            inner + handles.pop_back().unwrap().await.unwrap()
        });
        assert_eq!(sum, 7);
    });
}

/// P112.
#[test]
fn a_handle_may_be_awaited_on_one_thread_and_then_on_another() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let mut task = Box::pin(async { handle.await.unwrap() });
        assert!(poll(&mut task, Waker::noop()).is_pending());
        thread::scope(|scope| {
            let other = scope.spawn(|| block_on(task));
            gate.open();
            assert_eq!(other.join().unwrap(), 7);
        });
    });
}

/// P112.
#[test]
fn a_future_that_panics_does_not_spoil_the_next_wait_of_its_thread() {
    watched(|| {
        let pool = ThreadPool::new(1);
        for n in 0..10 {
            let panicked = catch_unwind(|| block_on(async { panic_quietly("in a poll") }));
            assert!(panicked.is_err());
            assert_eq!(pool.submit(move || n).join().unwrap(), n);
        }
    });
}

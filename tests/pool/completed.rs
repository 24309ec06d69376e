//! `as_completed` yields each result once, in the order in which they came, at the cost of their number.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use handspun::{
    AsCompleted, JoinError, JoinHandle, Shutdown, ThreadPool, Unfinished, as_completed, block_on,
    keyed, thread as raw_thread, timeout,
};

use crate::setup::{Boxed, Held, Restless, busy, flush, gated};
use crate::support::{Count, CountsDrop, Gate, WakeCounter, panic_quietly, poll, watched};

/// P36.
#[test]
fn no_time_at_all_yields_what_is_done_and_then_how_much_is_not() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let [first, second] = [1, 2].map(|n| pool.submit(move || n));
        let (_gate, running) = gated(&pool, 3);
        let queued = pool.submit(|| 4);
        let mut results = as_completed([running, first, queued, second]).timeout(Duration::ZERO);
        let done = [results.next(), results.next()].map(|next| next.unwrap().unwrap().unwrap());
        assert_eq!(done, [1, 2]);
        let unfinished = results.next().unwrap().unwrap_err();
        assert_eq!(unfinished, Unfinished { unfinished: 2, of: 4 });
        assert_eq!(unfinished.to_string(), "2 of 4 unfinished when the timeout was over");
        assert!(results.next().is_none());
    });
}

/// P36: the results that come later are not lost.
#[test]
fn after_a_timeout_the_rest_can_still_be_had() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, running) = gated(&pool, 1);
        let mut results = as_completed([running]).timeout(Duration::ZERO);
        assert!(results.next().unwrap().is_err());
        gate.open();
        let rest: Vec<_> = results.into_inner().map(Result::unwrap).collect();
        assert_eq!(rest, [1]);
    });
}

/// P38.
#[test]
fn results_come_in_the_order_in_which_the_jobs_finish() {
    watched(|| {
        let pool = ThreadPool::new(4);
        let (gates, handles): (Vec<_>, Vec<_>) = (0..4).map(|n| gated(&pool, n)).unzip();
        let mut results = as_completed(handles);
        for n in [2, 0, 3, 1] {
            gates[n].open();
            assert_eq!(results.join_next().unwrap().unwrap(), n);
        }
        assert!(results.join_next().is_none());
    });
}

/// P38: whether it was added before it finished or after makes no difference.
#[test]
fn a_result_that_was_there_when_it_was_added_does_not_overtake() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut results = AsCompleted::new();
        let (gate, first) = gated(&pool, 1);
        let second = pool.submit(|| 2);
        results.add(first);
        gate.open();
        flush(&pool);
        results.add(second);
        assert_eq!(results.map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    });
}

/// P38: one worker finishes its jobs in the order in which they were handed in.
#[test]
fn the_jobs_of_one_worker_come_in_the_order_of_their_submission() {
    watched(|| {
        let pool = ThreadPool::new(1);
        for _ in 0..20 {
            let handles: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
            let results: Vec<_> = as_completed(handles).map(Result::unwrap).collect();
            assert_eq!(results, (0..100).collect::<Vec<_>>());
        }
    });
}

/// A future that is ready when its gate says so, and holds something that counts its drop.
struct Holds(
    #[expect(dead_code, reason = "it is there to be dropped")] CountsDrop,
    Arc<Mutex<(bool, Option<Waker>)>>,
);

impl Holds {
    fn new(drops: &Count) -> (Self, impl FnOnce() + use<>) {
        let state = Arc::new(Mutex::new((false, None::<Waker>)));
        let future = Self(CountsDrop(drops.clone()), state.clone());
        let finish = move || {
            let waker = {
                let mut state = state.lock().unwrap();
                state.0 = true;
                state.1.take()
            };
            waker.into_iter().for_each(Waker::wake);
        };
        (future, finish)
    }
}

impl Future for Holds {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.1.lock().unwrap();
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// P39.
#[test]
fn a_future_that_has_given_its_result_is_dropped_at_once() {
    watched(|| {
        let drops = Count::default();
        let (futures, finishes): (Vec<_>, Vec<_>) = (0..3).map(|_| Holds::new(&drops)).unzip();
        let mut results = as_completed(futures);
        for (n, finish) in finishes.into_iter().enumerate() {
            assert_eq!(drops.get(), n);
            finish();
            results.join_next();
        }
        assert_eq!(drops.get(), 3, "although the iterator is still there");
        drop(results);
    });
}

/// P41, as far as one owner can: nobody else can cancel a job, but its pool.
#[test]
fn a_shutdown_that_cancels_the_last_pending_job_ends_the_iteration() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let mut results = as_completed([pool.submit(|| ())]);
        thread::scope(|scope| {
            scope.spawn(|| pool.shutdown(Shutdown::Cancel).unwrap());
            assert!(matches!(results.join_next(), Some(Err(JoinError::Cancelled(_)))));
            assert!(results.join_next().is_none());
            gate.open();
        });
    });
}

/// Is polled often, and counts.
struct CountsPolls<F>(F, Count);

impl<F: Future + Unpin> Future for CountsPolls<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.1.add_one();
        Pin::new(&mut self.0).poll(context)
    }
}

/// P43, counted and not timed.
#[test]
fn a_member_is_polled_when_it_is_added_and_when_it_is_ready_and_not_in_between() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let polls = Count::default();
        let counted =
            (0..20_000).map(|_| CountsPolls(pool.submit(|| ()), polls.clone())).collect::<Vec<_>>();
        assert_eq!(as_completed(counted).count(), 20_000);
        assert!((20_000..=40_000).contains(&polls.get()), "{} polls", polls.get());
    });
}

/// P43: many posts before one look are one.
#[test]
fn a_member_that_was_woken_many_times_is_polled_once_for_all() {
    /// Leaves its waker with the test.
    struct GivesItsWaker(mpsc::Sender<Waker>);
    impl Future for GivesItsWaker {
        type Output = ();
        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            self.0.send(context.waker().clone()).unwrap();
            Poll::Pending
        }
    }
    watched(|| {
        let (sender, wakers) = mpsc::channel();
        let polls = Count::default();
        let results = as_completed([CountsPolls(GivesItsWaker(sender), polls.clone())]);
        let waker = wakers.recv().unwrap();
        (0..100).for_each(|_| waker.wake_by_ref());
        assert!(results.timeout(Duration::ZERO).next().unwrap().is_err());
        assert_eq!(polls.get(), 2, "one when it was added");
    });
}

/// P36.
#[test]
fn a_member_that_always_wakes_itself_does_not_outlast_a_timeout() {
    watched(|| {
        let mut results = as_completed([Restless]).timeout(Duration::from_millis(1));
        let unfinished = results.next().unwrap().unwrap_err();
        assert_eq!(unfinished, Unfinished { unfinished: 1, of: 1 });
    });
}

/// P38: what it waits for may be up to another task on the very same thread.
#[test]
fn a_member_that_always_wakes_itself_lets_other_tasks_run() {
    watched(|| {
        let (counter, waker) = WakeCounter::new();
        let mut results = as_completed([Restless, Restless]);
        let mut next = Box::pin(results.next());
        assert!(poll(&mut next, &waker).is_pending());
        assert!(counter.wakes() >= 1, "and is not forgotten over it");
    });
}

/// P37: any iterable, and any future.
#[test]
fn jobs_threads_and_async_blocks_may_be_mixed() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let first = pool.submit(|| 20);
        let second = pool.submit(|| 20);
        let block = async {
            let second = second.await?;
            Ok(first.await? + second)
        };
        let members: [Boxed<Result<i32, JoinError>>; 3] =
            [Box::pin(block), Box::pin(raw_thread::spawn(|| 1)), Box::pin(pool.submit(|| 1))];
        assert_eq!(as_completed(members).map(Result::unwrap).sum::<i32>(), 42);
    });
}

/// P38.
#[test]
fn members_may_be_added_while_results_come_in() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mut results = as_completed([keyed(0, pool.submit(|| 0))]);
        let mut seen = Vec::new();
        while let Some((key, value)) = results.join_next() {
            assert_eq!(value.unwrap(), key);
            seen.push(key);
            for child in [2 * key + 1, 2 * key + 2].into_iter().filter(|child| *child < 100) {
                results.add(keyed(child, pool.submit(move || child)));
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    });
}

/// P14.
#[test]
fn an_iteration_that_ends_early_detaches_the_rest() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let ran = Count::default();
        let gate = Gate::closed();
        let handles = (0..10).map(|n| {
            let (ran, gate) = (ran.clone(), gate.clone());
            pool.submit(move || {
                if n > 0 {
                    gate.pass();
                }
                ran.add_one();
            })
        });
        assert!(as_completed(handles).join_next().is_some());
        gate.open();
        flush(&pool);
        assert_eq!(ran.get(), 10);
    });
}

/// P38.
#[test]
fn panics_and_cancellations_are_results_like_others() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = busy(&pool);
        let handles = [0, 1, 2].map(|n| {
            pool.submit(move || {
                if n == 1 {
                    panic_quietly("one")
                }
            })
        });
        handles[2].cancel();
        let results = as_completed(handles);
        gate.open();
        let kinds = results.map(|result| match result {
            Ok(()) => "value",
            Err(JoinError::Panicked(_)) => "panic",
            Err(JoinError::Cancelled(_)) => "cancelled",
        });
        assert_eq!(kinds.collect::<Vec<_>>(), ["cancelled", "value", "panic"]);
    });
}

/// P38.
#[test]
fn a_member_that_panics_in_a_poll_is_not_waited_for_again() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, ());
        let panics: Boxed<i32> = Box::pin(async {
            handle.await.unwrap();
            panic_quietly("in a poll")
        });
        let mut results = as_completed([panics]);
        gate.open();
        assert!(catch_unwind(AssertUnwindSafe(|| results.join_next())).is_err());
        assert_eq!((results.unfinished(), results.join_next()), (0, None));
    });
}

/// P38.
#[test]
fn a_member_that_panics_when_it_is_added_is_not_waited_for() {
    watched(|| {
        let mut results = AsCompleted::new();
        let mut add = |value: Option<i32>| {
            let member: Boxed<i32> =
                Box::pin(async move { value.unwrap_or_else(|| panic_quietly("in a poll")) });
            results.add(member);
        };
        add(Some(1));
        assert!(catch_unwind(AssertUnwindSafe(|| add(None))).is_err());
        add(Some(2));
        assert_eq!(results.collect::<Vec<_>>(), [1, 2]);
    });
}

/// P31, P37.
#[test]
fn an_iteration_over_nothing_ends_at_once_and_for_good() {
    watched(|| {
        let mut results = as_completed::<Restless>([]);
        assert!(results.join_next().is_none());
        assert!(results.join_next().is_none());
        assert_eq!(block_on(results.next()).map(|_| ()), None);
    });
}

/// P109.
#[test]
fn a_next_that_is_given_up_loses_no_result() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let mut results = as_completed([handle]);
        for _ in 0..3 {
            let (_, waker) = WakeCounter::new();
            assert!(poll(&mut Box::pin(results.next()), &waker).is_pending());
        }
        gate.open();
        assert_eq!(block_on(results.next()).unwrap().unwrap(), 7);
    });
}

/// P109: a task may move between two polls.
#[test]
fn only_the_newest_waker_of_a_next_is_woken() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, handle) = gated(&pool, 7);
        let mut results = as_completed([handle]);
        let mut next = Box::pin(results.next());
        let counters = [(); 3].map(|()| {
            let (counter, waker) = WakeCounter::new();
            assert!(poll(&mut next, &waker).is_pending());
            counter
        });
        gate.open();
        flush(&pool);
        assert_eq!(counters.map(|counter| counter.wakes()), [0, 0, 1]);
    });
}

/// P38.
#[test]
fn its_length_is_known_at_any_time() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (gate, running) = gated(&pool, 1);
        let mut results = as_completed([running, pool.submit(|| 2)]);
        assert_eq!((results.unfinished(), results.size_hint()), (2, (2, Some(2))));
        gate.open();
        results.join_next();
        assert_eq!((results.unfinished(), results.size_hint()), (1, (1, Some(1))));
    });
}

/// P29.
#[test]
fn its_parts_are_what_is_done_and_what_is_not() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let done = pool.submit(|| 1);
        let (gate, running) = gated(&pool, 2);
        let (outputs, futures) = as_completed([running, done]).into_parts();
        assert_eq!(outputs.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1]);
        gate.open();
        let rest: Vec<_> = futures.into_iter().map(|handle| handle.join().unwrap()).collect();
        assert_eq!(rest, [2]);
    });
}

/// P38: each level is run by the wait above it, on the one thread there is.
#[test]
fn jobs_on_one_worker_may_iterate_over_jobs_to_any_depth() {
    fn leaves(pool: &Arc<ThreadPool>, depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        let handles = [(); 3].map(|()| {
            let pool = pool.clone();
            pool.clone().submit(move || leaves(&pool, depth - 1))
        });
        as_completed(handles).map(Result::unwrap).sum()
    }
    watched(|| {
        for n_threads in 1..=4 {
            let pool = Arc::new(ThreadPool::new(n_threads));
            let outer = pool.submit({
                let pool = pool.clone();
                move || leaves(&pool, 5)
            });
            assert_eq!(outer.join().unwrap(), 243);
        }
    });
}

/// P38: one member may come to wait for one job after another.
#[test]
fn a_member_that_awaits_several_jobs_ends_on_one_worker_too() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let members = [1, 2].map(|n| {
                    let pool = pool.clone();
                    let member: Boxed<i32> = Box::pin(async move {
                        let once = pool.submit(move || n).await.unwrap();
                        pool.submit(move || once * 10).await.unwrap()
                    });
                    member
                });
                as_completed(members).sum::<i32>()
            }
        });
        assert_eq!(outer.join().unwrap(), 30);
    });
}

/// P69, P38: it was to come for the job, and all who waited for that have to hear that it does not.
#[test]
fn a_worker_that_fails_to_start_does_not_leave_an_iteration_waiting_for_it() {
    watched(|| {
        for _ in 0..20 {
            let fails = Gate::closed();
            let builder = ThreadPool::builder().threads(2).on_start({
                let fails = fails.clone();
                move |number| {
                    if number == 1 {
                        fails.pass();
                        panic_quietly("no second worker")
                    }
                }
            });
            let pool = Arc::new(builder.build().unwrap());
            let outer = pool.submit({
                let pool = pool.clone();
                move || {
                    let mut results = as_completed([pool.submit(|| 7)]);
                    fails.open();
                    results.join_next().unwrap().unwrap()
                }
            });
            assert_eq!(outer.join().unwrap(), 7);
        }
    });
}

/// P38: the worker that was free when the wait began takes what stands before it in line.
#[test]
fn a_free_worker_that_is_kept_by_an_older_job_does_not_leave_an_iteration_waiting() {
    watched(|| {
        for _ in 0..50 {
            let pool = Arc::new(ThreadPool::new(2));
            let older = Held(Gate::closed());
            let outer = pool.submit({
                let (pool, older) = (pool.clone(), older.0.clone());
                move || {
                    drop(pool.submit(move || older.pass()));
                    as_completed([pool.submit(|| 7)]).join_next().unwrap().unwrap()
                }
            });
            assert_eq!(outer.join().unwrap(), 7);
        }
    });
}

/// P59: a member that looked at a job, and went on to wait for something else, is helped with neither.
#[test]
fn a_job_that_was_waited_for_in_vain_is_not_run_by_a_later_wait() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let (gate, looked) = (Gate::closed(), Gate::closed());
        let other = raw_thread::spawn({
            let gate = gate.clone();
            move || gate.pass()
        });
        let outer = pool.submit({
            let (pool, looked) = (pool.clone(), looked.clone());
            move || {
                let ran = Count::default();
                let counts = ran.clone();
                let job = pool.submit(move || counts.add_one());
                let member: Boxed<usize> = Box::pin(async move {
                    let _job = job.join_timeout(Duration::ZERO).unwrap_err();
                    looked.open();
                    other.await.unwrap();
                    ran.get()
                });
                as_completed([member]).join_next()
            }
        });
        looked.pass();
        gate.open();
        assert_eq!(outer.join().unwrap(), Some(0));
    });
}

/// P36: what is run by its waiter would not mind the time.
#[test]
fn a_job_inside_a_timeout_is_not_run_by_whoever_waits_for_it() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let inner = pool.submit(|| ());
                let timed = Box::pin(timeout(Duration::from_millis(1), inner));
                as_completed([timed]).join_next().unwrap().is_err()
            }
        });
        assert!(outer.join().unwrap(), "time was over, and the job was still queued");
    });
}

/// A job of a scope offers itself to its waiter as any other does: there is no other thread.
#[test]
fn an_iteration_over_jobs_of_a_scope_ends_on_a_pool_of_one() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let outer = pool.submit({
            let pool = pool.clone();
            move || {
                let counted = pool.scope(|s| as_completed([s.submit(|| 7)]).count());
                let mixed = pool.scope(|s| {
                    let members = [1, 2, 3].map(|n| s.submit(move || n));
                    as_completed(members).map(Result::unwrap).sum::<i32>()
                });
                (counted, mixed)
            }
        });
        assert_eq!(outer.join().unwrap(), (1, 6));
    });
}

/// A member that waits for something as a thread does, and for a job of this pool, in one poll.
struct BlocksAndAwaits {
    job: JoinHandle<i32>,
    blocks_first: bool,
}

impl Future for BlocksAndAwaits {
    type Output = Result<i32, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.blocks_first {
            block_on(async {});
        }
        let polled = Pin::new(&mut self.job).poll(context);
        if !self.blocks_first {
            block_on(async {});
        }
        polled
    }
}

#[test]
fn a_wait_inside_of_a_poll_takes_no_offer_from_the_wait_around_it() {
    watched(|| {
        for blocks_first in [true, false] {
            let pool = Arc::new(ThreadPool::new(1));
            let inner = pool.clone();
            let outer = pool.submit(move || {
                let job = inner.submit(|| 7);
                as_completed([BlocksAndAwaits { job, blocks_first }]).join_next()
            });
            assert_eq!(outer.join().unwrap().unwrap().unwrap(), 7, "{blocks_first}");
        }
    });
}

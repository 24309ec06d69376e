//! Jobs that borrow: what they borrow is there until the last of them has ended, whatever happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use handspun::{Cancel, CancelReason, JoinError, Scope, Shutdown, ThreadPool, block_on};

use crate::setup::{busy, flush, gated};
use crate::support::{Count, CountsDrop, Gate, panic_quietly, until, watched};

/// The text that a call panics with.
fn panic_of<T>(call: impl FnOnce() -> T) -> &'static str {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    payload.downcast_ref::<&'static str>().expect("it panics with a text")
}

/// When it is dropped it waits at a gate, and then looks at what it borrows.
struct LooksWhenDropped<'a> {
    borrowed: &'a Mutex<Vec<&'static str>>,
    begun: Count,
    gate: Gate,
}

impl Drop for LooksWhenDropped<'_> {
    fn drop(&mut self) {
        self.begun.add_one();
        self.gate.pass();
        self.borrowed.lock().unwrap().push("dropped");
    }
}

/// P118.
#[test]
fn a_scope_returns_what_its_body_does() {
    let pool = ThreadPool::new(1);
    assert_eq!(pool.scope(|_| 7), 7);
    assert_eq!(pool.stats().submitted, 0, "an empty scope asks nothing of the pool");
}

/// P118.
#[test]
fn a_scope_waits_for_jobs_that_jobs_submit() {
    fn grow<'scope>(s: &'scope Scope<'scope, '_>, n_run: &'scope AtomicUsize, depth: usize) {
        n_run.fetch_add(1, Relaxed); // ORDERING: Relaxed. It is read when the scope has ended.
        for _ in 0..depth {
            s.submit(move || grow(s, n_run, depth - 1));
        }
    }
    watched(|| {
        for threads in [1, 3] {
            let n_run = AtomicUsize::new(0);
            ThreadPool::new(threads).scope(|s| grow(s, &n_run, 4));
            assert_eq!(n_run.into_inner(), 65, "on {threads} threads");
        }
    });
}

#[test]
fn jobs_of_a_scope_change_what_they_borrow() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mut numbers = [1, 2, 3, 4];
        pool.scope(|s| {
            for number in &mut numbers {
                s.submit(move || *number *= 10);
            }
        });
        assert_eq!(numbers, [10, 20, 30, 40]);
    });
}

#[test]
fn scopes_nest_on_a_pool_of_one_thread() {
    fn depth(pool: &ThreadPool, rest: usize) -> usize {
        let Some(fewer) = rest.checked_sub(1) else { return 0 };
        let below = AtomicUsize::new(0);
        pool.scope(|s| {
            // ORDERING: Relaxed. It is read when the scope has ended.
            s.submit(|| below.store(depth(pool, fewer), Relaxed));
        });
        1 + below.into_inner()
    }
    watched(|| {
        let pool = ThreadPool::new(1);
        assert_eq!(pool.scope(|s| s.submit(|| depth(&pool, 30)).join().unwrap()), 30);
    });
}

/// P59, for scopes: the end of a scope runs no job of another.
#[test]
fn the_end_of_a_scope_runs_no_job_of_another() {
    watched(|| {
        let (pool, lock) = (ThreadPool::new(1), Mutex::new(()));
        pool.scope(|s| {
            s.submit(|| {
                let guard = lock.lock().unwrap();
                s.submit(|| drop(lock.lock().unwrap())); // First in line.
                pool.scope(|inner| drop(inner.submit(|| ())));
                drop(guard);
            });
        });
        assert_eq!(pool.stats().settled, 3);
    });
}

#[test]
fn a_worker_that_waits_runs_a_job_that_came_while_it_slept() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(2), Gate::closed());
        let begun = Count::default();
        pool.scope(|outer| {
            outer.submit(|| {
                pool.scope(|s| {
                    s.submit(|| {
                        begun.add_one();
                        gate.pass();
                        s.submit(|| ()).join().unwrap();
                    });
                    begun.reach(1); // Not by take-back: the other worker has it.
                });
            });
            begun.reach(1);
            gate.open();
        });
    });
}

/// P72.
#[test]
fn a_panic_in_a_scope_surfaces_when_all_have_ended() {
    watched(|| {
        let (pool, gate, n_ended) = (ThreadPool::new(2), Gate::closed(), Count::default());
        let said = panic_of(|| {
            pool.scope(|s| {
                s.submit(|| {
                    gate.pass();
                    n_ended.add_one();
                });
                drop(s.submit(|| panic_quietly("one job")));
                gate.open();
            });
        });
        assert_eq!((said, n_ended.get()), ("one job", 1));
    });
}

/// P72.
#[test]
fn a_panic_of_a_nested_job_or_scope_surfaces() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let by_a_job =
            || pool.scope(|s| drop(s.submit(|| drop(s.submit(|| panic_quietly("job"))))));
        assert_eq!(panic_of(by_a_job), "job");
        let inner = || pool.scope(|s| drop(s.submit(|| panic_quietly("scope"))));
        assert_eq!(panic_of(|| pool.scope(|s| drop(s.submit(inner)))), "scope");
        flush(&pool);
    });
}

/// P72.
#[test]
fn a_panic_of_the_body_waits_for_the_jobs() {
    watched(|| {
        let (pool, n_ended) = (ThreadPool::new(1), Count::default());
        let body = || {
            pool.scope(|s| {
                (0..3).for_each(|_| drop(s.submit(|| n_ended.add_one())));
                panic_quietly("the body");
            })
        };
        assert_eq!(panic_of(body), "the body");
        assert_eq!(n_ended.get(), 3);
    });
}

/// P116. The first panic is the scope's, and the others are told to the hook.
#[test]
fn of_many_panics_a_scope_keeps_one_and_tells_of_the_others() {
    watched(|| {
        let told = Count::default();
        let hook = told.clone();
        let pool = ThreadPool::builder().threads(1).panic_hook(move |_| hook.add_one());
        let pool = pool.build().unwrap();
        let said = panic_of(|| {
            pool.scope(|s| {
                for text in ["first", "second", "third"] {
                    drop(s.submit(move || panic_quietly(text)));
                }
            });
        });
        told.reach(2); // By the worker, which has counted its job out by then.
        assert_eq!((said, told.get()), ("first", 2));
    });
}

/// P73, for scopes: a panic that was read is not the scope's.
#[test]
fn a_panic_that_was_read_does_not_surface() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let read = pool.scope(|s| s.submit(|| -> () { panic_quietly("read") }).join());
        assert!(matches!(read, Err(JoinError::Panicked(panic)) if panic.message() == "read"));
    });
}

/// P74.
#[test]
fn jobs_of_a_scope_run_on_workers_alone() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).name("lent").build().unwrap();
        let name = pool.scope(|s| s.submit(|| thread::current().name().map(str::to_owned)).join());
        assert_eq!(name.unwrap().as_deref(), Some("lent-0"));
    });
}

/// The borrow does not end when a job settles: who ran it still drops what nobody will read.
#[test]
fn a_result_that_nobody_reads_is_dropped_before_the_scope_ends() {
    watched(|| {
        let (begun, gate) = (Count::default(), Gate::closed());
        let (pool, order) = (ThreadPool::new(1), Mutex::new(Vec::new()));
        let opener = thread::spawn({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.reach(1); // The job has settled by now, and its result is being dropped.
                (0..1000).for_each(|_| thread::yield_now()); // A chance for a scope that ends too early.
                gate.open();
            }
        });
        pool.scope(|s| {
            let (borrowed, begun, gate) = (&order, begun.clone(), gate.clone());
            drop(s.submit(move || LooksWhenDropped { borrowed, begun, gate }));
        });
        order.lock().unwrap().push("ended");
        opener.join().unwrap();
        assert_eq!(*order.lock().unwrap(), ["dropped", "ended"]);
    });
}

#[test]
fn a_closure_that_never_ran_is_dropped_before_the_scope_ends() {
    watched(|| {
        let (pool, order) = (ThreadPool::new(1), Mutex::new(Vec::new()));
        let held = busy(&pool);
        let (begun, gate) = (Count::default(), Gate::closed());
        gate.open();
        pool.scope(|s| {
            let looks = LooksWhenDropped { borrowed: &order, begun, gate };
            let job = s.submit(move || drop(looks));
            assert_eq!(job.cancel(), Cancel::Dequeued);
            assert_eq!(job.cancel(), Cancel::Dequeued, "again is the same");
        });
        order.lock().unwrap().push("ended");
        held.open();
        assert_eq!(*order.lock().unwrap(), ["dropped", "ended"]);
    });
}

#[test]
fn a_scope_in_a_pool_that_is_shut_down_ends() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let held = busy(&pool);
        let value = pool.scope(|s| {
            let queued = s.submit(|| 7);
            thread::scope(|threads| {
                threads.spawn(|| pool.shutdown(Shutdown::Cancel).unwrap());
                let result = queued.join();
                held.open();
                result
            })
        });
        assert!(matches!(value, Err(JoinError::Cancelled(CancelReason::ShutDown))));
        let too_late = pool.scope(|s| s.submit(|| 7).join());
        assert!(matches!(too_late, Err(JoinError::Cancelled(CancelReason::ShutDown))));
    });
}

#[test]
fn a_scope_works_through_a_queue_with_a_limit() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
        let n_run = Count::default();
        pool.scope(|s| {
            s.submit(|| (0..5).for_each(|_| drop(s.submit(|| n_run.add_one()))));
        });
        assert_eq!(n_run.get(), 5);
    });
}

#[test]
fn a_leaked_handle_does_not_keep_a_scope_from_its_end() {
    watched(|| {
        let (pool, n_run) = (ThreadPool::new(1), Count::default());
        pool.scope(|s| std::mem::forget(s.submit(|| n_run.add_one())));
        assert_eq!(n_run.get(), 1);
    });
}

#[test]
fn a_job_of_a_scope_is_awaited_and_looked_at() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let word = String::from("borrowed");
        let length = pool.scope(|s| {
            let job = s.submit(|| word.len());
            until(|| job.is_finished());
            assert_eq!(format!("{job:?}"), "ScopedHandle(Finished)");
            block_on(job)
        });
        assert_eq!(length.unwrap(), 8);
    });
}

#[test]
fn a_scope_in_another_pools_job_waits_for_that_pool() {
    watched(|| {
        let (left, right) = (ThreadPool::new(1), ThreadPool::new(1));
        let sum = left.scope(|s| {
            let job = s.submit(|| right.scope(|inner| inner.submit(|| 7).join().unwrap()));
            job.join().unwrap()
        });
        assert_eq!(sum, 7);
    });
}

/// P114. Who wants the first error to end the rest looks at a token; the scope waits for all of them.
#[test]
fn the_first_error_can_end_the_others_through_a_token() {
    watched(|| {
        let (pool, token) = (ThreadPool::new(4), handspun::CancellationToken::new());
        let ended = pool.scope(|s| {
            let others = [(); 3].map(|()| s.submit(|| while token.check().is_ok() {}));
            s.submit(|| token.cancel());
            others.map(|other| other.join().is_ok())
        });
        assert_eq!(ended, [true; 3]);
    });
}

#[test]
fn a_map_over_a_slice_keeps_the_order() {
    watched(|| {
        for threads in [1, 2, 5] {
            let pool = ThreadPool::new(threads);
            for n in [0, 1, 2, 3, 10, 1000, 30_000] {
                let items: Vec<usize> = (0..n).collect();
                let doubled = pool.par_map(&items, |item| item * 2);
                assert!(doubled.iter().copied().eq((0..n).map(|item| item * 2)), "{n} items");
            }
        }
    });
}

#[test]
fn a_map_over_a_slice_panics_when_what_was_begun_has_ended() {
    watched(|| {
        let pool = ThreadPool::new(3);
        let items: Vec<usize> = (0..1000).collect();
        let made = Count::default();
        let dropped = Count::default();
        let said = panic_of(|| {
            pool.par_map(&items, |item| {
                if *item == 500 {
                    panic_quietly("item 500");
                }
                made.add_one();
                CountsDrop(dropped.clone())
            })
        });
        assert_eq!(said, "item 500");
        assert_eq!(made.get(), dropped.get(), "no result is lost");
    });
}

#[test]
fn a_map_over_a_slice_does_not_wait_for_a_busy_pool() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let held = [gated(&pool, ()), gated(&pool, ())];
        let items = [1, 2, 3, 4];
        assert_eq!(pool.par_map(&items, |item| item + 1), [2, 3, 4, 5]);
        assert_eq!(pool.stats().queued, 0, "who was not needed is not in the queue any more");
        held.iter().for_each(|(gate, _)| gate.open());
    });
}

#[test]
fn a_slow_first_item_does_not_keep_the_others() {
    watched(|| {
        let (pool, others) = (ThreadPool::new(2), Count::default());
        let items: Vec<usize> = (0..100).collect();
        pool.par_map(&items, |item| match item {
            0 => others.reach(99), // They are done meanwhile.
            _ => others.add_one(),
        });
    });
}

#[test]
fn a_map_over_a_slice_works_on_a_worker_and_after_a_shutdown() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let items = [1, 2, 3];
        let inner = pool.scope(|s| s.submit(|| pool.par_map(&items, |item| item * 2)).join());
        assert_eq!(inner.unwrap(), [2, 4, 6]);
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(pool.par_map(&items, |item| item * 3), [3, 6, 9]);
    });
}

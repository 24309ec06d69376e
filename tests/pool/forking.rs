//! Two closures at once, if a worker is free: both have ended when the fork has.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

use handspun::{Shutdown, ThreadPool};

use crate::setup::gated;
use crate::support::{Count, Gate, panic_quietly, watched};

fn fib(pool: &ThreadPool, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (left, right) = pool.join(|| fib(pool, n - 1), || fib(pool, n - 2));
    left + right
}

#[test]
fn fib_of_20_comes_out_of_forks_on_any_number_of_threads() {
    watched(|| {
        for threads in [1, 2, 8] {
            let pool = ThreadPool::new(threads);
            assert_eq!(fib(&pool, 20), 6765, "from outside, {threads} threads");
            let inside = pool.scope(|s| s.submit(|| fib(&pool, 20)).join());
            assert_eq!(inside.unwrap(), 6765, "on a worker, {threads} threads");
        }
    });
}

#[test]
fn two_closures_that_need_each_other_run_at_once_if_a_worker_is_free() {
    watched(|| {
        let (pool, n_begun) = (ThreadPool::new(1), Count::default());
        let meet = || {
            n_begun.add_one();
            n_begun.reach(2);
        };
        pool.join(meet, meet);
    });
}

#[test]
fn the_oldest_fork_is_the_first_to_be_handed_out() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (held, _) = gated(&pool, ()); // Nobody is free, until the inner fork.
        let (outer_ran, inner) = (Gate::closed(), AtomicUsize::new(0));
        let deep = || {
            held.open();
            while inner.load(Relaxed) == 0 {
                // ORDERING: Relaxed, as below.
                pool.join(thread::yield_now, || ());
            }
        };
        // ORDERING: Relaxed. A number that a thread spins for.
        pool.join(
            || pool.join(deep, || outer_ran.pass()),
            || {
                inner.store(1, Relaxed); // ORDERING: Relaxed, as above.
                outer_ran.open();
            },
        );
    });
}

#[test]
fn the_oldest_fork_is_handed_out_though_another_pool_has_one_in_between() {
    watched(|| {
        let (pool, between) = (ThreadPool::new(1), ThreadPool::new(1));
        let (held, _) = gated(&pool, ());
        let caller = thread::current().id();
        let has_run = [const { AtomicBool::new(false) }; 2];
        // ORDERING: Relaxed. A flag that a thread spins for.
        let run = |at: usize| has_run[at].store(true, Relaxed);
        // Forks until another thread has run one that is older.
        let fork_until = |pool: &ThreadPool, at: usize| {
            while !has_run[at].load(Relaxed) {
                let here = || assert_eq!(thread::current().id(), caller, "the newest went");
                pool.join(thread::yield_now, here);
            }
        };
        let deep = || {
            fork_until(&between, 1);
            held.open();
            fork_until(&pool, 0);
        };
        pool.join(|| between.join(deep, || run(1)), || run(0));
    });
}

#[test]
fn forks_of_a_busy_pool_run_where_they_are() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (_held, _handle) = gated(&pool, ());
        assert_eq!(fib(&pool, 15), 610);
        assert_eq!(pool.stats().submitted, 1, "nobody was asked to help");
    });
}

#[test]
fn both_closures_borrow_and_change() {
    let pool = ThreadPool::new(2);
    let mut halves = [vec![2, 1], vec![4, 3]];
    let [left, right] = &mut halves;
    pool.join(|| left.sort(), || right.sort());
    assert_eq!(halves, [vec![1, 2], vec![3, 4]]);
}

/// P71.
#[test]
fn a_panic_of_either_closure_surfaces_when_both_have_ended() {
    watched(|| {
        let pool = ThreadPool::new(2);
        for _ in 0..100 {
            let ended = Count::default();
            let a = catch_unwind(AssertUnwindSafe(|| {
                pool.join(|| panic_quietly("a"), || ended.add_one())
            }));
            let b = catch_unwind(AssertUnwindSafe(|| {
                pool.join(|| ended.add_one(), || -> () { panic_quietly("b") })
            }));
            assert_eq!(a.unwrap_err().downcast_ref(), Some(&"a"));
            assert_eq!(b.unwrap_err().downcast_ref(), Some(&"b"));
            assert_eq!(ended.get(), 2);
        }
    });
}

/// P71, P116.
#[test]
fn of_two_panics_the_first_closures_surfaces_and_the_other_is_told() {
    watched(|| {
        let told = Count::default();
        let hook = told.clone();
        let pool = ThreadPool::builder().threads(1).panic_hook(move |_| hook.add_one());
        let pool = pool.build().unwrap();
        let both = catch_unwind(AssertUnwindSafe(|| {
            pool.join(|| -> () { panic_quietly("a") }, || -> () { panic_quietly("b") })
        }));
        assert_eq!(both.unwrap_err().downcast_ref(), Some(&"a"));
        assert_eq!(told.get(), 1);
    });
}

#[test]
fn a_fork_after_a_shutdown_runs_here() {
    watched(|| {
        let pool = ThreadPool::new(1);
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(fib(&pool, 10), 55);
    });
}

#[test]
fn forks_of_two_pools_mix_on_one_thread() {
    fn mixed(here: &ThreadPool, there: &ThreadPool, n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let (left, right) = here.join(|| mixed(there, here, n - 1), || mixed(there, here, n - 2));
        left + right
    }
    watched(|| {
        let (left, right) = (ThreadPool::new(2), ThreadPool::new(1));
        assert_eq!(mixed(&left, &right, 16), 987);
    });
}

#[test]
fn a_fork_that_nobody_came_for_leaves_nothing_behind() {
    watched(|| {
        let pool = ThreadPool::builder().threads(2).queue_limit(2).build().unwrap();
        for _ in 0..50 {
            fib(&pool, 12);
        }
        pool.shutdown(Shutdown::Drain).unwrap();
        let stats = pool.stats();
        assert_eq!((stats.queued, stats.running), (0, 0));
        assert_eq!(stats.submitted, stats.settled);
    });
}

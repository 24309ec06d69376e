//! A pool after a fork: the child has its memory and none of its threads. Nothing hangs there.

use std::io::{Write, stderr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use handspun::{Shutdown, ShutdownError, ThreadPool, as_completed, block_on, run, sleep};

use crate::setup::{busy, gated, in_a_process_of_its_own};

/// Forks, and runs the body in the child. What it returns, or whether it panics, is what the child
/// exits with. The child of a hang is ended by an alarm, and that is an error here.
#[expect(unsafe_code, reason = "the test is about what `fork` leaves behind")]
fn in_a_fork(body: impl FnOnce() -> bool) {
    // SAFETY: the child runs the body, which is what is being tested, and leaves by `_exit`.
    match unsafe { libc::fork() } {
        -1 => panic!("no fork"),
        0 => {
            // SAFETY: it only sets a timer of the process.
            unsafe { libc::alarm(20) };
            let held = catch_unwind(AssertUnwindSafe(body)).unwrap_or(false);
            let _ = writeln!(stderr(), "the child is done: {held}");
            // SAFETY: it ends the process and touches nothing of it.
            unsafe { libc::_exit(if held { 0 } else { 1 }) }
        }
        child => {
            let mut status = 0;
            // SAFETY: the child is ours, and the status is a place of our own.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!((waited, status), (child, 0), "the child hung or failed");
        }
    }
}

/// Whether it panics, and says that this is not the process of the pool.
fn says_so<T>(body: impl FnOnce() -> T) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(body)) else { return false };
    payload.downcast_ref::<String>().is_some_and(|text| text.contains("forked"))
}

#[test]
fn a_submit_to_an_idle_pool_says_that_it_was_forked() {
    in_a_process_of_its_own("forked::a_submit_to_an_idle_pool_says_that_it_was_forked", || {
        let pool = ThreadPool::builder().threads(1).spin_limit(std::time::Duration::ZERO).build();
        let pool = pool.unwrap();
        pool.submit(|| ()).join().unwrap();
        while pool.stats().idle == 0 {
            std::thread::yield_now();
        }
        in_a_fork(|| says_so(|| pool.submit(|| ())));
    });
}

#[test]
fn a_join_says_that_the_pool_was_forked() {
    in_a_process_of_its_own("forked::a_join_says_that_the_pool_was_forked", || {
        let pool = ThreadPool::new(1);
        let (gate, running) = gated(&pool, 7);
        let mut running = Some(running);
        // The worker is busy as the child sees it, so that nothing has to be woken for a submit.
        in_a_fork(|| {
            let by_join = says_so(|| pool.submit(|| ()).join());
            let by_await = says_so(|| block_on(pool.submit(|| ())));
            let by_iteration = says_so(|| as_completed([pool.submit(|| ())]).join_next());
            let of_before = says_so(|| running.take().map(|handle| handle.join()));
            by_join && by_await && by_iteration && of_before
        });
        gate.open();
        assert_eq!(running.unwrap().join().unwrap(), 7);
    });
}

#[test]
fn a_scope_says_that_the_pool_was_forked() {
    in_a_process_of_its_own("forked::a_scope_says_that_the_pool_was_forked", || {
        let pool = ThreadPool::new(1);
        let _gate = busy(&pool);
        in_a_fork(|| says_so(|| pool.scope(|s| drop(s.submit(|| ())))));
    });
}

#[test]
fn a_pool_that_was_forked_says_so_at_a_shutdown_and_is_dropped_quietly() {
    in_a_process_of_its_own(
        "forked::a_pool_that_was_forked_says_so_at_a_shutdown_and_is_dropped_quietly",
        || {
            let pool = ThreadPool::new(1);
            let gate = busy(&pool);
            let mut pool = Some(pool);
            in_a_fork(|| {
                let ended = pool.as_ref().map(|pool| pool.shutdown(Shutdown::Drain));
                drop(pool.take());
                matches!(ended, Some(Err(ShutdownError::Forked)))
            });
            gate.open();
            pool.unwrap().shutdown(Shutdown::Drain).unwrap();
        },
    );
}

#[test]
fn a_submit_to_a_full_pool_says_that_it_was_forked() {
    in_a_process_of_its_own("forked::a_submit_to_a_full_pool_says_that_it_was_forked", || {
        let pool = ThreadPool::builder().threads(1).queue_limit(1).build().unwrap();
        let _gate = busy(&pool);
        drop(pool.submit(|| ()));
        in_a_fork(|| says_so(|| pool.submit(|| ())));
    });
}

#[test]
fn a_new_pool_works_in_a_fork_and_so_does_a_wait_for_something_else() {
    in_a_process_of_its_own(
        "forked::a_new_pool_works_in_a_fork_and_so_does_a_wait_for_something_else",
        || {
            let pool = ThreadPool::new(1);
            let (_gate, running) = gated(&pool, 7);
            let mut running = pin!(running);
            assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let short = Duration::from_millis(1);
            in_a_fork(|| {
                block_on(sleep(short)); // What was polled before is nothing to this wait.
                ThreadPool::new(1).submit(|| 7).join().ok() == Some(7)
            });
            in_a_fork(|| {
                // A worker of ours polls it, and goes on.
                let own = ThreadPool::new(1);
                let is_pending = own.scope(|s| {
                    let running = running.as_mut();
                    let poll =
                        move || running.poll(&mut Context::from_waker(Waker::noop())).is_pending();
                    s.submit(poll).join().unwrap()
                });
                while own.stats().idle == 0 {
                    std::thread::yield_now();
                }
                is_pending && own.submit(|| 7).join().ok() == Some(7)
            });
        },
    );
}

/// The alarm's thread has stayed behind as well. It is started anew, also for sleeps that were set before.
#[test]
fn a_sleep_ends_in_a_fork() {
    in_a_process_of_its_own("forked::a_sleep_ends_in_a_fork", || {
        let short = Duration::from_millis(1);
        let mut sleeps = as_completed([sleep(3 * short), sleep(2 * short)]);
        block_on(sleep(short));
        in_a_fork(|| {
            block_on(sleep(short));
            run(sleep(short));
            sleeps.by_ref().count() == 2
        });
    });
}

//! A job may wait for jobs of its own pool, however few threads there are.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use handspun::{AsCompleted, CancelReason, JoinError, JoinHandle, Shutdown, ThreadPool};
use handspun::{as_completed, block_on, wait};

use crate::support::{Count, Gate, watched};

const A_MOMENT: Duration = Duration::from_millis(1);

fn pool_of(threads: usize) -> Arc<ThreadPool> {
    Arc::new(ThreadPool::new(threads))
}

/// Runs a job that is given its pool.
fn run<T: Send + 'static>(
    pool: &Arc<ThreadPool>,
    job: impl FnOnce(&Arc<ThreadPool>) -> T + Send + 'static,
) -> JoinHandle<T> {
    let of_the_job = pool.clone();
    pool.submit(move || job(&of_the_job))
}

/// P57.
#[test]
fn a_job_joins_a_job_of_its_pool_of_one() {
    watched(|| {
        let outer = run(&pool_of(1), |pool| pool.submit(|| 6 * 7).join().unwrap());
        assert_eq!(outer.join().unwrap(), 42);
    });
}

fn fib(pool: &Arc<ThreadPool>, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let left = run(pool, move |pool| fib(pool, n - 1));
    let right = run(pool, move |pool| fib(pool, n - 2));
    left.join().unwrap() + right.join().unwrap()
}

/// P58.
#[test]
fn fib_of_15_comes_out_of_nested_joins_on_any_number_of_threads() {
    watched(|| {
        for threads in [1, 2, 8] {
            let fib_15 = run(&pool_of(threads), |pool| fib(pool, 15));
            assert_eq!(fib_15.join().unwrap(), 610, "on {threads} threads");
        }
    });
}

fn depth_of_chain(pool: &Arc<ThreadPool>, rest: usize) -> usize {
    if rest == 0 {
        return 0;
    }
    1 + run(pool, move |pool| depth_of_chain(pool, rest - 1)).join().unwrap()
}

/// P58.
#[test]
fn joins_nest_a_thousand_deep_where_the_stack_does() {
    watched(|| {
        for threads in [1, 2] {
            let pool = ThreadPool::builder().threads(threads).stack_size(64 << 20).build();
            let chain = run(&Arc::new(pool.unwrap()), |pool| depth_of_chain(pool, 1000));
            assert_eq!(chain.join().unwrap(), 1000);
        }
    });
}

/// P59.
#[test]
fn a_join_runs_no_job_that_it_does_not_wait_for() {
    watched(|| {
        let lock = Arc::new(Mutex::new(()));
        let job = run(&pool_of(1), move |pool| {
            let guard = lock.lock().unwrap();
            let other = lock.clone();
            // It is first in line. Run below this job, it would wait for a lock of its own thread.
            let stranger = pool.submit(move || drop(other.lock().unwrap()));
            pool.submit(|| ()).join().unwrap();
            assert!(!stranger.is_finished());
            drop(guard);
            stranger
        });
        job.join().unwrap().join().unwrap();
    });
}

/// P62. Circles of waits hang, as documented; a wait with a timeout is the way out.
#[test]
fn a_job_that_waits_for_itself_can_give_up() {
    watched(|| {
        let (sender, receiver) = mpsc::channel::<JoinHandle<bool>>();
        let pool = ThreadPool::new(1);
        let job = pool.submit(move || {
            let myself = receiver.recv().unwrap();
            myself.join_timeout(A_MOMENT).is_err()
        });
        let finished = Gate::closed();
        sender.send(job).unwrap();
        pool.submit({
            let finished = finished.clone();
            move || finished.open()
        })
        .join()
        .unwrap();
        finished.pass();
    });
}

/// P63. Across pools nothing is taken back; a wait with a timeout is the way out.
#[test]
fn jobs_of_two_pools_that_wait_for_each_other_can_give_up() {
    watched(|| {
        let (left, right) = (pool_of(1), pool_of(1));
        let outer = run(&left, move |left| {
            let back = left.clone();
            right.submit(move || back.submit(|| 7).join_timeout(A_MOMENT)).join().unwrap()
        });
        let still_running = outer.join().unwrap().expect_err("its only worker waits for us");
        assert_eq!(still_running.into_inner().join().unwrap(), 7);
    });
}

/// P63.
#[test]
fn a_job_may_join_a_job_of_another_pool() {
    watched(|| {
        let other = ThreadPool::new(1);
        let outer = run(&pool_of(1), move |_| other.submit(|| 7).join().unwrap());
        assert_eq!(outer.join().unwrap(), 7);
    });
}

/// P64.
#[test]
fn a_job_hears_at_once_that_the_job_it_awaits_is_cancelled() {
    watched(|| {
        let pool = pool_of(1);
        let (sender, receiver) = mpsc::channel();
        let outer = run(&pool, move |pool| {
            let inner = pool.submit(|| unreachable!("its only worker awaits it"));
            sender.send(()).unwrap();
            block_on(inner) // An `.await` does not take back.
        });
        receiver.recv().unwrap();
        pool.shutdown(Shutdown::Cancel).unwrap();
        let inner: Result<(), _> = outer.join().unwrap();
        assert!(matches!(inner, Err(JoinError::Cancelled(CancelReason::ShutDown))));
    });
}

#[test]
fn a_timed_join_takes_nothing_back() {
    watched(|| {
        let outer = run(&pool_of(1), |pool| {
            let still_running = pool.submit(|| 7).join_timeout(A_MOMENT).unwrap_err();
            still_running.into_inner().join().unwrap()
        });
        assert_eq!(outer.join().unwrap(), 7);
    });
}

#[test]
fn a_job_that_is_taken_back_is_counted_like_any_other() {
    watched(|| {
        let outer = run(&pool_of(1), |pool| {
            let counts = |pool: &ThreadPool| {
                let stats = pool.stats();
                (stats.queued, stats.running, stats.settled)
            };
            let inner = run(pool, move |pool| counts(pool));
            let before = counts(pool);
            [before, inner.join().unwrap(), counts(pool)]
        });
        assert_eq!(outer.join().unwrap(), [(1, 1, 0), (0, 2, 0), (0, 1, 1)]);
    });
}

#[test]
fn an_any_wait_on_a_pool_of_one_runs_its_jobs_oldest_first() {
    watched(|| {
        let outer = run(&pool_of(1), |pool| {
            let handles = (0..100).map(|n| pool.submit(move || n));
            as_completed(handles).map(Result::unwrap).collect::<Vec<_>>()
        });
        assert_eq!(outer.join().unwrap(), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn a_wait_for_the_first_on_a_pool_of_one_runs_only_the_first() {
    watched(|| {
        let outer = run(&pool_of(1), |pool| {
            let handles = [1, 2, 3].map(|n| pool.submit(move || n));
            let waited = wait(handles, |_| true).join();
            (waited.done.len(), waited.unfinished.len())
        });
        assert_eq!(outer.join().unwrap(), (1, 2));
    });
}

/// The other worker is free when the wait begins, and then goes to wait for the waiter.
#[test]
fn an_any_wait_goes_on_when_the_only_other_worker_waits_for_it() {
    watched(|| {
        for _ in 0..200 {
            let (sender, receiver) = mpsc::channel::<JoinHandle<usize>>();
            let pool = pool_of(2);
            let job = run(&pool, move |pool| {
                let myself = receiver.recv().unwrap();
                let other = pool.submit(move || myself.join().unwrap());
                let handles = [1, 2].map(|n| pool.submit(move || n));
                (as_completed(handles).map(Result::unwrap).sum::<usize>(), other).0
            });
            sender.send(job).unwrap();
            drop(pool);
        }
    });
}

/// The other worker waits for the waiter before there is anything to wait for.
#[test]
fn an_any_wait_begins_while_the_only_other_worker_waits_for_it() {
    watched(|| {
        let (pool, other_runs) = (pool_of(2), Gate::closed());
        let other_has_begun = other_runs.clone();
        let job = run(&pool, move |pool| {
            other_has_begun.pass();
            as_completed([1, 2].map(|n| pool.submit(move || n))).map(Result::unwrap).sum::<i32>()
        });
        let other = pool.submit(move || {
            other_runs.open();
            job.join().unwrap()
        });
        assert_eq!(other.join().unwrap(), 3);
    });
}

/// What two workers do for each other, each of them any-waiting for jobs behind a crowd of others.
#[test]
fn any_waits_nest_on_every_worker_at_once() {
    fn leaves(pool: &Arc<ThreadPool>, depth: usize) -> usize {
        if depth == 0 {
            return 1;
        }
        let handles = (0..4).map(|_| run(pool, move |pool| leaves(pool, depth - 1)));
        as_completed(handles).map(Result::unwrap).sum()
    }
    watched(|| {
        for threads in [1, 2, 8] {
            assert_eq!(run(&pool_of(threads), |pool| leaves(pool, 5)).join().unwrap(), 1024);
        }
    });
}

/// Jobs of different pools stand at the same place in line.
#[test]
fn an_any_wait_that_moves_to_another_pool_runs_none_of_its_jobs() {
    watched(|| {
        let (left, right, gate) = (pool_of(1), pool_of(1), Gate::closed());
        let begun = Count::default();
        let on_the_left = run(&left, {
            let gate = gate.clone();
            // The second job of its pool, and queued while this one runs.
            move |left| as_completed([left.submit(move || gate.pass())])
        });
        let moved: AsCompleted<_> = on_the_left.join().unwrap();
        let n_begun = run(&right, move |right| {
            let count = begun.clone();
            // The second job of the other pool. It stays in the queue while this one waits.
            let stranger = right.submit(move || count.add_one());
            let mut timed = moved.timeout(A_MOMENT);
            timed.next().unwrap().expect_err("the gate is closed");
            let mut moved = timed.into_inner();
            let opener = handspun::thread::spawn(move || gate.open());
            moved.join_next().unwrap().unwrap();
            opener.join().unwrap();
            (begun.get(), stranger)
        });
        assert_eq!(n_begun.join().unwrap().0, 0);
    });
}

//! When a pool ends, every job has settled and every thread is gone.

use std::cell::RefCell;
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use handspun::{
    CancelReason, JoinError, JoinHandle, Shutdown, ShutdownError, ThreadPool, block_on,
};

use crate::support::{Count, CountsDrop, Gate, panic_quietly, threads_named, until, watched};

/// Rounds of a race, as many as a test has the time for.
const ROUNDS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

fn was_cancelled<T>(result: &Result<T, JoinError>) -> bool {
    matches!(result, Err(JoinError::Cancelled(CancelReason::ShutDown)))
}

/// Keeps a worker at work until the gate opens; returns when it is.
fn block(pool: &ThreadPool, gate: &Gate) -> JoinHandle<()> {
    let (begun, gate) = (Gate::closed(), gate.clone());
    let begins = begun.clone();
    let blocker = pool.submit(move || {
        begins.open();
        gate.pass();
    });
    begun.pass();
    blocker
}

/// P76.
#[test]
fn a_drop_runs_what_is_queued() {
    watched(|| {
        let (pool, gate, ran) = (ThreadPool::new(1), Gate::closed(), Count::default());
        drop(block(&pool, &gate));
        for _ in 0..50 {
            let ran = ran.clone();
            drop(pool.submit(move || ran.add_one()));
        }
        let dropper = thread::spawn(move || drop(pool));
        gate.open();
        dropper.join().unwrap();
        assert_eq!(ran.get(), 50);
    });
}

/// P76.
#[test]
fn a_drain_runs_what_is_queued_and_lets_no_more_in() {
    watched(|| {
        let (pool, ran) = (ThreadPool::new(2), Count::default());
        for _ in 0..50 {
            let ran = ran.clone();
            drop(pool.submit(move || ran.add_one()));
        }
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(ran.get(), 50);
        assert!(was_cancelled(&pool.submit(|| unreachable!("the pool is closed")).join()));
        assert_eq!((pool.stats().submitted, pool.stats().settled), (51, 51));
    });
}

/// P77.
#[test]
fn cancel_settles_a_thousand_queued_jobs_and_lets_the_running_one_end() {
    watched(|| {
        let (pool, gate, drops) = (ThreadPool::new(1), Gate::closed(), Count::default());
        let running = block(&pool, &gate);
        let queued: Vec<_> = (0..1000)
            .map(|_| {
                let captured = CountsDrop(drops.clone());
                pool.submit(move || drop(captured))
            })
            .collect();
        let begun = pool.shutdown_timeout(Shutdown::Cancel, Duration::ZERO);
        assert_eq!(begun, Err(ShutdownError::StillRunning { running: 1, queued: 0 }));
        assert_eq!(drops.get(), 1000, "the closures are gone while a job still runs");
        assert!(queued.into_iter().all(|job| was_cancelled(&job.join())));
        gate.open();
        running.join().unwrap();
    });
}

/// P78.
#[test]
fn submit_then_cancel_then_shutdown_ends() {
    watched(|| {
        for _ in 0..ROUNDS / 10 {
            let pool = ThreadPool::new(1);
            let job = pool.submit(|| ());
            job.cancel();
            pool.shutdown(Shutdown::Drain).unwrap();
            assert!(job.is_finished());
        }
    });
}

/// P79.
#[test]
fn results_still_arrive_after_a_shutdown_that_does_not_wait() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(1), Gate::closed());
        let running = block(&pool, &gate);
        let queued = pool.submit(|| 7);
        let begun = pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO);
        assert_eq!(begun, Err(ShutdownError::StillRunning { running: 1, queued: 1 }));
        gate.open();
        running.join().unwrap();
        assert_eq!(queued.join().unwrap(), 7);
    });
}

struct AtTheEnd(Box<dyn FnOnce()>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        std::mem::replace(&mut self.0, Box::new(|| ()))();
    }
}

thread_local! {
    static AT_THE_END: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) };
}

/// Runs it when the locals of this thread are destroyed.
fn at_the_end_of_the_thread(last: impl FnOnce() + 'static) {
    AT_THE_END.with(|ends| ends.borrow_mut().push(AtTheEnd(Box::new(last))));
}

/// P81.
#[test]
fn the_locals_of_every_thread_are_destroyed_when_a_drop_returns() {
    watched(|| {
        let destroyed = Count::default();
        for _ in 0..100 {
            let (pool, all) = (ThreadPool::new(2), Arc::new(Barrier::new(2)));
            for _ in 0..2 {
                let (destroyed, all) = (destroyed.clone(), all.clone());
                drop(pool.submit(move || {
                    at_the_end_of_the_thread(move || destroyed.add_one());
                    all.wait();
                }));
            }
        }
        assert_eq!(destroyed.get(), 200);
    });
}

/// P82.
#[test]
fn a_second_shutdown_finds_the_first_one_done() {
    watched(|| {
        let pool = ThreadPool::new(2);
        pool.submit(|| ()).join().unwrap();
        assert_eq!(pool.shutdown(Shutdown::Drain), Ok(()));
        assert_eq!(pool.shutdown(Shutdown::Cancel), Ok(()));
        assert_eq!(pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO), Ok(()));
    });
}

/// P82.
#[test]
fn eight_threads_that_shut_a_pool_down_all_see_its_end() {
    watched(|| {
        for round in 0..ROUNDS / 20 {
            let (pool, ended) = (ThreadPool::new(2), Count::default());
            let destroyed = ended.clone();
            drop(pool.submit(move || at_the_end_of_the_thread(move || destroyed.add_one())));
            let how = if round % 2 == 0 { Shutdown::Drain } else { Shutdown::Cancel };
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        pool.shutdown(how).unwrap();
                        assert_eq!(pool.stats().threads, 0);
                        assert!(how == Shutdown::Cancel || ended.get() == 1);
                    });
                }
            });
        }
    });
}

/// P82.
#[test]
fn a_worker_is_refused_the_shutdown_of_its_own_pool() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let own = pool.clone();
        let inside = pool.submit(move || own.shutdown(Shutdown::Drain));
        assert_eq!(inside.join().unwrap(), Err(ShutdownError::InsideWorker));
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7, "and nothing has happened");
    });
}

/// P82.
#[test]
fn the_destructor_of_a_thread_local_is_refused_the_shutdown_of_its_pool() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let (sender, answer) = mpsc::channel();
        let own = pool.clone();
        let last = move || sender.send(own.shutdown(Shutdown::Drain)).unwrap();
        pool.submit(move || at_the_end_of_the_thread(last)).join().unwrap();
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(answer.recv().unwrap(), Err(ShutdownError::InsideWorker));
    });
}

/// P82. A hook runs on a worker, even before its first job.
#[test]
fn a_hook_is_refused_the_shutdown_of_its_pool() {
    watched(|| {
        let own = Arc::new(OnceLock::<ThreadPool>::new());
        let (sender, answers) = mpsc::channel();
        let hook = {
            let own = own.clone();
            move |_| sender.send(own.get().unwrap().shutdown(Shutdown::Drain)).unwrap()
        };
        let builder = ThreadPool::builder().threads(1).on_start(hook);
        let pool = own.get_or_init(|| builder.build().unwrap());
        pool.submit(|| ()).join().unwrap();
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(answers.recv().unwrap(), Err(ShutdownError::InsideWorker));
    });
}

/// P83.
#[test]
fn a_shutdown_that_ran_out_of_time_is_finished_by_the_next() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(1), Gate::closed());
        drop(block(&pool, &gate));
        let queued = pool.submit(|| 7);
        let in_vain = pool.shutdown_timeout(Shutdown::Drain, Duration::from_millis(1));
        assert_eq!(in_vain, Err(ShutdownError::StillRunning { running: 1, queued: 1 }));
        gate.open();
        assert_eq!(pool.shutdown(Shutdown::Drain), Ok(()));
        assert!(queued.is_finished());
    });
}

/// P83.
#[test]
fn a_shutdown_without_time_is_finished_by_the_drop() {
    watched(|| {
        let (pool, destroyed) = (ThreadPool::new(1), Count::default());
        let count = destroyed.clone();
        drop(pool.submit(move || at_the_end_of_the_thread(move || count.add_one())));
        let _ = pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO);
        drop(pool);
        assert_eq!(destroyed.get(), 1);
    });
}

/// A drain that lasts too long may be made a cancel.
#[test]
fn a_cancel_after_a_drain_cancels_what_is_still_queued() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(1), Gate::closed());
        drop(block(&pool, &gate));
        let queued = pool.submit(|| ());
        let _ = pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO);
        let _ = pool.shutdown_timeout(Shutdown::Cancel, Duration::ZERO);
        assert!(was_cancelled(&queued.join()));
        gate.open();
    });
}

/// P87.
#[test]
fn the_last_owner_of_a_pool_may_be_its_own_job() {
    watched(|| {
        let (exited, ran) = (Count::default(), Count::default());
        let exits = exited.clone();
        let on_start = move |_| {
            let exits = exits.clone();
            at_the_end_of_the_thread(move || exits.add_one());
        };
        let pool = ThreadPool::builder().threads(2).on_start(on_start);
        let (pool, go) = (Arc::new(pool.build().unwrap()), Gate::closed());
        let (own, gate) = (pool.clone(), go.clone());
        let last_owner = pool.submit(move || {
            gate.pass();
            drop(own);
        });
        drop(block(&pool, &go));
        let (ran_queued, count) = (ran.clone(), ran.clone());
        drop(pool.submit(move || count.add_one()));
        drop(pool);
        go.open();
        last_owner.join().unwrap();
        exited.reach(2);
        assert_eq!(ran_queued.get(), 1, "what was queued has run");
    });
}

/// P88.
#[test]
fn sleeping_workers_wake_up_to_end() {
    watched(|| {
        let (pool, all) = (ThreadPool::new(8), Arc::new(Barrier::new(8)));
        for _ in 0..8 {
            let all = all.clone();
            drop(pool.submit(move || all.wait()));
        }
        until(|| pool.stats().idle == 8);
        pool.shutdown(Shutdown::Drain).unwrap();
        assert_eq!(pool.stats().threads, 0);
    });
}

/// P89.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_pools_leave_no_thread_behind() {
    watched(|| {
        for _ in 0..1000 {
            let pool = ThreadPool::builder().threads(2).name("p89").build().unwrap();
            drop([pool.submit(|| ()), pool.submit(|| ())]);
        }
        // A thread that has been joined is off the system's list a moment later.
        until(|| threads_named("p89").is_empty());
    });
}

#[test]
fn a_pool_that_was_never_used_ends_at_once() {
    watched(|| {
        let pool = ThreadPool::new(2);
        assert_eq!(pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO), Ok(()));
    });
}

#[test]
fn every_job_settles_that_is_submitted_while_the_pool_is_shut_down() {
    watched(|| {
        for round in 0..ROUNDS {
            let (pool, start) = (ThreadPool::new(1 + round % 2), Barrier::new(2));
            let how = if round % 3 == 0 { Shutdown::Cancel } else { Shutdown::Drain };
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    pool.shutdown(how).unwrap();
                });
                start.wait();
                let jobs = [7, 8, 9].map(|n| (n, pool.submit(move || n)));
                for (n, job) in jobs {
                    let result = job.join();
                    assert!(was_cancelled(&result) || result.unwrap() == n);
                }
            });
        }
    });
}

#[test]
fn every_job_settles_that_is_submitted_while_other_owners_leave() {
    watched(|| {
        for _ in 0..ROUNDS {
            let pool = Arc::new(ThreadPool::new(1));
            let other = pool.clone();
            // Either of us may be the last, and then waits for the job.
            let leaver = thread::spawn(move || drop(other));
            let job = pool.submit(|| 7);
            drop(pool);
            assert_eq!(job.join().unwrap(), 7);
            leaver.join().unwrap();
        }
    });
}

#[test]
fn a_job_that_submits_while_its_pool_ends_hears_that_it_does() {
    watched(|| {
        let (pool, gate) = (Arc::new(ThreadPool::new(1)), Gate::closed());
        let (own, begun) = (pool.clone(), Gate::closed());
        let (begins, at_the_gate) = (begun.clone(), gate.clone());
        let outer = pool.submit(move || {
            begins.open();
            at_the_gate.pass();
            own.submit(|| unreachable!("the pool is closed")).join()
        });
        begun.pass();
        let _ = pool.shutdown_timeout(Shutdown::Drain, Duration::ZERO);
        gate.open();
        assert!(was_cancelled::<()>(&outer.join().unwrap()));
    });
}

#[test]
fn a_handle_outlives_its_pool() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (joined, awaited) = (pool.submit(|| 7), pool.submit(|| 8));
        let panicked = pool.submit(|| panic_quietly("as told"));
        drop(pool);
        assert_eq!((joined.join().unwrap(), block_on(awaited).unwrap()), (7, 8));
        drop::<Result<(), _>>(panicked.join());
    });
}

/// The worker has taken them over with the job that holds it, so that they are in its queue by then.
#[test]
fn a_shutdown_cancels_what_a_worker_has_taken_over_and_not_begun() {
    watched(|| {
        let (pool, first, second) = (ThreadPool::new(1), Gate::closed(), Gate::closed());
        drop(block(&pool, &first));
        let (begun, holds) = (Gate::closed(), second.clone());
        let begins = begun.clone();
        drop(pool.submit(move || {
            begins.open();
            holds.pass();
        }));
        let taken_over = [(); 2].map(|()| pool.submit(|| ()));
        first.open();
        begun.pass();
        assert!(pool.shutdown_timeout(Shutdown::Cancel, Duration::ZERO).is_err(), "one is held");
        assert!(taken_over.into_iter().all(|job| was_cancelled(&job.join())));
        second.open();
    });
}

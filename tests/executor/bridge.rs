//! Jobs of a pool in tasks: nothing blocks the loop, and nothing is left running.

use std::sync::mpsc;
use std::thread;

use handspun::{
    CancelReason, CancellationToken, Clock, JoinError, ThreadPool, join_all, sleep, spawn, timeout,
    yield_now,
};

use crate::setup::{executor, jumping, millis, run, secs};
use crate::support::{Count, CountsDrop, Gate, panic_quietly, until, watched};

/// A151.
#[test]
fn a_value_an_error_and_a_panic_come_back_from_the_pool() {
    watched(|| {
        let pool = ThreadPool::new(2);
        run(async {
            assert_eq!(pool.submit(|| 7).await.unwrap(), 7);
            assert!(pool.submit(|| "seven".parse::<u32>()).await.unwrap().is_err());
            let panicked = pool.submit(|| panic_quietly("oh no")).await;
            assert!(matches!(panicked, Err(JoinError::Panicked(_))));
        });
    });
}

/// A151.
#[test]
fn the_others_go_on_while_a_job_runs() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let passes = gate.clone();
        run(async {
            let job = spawn(pool.submit(move || passes.pass()));
            for _ in 0..100 {
                sleep(millis(0)).await;
                yield_now().await;
            }
            assert!(!job.is_finished());
            gate.open();
            job.await.unwrap().unwrap();
        });
    });
}

/// A152.
#[test]
fn a_queued_job_whose_handle_cancels_on_drop_never_runs() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let passes = gate.clone();
        let first = pool.submit(move || passes.pass());
        run(async {
            let queued = pool.submit(|| unreachable!("it was given up")).cancel_on_drop();
            let waits = spawn(queued);
            yield_now().await;
            waits.cancel();
            gate.open();
            first.await.unwrap();
        });
        assert_eq!(pool.stats().queued, 0);
    });
}

/// A152: one budget, from the task down to the job.
#[test]
fn the_deadline_of_a_task_reaches_the_job_that_it_awaits() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let ended = Count::default();
        let counts = ended.clone();
        run(async {
            let budget = CancellationToken::new().child_with_timeout(millis(5));
            let job = pool.submit_with(&budget, move |token| {
                let _counts = CountsDrop(counts);
                token.sleep(secs(3600)).unwrap_err().reason
            });
            let task = spawn(async move { job.await.unwrap() });
            assert_eq!(task.await.unwrap(), CancelReason::DeadlinePassed);
            assert!(budget.is_cancelled());
        });
        assert_eq!(ended.get(), 1);
    });
}

/// A152: a task that is given up drops the guard of its token, and the job hears of it.
#[test]
fn a_task_that_is_dropped_ends_its_running_job_and_does_not_wait_for_it() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (begun, ended) = (Count::default(), Count::default());
        handspun::run(async {
            let token = CancellationToken::new();
            let (begins, ends) = (begun.clone(), ended.clone());
            let job = pool.submit_with(&token, move |token| {
                begins.add_one();
                let cancelled = token.sleep(secs(3600)).is_err();
                ends.add_one();
                cancelled
            });
            let task = spawn(async move {
                let _guard = token.drop_guard();
                job.await
            });
            begun.reach(1);
            yield_now().await;
            task.cancel();
        });
        ended.reach(1);
    });
}

/// A153: a pool that goes while its jobs are awaited.
#[test]
fn jobs_of_a_pool_that_goes_first_settle_all_the_same() {
    watched(|| {
        run(async {
            let pool = ThreadPool::new(1);
            let jobs = (0..100).map(|n| pool.submit(move || n));
            let tasks: Vec<_> = jobs.map(spawn).collect();
            yield_now().await;
            drop(pool);
            let n_done = join_all(tasks).await.into_iter().flatten().flatten().count();
            assert_eq!(n_done, 100);
        });
    });
}

/// A154.
#[test]
fn a_hundred_thousand_jobs_that_end_at_once_lose_none() {
    watched(|| {
        let pool = ThreadPool::new(4);
        let sum = run(async {
            let tasks = (0..100_000_u64).map(|n| spawn(pool.submit(move || n)));
            let slots = join_all(tasks.collect::<Vec<_>>()).await;
            slots.into_iter().map(|slot| slot.unwrap().unwrap()).sum::<u64>()
        });
        assert_eq!(sum, 4_999_950_000);
    });
}

/// A154.
#[test]
fn one_job_after_another_wakes_its_executor_each_time() {
    watched(|| {
        let pool = ThreadPool::new(2);
        for executor in [executor().build(), jumping()] {
            executor.run(async {
                for n in 0..5_000 {
                    assert_eq!(pool.submit(move || n).await.unwrap(), n);
                }
            });
        }
    });
}

/// A156.
#[test]
fn a_task_that_blocks_to_wait_for_a_task_of_its_own_executor_is_told() {
    watched(|| {
        handspun::run(async {
            let task = spawn(yield_now());
            let Err(JoinError::Panicked(panic)) =
                spawn(async move { handspun::block_on(task).unwrap() }).await
            else {
                unreachable!("it can never finish");
            };
            assert!(panic.message().contains("`.await` it there instead"), "{}", panic.message());
            let over = spawn(async { 7 });
            yield_now().await;
            assert_eq!(handspun::block_on(over).unwrap(), 7, "what is over may be waited for");
        });
    });
}

/// A156: one thread waits for a task of another.
#[test]
fn a_job_may_block_to_wait_for_a_task() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let executor = executor().build();
        let remote = executor.remote();
        let answer = executor.run(async {
            let job = pool.submit(move || {
                handspun::block_on(remote.spawn(|| async {
                    sleep(millis(1)).await;
                    7
                }))
            });
            job.await.unwrap().unwrap()
        });
        assert_eq!(answer, 7);
    });
}

/// A54, A152: the budget is of the clock of the task, and so is what the job sees of it.
#[test]
fn a_budget_under_a_jumping_clock_ends_the_job() {
    watched(|| {
        let pool = ThreadPool::new(1);
        jumping().run(async {
            let clock = Clock::current();
            let budget = CancellationToken::new().child_with_timeout(millis(20));
            let job = pool.submit_with(&budget, |token| token.sleep(secs(3600)).is_err());
            let late = timeout(millis(5), sleep(secs(3600))).await;
            assert!(late.is_err());
            assert!(job.await.unwrap());
            assert!(budget.is_cancelled());
            drop(clock);
        });
    });
}

/// A154: tasks that submit from many executors at once.
#[test]
fn four_executors_share_a_pool() {
    watched(|| {
        let pool = ThreadPool::new(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    run(async {
                        for n in 0..1000 {
                            assert_eq!(pool.submit(move || n).await.unwrap(), n);
                        }
                    });
                });
            }
        });
        let stats = pool.stats();
        assert_eq!(stats.submitted, 4000);
        let (sender, done) = mpsc::channel();
        drop(pool.submit(move || sender.send(()).unwrap()));
        done.recv().unwrap();
        until(|| pool.stats().running == 0);
    });
}

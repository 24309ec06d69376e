//! Our handles, awaited by tasks of others.

use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::oneshot;
use handspun::{Event, Executor, JoinError, ThreadPool, as_completed, join_all, race, run, thread};

use crate::elsewhere::everywhere;
use crate::support::{panic_quietly, watched};

#[test]
fn a_job_is_awaited_by_any_executor() {
    everywhere(|_| async {
        let pool = ThreadPool::new(2);
        assert_eq!(pool.submit(|| "blocking work".len()).await.unwrap(), 13);
        let raw = thread::spawn(|| 7);
        assert_eq!(raw.await.unwrap(), 7);
    });
}

#[test]
fn a_panic_of_a_job_is_an_error_in_any_executor() {
    everywhere(|_| async {
        let job = ThreadPool::new(1).submit(|| panic_quietly("no more paper"));
        let Err(JoinError::Panicked(panic)) = job.await else { panic!("it panicked") };
        assert_eq!(panic.message(), "no more paper");
    });
}

#[test]
fn jobs_are_taken_as_they_finish_in_any_executor() {
    everywhere(|_| async {
        let pool = ThreadPool::new(2);
        let mut squares = as_completed((0..100_u64).map(|n| pool.submit(move || n * n)));
        let mut sum = 0;
        while let Some(square) = squares.next().await {
            sum += square.unwrap();
        }
        assert_eq!(sum, 328_350);
    });
}

/// The feature `stream`.
#[test]
fn finished_jobs_are_a_stream_in_any_executor() {
    everywhere(|_| async {
        let pool = ThreadPool::new(2);
        let jobs = as_completed((0..100_u64).map(|n| pool.submit(move || n)));
        // They are an iterator, too: for a thread.
        let numbers = StreamExt::map(jobs, Result::unwrap);
        let even = numbers.filter(|n| ready(n % 2 == 0));
        assert_eq!(even.count().await, 50);
    });
}

#[test]
fn several_at_once_need_no_executor_of_ours() {
    everywhere(|_| async {
        let pool = ThreadPool::new(2);
        let both = join_all([pool.submit(|| 1), pool.submit(|| 2)]).await;
        assert_eq!(both.into_iter().map(Result::unwrap).sum::<i32>(), 3);
        assert_eq!(race([pool.submit(|| 5), pool.submit(|| 5)]).await.unwrap(), 5);
    });
}

#[test]
fn a_task_of_ours_is_awaited_by_any_executor() {
    everywhere(|_| async {
        let enough = Arc::new(Event::new());
        let (remote, is_there) = oneshot::channel();
        let loop_of_ours = thread::spawn({
            let enough = enough.clone();
            move || {
                let executor = Executor::new();
                remote.send(executor.remote()).unwrap();
                executor.run(enough.wait());
            }
        });
        let remote = is_there.await.unwrap();
        // The future is made over there, and is not `Send`.
        let task = remote.spawn(|| async { *Rc::new(21) * 2 });
        assert_eq!(task.await.unwrap(), 42);
        enough.set();
        loop_of_ours.await.unwrap();
    });
}

#[test]
fn whoever_awaits_a_task_of_ours_is_told_that_its_executor_ended() {
    everywhere(|_| async {
        let task = Executor::new().remote().spawn(|| async { *Rc::new(21) * 2 });
        assert!(matches!(task.await, Err(JoinError::Cancelled(_))));
    });
}

#[test]
fn a_task_of_ours_answers_a_task_of_tokio() {
    watched(|| {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let executor = Executor::new();
        let remote = executor.remote();
        let asked = tokio.spawn(async move {
            let task = remote.spawn(|| async { *Rc::new(21) * 2 });
            task.await.unwrap()
        });
        // A join handle of tokio, awaited here, while its task waits for one of ours.
        assert_eq!(executor.run(asked).unwrap(), 42);
    });
}

#[test]
fn a_task_that_panics_over_there_is_an_error_here() {
    watched(|| {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let failed = run(tokio.spawn(async { panic_quietly("no more ink") })).unwrap_err();
        assert!(failed.is_panic());
    });
}

#[test]
fn our_executor_runs_in_a_blocking_task_of_tokio() {
    watched(|| {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (answer, is_answered) = oneshot::channel();
        // One waits there for what the other does here: neither loop stands in the other's way.
        let ours = tokio.spawn_blocking(|| run(async { handspun::spawn(is_answered).await }));
        tokio.block_on(async {
            answer.send(42).unwrap();
            assert_eq!(ours.await.unwrap().unwrap(), Ok(42));
        });
    });
}

/// Wakers of theirs wrap ours, and wakers of ours theirs.
#[test]
fn an_executor_of_smol_runs_in_a_task_of_ours() {
    let task = async {
        let (theirs, pool) = (smol::LocalExecutor::new(), ThreadPool::new(2));
        let tasks = (0..100_u64).map(|n| theirs.spawn(pool.submit(move || n)));
        let tasks: Vec<_> = tasks.collect();
        let all = theirs.run(join_all(tasks)).await;
        all.into_iter().map(Result::unwrap).sum::<u64>()
    };
    watched(|| assert_eq!(run(async { handspun::spawn(task).await.unwrap() }), 4_950));
}

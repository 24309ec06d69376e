//! The hot paths: each does one thing so many times, with nothing left to chance.
//!
//! A count that depends on who was faster is worth nothing. So either all happens on one thread, or only
//! one thread can run at a time: the others wait, asleep, for what it does last.

use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use handspun::{Clock, Executor, Queue, Semaphore, ThreadPool};

/// What is counted.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Does it so many times.
    pub(crate) run: fn(u64),
}

pub(crate) const ALL: [Path; 12] = [
    Path {
        name: "submit-join",
        what: "a job is submitted from outside, run by a worker, and then joined",
        run: submit_and_join,
    },
    Path {
        name: "nested-submit-join",
        what: "a job is submitted and joined by another job, on a pool of one",
        run: submit_and_join_on_a_worker,
    },
    Path {
        name: "scope-job",
        what: "a job of a scope of ten, which a worker opens and waits for",
        run: scope_jobs,
    },
    Path { name: "join", what: "a fork that nobody takes, on a worker", run: forks },
    Path { name: "spawn-await", what: "a task that is ready at once", run: spawn_and_await },
    Path { name: "yield", what: "a poll of a task that has woken itself", run: yields },
    Path { name: "sleep", what: "a sleep that fires, under a clock that jumps", run: sleeps },
    Path { name: "timeout", what: "a timeout around a yield, which never fires", run: timeouts },
    Path { name: "queue", what: "an item is put by one task and got by another", run: put_and_get },
    Path { name: "semaphore", what: "a permit that is free is taken and given back", run: permits },
    Path {
        name: "semaphore-line",
        what: "a permit is handed to the next of a hundred tasks that wait for one of three",
        run: permits_in_line,
    },
    Path {
        name: "as-completed",
        what: "a task of a hundred is spawned, and taken as it ends",
        run: as_completed,
    },
];

/// A pool whose only worker has a job, and waits at the barrier in it.
fn pool_with_a_busy_worker() -> (ThreadPool, Arc<Barrier>) {
    let (pool, gate) = (ThreadPool::new(1), Arc::new(Barrier::new(2)));
    let (begun, has_begun) = mpsc::channel();
    drop(pool.submit({
        let gate = gate.clone();
        move || {
            begun.send(()).expect("somebody waits for it");
            gate.wait();
        }
    }));
    has_begun.recv().expect("the worker begins");
    (pool, gate)
}

/// Runs `body` on the only worker of a pool, while this thread waits for its end.
fn on_the_worker(body: impl FnOnce(&ThreadPool) + Send + 'static) {
    let pool = Arc::new(ThreadPool::new(1));
    let (ended, end) = mpsc::channel();
    let of_the_job = pool.clone();
    // Not joined: a thread that joins a queued job would run it itself.
    drop(pool.submit(move || {
        body(&of_the_job);
        drop(of_the_job);
        ended.send(()).expect("somebody waits for it");
    }));
    end.recv().expect("the job does not panic");
}

fn submit_and_join(n: u64) {
    let (pool, gate) = pool_with_a_busy_worker();
    let jobs: Vec<_> = (0..n).map(|number| pool.submit(move || number)).collect();
    gate.wait();
    drop(pool); // Runs what is queued, and joins the worker.
    let sum: u64 = jobs.into_iter().map(|job| job.join().expect("it does not panic")).sum();
    assert_eq!(sum, (0..n).sum());
}

fn submit_and_join_on_a_worker(n: u64) {
    on_the_worker(move |pool| {
        for number in 0..n {
            let answer = pool.submit(move || number).join().expect("the job does not panic");
            assert_eq!(answer, number);
        }
    });
}

fn scope_jobs(n: u64) {
    on_the_worker(move |pool| {
        let mut sums = [0; 10];
        for _ in 0..n / 10 {
            pool.scope(|s| {
                for sum in &mut sums {
                    s.submit(|| *sum += 1);
                }
            });
        }
        assert_eq!(sums, [n / 10; 10]);
    });
}

fn forks(n: u64) {
    on_the_worker(move |pool| {
        let mut sum = 0;
        for _ in 0..n {
            let (left, right) = pool.join(|| 1, || 1);
            sum += left + right;
        }
        assert_eq!(sum, 2 * n);
    });
}

fn spawn_and_await(n: u64) {
    handspun::run(async move {
        for number in 0..n {
            let answer = handspun::spawn(async move { number }).await;
            assert_eq!(answer.expect("the task does not panic"), number);
        }
    });
}

fn yields(n: u64) {
    handspun::run(async move {
        for _ in 0..n {
            handspun::yield_now().await;
        }
    });
}

fn sleeps(n: u64) {
    let executor = Executor::builder().clock(Clock::jumping()).build();
    executor.run(async move {
        for _ in 0..n {
            handspun::sleep(Duration::from_secs(1)).await;
        }
    });
}

fn timeouts(n: u64) {
    let executor = Executor::builder().clock(Clock::jumping()).build();
    executor.run(async move {
        for _ in 0..n {
            let yielded = handspun::timeout(Duration::from_secs(1), handspun::yield_now()).await;
            yielded.expect("no time passes");
        }
    });
}

fn put_and_get(n: u64) {
    handspun::run(async move {
        let queue = Rc::new(Queue::bounded(64));
        let producer = handspun::spawn({
            let queue = queue.clone();
            async move {
                for number in 0..n {
                    queue.put(number).await.expect("it stays open");
                }
            }
        });
        for number in 0..n {
            let item = queue.get().await.expect("it stays open");
            assert_eq!(*item, number);
        }
        producer.await.expect("it does not panic");
    });
}

fn permits(n: u64) {
    handspun::run(async move {
        let semaphore = Semaphore::new(3);
        for _ in 0..n {
            drop(semaphore.acquire().await.expect("it stays open"));
        }
    });
}

fn permits_in_line(n: u64) {
    handspun::run(async move {
        let semaphore = Rc::new(Semaphore::new(3));
        let worker = |_| {
            let semaphore = semaphore.clone();
            handspun::spawn(async move {
                for _ in 0..n / 100 {
                    let _permit = semaphore.acquire().await.expect("it stays open");
                    handspun::yield_now().await;
                }
            })
        };
        let tasks: Vec<_> = (0..100).map(worker).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}

fn as_completed(n: u64) {
    handspun::run(async move {
        for _ in 0..n / 100 {
            let tasks = (0..100).map(|number| handspun::spawn(async move { number }));
            let mut completed = handspun::as_completed(tasks);
            let mut sum = 0_u64;
            while let Some(result) = completed.next().await {
                sum += result.expect("it does not panic");
            }
            assert_eq!(sum, 4_950);
        }
    });
}

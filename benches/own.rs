//! How fast is handspun, by itself?
//!
//! ```sh
//! cargo bench                    # all of them, in half a minute
//! cargo bench -- queue           # what has `queue` in its name
//! cargo bench -- --list
//! ```
//!
//! Each line is for so many operations as its name or its `items` say. Nobody else is measured here, so
//! that nobody else is built: for the peers, see `benches/README.md`.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use handspun::{Clock, Executor, Queue, Semaphore, ThreadPool};

fn main() {
    // Two seconds each, unless an option says otherwise: the median of some samples is calmer.
    divan::Divan::default().min_time(Duration::from_secs(2)).config_with_args().main();
}

const WORKERS: usize = 2;
const MANY: u64 = 10_000;

fn pool() -> ThreadPool {
    ThreadPool::new(WORKERS)
}

mod jobs {
    use super::*;

    /// All are submitted first, and joined afterwards.
    #[divan::bench]
    fn submit_join(bencher: Bencher) {
        let pool = pool();
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            let jobs: Vec<_> = (0..MANY).map(|number| pool.submit(move || number)).collect();
            jobs.into_iter().map(|job| job.join().expect("it does not panic")).sum::<u64>()
        });
    }

    #[divan::bench]
    fn submit_all(bencher: Bencher) {
        let pool = pool();
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            let jobs = pool.submit_all((0..MANY).map(|number| move || number));
            jobs.into_iter().map(|job| job.join().expect("it does not panic")).sum::<u64>()
        });
    }

    /// Submitted and joined at once, so that each has to find a worker that looks for work.
    #[divan::bench]
    fn round_trip(bencher: Bencher) {
        let pool = pool();
        bencher.bench_local(|| pool.submit(|| black_box(1)).join());
    }

    #[divan::bench]
    fn as_completed(bencher: Bencher) {
        let pool = pool();
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            let jobs = (0..MANY).map(|number| pool.submit(move || number));
            handspun::as_completed(jobs).map(|job| job.expect("it does not panic")).sum::<u64>()
        });
    }
}

mod borrowing {
    use super::*;

    /// A hundred thousand items of some nanoseconds.
    #[divan::bench]
    fn par_map(bencher: Bencher) {
        let (pool, items) = (pool(), (0..100_000_u64).collect::<Vec<_>>());
        let count = ItemsCount::new(items.len());
        bencher
            .counter(count)
            .bench_local(|| pool.par_map(&items, |item| black_box(*item).wrapping_mul(31)));
    }

    #[divan::bench]
    fn scope_of_100_jobs(bencher: Bencher) {
        let (pool, mut sums) = (pool(), [0_u64; 100]);
        bencher.counter(ItemsCount::new(sums.len())).bench_local(|| {
            pool.scope(|s| {
                for sum in &mut sums {
                    s.submit(|| *sum += 1);
                }
            });
        });
    }

    /// fib(20) with a fork at each of its 10,945 calls that branch.
    #[divan::bench]
    fn join(bencher: Bencher) {
        fn fib(pool: &ThreadPool, n: u64) -> u64 {
            if n < 2 {
                return n;
            }
            let (left, right) = pool.join(|| fib(pool, n - 1), || fib(pool, n - 2));
            left + right
        }
        let pool = pool();
        bencher.counter(ItemsCount::new(10_945_u64)).bench_local(|| fib(&pool, black_box(20)));
    }
}

mod tasks {
    use super::*;

    #[divan::bench]
    fn spawn_await(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            handspun::run(async {
                let task = |number| handspun::spawn(async move { number });
                let tasks: Vec<_> = (0..MANY).map(task).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("it does not panic");
                }
                sum
            })
        });
    }

    #[divan::bench]
    fn yield_now(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            handspun::run(async {
                for _ in 0..MANY {
                    handspun::yield_now().await;
                }
            });
        });
    }

    /// Under a clock that jumps: what a timer costs, and not how long it waits.
    #[divan::bench]
    fn sleep(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            let executor = Executor::builder().clock(Clock::jumping()).build();
            executor.run(async {
                let sleeper =
                    |n| handspun::spawn(handspun::sleep(Duration::from_micros(n * 7 % MANY)));
                let tasks: Vec<_> = (0..MANY).map(sleeper).collect();
                for task in tasks {
                    task.await.expect("it does not panic");
                }
            });
        });
    }

    #[divan::bench]
    fn timeout_that_does_not_fire(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            handspun::run(async {
                for _ in 0..MANY {
                    let yielded = handspun::timeout(Duration::from_secs(60), handspun::yield_now());
                    yielded.await.expect("a minute has not passed");
                }
            });
        });
    }
}

mod sharing {
    use super::*;

    /// From one task to another, through 64 places.
    #[divan::bench]
    fn queue_put_get(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            handspun::run(async {
                let queue = Rc::new(Queue::bounded(64));
                let producer = handspun::spawn({
                    let queue = queue.clone();
                    async move {
                        for number in 0..MANY {
                            queue.put(number).await.expect("it stays open");
                        }
                    }
                });
                let mut sum = 0;
                for _ in 0..MANY {
                    sum += *queue.get().await.expect("it stays open");
                }
                producer.await.expect("it does not panic");
                sum
            })
        });
    }

    /// Three permits, and a hundred tasks that take one a hundred times each.
    #[divan::bench]
    fn semaphore(bencher: Bencher) {
        bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
            handspun::run(async {
                let semaphore = Rc::new(Semaphore::new(3));
                let worker = |_| {
                    let semaphore = semaphore.clone();
                    handspun::spawn(async move {
                        for _ in 0..MANY / 100 {
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
        });
    }
}

#[cfg(unix)]
mod children {
    use handspun::process::Command;

    #[divan::bench]
    fn run_true() {
        let outcome = Command::new("/bin/true").run().expect("it can be started");
        assert!(outcome.is_success());
    }
}

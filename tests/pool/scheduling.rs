//! Jobs begin in order, on as many threads as are wanted and no more.

use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;
use std::{fs, iter};

use handspun::{BuildError, CancelReason, JoinError, ThreadPool, as_completed};

use crate::support::{Count, Gate, threads_named, until, watched, with_address_space_of};

/// P91.
#[test]
fn a_pool_without_threads_is_not_built() {
    let built = ThreadPool::builder().threads(0).build();
    assert_eq!(built.map(drop), Err(BuildError::NoThreads));
}

/// P91.
#[test]
#[should_panic(expected = "a pool of 0 threads would never run a job")]
fn a_new_pool_without_threads_panics() {
    drop(ThreadPool::new(0));
}

#[test]
fn a_pool_starts_no_thread_before_there_is_a_job() {
    watched(|| {
        let pool = ThreadPool::new(4);
        assert_eq!((pool.stats().threads, pool.stats().idle), (0, 0));
        pool.submit(|| ()).join().unwrap();
        assert_eq!(pool.stats().threads, 1);
    });
}

/// Keeps every worker of a pool at work until the gate opens.
fn saturate(pool: &ThreadPool, gate: &Gate) {
    let begun = Count::default();
    for _ in 0..pool.threads() {
        let (gate, begun) = (gate.clone(), begun.clone());
        drop(pool.submit(move || {
            begun.add_one();
            gate.pass();
        }));
    }
    begun.reach(pool.threads());
}

/// P92.
#[cfg(target_os = "linux")]
#[test]
fn a_saturated_pool_has_exactly_its_number_of_threads() {
    watched(|| {
        let pool = ThreadPool::builder().threads(4).name("p92").build().unwrap();
        let gate = Gate::closed();
        saturate(&pool, &gate);
        let waiting: Vec<_> = (0..20).map(|_| pool.submit(|| ())).collect();
        assert_eq!((pool.stats().threads, threads_named("p92").len()), (4, 4));
        gate.open();
        waiting.into_iter().for_each(|job| job.join().unwrap());
        assert_eq!((pool.stats().threads, threads_named("p92").len()), (4, 4));
    });
}

/// P93.
#[test]
fn an_idle_thread_is_used_again_before_another_is_started() {
    watched(|| {
        let pool = ThreadPool::new(4);
        let ids = iter::repeat_with(|| {
            let id = pool.submit(|| thread::current().id()).join().unwrap();
            until(|| pool.stats().idle == 1);
            id
        });
        let ids: Vec<_> = ids.take(3).collect();
        assert_eq!((ids[0], ids[1], pool.stats().threads), (ids[1], ids[2], 1));
    });
}

/// P94.
#[test]
fn two_jobs_that_wait_for_each_other_get_two_threads_of_a_new_pool() {
    watched(|| {
        for _ in 0..512 {
            let (pool, both) = (ThreadPool::new(2), Arc::new(Barrier::new(2)));
            for both in [both.clone(), both] {
                drop(pool.submit(move || both.wait()));
            }
        }
    });
}

/// P94.
#[test]
fn two_jobs_that_wait_for_each_other_wake_two_threads_of_an_old_pool() {
    watched(|| {
        let pool = ThreadPool::new(2);
        for _ in 0..512 {
            let both = Arc::new(Barrier::new(2));
            let jobs = [both.clone(), both].map(|both| pool.submit(move || both.wait()));
            for job in jobs {
                job.join().unwrap();
            }
        }
    });
}

const A_FLOOD: usize = if cfg!(debug_assertions) { 200_000 } else { 4_200_000 };

/// P97.
#[test]
fn after_a_flood_of_jobs_all_are_counted_as_settled() {
    watched(|| {
        let pool = ThreadPool::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..A_FLOOD / 2).for_each(|_| drop(pool.submit(|| ()))));
            }
        });
        pool.shutdown(handspun::Shutdown::Drain).unwrap();
        let stats = pool.stats();
        assert_eq!((stats.submitted, stats.settled), (A_FLOOD, A_FLOOD));
        assert_eq!((stats.queued, stats.running, stats.threads, stats.idle), (0, 0, 0, 0));
    });
}

/// P99.
#[test]
fn a_pool_that_is_refused_its_only_thread_cancels_its_jobs() {
    watched(|| {
        let more_than_there_is = isize::MAX as usize;
        let builder = ThreadPool::builder().threads(2).stack_size(more_than_there_is);
        let pool = builder.build().unwrap();
        for _ in 0..2 {
            let refused = pool.submit(|| unreachable!("there is no thread")).join();
            assert!(matches!(
                refused,
                Err::<(), _>(JoinError::Cancelled(CancelReason::NoWorker(_)))
            ));
        }
        assert_eq!((pool.stats().threads, pool.stats().settled), (0, 2));
    });
}

/// A pool of two threads, where there is room for the stack of one.
fn pool_of_one_and_a_half() -> ThreadPool {
    ThreadPool::builder().threads(2).stack_size(2 << 30).build().unwrap()
}
const ROOM_FOR_ONE_AND_A_HALF: usize = 7 << 19; // KiB

/// P99.
#[cfg(target_os = "linux")]
#[test]
fn a_pool_that_is_refused_a_thread_goes_on_with_those_it_has() {
    let name = "scheduling::a_pool_that_is_refused_a_thread_goes_on_with_those_it_has";
    with_address_space_of(ROOM_FOR_ONE_AND_A_HALF, name, || {
        watched(|| {
            let (pool, gate) = (pool_of_one_and_a_half(), Gate::closed());
            let at_the_gate = gate.clone();
            let first = pool.submit(move || at_the_gate.pass());
            let others: Vec<_> = (0..100).map(|n| pool.submit(move || n)).collect();
            assert_eq!(pool.stats().threads, 1);
            gate.open();
            first.join().unwrap();
            let sum: usize = others.into_iter().map(|job| job.join().unwrap()).sum();
            assert_eq!(sum, 4950);
        });
    });
}

/// P99.
#[cfg(target_os = "linux")]
#[test]
fn an_any_wait_does_not_count_on_a_thread_that_is_refused() {
    let name = "scheduling::an_any_wait_does_not_count_on_a_thread_that_is_refused";
    with_address_space_of(ROOM_FOR_ONE_AND_A_HALF, name, || {
        watched(|| {
            let pool = Arc::new(pool_of_one_and_a_half());
            let own = pool.clone();
            let outer = pool.submit(move || {
                let handles = [1, 2].map(|n| own.submit(move || n));
                (as_completed(handles).map(Result::unwrap).sum::<i32>(), own.stats().threads)
            });
            assert_eq!(outer.join().unwrap(), (3, 1));
        });
    });
}

/// P101.
#[test]
fn one_worker_runs_jobs_in_the_order_they_came() {
    watched(|| {
        let (pool, order) = (ThreadPool::new(1), Arc::new(Mutex::new(Vec::new())));
        for n in 0..1000 {
            let order = order.clone();
            drop(pool.submit(move || order.lock().unwrap().push(n)));
        }
        drop(pool);
        assert_eq!(*order.lock().unwrap(), (0..1000).collect::<Vec<_>>());
    });
}

/// What a job submits, and what comes from outside, wait for the worker in two places.
#[test]
fn jobs_from_inside_and_jobs_from_outside_begin_each_in_their_order() {
    watched(|| {
        let (pool, order) = (Arc::new(ThreadPool::new(1)), Arc::new(Mutex::new(Vec::new())));
        let submit = {
            let order = order.clone();
            move |pool: &ThreadPool, n: u32| {
                let order = order.clone();
                drop(pool.submit(move || order.lock().unwrap().push(n)));
            }
        };
        let [inside, outside] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let first = pool.submit({
            let (inside, outside) = (inside.clone(), outside.clone());
            let (pool, submit) = (pool.clone(), submit.clone());
            move || {
                for n in [1, 3] {
                    submit(&pool, n);
                    inside.wait();
                    outside.wait();
                }
            }
        });
        for n in [2, 4] {
            inside.wait();
            submit(&pool, n);
            outside.wait();
        }
        first.join().unwrap();
        pool.submit(|| ()).join().unwrap();
        let (inside, outside): (Vec<_>, Vec<_>) =
            order.lock().unwrap().iter().partition(|n| **n % 2 == 1);
        assert_eq!((inside, outside), (vec![1, 3], vec![2, 4]));
    });
}

/// Runs a job on each thread of a pool, all at once.
fn on_every_thread<T: Send + 'static>(
    pool: &ThreadPool,
    job: impl Fn() -> T + Send + Clone + 'static,
) -> Vec<T> {
    let all = Arc::new(Barrier::new(pool.threads()));
    let jobs: Vec<_> = (0..pool.threads())
        .map(|_| {
            let (all, job) = (all.clone(), job.clone());
            pool.submit(move || {
                all.wait();
                job()
            })
        })
        .collect();
    jobs.into_iter().map(|job| job.join().unwrap()).collect()
}

/// P104.
#[test]
fn threads_are_named_after_their_pool_and_numbered() {
    watched(|| {
        let pool = ThreadPool::builder().threads(3).name("p104").build().unwrap();
        let mut names = on_every_thread(&pool, || thread::current().name().map(str::to_owned));
        names.sort();
        assert_eq!(names, ["p104-0", "p104-1", "p104-2"].map(|name| Some(name.to_owned())));
    });
}

/// P104.
#[test]
fn a_job_may_use_the_stack_that_was_asked_for() {
    watched(|| {
        let pool = ThreadPool::builder().threads(1).stack_size(32 << 20).build().unwrap();
        let job = pool.submit(|| black_box([7_u8; 8 << 20])[1 << 20]);
        assert_eq!(job.join().unwrap(), 7);
    });
}

thread_local! {
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// P104.
#[test]
fn on_start_runs_once_on_each_thread_before_its_first_job() {
    watched(|| {
        let on_start = |number| assert_eq!(NUMBER.replace(Some(number)), None, "not the first");
        let pool = ThreadPool::builder().threads(3).on_start(on_start).build().unwrap();
        for _ in 0..100 {
            let mut numbers = on_every_thread(&pool, || NUMBER.get());
            numbers.sort_unstable();
            assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
        }
    });
}

/// P106.
#[test]
fn a_worker_sleeps_through_an_unpark_that_is_not_ours() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let worker = pool.submit(thread::current).join().unwrap();
        until(|| pool.stats().idle == 1);
        for n in 0..1000 {
            worker.unpark();
            assert_eq!(pool.stats().idle, 1);
            if n % 100 == 0 {
                assert_eq!(pool.submit(move || n).join().unwrap(), n);
                until(|| pool.stats().idle == 1);
            }
        }
    });
}

/// P106.
#[test]
fn a_joiner_sleeps_through_an_unpark_that_is_not_ours() {
    watched(|| {
        let (pool, gate) = (ThreadPool::new(1), Gate::closed());
        let (joiner, at_the_gate) = (thread::current(), gate.clone());
        let job = pool.submit(move || {
            at_the_gate.pass();
            7
        });
        let stranger = thread::spawn(move || {
            (0..1000).for_each(|_| joiner.unpark());
            gate.open();
        });
        assert_eq!(job.join().unwrap(), 7);
        stranger.join().unwrap();
    });
}

#[test]
fn a_job_is_counted_before_its_handle_settles() {
    watched(|| {
        let pool = ThreadPool::new(2);
        for n in 1..=1000 {
            pool.submit(|| ()).join().unwrap();
            let stats = pool.stats();
            assert_eq!((stats.settled, stats.queued, stats.running), (n, 0, 0));
        }
    });
}

/// The numbers of one moment: a worker runs one job, and what has settled is not queued any more.
#[test]
fn the_numbers_of_a_busy_pool_always_add_up() {
    watched(|| {
        let (pool, n_jobs) = (ThreadPool::new(2), 3 * 5_000);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..5_000).for_each(|_| drop(pool.submit(|| ()))));
            }
            let (mut submitted, mut settled) = (0, 0);
            while settled < n_jobs {
                let now = pool.stats();
                assert_eq!(now.submitted, now.queued + now.running + now.settled, "{now:?}");
                assert!(now.submitted >= submitted && now.settled >= settled, "{now:?}");
                assert!(now.running <= 2 && now.idle <= now.threads && now.threads <= 2, "{now:?}");
                (submitted, settled) = (now.submitted, now.settled);
            }
        });
    });
}

/// How often a thread was given a processor, and whether it sleeps.
fn switches(thread: &Path) -> (usize, bool) {
    let status = fs::read_to_string(thread.join("status")).unwrap();
    let fields = status.lines().filter_map(|line| line.split_once(":\t"));
    fields.fold((0, false), |(sum, sleeps), (key, value)| match key {
        "State" => (sum, value.starts_with('S')),
        _ if key.ends_with("ctxt_switches") => (sum + value.parse::<usize>().unwrap(), sleeps),
        _ => (sum, sleeps),
    })
}

/// That it is idle is known; what it does then shows in a while, however long that is.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_pool_uses_no_processor() {
    watched(|| {
        let pool = ThreadPool::builder().threads(2).name("idle").build().unwrap();
        on_every_thread(&pool, || ());
        until(|| pool.stats().idle == 2);
        let threads = threads_named("idle");
        until(|| threads.iter().all(|thread| switches(thread).1));
        let counts = || threads.iter().map(|thread| switches(thread).0).collect::<Vec<_>>();
        let before = counts();
        let (_nothing_comes, a_while) = mpsc::channel::<()>();
        a_while.recv_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!((counts(), threads.len()), (before, 2));
    });
}

#[test]
fn a_spin_may_be_as_long_as_it_likes() {
    watched(|| {
        let pool = ThreadPool::builder().threads(2).spin_limit(Duration::MAX).build().unwrap();
        for n in 0..20 {
            assert_eq!(pool.submit(move || n).join().unwrap(), n);
        }
        // A worker that spins for ever hears of the end all the same.
        drop(pool);
    });
}

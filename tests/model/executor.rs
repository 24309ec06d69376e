//! The executor: no wake is lost, whenever it comes, and what is sent to it settles or runs.

use std::future::{pending, poll_fn};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use shuttle::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use shuttle::sync::mpsc::{self, Sender};
use shuttle::thread;

use super::{Tally, every_schedule, random_schedules};
use crate::{Clock, Event, Executor, JoinError, ThreadPool, block_on, sleep, spawn, yield_now};

/// Hands out its waker, and is ready once it was told so often. ORDERING: Relaxed. The model's threads take turns.
fn told(n: usize, times: Arc<AtomicUsize>, wakers: Sender<Waker>) -> impl Future<Output = ()> {
    let mut is_sent = false;
    poll_fn(move |context| {
        if !is_sent {
            is_sent = true;
            for _ in 0..n {
                wakers.send(context.waker().clone()).expect("whoever wakes waits for it");
            }
        }
        if times.load(Relaxed) == n { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Counts its drops.
struct Counts(Tally);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.add_one();
    }
}

/// An executor, and what lives as long as what it shares with its wakers and handles.
fn probed() -> (Executor, Weak<()>) {
    let probe = Arc::new(());
    let lives = Arc::downgrade(&probe);
    (Executor::builder().observer(move |_| assert!(Arc::strong_count(&probe) > 0)).build(), lives)
}

#[test]
fn a_wake_from_another_thread_ends_the_rest() {
    random_schedules("executor: a wake against the rest", 20_000, || {
        let event = Arc::new(Event::new());
        let sets = event.clone();
        let waking = thread::spawn(move || sets.set());
        Executor::new().run(event.wait());
        waking.join().unwrap();
    });
}

/// With so many tasks the look for a hang is put off until nothing has happened for a while, and that wait takes
/// notice of a wake as any other does. Real time passes in a model, though no wait runs out of it.
#[test]
fn a_wake_that_ends_the_quiet_period_is_not_lost() {
    random_schedules("executor: a wake against the quiet period", 2_000, || {
        let event = Arc::new(Event::new());
        let sets = event.clone();
        let waking = thread::spawn(move || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(300) {}
            sets.set();
        });
        Executor::new().run(async {
            (0..70).for_each(|_| drop(spawn(pending::<()>())));
            event.wait().await;
        });
        waking.join().unwrap();
    });
}

/// The second wake may come while the executor reads the message of the first.
#[test]
fn two_tasks_that_two_threads_wake_are_both_polled() {
    random_schedules("executor: two tasks and two wakes", 20_000, || {
        let events = [(); 2].map(|()| Arc::new(Event::new()));
        let waking = events.clone().map(|event| thread::spawn(move || event.set()));
        Executor::new().run(async {
            let tasks = events.map(|event| spawn(async move { event.wait().await }));
            for task in tasks {
                task.await.unwrap();
            }
        });
        waking.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Each tells something and wakes; a wake that comes while the task is polled is for the next poll.
#[test]
fn a_wake_that_comes_during_a_poll_means_another() {
    random_schedules("executor: two wakes against the polls", 50_000, || {
        let times = Arc::new(AtomicUsize::new(0));
        let (sender, wakers) = mpsc::channel::<Waker>();
        let wakers = Arc::new(shuttle::sync::Mutex::new(wakers));
        let waking = [(); 2].map(|()| {
            let (times, wakers) = (times.clone(), wakers.clone());
            thread::spawn(move || {
                let waker = wakers.lock().unwrap().recv().unwrap();
                times.fetch_add(1, Relaxed);
                waker.wake();
            })
        });
        Executor::new().run(async { spawn(told(2, times, sender)).await.unwrap() });
        waking.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_wake_during_and_after_the_end_is_harmless_and_keeps_nothing() {
    random_schedules("executor: wakes against the end", 20_000, || {
        let drops = Tally::default();
        let (executor, lives) = probed();
        let (sender, wakers) = mpsc::channel::<Waker>();
        let (counts, never) = (Counts(drops.clone()), Arc::new(AtomicUsize::new(0)));
        drop(executor.spawn(async move {
            let _counts = counts;
            told(1, never, sender).await;
        }));
        executor.run(async {});
        let waking = thread::spawn(move || wakers.recv().unwrap().wake());
        drop(executor);
        assert_eq!(drops.get(), 1, "it is dropped by then, and once");
        waking.join().unwrap();
        assert!(lives.upgrade().is_none(), "a wake in a message keeps what it was sent to");
    });
}

#[test]
fn what_is_spawned_from_afar_runs_or_is_cancelled_when_the_executor_ends() {
    random_schedules("executor: a remote spawn against the end", 20_000, || {
        let drops = Tally::default();
        let executor = Executor::new();
        let (remote, counts) = (executor.remote(), Counts(drops.clone()));
        let afar = thread::spawn(move || {
            let task = remote.spawn(move || async move {
                drop(counts);
                7
            });
            match block_on(task) {
                Ok(n) => assert_eq!(n, 7),
                Err(error) => assert!(matches!(error, JoinError::Cancelled(_))),
            }
        });
        executor.run(yield_now());
        drop(executor);
        afar.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}

/// A task that never ends by itself, in an executor that sleeps.
#[test]
fn a_cancel_from_another_thread_ends_a_task_that_rests() {
    random_schedules("executor: a remote cancel against the rest", 20_000, || {
        let drops = Tally::default();
        let counts = Counts(drops.clone());
        let (executor, event) = (Executor::new(), Arc::new(Event::new()));
        let task = executor.spawn(async move {
            let _counts = counts;
            pending::<()>().await;
        });
        let tells = event.clone();
        let canceller = thread::spawn(move || {
            assert!(task.cancel());
            assert!(matches!(block_on(task), Err(JoinError::Cancelled(_))));
            tells.set();
        });
        executor.run(event.wait());
        canceller.join().unwrap();
        assert_eq!((drops.get(), executor.n_tasks()), (1, 0));
    });
}

#[test]
fn a_cancel_that_races_the_end_of_its_task_changes_nothing_or_settles_it() {
    random_schedules("executor: a remote cancel against the last poll", 20_000, || {
        let drops = Tally::default();
        let counts = Counts(drops.clone());
        let (executor, event) = (Executor::new(), Arc::new(Event::new()));
        let task = executor.spawn(async move {
            let _counts = counts;
            yield_now().await;
        });
        let tells = event.clone();
        let canceller = thread::spawn(move || {
            task.cancel();
            let ended = block_on(task);
            assert!(matches!(ended, Ok(()) | Err(JoinError::Cancelled(_))));
            tells.set();
        });
        executor.run(event.wait());
        canceller.join().unwrap();
        assert_eq!(drops.get(), 1);
    });
}

/// Two tasks end, and a third one takes its slot while the cancel of the first is in the inbox.
#[test]
fn a_cancel_that_comes_late_is_not_for_the_next_task_of_the_slot() {
    random_schedules("executor: a late cancel against the next task", 20_000, || {
        let executor = Executor::new();
        let task = executor.spawn(async {});
        let canceller = thread::spawn(move || task.cancel());
        executor.run(async {
            yield_now().await;
            let next = spawn(yield_now());
            yield_now().await;
            assert!(next.await.is_ok(), "it was cancelled in place of another");
        });
        canceller.join().unwrap();
    });
}

/// The first task is over, and another thread still has its waker when the next one begins.
#[test]
fn a_wake_that_comes_late_is_not_for_the_next_task() {
    random_schedules("executor: a late wake against the next task", 20_000, || {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || wakers.recv().unwrap().wake());
        Executor::new().run(async {
            let first =
                spawn(poll_fn(move |context| Poll::Ready(sender.send(context.waker().clone()))));
            first.await.unwrap().unwrap();
            let mut n_polls = 0;
            let next = spawn(poll_fn(move |_| {
                n_polls += 1;
                if n_polls == 1 { Poll::Pending } else { Poll::Ready(()) }
            }));
            for _ in 0..3 {
                yield_now().await;
            }
            assert!(!next.is_finished(), "it was woken in place of another");
            next.cancel();
        });
        waking.join().unwrap();
    });
}

/// A clock that jumped while the job is under way would be an hour on.
#[test]
fn a_job_is_heard_of_before_its_hold_is_let_go() {
    random_schedules("executor: a job against a jump", 20_000, || {
        let pool = ThreadPool::new(1);
        let executor = Executor::builder().clock(Clock::jumping()).build();
        executor.run(async {
            let hour = spawn(sleep(Duration::from_secs(3600)));
            assert_eq!(pool.submit(|| 7).await.unwrap(), 7);
            assert!(!hour.is_finished(), "the clock has jumped over the end of the job");
        });
    });
}

/// The job wakes nobody, for nobody reads it; then the clock may jump.
#[test]
fn a_clock_jumps_when_the_last_job_is_over() {
    random_schedules("executor: the last hold against the rest", 20_000, || {
        let pool = ThreadPool::new(1);
        let executor = Executor::builder().clock(Clock::jumping()).build();
        executor.run(async {
            drop(pool.submit(|| ()));
            sleep(Duration::from_secs(3600)).await;
        });
    });
}

#[test]
fn the_last_remote_that_goes_lets_a_hang_be_reported() {
    every_schedule("executor: the last remote against the rest", 200_000, || {
        let executor = Executor::new();
        let remote = executor.remote();
        let goes = thread::spawn(move || drop(remote));
        assert!(executor.try_run(pending::<()>()).is_err());
        goes.join().unwrap();
    });
}

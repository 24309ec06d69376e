//! A clock that jumps: only when nothing is under way, and then to the nanosecond.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use handspun::{
    CancellationToken, Clock, Event, Executor, ThreadPool, block_on, hold, join_all, sleep, spawn,
    timeout, yield_now,
};

use crate::setup::{Log, dawdle, executor, jumping, jumping_in_order, millis, secs};
use crate::support::{Gate, watched};

/// A54.
#[test]
fn a_clock_does_not_jump_while_a_job_is_under_way() {
    watched(|| {
        let pool = ThreadPool::new(1);
        jumping().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let hour = spawn(sleep(secs(3600)));
            for _ in 0..10 {
                pool.submit(dawdle).await.unwrap();
            }
            let passed = clock.now() - began;
            assert!(!hour.is_finished() && passed < secs(60), "{passed:?}");
            hour.await.unwrap();
            assert_eq!(clock.now() - began, secs(3600));
        });
    });
}

/// A54: time passes as it does for the job.
#[test]
fn a_timeout_around_a_job_fires_in_real_time() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let passes = gate.clone();
        jumping().run(async {
            let began = Instant::now();
            assert!(timeout(millis(5), pool.submit(move || passes.pass())).await.is_err());
            assert!(began.elapsed() >= millis(4), "{:?}", began.elapsed());
        });
        gate.open();
    });
}

/// A54, A152: what never began is not waited for.
#[test]
fn a_job_that_is_cancelled_holds_no_clock() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (begun, has_begun) = mpsc::channel();
        let gate = Gate::closed();
        let passes = gate.clone();
        drop(pool.submit(move || {
            begun.send(()).unwrap();
            passes.pass();
        }));
        has_begun.recv().unwrap();
        jumping().run(async {
            let queued = pool.submit(|| ());
            queued.cancel();
            sleep(secs(3600)).await;
        });
        gate.open();
    });
}

/// A54.
#[test]
fn a_thread_may_set_an_earlier_timer_while_the_executor_rests() {
    watched(|| {
        let clock = Clock::jumping();
        let executor = executor().clock(clock.clone()).build();
        let remote = executor.remote();
        let waiting = thread::spawn(move || {
            let token = CancellationToken::on(&clock).child_with_timeout(secs(60));
            handspun::block_on(token.cancelled());
            drop(remote);
        });
        assert!(executor.try_run(std::future::pending::<()>()).is_err());
        waiting.join().unwrap();
    });
}

/// A54: the same, where another executor has had the clock before.
#[test]
fn a_clock_tells_the_executor_that_runs_now() {
    watched(|| {
        let clock = Clock::jumping();
        let before = executor().clock(clock.clone()).build();
        let executor = executor().clock(clock.clone()).build();
        before.run(sleep_for(secs(1)));
        drop(before);
        let remote = executor.remote();
        let waiting = thread::spawn(move || {
            dawdle(); // By then the executor rests, as a rule.
            let token = CancellationToken::on(&clock).child_with_timeout(secs(60));
            handspun::block_on(token.cancelled());
            drop(remote);
        });
        assert!(executor.try_run(std::future::pending::<()>()).is_err());
        waiting.join().unwrap();
    });
}

async fn sleep_for(duration: Duration) {
    sleep(duration).await;
}

/// A54: the deadline of a token is a time that somebody waits for.
#[test]
fn a_token_with_a_deadline_ends_when_its_clock_has_jumped() {
    watched(|| {
        jumping().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let token = CancellationToken::new().child_with_timeout(secs(60));
            token.cancelled().await;
            assert_eq!(clock.now() - began, secs(60));
            assert!(token.is_cancelled());
        });
    });
}

/// A56.
#[test]
fn an_advance_inside_a_task_wakes_all_that_it_passes_in_order() {
    watched(|| {
        let log = Log::new();
        jumping_in_order().run(async {
            let tasks = [3, 1, 2, 9].map(|n| {
                let log = log.clone();
                spawn(async move {
                    sleep(secs(n)).await;
                    log.add(n);
                })
            });
            yield_now().await;
            Clock::current().advance(secs(5));
            yield_now().await;
            assert_eq!(log.take(), [1, 2, 3]);
            join_all(tasks).await;
            assert_eq!(log.take(), [9]);
        });
    });
}

/// A56: what a sleep passes is woken in its order, and at its own time, also what was set meanwhile.
#[test]
fn a_sleep_passes_all_that_is_due_before_it_step_by_step() {
    watched(|| {
        let log = Log::new();
        jumping_in_order().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let tasks = [3, 1, 2].map(|n| {
                let (log, clock) = (log.clone(), clock.clone());
                spawn(async move {
                    loop {
                        sleep(secs(n)).await;
                        log.add((n, (clock.now() - began).as_secs()));
                    }
                })
            });
            sleep(millis(4500)).await;
            assert_eq!(log.take(), [(1, 1), (2, 2), (1, 2), (3, 3), (1, 3), (2, 4), (1, 4)]);
            drop(tasks);
        });
    });
}

/// A58.
#[test]
#[should_panic(expected = "the real clock cannot be advanced")]
fn an_advance_of_the_real_clock_in_a_task_says_what_to_use() {
    watched(|| handspun::run(async { Clock::current().advance(secs(1)) }));
}

/// A59.
#[test]
fn a_program_takes_the_same_time_to_the_nanosecond_each_time() {
    watched(|| {
        let spans = [(); 5].map(|()| {
            jumping().run(async {
                let clock = Clock::current();
                let began = clock.now();
                let log = Log::new();
                let tasks = (1..50_u64).map(|n| {
                    let (log, clock) = (log.clone(), clock.clone());
                    spawn(async move {
                        sleep(Duration::from_nanos(n * 7919 % 1009)).await;
                        let _ = timeout(Duration::from_nanos(n), sleep(secs(1))).await;
                        log.add((n, clock.now() - began));
                    })
                });
                join_all(tasks.collect::<Vec<_>>()).await;
                log.take()
            })
        });
        assert!(spans.iter().all(|span| *span == spans[0]));
    });
}

/// A54: who is ready is polled before time passes.
#[test]
fn a_clock_stands_still_while_anybody_is_ready() {
    watched(|| {
        jumping().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let hour = spawn(sleep(secs(3600)));
            for _ in 0..1000 {
                yield_now().await;
            }
            assert_eq!((clock.now(), hour.is_finished()), (began, false));
        });
    });
}

/// A54: each executor has a time of its own.
#[test]
fn the_clocks_of_two_threads_do_not_mix() {
    watched(|| {
        let threads = [1, 7].map(|hours| {
            thread::spawn(move || {
                jumping().run(async move {
                    let began = Clock::current().now();
                    sleep(secs(hours * 3600)).await;
                    Clock::current().now() - began
                })
            })
        });
        let spans = threads.map(|thread| thread.join().unwrap());
        assert_eq!(spans, [secs(3600), secs(7 * 3600)]);
    });
}

/// A54: a thread of its own is under way like a job is.
#[test]
fn a_clock_does_not_jump_while_a_raw_thread_is_under_way() {
    watched(|| {
        jumping().run(async {
            let hour = spawn(sleep(secs(3600)));
            handspun::thread::spawn(dawdle).await.unwrap();
            assert!(!hour.is_finished());
        });
    });
}

/// A54: a thread that was not started with this crate is under way if somebody says so.
#[test]
fn a_clock_does_not_jump_while_somebody_holds_it() {
    watched(|| {
        jumping().run(async {
            let hour = spawn(sleep(secs(3600)));
            for _ in 0..10 {
                let (held, done) = (hold(), Arc::new(Event::new()));
                let sets = done.clone();
                let thread = thread::spawn(move || {
                    dawdle();
                    sets.set();
                    drop(held);
                });
                done.wait().await;
                assert!(!hour.is_finished());
                thread.join().unwrap();
            }
        });
    });
}

/// A54.
#[test]
fn a_clock_jumps_when_the_last_hold_is_dropped() {
    watched(|| {
        jumping().run(async {
            let holds = [hold(), hold()];
            let drops = thread::spawn(move || holds.map(drop));
            sleep(secs(3600)).await;
            drops.join().unwrap();
        });
    });
}

/// A54: nor is the next executor of the thread held.
#[test]
fn a_hold_outside_of_an_executor_holds_nobody() {
    watched(|| {
        let _held = hold();
        jumping().run(async { sleep(secs(3600)).await });
        assert!(jumping().try_run(std::future::pending::<()>()).is_err());
    });
}

/// A54: a token of the real clock is over in real time, and that is waited for.
#[test]
fn a_token_of_the_real_clock_holds_the_time_of_an_executor_that_jumps() {
    watched(|| {
        let token = CancellationToken::new().child_with_timeout(millis(1100));
        let is_over = jumping().try_run(async {
            let hour = spawn(sleep(secs(3600)));
            token.cancelled().await;
            hour.is_finished()
        });
        assert!(!is_over.unwrap(), "an hour has passed within a second");
    });
}

/// The job ends after 50 ms of real time. A clock that does not know of it would jump over the hour.
fn is_awaited_in_time(work: handspun::JoinHandle<()>) {
    let awaited = jumping().run(async { timeout(secs(3600), work).await });
    assert!(awaited.is_ok(), "the clock jumped over the end of the job");
}

#[test]
fn a_clock_does_not_jump_over_a_job_that_was_submitted_before_the_run() {
    watched(|| {
        let pool = ThreadPool::new(1);
        is_awaited_in_time(pool.submit(dawdle));
    });
}

#[test]
fn a_clock_does_not_jump_over_a_job_that_a_job_has_submitted() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(2));
        let submits = pool.clone();
        is_awaited_in_time(pool.submit(move || submits.submit(dawdle)).join().unwrap());
    });
}

#[test]
fn a_clock_does_not_jump_over_a_thread_that_was_started_before_the_run() {
    watched(|| is_awaited_in_time(handspun::thread::spawn(dawdle)));
}

#[test]
fn a_clock_does_not_jump_over_a_task_of_another_executor() {
    watched(|| {
        let (send, remotes) = mpsc::channel();
        let other = thread::spawn(move || {
            let executor = Executor::new();
            send.send(executor.remote()).unwrap();
            executor.run(handspun::thread::spawn(dawdle)).unwrap();
            executor.run(async {
                while executor.n_tasks() > 0 {
                    sleep(millis(1)).await
                }
            });
        });
        let task = remotes.recv().unwrap().spawn(|| async { sleep(millis(5)).await });
        let awaited = jumping().run(async { timeout(secs(3600), task).await });
        assert!(matches!(awaited, Ok(Ok(()))), "{awaited:?}");
        other.join().unwrap();
    });
}

#[test]
fn a_job_of_more_than_a_second_that_was_submitted_before_the_run_is_no_hang() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (answer, question) = mpsc::channel();
        let job = pool.submit(move || question.recv());
        let executor = jumping();
        let remote_answer = thread::spawn(move || {
            block_on(sleep(millis(1200))); // Longer than the silence after which hope is given up.
            answer.send(7).unwrap();
        });
        let awaited = executor.run(job);
        assert_eq!(awaited.unwrap(), Ok(7));
        remote_answer.join().unwrap();
    });
}

/// A wait of ours that blocks a task's thread is for something that takes real time.
#[test]
fn a_clock_does_not_jump_while_a_task_waits_for_a_pool_to_end_or_for_its_own_jobs() {
    watched(|| {
        jumping().run(async {
            let clock = Clock::current();
            let began = clock.now();
            let hour = spawn(sleep(secs(3600)));
            yield_now().await;
            let pool = ThreadPool::new(2);
            pool.scope(|s| (0..4).for_each(|_| drop(s.submit(dawdle))));
            pool.par_map(&[0; 64], |_| dawdle());
            // Submitted by a thread that knows nothing of the clock, so that the wait alone can hold it.
            thread::scope(|s| drop(s.spawn(|| drop(pool.submit(dawdle)))));
            drop(pool);
            let passed = clock.now() - began;
            assert!(!hour.is_finished() && passed < secs(60), "{passed:?}");
        });
    });
}

/// One enters while the other one runs, and goes on when that has left. A thread sets a timer of their clock then.
#[test]
fn a_clock_that_one_executor_leaves_is_kept_by_the_other() {
    watched(|| {
        let clock = Clock::jumping();
        let [enters, leaves] = [(); 2].map(|()| Gate::closed());
        let first = thread::spawn({
            let (clock, enters, leaves) = (clock.clone(), enters.clone(), leaves.clone());
            move || {
                executor().clock(clock).build().run(async {
                    enters.open();
                    leaves.pass();
                });
            }
        });
        enters.pass();
        let second = executor().clock(clock).build();
        second.run(async {
            leaves.open();
            first.join().unwrap();
            let woken = Arc::new(Event::new());
            let (nap, sets, remote) = (sleep(secs(3600)), woken.clone(), second.remote());
            let sleeper = thread::spawn(move || {
                dawdle(); // The executor is asleep by now, and has no time to wait for.
                block_on(nap);
                sets.set();
                drop(remote); // Until then it waits for this thread.
            });
            woken.wait().await;
            sleeper.join().unwrap();
        });
    });
}

//! What is said when nothing can ever wake again, and that it is never said too early.

use std::cell::RefCell;
use std::env;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use handspun::{
    Event, Semaphore, Task, TaskGroup, ThreadPool, block_on, join_all, map_concurrent, sleep,
    spawn, spawn_named, timeout, yield_now,
};

use crate::setup::{dawdle, executor, hands_out, jumping, millis, run, try_run};
use crate::support::{Gate, watched};

/// A27.
#[test]
fn a_run_that_can_never_end_says_so() {
    watched(|| {
        let hang = try_run(pending::<()>()).unwrap_err();
        assert_eq!(hang.dump().tasks.len(), 1);
        let unwound = catch_unwind(|| run(pending::<()>())).unwrap_err();
        let said = unwound.downcast::<String>().unwrap();
        assert!(said.contains("nothing can ever wake again"), "{said}");
    });
}

/// A27.
#[test]
fn an_executor_goes_on_after_a_hang() {
    watched(|| {
        let executor = executor().build();
        let stuck = executor.spawn(pending::<()>());
        assert!(executor.try_run(pending::<()>()).is_err());
        assert!(executor.try_run(async { spawn(async { 7 }).await.unwrap() }).is_ok());
        assert!(stuck.cancel());
        assert!(executor.run(stuck).is_err());
    });
}

/// A38.
#[test]
fn a_task_that_awaits_itself_is_reported() {
    watched(|| {
        let executor = executor().build();
        let own = Rc::new(RefCell::new(None::<Task<()>>));
        let itself = own.clone();
        own.replace(Some(executor.spawn(async move {
            let task = itself.take().unwrap();
            task.await.unwrap();
        })));
        let hang = executor.try_run(pending::<()>()).unwrap_err();
        assert_eq!(hang.dump().tasks[1].waits_for.as_deref(), Some("task 0"));
    });
}

/// A38.
#[test]
fn two_tasks_that_await_each_other_are_reported() {
    watched(|| {
        let executor = executor().build();
        let handles = Rc::new(RefCell::new(Vec::<Task<()>>::new()));
        let tasks = [(); 2].map(|()| {
            let handles = handles.clone();
            executor.spawn(async move {
                let other = handles.borrow_mut().remove(0);
                other.await.unwrap();
            })
        });
        let [first, second] = tasks;
        handles.borrow_mut().extend([second, first]);
        let report = executor.try_run(pending::<()>()).unwrap_err().to_string();
        assert!(
            report.contains("waits for task 0") && report.contains("waits for task 1"),
            "{report}"
        );
    });
}

/// A27: a name, a line, and what is waited for.
#[test]
fn a_report_says_who_waits_for_what_and_where_it_was_spawned() {
    watched(|| {
        let executor = jumping();
        let event = Rc::new(Event::new());
        let hang = executor.try_run(async {
            let waits = event.clone();
            spawn_named("reader", async move { waits.wait().await }).await.unwrap();
        });
        let hang = hang.unwrap_err();
        let reader = &hang.dump().tasks[1];
        assert_eq!(reader.name.as_deref(), Some("reader"));
        assert_eq!(reader.spawned_at.file(), file!());
        assert!(reader.waits_for.is_some());
    });
}

/// A27: who runs, or is ready, waits for nothing.
#[test]
fn a_dump_knows_who_is_ready_and_who_runs() {
    watched(|| {
        let executor = Rc::new(executor().build());
        let inner = executor.clone();
        executor.run(async {
            let task = spawn(async move {
                yield_now().await;
                sleep(millis(1)).await;
                let dump = inner.dump();
                assert_eq!(dump.tasks[1].waits_for, None, "it runs");
                assert_eq!(dump.tasks[0].waits_for.as_deref(), Some("task 1"));
            });
            assert_eq!(executor.dump().tasks[1].waits_for, None, "it is ready");
            yield_now().await;
            sleep(millis(0)).await;
            assert_eq!(executor.dump().tasks[0].waits_for, None, "it runs");
            task.await.unwrap();
        });
    });
}

#[test]
fn what_a_task_has_blocked_for_is_not_what_it_waits_for() {
    watched(|| {
        let executor = executor().build();
        let dump = executor.run(async {
            let _task = spawn(async {
                block_on(sleep(millis(1)));
                pending::<()>().await;
            });
            yield_now().await;
            yield_now().await; // It has been polled by now.
            executor.dump()
        });
        assert_eq!(dump.tasks[1].waits_for.as_deref(), Some("something else"));
    });
}

/// A27: a waker on another thread is hope.
#[test]
fn no_hang_is_reported_while_a_thread_has_a_waker() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            for waker in wakers {
                dawdle();
                waker.wake();
            }
        });
        let ended = try_run(async { spawn(hands_out(sender, 10)).await.unwrap() });
        assert!(ended.is_ok());
        waking.join().unwrap();
    });
}

/// A27: so is a job, also one that wakes nobody but for a task that it spawns.
#[test]
fn no_hang_is_reported_while_a_job_is_under_way() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let pool = ThreadPool::new(1);
            let (sender, wakers) = mpsc::channel::<Waker>();
            let ended = executor.try_run(async {
                drop(pool.submit(move || {
                    let waker = wakers.recv().unwrap();
                    dawdle();
                    waker.wake();
                }));
                hands_out(sender, 1).await;
            });
            assert!(ended.is_ok());
        }
    });
}

/// A27: so is a remote.
#[test]
fn no_hang_is_reported_while_a_remote_is_left() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let remote = executor.remote();
            let stuck = executor.spawn(pending::<()>());
            let afar = thread::spawn(move || {
                dawdle();
                let cancels = remote.spawn(move || async move { drop(stuck.cancel_on_drop()) });
                handspun::block_on(cancels).unwrap();
            });
            assert!(executor.try_run(pending::<()>()).is_err());
            assert_eq!(executor.n_tasks(), 0, "what was sent has been done");
            afar.join().unwrap();
        }
    });
}

/// A27: so is a thread that will cancel a task, if it has a remote. Its handle alone tells nothing.
#[test]
fn no_hang_is_reported_before_a_thread_with_a_remote_has_cancelled() {
    watched(|| {
        let executor = executor().build();
        let remote = executor.remote();
        let ended = executor.try_run(async {
            let group = TaskGroup::new();
            let member = group.spawn(pending::<()>());
            let owner = spawn(async move {
                let _group = group;
                pending::<()>().await;
            });
            drop(thread::spawn(move || {
                dawdle();
                owner.cancel();
                drop(remote);
            }));
            member.await
        });
        assert_eq!(ended.unwrap(), None);
    });
}

/// A27: so is a timer of anybody.
#[test]
fn no_hang_is_reported_while_somebody_sleeps() {
    watched(|| {
        for executor in [executor().build(), jumping()] {
            let ended = executor.try_run(async {
                let sleeper = spawn(sleep(millis(2)));
                join_all([sleeper]).await;
            });
            assert!(ended.is_ok());
        }
    });
}

/// A27: a job that is over wakes nobody, and then there is no hope left.
#[test]
fn a_hang_is_reported_when_the_last_job_is_over() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gate = Gate::closed();
        let passes = gate.clone();
        let opener = thread::spawn(move || {
            dawdle();
            gate.open();
        });
        let hang = try_run(async {
            drop(pool.submit(move || passes.pass()));
            pending::<()>().await;
        });
        assert!(hang.is_err());
        opener.join().unwrap();
    });
}

/// A57.
#[test]
fn a_hang_under_a_jumping_clock_is_reported_after_a_silence() {
    watched(|| {
        let event = Event::new();
        assert!(jumping().try_run(event.wait()).is_err());
    });
}

#[test]
fn a_group_whose_members_wait_for_ever_is_reported() {
    watched(|| {
        let hang = try_run(async {
            let group = TaskGroup::new();
            group.spawn(pending::<()>());
            group.join().await
        });
        assert!(hang.is_err());
    });
}

#[test]
fn a_map_whose_work_waits_for_ever_is_reported() {
    watched(|| {
        let hang = try_run(async {
            let mut map = map_concurrent(0..8, 2, async |_| pending::<()>().await);
            map.next().await.is_some()
        });
        assert!(hang.is_err());
    });
}

#[test]
fn a_timeout_of_for_ever_hides_no_hang() {
    watched(|| {
        let hang = try_run(async {
            let stuck = spawn(pending::<()>());
            timeout(Duration::MAX, stuck).await.unwrap().unwrap();
        });
        assert!(hang.is_err());
    });
}

/// What a task is told that blocks the thread for something which that thread alone could bring about.
fn blocked(wait: impl FnOnce() + 'static) -> String {
    run(async move {
        let task = spawn(async move { catch_unwind(AssertUnwindSafe(wait)) });
        let unwound = task.await.unwrap().unwrap_err();
        match unwound.downcast::<String>() {
            Ok(said) => *said,
            Err(unwound) => unwound.downcast::<&str>().unwrap().to_string(),
        }
    })
}

#[test]
fn a_task_that_blocks_for_something_of_its_own_thread_panics() {
    watched(|| {
        let of_a_group = blocked(|| {
            let group = TaskGroup::new();
            group.spawn(sleep(millis(1)));
            block_on(group.join()).unwrap();
        });
        let of_a_map = blocked(|| {
            let mut map = map_concurrent(0..8, 2, async |_| ());
            block_on(map.next()).unwrap().unwrap();
        });
        let of_nothing = blocked(|| block_on(pending::<()>()));
        for said in [of_a_group, of_a_map, of_nothing] {
            assert!(said.contains("`.await` it"), "{said}");
        }
    });
}

/// Where another thread may end the wait, nobody can prove that it will not: it is no hang.
#[test]
fn a_task_that_blocks_for_another_thread_is_let_go_on() {
    watched(|| {
        run(async {
            let event = Arc::new(Event::new());
            let sets = event.clone();
            let setting = thread::spawn(move || {
                dawdle();
                sets.set();
            });
            block_on(event.wait());
            setting.join().unwrap();
        });
    });
}

/// A semaphore may be released by any thread that can see it, and the proof does not know who can.
#[test]
fn no_hang_is_reported_while_a_permit_may_come_from_another_thread() {
    watched(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let adds = semaphore.clone();
        let adding = thread::spawn(move || {
            dawdle();
            adds.add_permits(1);
        });
        let ended =
            try_run(async { spawn(async move { semaphore.acquire().await.is_ok() }).await });
        assert!(ended.is_ok());
        adding.join().unwrap();
    });
}

/// Two waits that cannot be proved to hang: for an event, and for the end of a pool. Each lasts a little longer than a
/// second, in a process of its own, for it is stderr that is told.
#[test]
fn a_task_that_has_blocked_for_a_second_is_told_what_to_do() {
    const IS_THE_OTHER: &str = "HANDSPUN_TEST_BLOCKS";
    let in_a_while = |done: mpsc::Sender<()>| {
        thread::spawn(move || {
            block_on(sleep(millis(1200)));
            drop(done);
        })
    };
    if env::var_os(IS_THE_OTHER).is_some() {
        return run(async {
            let (done, is_done) = mpsc::channel::<()>();
            let event = Arc::new(Event::new());
            let sets = event.clone();
            let setting = handspun::thread::spawn(move || {
                assert!(is_done.recv().is_err());
                sets.set();
            });
            let waiting = in_a_while(done);
            block_on(event.wait());
            setting.join().unwrap();
            waiting.join().unwrap();

            let (done, is_done) = mpsc::channel::<()>();
            let pool = ThreadPool::new(1);
            drop(pool.submit(move || is_done.recv()));
            let waiting = in_a_while(done);
            drop(pool);
            waiting.join().unwrap();
        });
    }
    let mut this = Command::new(env::current_exe().unwrap());
    this.args(["--exact", "hangs::a_task_that_has_blocked_for_a_second_is_told_what_to_do"]);
    let output = this.arg("--nocapture").env(IS_THE_OTHER, "yes").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("`.await` it there instead").count(), 2, "{said}");
    assert!(said.contains("for a pool to end"), "{said}");
}

/// Polls it once. What it left is still there, though nothing polls it any more.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

/// Waits for what another thread does in a while.
async fn wait_for_another_thread() {
    let event = Arc::new(Event::new());
    let sets = event.clone();
    let setting = thread::spawn(move || {
        (0..20).for_each(|_| dawdle());
        sets.set();
    });
    event.wait().await;
    setting.join().unwrap();
}

#[test]
fn a_join_of_a_group_that_was_polled_once_is_no_reason_for_a_report() {
    watched(|| {
        let done = try_run(async {
            let group = TaskGroup::new();
            group.spawn(async { yield_now().await });
            let mut join = Box::pin(group.join());
            poll_once(join.as_mut()).await;
            wait_for_another_thread().await;
            join.await.is_ok()
        });
        assert!(done.unwrap());
    });
}

#[test]
fn a_join_of_a_group_that_another_waits_for_too_is_no_reason_for_a_report() {
    watched(|| {
        let done = try_run(async {
            let group = TaskGroup::new();
            group.spawn(pending::<()>());
            let mut waits = Box::pin(wait_for_another_thread());
            let mut joins = Box::pin(group.spawner().join());
            let task = spawn(poll_fn(move |context| {
                let polled = waits.as_mut().poll(context);
                let _ = joins.as_mut().poll(context);
                polled
            }));
            let other = spawn(group.join());
            task.await.unwrap();
            drop(other);
        });
        done.unwrap();
    });
}

#[test]
fn a_result_of_a_map_that_was_asked_for_once_is_no_reason_for_a_report() {
    watched(|| {
        let done = try_run(async {
            let mut map = map_concurrent([7], 1, async |n| {
                yield_now().await;
                n
            });
            let mut next = Box::pin(map.next());
            poll_once(next.as_mut()).await;
            wait_for_another_thread().await;
            next.await.unwrap().unwrap()
        });
        assert_eq!(done.unwrap(), 7);
    });
}

/// In one poll a task waits for a map, drops that wait, and gives its waker to a thread. It does not say what it waits
/// for then: the last that it said was the map.
#[test]
fn a_wait_for_a_map_that_was_dropped_is_no_reason_for_a_report() {
    watched(|| {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let waking = thread::spawn(move || {
            let waker = wakers.recv().unwrap();
            (0..20).for_each(|_| dawdle());
            waker.wake();
        });
        let done = try_run(async {
            let mut map = map_concurrent([()], 1, async |()| pending::<()>().await);
            let mut sender = Some(sender);
            poll_fn(|context| {
                let Some(sender) = sender.take() else { return Poll::Ready(()) };
                let mut next = Box::pin(map.next());
                assert!(next.as_mut().poll(context).is_pending());
                drop(next);
                sender.send(context.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
        });
        done.unwrap();
        waking.join().unwrap();
    });
}

#[test]
fn a_waker_that_serves_another_task_has_no_clones_in_known_hands() {
    watched(|| {
        let done = try_run(async {
            let group = TaskGroup::new();
            let member = group.spawn(pending::<()>());
            yield_now().await;
            // A task leaves its waker in the join, and ends.
            let mut join = Box::pin(group.join());
            let ends = spawn(async move {
                poll_once(join.as_mut()).await;
                join
            });
            let join = ends.await.unwrap();
            member.cancel(); // The join wakes that waker, which is free for the next task then.
            spawn(wait_for_another_thread()).await.unwrap();
            drop(join);
        });
        done.unwrap();
    });
}

/// In a process of its own, for a panic there would end it.
#[test]
fn an_executor_runs_in_the_destructor_of_a_thread_local() {
    const IS_THE_OTHER: &str = "HANDSPUN_TEST_RUNS_LATE";
    struct RunsLate;
    impl Drop for RunsLate {
        fn drop(&mut self) {
            run(wait_for_another_thread());
            println!("it has run at the end");
        }
    }
    thread_local! {
        static LATE: RunsLate = const { RunsLate };
    }
    if env::var_os(IS_THE_OTHER).is_some() {
        let thread = thread::spawn(|| {
            LATE.with(|_| ()); // First, so that what the crate keeps is destroyed before it.
            run(wait_for_another_thread());
        });
        return thread.join().unwrap();
    }
    let mut this = Command::new(env::current_exe().unwrap());
    this.args(["--exact", "hangs::an_executor_runs_in_the_destructor_of_a_thread_local"]);
    let output = this.arg("--nocapture").env(IS_THE_OTHER, "yes").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("it has run at the end"));
}

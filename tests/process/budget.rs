//! Children among tasks, jobs and tokens: one budget for all, and nothing left when it is spent.

use std::time::Duration;

use handspun::process::{Cause, Outcome, Signal};
use handspun::{
    CancelReason, CancellationToken, Clock, Executor, ThreadPool, sleep, spawn, timeout,
};

use crate::setup::{Lifeline, SECOND, alone, child, leaves_nothing, ready};
use crate::support::watched;

const HOUR: Duration = Duration::from_secs(3600);

fn with_a_jumping_clock() -> Executor {
    Executor::builder().clock(Clock::jumping()).build()
}

fn was_spent(outcome: &Outcome) -> bool {
    outcome.cause == Cause::Cancelled(CancelReason::DeadlinePassed)
}

/// S62: a deadline over a task, the job that it awaits, the child that this runs, and what that has
/// started.
#[test]
fn when_the_budget_is_spent_nothing_is_left() {
    alone("budget::when_the_budget_is_spent_nothing_is_left", 256, || {
        leaves_nothing(|| {
            let tree = child("ignore 15 ( ignore 15 ( sleep 20000 ) sleep 20000 ) sleep 20000");
            let (command, line) = Lifeline::of(tree.kill_policy(Signal::TERM, SECOND / 20));
            let (pool, executor) = (ThreadPool::new(1), Executor::new());
            let outcome = executor.run(async {
                let token = CancellationToken::with_timeout(SECOND / 4);
                let job = pool.submit_with(&token, |token| command.token(token).run().unwrap());
                spawn(async { job.await.unwrap() }).await.unwrap()
            });
            assert!(was_spent(&outcome) && outcome.signal() == Some(Signal::KILL), "{outcome:?}");
            assert_eq!((executor.n_tasks(), pool.stats().running), (0, 0));
            line.ends();
        });
    });
}

/// S71: the other tasks run on while a child is awaited.
#[test]
fn a_clock_that_jumps_waits_for_a_child() {
    watched(|| {
        with_a_jumping_clock().run(async {
            let clock = Clock::current();
            let (began, other) = (clock.now(), spawn(sleep(SECOND / 100)));
            let child = child("sleep 100 exit 3").spawn().unwrap();
            assert_eq!(timeout(HOUR, child).await.unwrap().code(), Some(3));
            assert!(clock.now() - began < HOUR);
            other.await.unwrap();
            sleep(HOUR).await; // And goes on jumping when it has ended.
        });
    });
}

#[test]
fn a_deadline_on_a_clock_of_its_own_ends_a_child() {
    watched(|| {
        with_a_jumping_clock().run(async {
            let token = CancellationToken::with_timeout(HOUR);
            let child = child("sleep 20000").token(&token).spawn().unwrap();
            Clock::current().advance(HOUR);
            assert!(was_spent(&child.await));
        });
    });
}

/// S66, S67: a child goes with the future that awaits it.
#[test]
fn a_child_ends_with_the_task_that_awaits_it() {
    watched(|| {
        let (mut command, line) = Lifeline::of(child("ignore 15 ( sleep 20000 ) sleep 20000"));
        let child = command.spawn().unwrap();
        drop(command);
        handspun::run(async {
            let task = spawn(child);
            assert!(timeout(SECOND / 50, sleep(HOUR)).await.is_err());
            task.cancel();
        });
        line.ends();
    });
}

#[test]
fn a_timeout_around_a_child_ends_it() {
    watched(|| {
        let (command, line) = Lifeline::of(child("ignore 15 say ready sleep 20000"));
        let child = ready(command);
        handspun::run(async { assert!(timeout(SECOND / 50, child).await.is_err()) });
        line.ends();
    });
}

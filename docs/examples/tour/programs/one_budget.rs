//! One deadline over a task, the task inside of it, and the job that this one awaits.
//!
//! **Python:** `asyncio.timeout` cancels the task and the tasks that it awaits. The function that runs
//! in a thread hears nothing: it goes on, and the program waits for it at the end.
//!
//! **Better here:** a token is handed down, to tasks and to the job alike. Who waits is woken by it,
//! who computes asks it; and when everybody has returned, nothing is left running anywhere.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handspun::{CancellationToken, Cancelled, JoinError, ThreadPool, spawn_named};

use crate::expected::Expected;
use crate::pace::{pause, scaled};
use crate::stage::{Program, Stage};

/// Blocking work in many steps, which would take a minute.
fn index(token: &CancellationToken) -> Result<(), Cancelled> {
    (0..600).try_for_each(|_| token.sleep(scaled(Duration::from_millis(100))))
}

/// Fetches something, and has it indexed by the pool.
async fn inner(pool: Arc<ThreadPool>, token: CancellationToken) -> Result<(), JoinError> {
    pause(Duration::from_millis(300)).await;
    let indexed = pool.submit_with(&token, index).await?;
    indexed.map_err(|cancelled| JoinError::Cancelled(cancelled.reason))
}

async fn outer(pool: Arc<ThreadPool>, token: CancellationToken) -> Result<(), JoinError> {
    spawn_named("inner", inner(pool, token)).await?
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(2).observer(stage.observer()).build()?;
    let pool = Arc::new(pool);
    let executor = stage.executor();
    executor.run(async {
        let budget = CancellationToken::with_timeout(scaled(Duration::from_secs(1)));
        match spawn_named("outer", outer(pool.clone(), budget)).await? {
            Ok(()) => stage.say("the index is finished"),
            Err(error) => stage.say(error),
        }
        Ok::<(), JoinError>(())
    })?;
    let (n_jobs, n_tasks) = (pool.stats().running, executor.n_tasks());
    stage.say(format_args!("still running: {n_jobs} jobs, {n_tasks} tasks"));
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "one_budget",
    title: "One budget for tasks and a job",
    shows: "A task awaits a task that awaits a job, which would take a minute. One token with a deadline \
            of 1 s is handed down to all, and when it fires all of it has ended.",
    ideal: Some(Duration::from_secs(1)),
    is_async: false,
    has_children: false,
    run,
    expected: || {
        let lines = ["cancelled: its deadline has passed", "still running: 0 jobs, 0 tasks"];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

//! One deadline over a task, the job that it awaits, the child that this job runs, and its own children.
//!
//! **Python:** `asyncio.timeout` cancels the task. The thread goes on, as does the process that it waits
//! for; and whoever thinks of killing that one leaves its own children behind.
//!
//! **Better here:** one token for all. The task waits for the job, the job for the child; and a child is
//! over when its whole group is. So when the task returns there is nothing left, and the numbers of the
//! three processes are asked for.

use std::error::Error;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use handspun::process::{Command, Outcome};
use handspun::{CancellationToken, ThreadPool, spawn_named};

use crate::child::{self, Part};
use crate::expected::Expected;
use crate::pace::{pause, scaled, sleep};
use crate::stage::{Program, Stage};

/// Says the numbers of three processes, and waits for two of them.
pub(crate) const PARENT: Part = Part {
    name: "parent",
    play: || {
        let mut children = [SLEEPER.start()?, SLEEPER.start()?];
        let [first, second] = children.each_ref().map(process::Child::id);
        println!("{} {first} {second}", process::id());
        children.iter_mut().try_for_each(|child| child.wait().map(drop))
    },
};

pub(crate) const SLEEPER: Part = Part {
    name: "sleeper",
    play: || {
        sleep(Duration::from_secs(60));
        Ok(())
    },
};

async fn outer(
    pool: Arc<ThreadPool>,
    token: CancellationToken,
    parent: Command,
) -> Result<Outcome, Box<dyn Error>> {
    pause(Duration::from_millis(200)).await;
    let job = pool.submit_with(&token, move |token| parent.token(token).run());
    Ok(job.await??)
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(1).observer(stage.observer()).build()?;
    let pool = Arc::new(pool);
    let executor = stage.executor();
    let parent = PARENT.command(stage)?;
    let outcome = executor.run(async {
        let budget = CancellationToken::with_timeout(scaled(Duration::from_secs(1)));
        spawn_named("outer", outer(pool.clone(), budget, parent)).await?
    })?;
    stage.say(outcome.cause);
    let text = outcome.stdout.text();
    let pids: Vec<u32> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let n_left = pids.iter().filter(|pid| !child::ends(**pid)).count();
    let (n_jobs, n_tasks, n_pids) = (pool.stats().running, executor.n_tasks(), pids.len());
    stage.say(format_args!(
        "still running: {n_tasks} tasks, {n_jobs} jobs, {n_left} of {n_pids} processes"
    ));
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "budget_with_a_child",
    title: "One budget, down to the grandchildren",
    shows: "A task awaits a job that runs a child, which has two children; all this would take a minute. \
            When the deadline of 1 s has passed, nothing is left of it.",
    ideal: Some(Duration::from_secs(1)),
    is_async: false,
    has_children: true,
    run,
    expected: || {
        let lines = [
            "it was cancelled: its deadline has passed",
            "still running: 0 tasks, 0 jobs, 0 of 3 processes",
        ];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

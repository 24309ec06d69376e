//! Ten fetches of a second each, all at the same time, on one thread.
//!
//! **Python:** a coroutine that nobody awaits never runs, and says so only when it is collected as
//! garbage. `gather` makes tasks of coroutines, and where one raises, the others go on unobserved.
//!
//! **Better here:** a future that is not used is a warning of the compiler. A spawned task goes on
//! whether it is awaited or not, and each slot of `join_all` is a `Result`, so no failure takes the
//! others' results away.

use std::error::Error;
use std::time::Duration;

use handspun::{join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::stage::{Program, Stage};

async fn fetch(task_id: u32, delay: Duration) -> String {
    pause(delay).await;
    format!("Task {task_id} finished")
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let tasks =
            (0..10).map(|id| spawn_named(format!("fetch {id}"), fetch(id, Duration::from_secs(1))));
        let results = join_all(tasks).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        stage.say(format_args!("{:?} ...", &results[..3]));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "gather",
    title: "Ten fetches at the same time",
    shows: "Ten tasks on one thread wait 1 s each. The waits overlap, so all of it takes 1 s.",
    ideal: Some(Duration::from_secs(1)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let first = r#"["Task 0 finished", "Task 1 finished", "Task 2 finished"] ..."#;
        Expected::Exactly(vec![first.to_owned()])
    },
    source: file!(),
};

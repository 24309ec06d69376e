//! Eight workers with names, each with a delay of its own; the results in the order of the names.
//!
//! **Python:** `gather` keeps the order of its arguments. A task can have a name, but what `gather`
//! makes of coroutines is called `Task-2`, `Task-3`.
//!
//! **Better here:** a task is named where it is spawned, and that name is what a timeline, a hang
//! report and an observer call it.

use std::error::Error;
use std::time::Duration;

use handspun::{join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::random;
use crate::stage::{Program, Stage};

/// Of each worker, in milliseconds.
const DELAYS: [u64; 8] = random::delays(1, 200, 1000);

async fn worker(name: String, delay: Duration) -> String {
    pause(delay).await;
    done(&name, delay)
}

fn done(name: &str, delay: Duration) -> String {
    format!("{name} done after {:.2}s", delay.as_secs_f64())
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let tasks = DELAYS.into_iter().enumerate().map(|(i, delay)| {
            let name = format!("job-{i}");
            spawn_named(name.clone(), worker(name, Duration::from_millis(delay)))
        });
        for result in join_all(tasks).await {
            stage.say(result?);
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "named_workers",
    title: "Eight workers with names",
    shows: "Eight tasks wait for 0.2 to 1.0 s each. All is over when the slowest is, and the results \
            are in the order of the names.",
    ideal: Some(random::longest(&DELAYS)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let line = |(i, delay)| done(&format!("job-{i}"), Duration::from_millis(delay));
        Expected::Exactly(DELAYS.into_iter().enumerate().map(line).collect())
    },
    source: file!(),
};

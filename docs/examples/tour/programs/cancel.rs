//! A task that would go on for ever is cancelled, cleans up, and is reported as cancelled.
//!
//! **Python:** `CancelledError` is raised inside of the task, which must raise it again after its
//! clean-up. One that forgets this is not cancelled, and nobody is told.
//!
//! **Better here:** the task is dropped where it waits, and what it owns is dropped with it. Clean-up
//! is a drop, which also runs if the task panics or its executor ends. It cannot refuse.

use std::error::Error;
use std::time::Duration;

use handspun::{JoinError, spawn_named, timeout};

use crate::expected::Expected;
use crate::pace::{pause, scaled};
use crate::stage::{Program, Stage};

/// Says its words when it is dropped.
struct CleanUp(Stage);

impl Drop for CleanUp {
    fn drop(&mut self) {
        self.0.say("cleanup on cancel");
    }
}

async fn long_task(stage: Stage) {
    let _clean_up = CleanUp(stage.clone());
    loop {
        pause(Duration::from_millis(300)).await;
        stage.say("working...");
    }
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let task = spawn_named("long task", long_task(stage.clone()));
        timeout(scaled(Duration::from_secs(2)), pause(Duration::from_millis(1200))).await?;
        task.cancel();
        match task.await {
            Err(JoinError::Cancelled(_)) => stage.say("task cancelled"),
            Err(panicked) => return Err(panicked.into()),
            Ok(()) => stage.say("the task has ended by itself"),
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "cancel",
    title: "Cancelling a task, and its clean-up",
    shows: "A task works in steps of 0.3 s and is cancelled after 1.2 s, within its fourth. Its \
            clean-up is a drop, and its handle says what happened.",
    ideal: Some(Duration::from_millis(1200)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let end = ["cleanup on cancel", "task cancelled"].map(str::to_owned);
        Expected::After("working...", end.to_vec())
    },
    source: file!(),
};

//! Twelve fetches, three at a time, each result as soon as it is there.
//!
//! **Python:** `as_completed` yields coroutines, and (before 3.13) which task one belongs to is not to
//! be known. All twelve tasks exist from the beginning, and of a million inputs there would be a million.
//!
//! **Better here:** `as_completed` yields results. And for a million inputs there is `map_concurrent`,
//! which takes the next input only when its turn has come.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handspun::{Closed, Semaphore, as_completed, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::random;
use crate::stage::{Program, Stage};

/// Of each fetch, in milliseconds.
const DELAYS: [u64; 12] = random::delays(2, 200, 1000);

async fn fetch(i: usize, semaphore: Arc<Semaphore>) -> Result<String, Closed> {
    let _permit = semaphore.acquire().await?;
    pause(Duration::from_millis(DELAYS[i])).await;
    Ok(format!("item {i}"))
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let task = |i| spawn_named(format!("fetch {i}"), fetch(i, semaphore.clone()));
        let mut fetches = as_completed((0..DELAYS.len()).map(task));
        while let Some(item) = fetches.next().await {
            stage.say(item??);
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "bounded_fetches",
    title: "Twelve fetches, three at a time, as they complete",
    shows: "Twelve tasks share three permits, for 0.2 to 1.0 s each. A permit goes to whoever has \
            waited longest, so no time is lost between two. A line in the timeline has the wait in it.",
    ideal: Some(random::makespan(&[0; 12], &DELAYS, 3)),
    is_async: true,
    has_children: false,
    run,
    expected: || Expected::InAnyOrder((0..12).map(|i| format!("item {i}")).collect()),
    source: file!(),
};

//! Ten items of half a second each, of which three are in work at a time.
//!
//! **Python:** `async with sem:` gives the permit back at the end of the block, whatever happens. A
//! task that is cancelled at the moment when it was handed the permit has lost it in some versions.
//!
//! **Better here:** a permit is a value, and its drop is what gives it back. Who waits is served in
//! the order of coming, and a waiter that is dropped passes on what it was handed.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handspun::{Closed, Semaphore, join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::stage::{Program, Stage};

async fn process_item(i: u32, semaphore: Arc<Semaphore>) -> Result<u32, Closed> {
    let _permit = semaphore.acquire().await?;
    pause(Duration::from_millis(500)).await;
    Ok(i * i)
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let semaphore = Arc::new(Semaphore::new(3));
        let item = |i| spawn_named(format!("item {i}"), process_item(i, semaphore.clone()));
        let mut squares = Vec::new();
        for square in join_all((0..10).map(item)).await {
            squares.push(square??); // a task that panicked; a semaphore that was closed
        }
        stage.say(format_args!("{squares:?}"));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "semaphore",
    title: "A limit of three",
    shows: "Ten tasks share three permits, and each needs one for 0.5 s: four rounds. A line in the timeline \
            begins with the spawn, so it has the wait in it, and three tasks are a step of the stairs.",
    ideal: Some(Duration::from_secs(2)),
    is_async: true,
    has_children: false,
    run,
    expected: || Expected::Exactly(vec!["[0, 1, 4, 9, 16, 25, 36, 49, 64, 81]".to_owned()]),
    source: file!(),
};

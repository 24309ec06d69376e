//! Five fetches of which one fails: the others' results are kept.
//!
//! **Python:** `gather` raises the first exception, and the results that were there are lost. With
//! `return_exceptions=True` they are in one list with the exceptions, to be told apart by
//! `isinstance`.
//!
//! **Better here:** `join_all` gives a `Result` for each, so to part them is one `match`. Who wants
//! all or nothing says `try_join_all`, which has dropped the others when it returns.

use std::error::Error;
use std::time::Duration;

use handspun::{join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::stage::{Program, Stage};

async fn fetch(id: u32) -> Result<String, String> {
    pause(Duration::from_millis(200 + 100 * u64::from(id))).await;
    if id == 2 {
        return Err(format!("page {id}: connection reset"));
    }
    Ok(format!("page {id}"))
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let tasks = (0..5).map(|id| spawn_named(format!("fetch {id}"), fetch(id)));
        let (mut kept, mut failed) = (Vec::new(), Vec::new());
        for slot in join_all(tasks).await {
            // This `?` is for a panic, which would be a mistake in the program.
            match slot? {
                Ok(page) => kept.push(page),
                Err(error) => failed.push(error),
            }
        }
        stage.say(format_args!("kept: {}", kept.join(", ")));
        stage.say(format_args!("failed: {}", failed.join(", ")));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "partial_success",
    title: "Keeping what succeeded when one fails",
    shows: "Five fetches take 0.2 to 0.6 s, and one of them fails. Its failure is a value in its own \
            place, and nobody else notices.",
    ideal: Some(Duration::from_millis(600)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let lines = ["kept: page 0, page 1, page 3, page 4", "failed: page 2: connection reset"];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

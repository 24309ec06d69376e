//! A stream that fails in the middle, and goes on from the last offset that was committed.
//!
//! **Python:** a generator that raises is finished. Who wants to go on has to know where, and to open
//! another one; what came since the last commit comes once more.
//!
//! **Better here:** the same, but an error is an item like any other, so that reading on after it
//! cannot be forgotten. What comes twice is known by its offset.

use std::error::Error;
use std::time::Duration;

use handspun::{Yielder, generator, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::stage::{Program, Stage};

const N_ITEMS: u32 = 8;

/// Gives the offsets from `from` on. The first connection breaks after offset 4.
async fn connect(attempt: u32, from: u32, mut out: Yielder<Result<u32, &'static str>>) {
    for offset in from..N_ITEMS {
        pause(Duration::from_millis(100)).await;
        if attempt == 1 && offset == 5 {
            out.yield_item(Err("connection lost")).await;
            return;
        }
        out.yield_item(Ok(offset)).await;
    }
}

/// Where a reader stands.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Items that have been processed.
    n_done: u32,
    /// How many of them are committed: where the next connection begins.
    committed: u32,
}

/// Reads one connection to its end. After every second item it commits.
async fn read(attempt: u32, mut at: Progress, stage: Stage) -> Result<(), Progress> {
    let mut stream = generator(|out| connect(attempt, at.committed, out));
    while let Some(item) = stream.next().await {
        match item {
            Ok(offset) if offset < at.n_done => stage.say(format_args!("skipped {offset}")),
            Ok(offset) => {
                stage.say(format_args!("got {offset}"));
                at.n_done = offset + 1;
                at.committed = at.n_done / 2 * 2;
            }
            Err(error) => {
                stage.say(format_args!("{error}, resuming from offset {}", at.committed));
                return Err(at);
            }
        }
    }
    Ok(())
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let mut at = Progress::default();
        for attempt in 1.. {
            let name = format!("attempt {attempt}");
            match spawn_named(name, read(attempt, at, stage.clone())).await? {
                Ok(()) => break,
                Err(progress) => at = progress,
            }
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "resume_stream",
    title: "A stream that fails and goes on",
    shows: "Items come every 0.1 s, and every second one is committed. The connection is lost after \
            offset 4, and the next one begins at the last commit: one item comes twice.",
    ideal: Some(Duration::from_millis(1000)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let lines = [
            "got 0",
            "got 1",
            "got 2",
            "got 3",
            "got 4",
            "connection lost, resuming from offset 4",
            "skipped 4",
            "got 5",
            "got 6",
            "got 7",
        ];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

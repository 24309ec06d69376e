//! A stream of eight items, each printed as it comes.
//!
//! **Python:** `async def` with `yield`. A generator that is not read to its end is closed when the
//! garbage collector finds it, some time later, in a task that nobody spawned.
//!
//! **Better here:** `generator` makes a stream of an async closure, and `yield_item` is its `yield`. The body
//! runs only while somebody asks, so it is never ahead of its reader; and when the stream is dropped,
//! so is its body, at once.

use std::error::Error;
use std::time::Duration;

use handspun::generator;

use crate::expected::Expected;
use crate::pace::pause;
use crate::random;
use crate::stage::{Program, Stage};

/// Before each item, in milliseconds.
const DELAYS: [u64; 8] = random::delays(5, 100, 400);

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let mut stream = generator(async |mut out| {
            for (i, delay) in DELAYS.into_iter().enumerate() {
                pause(Duration::from_millis(delay)).await;
                out.yield_item(i).await;
            }
        });
        while let Some(i) = stream.next().await {
            stage.say(format_args!("got {i}"));
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "stream",
    title: "A stream, item by item",
    shows: "An item comes every 0.1 to 0.4 s and is printed at once: the first long before the last. \
            (No task is spawned, so there is no timeline.)",
    ideal: Some(random::total(&DELAYS)),
    is_async: true,
    has_children: false,
    run,
    expected: || Expected::Exactly((0..8).map(|i| format!("got {i}")).collect()),
    source: file!(),
};

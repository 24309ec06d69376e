//! A call of five seconds that is given one.
//!
//! **Python:** `wait_for` cancels the call by raising `CancelledError` inside of it. The call can
//! catch that and go on, and then `wait_for` waits for as long as it likes.
//!
//! **Better here:** `timeout` drops the call where it stands, which it cannot refuse. And a result
//! that is there in time is never thrown away: it beats a time that is over.

use std::error::Error;
use std::time::Duration;

use handspun::{spawn_named, timeout};

use crate::expected::Expected;
use crate::pace::{pause, scaled};
use crate::stage::{Program, Stage};

async fn slow_call() -> &'static str {
    pause(Duration::from_secs(5)).await;
    "done"
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        // A task, so that it can be seen in the timeline: `timeout(…, slow_call())` does as well.
        let call = spawn_named("slow call", slow_call()).cancel_on_drop();
        match timeout(scaled(Duration::from_secs(1)), call).await {
            Ok(result) => stage.say(result?),
            Err(_) => stage.say("Timed out"),
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "wait_for",
    title: "A call that takes too long",
    shows: "A call would take 5 s and is given 1 s. When that is over the call is dropped where it \
            stands.",
    ideal: Some(Duration::from_secs(1)),
    is_async: true,
    has_children: false,
    run,
    expected: || Expected::Exactly(vec!["Timed out".to_owned()]),
    source: file!(),
};

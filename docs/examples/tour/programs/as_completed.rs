//! Five workers, ten tasks of a second each, every result printed when it is there.
//!
//! **Python:** `for future in as_completed(futures)` yields futures, each to be asked for its
//! `result()`, and the `with` block is what waits for the workers to end.
//!
//! **Better here:** the loop yields the results themselves, and a task that panicked is an `Err`
//! that cannot be mistaken for one. The pool needs no block: it waits for its workers when it goes
//! out of scope. The same `as_completed` takes any mixture of futures, and in async code it can be
//! awaited.

use std::error::Error;
use std::time::Duration;

use handspun::{ThreadPool, as_completed};

use crate::expected::Expected;
use crate::pace::sleep;
use crate::stage::{Program, Stage};

/// Simulates a task that takes some time.
fn process_task(task_id: u32, duration: Duration) -> String {
    sleep(duration);
    format!("Task {task_id} completed in {duration:?}")
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(5).observer(stage.observer()).build()?;
    let handles = (0..10).map(|id| pool.submit(move || process_task(id, Duration::from_secs(1))));

    // `as_completed` takes all the handles before it yields the first result, and taking a
    // handle from this lazy iterator is what submits its task.
    for result in as_completed(handles) {
        stage.say(result?);
    }
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "as_completed",
    title: "Results in the order in which they complete",
    shows: "Five workers share ten tasks of 1 s. Each result is printed as soon as it is there: \
            five after 1 s, five more after 2 s.",
    ideal: Some(Duration::from_secs(2)),
    is_async: false,
    has_children: false,
    run,
    expected: || {
        let line = |task_id| format!("Task {task_id} completed in 1s");
        Expected::InAnyOrder((0..10).map(line).collect())
    },
    source: file!(),
};

//! Three workers, ten operations of which some fail, each outcome matched to its input.
//!
//! **Python:** a dictionary from future to input, `futures[future]` to look the input up, and an
//! `except Exception` that takes a mistyped name in the operation for bad data.
//!
//! **Better here:** the input is the handle's key and comes back with the result. And there are
//! two questions with an answer each: did the operation say no (the inner `Err`, ordinary data),
//! or is it broken (the outer one: it panicked)?

use std::error::Error;

use handspun::{ThreadPool, as_completed, keyed};

use crate::expected::Expected;
use crate::stage::{Program, Stage};

/// An operation that might fail.
fn risky_operation(value: i32) -> Result<i32, String> {
    if value % 3 == 0 {
        return Err(format!("Cannot process {value}"));
    }
    Ok(value * 2)
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(3).observer(stage.observer()).build()?;
    let handles = (0..10).map(|value| keyed(value, pool.submit(move || risky_operation(value))));

    for (value, outcome) in as_completed(handles) {
        // This `?` is for a panic, which would be a mistake in the program and so ends it.
        match outcome? {
            Ok(result) => stage.say(format_args!("Success: {value} -> {result}")),
            Err(error) => stage.say(format_args!("Error processing {value}: {error}")),
        }
    }
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "risky",
    title: "Operations that might fail, matched to their inputs",
    shows: "Three workers run ten operations, of which every third fails. A failure is an outcome \
            like any other and comes with the input that it belongs to.",
    ideal: None,
    is_async: false,
    has_children: false,
    run,
    expected: || {
        let lines = [
            "Error processing 0: Cannot process 0",
            "Success: 1 -> 2",
            "Success: 2 -> 4",
            "Error processing 3: Cannot process 3",
            "Success: 4 -> 8",
            "Success: 5 -> 10",
            "Error processing 6: Cannot process 6",
            "Success: 7 -> 14",
            "Success: 8 -> 16",
            "Error processing 9: Cannot process 9",
        ];
        Expected::InAnyOrder(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

//! Four workers square the numbers 0 to 19, and the results keep the numbers' order.
//!
//! **Python:** `executor.map` submits every input before it yields the first result, so a large
//! input is queued whole and an endless one never starts (from 3.14 on, a `buffersize` helps). The
//! first call that raises ends the iterator: what the later calls returned is out of reach.
//!
//! **Better here:** `map` is an ordinary lazy iterator. It keeps a bounded number of jobs ahead of
//! whoever reads it, and a job that panicked is one `Err` among the results, with the others still
//! to come. To stop at the first one is a choice, made by collecting into a `Result`.

use std::error::Error;
use std::time::Duration;

use handspun::ThreadPool;

use crate::expected::Expected;
use crate::pace::sleep;
use crate::stage::{Program, Stage};

/// Calculates a square (with a simulated delay).
fn square(n: u32) -> u32 {
    sleep(Duration::from_millis(100));
    n * n
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(4).observer(stage.observer()).build()?;
    let results = pool.map(0..20, square).collect::<Result<Vec<_>, _>>()?;
    stage.say(format_args!("Results: {results:?}"));
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "ordered_map",
    title: "An ordered map over a pool",
    shows: "Four workers take 0.1 s for each of twenty squares. The results come in the order of \
            the numbers, whichever worker was first.",
    ideal: Some(Duration::from_millis(500)),
    is_async: false,
    has_children: false,
    run,
    expected: || {
        let squares = "Results: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81, \
                       100, 121, 144, 169, 196, 225, 256, 289, 324, 361]";
        Expected::Exactly(vec![squares.to_owned()])
    },
    source: file!(),
};

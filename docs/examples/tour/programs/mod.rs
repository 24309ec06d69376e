//! The programs, in the tutorial's order, which is also the order to read them in.
//!
//! To add one: a file here, a `mod` line, a place in [`ALL`].

mod raw_threads;
mod as_completed;
mod ordered_map;
mod risky;

use crate::stage::Program;

pub(crate) const ALL: &[&Program] =
    &[&raw_threads::PROGRAM, &as_completed::PROGRAM, &ordered_map::PROGRAM, &risky::PROGRAM];

/// Every program's name and title, a line each.
pub(crate) fn list() -> String {
    let line = |program: &&Program| format!("  {:<16}{}", program.name, program.title);
    ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

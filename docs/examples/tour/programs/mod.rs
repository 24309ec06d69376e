//! The programs, in the tutorial's order, which is also the order to read them in. From
//! `partial_success` on they answer the questions that it ends with.
//!
//! To add one: a file here, a `mod` line, a place in [`ALL`].

mod raw_threads;
mod as_completed;
mod ordered_map;
mod risky;
mod gather;
mod semaphore;
mod wait_for;
mod run_in_executor;
mod named_workers;
mod cancel;
mod bounded_fetches;
mod producer_consumer;
mod blocking_io;
mod stream;
#[cfg(unix)]
pub(crate) mod subprocess;
#[cfg(unix)]
pub(crate) mod leaked_pipe;
mod partial_success;
mod one_budget;
#[cfg(unix)]
pub(crate) mod budget_with_a_child;
mod clean_shutdown;
#[cfg(unix)]
pub(crate) mod thread_or_process;
mod resume_stream;
#[cfg(unix)]
pub(crate) mod kill_policy;

use crate::stage::Program;

pub(crate) const ALL: &[&Program] = &[
    &raw_threads::PROGRAM,
    &as_completed::PROGRAM,
    &ordered_map::PROGRAM,
    &risky::PROGRAM,
    &gather::PROGRAM,
    &semaphore::PROGRAM,
    &wait_for::PROGRAM,
    &run_in_executor::PROGRAM,
    &named_workers::PROGRAM,
    &cancel::PROGRAM,
    &bounded_fetches::PROGRAM,
    &producer_consumer::PROGRAM,
    &blocking_io::PROGRAM,
    &stream::PROGRAM,
    #[cfg(unix)]
    &subprocess::PROGRAM,
    #[cfg(unix)]
    &leaked_pipe::PROGRAM,
    &partial_success::PROGRAM,
    &one_budget::PROGRAM,
    #[cfg(unix)]
    &budget_with_a_child::PROGRAM,
    &clean_shutdown::PROGRAM,
    #[cfg(unix)]
    &thread_or_process::PROGRAM,
    &resume_stream::PROGRAM,
    #[cfg(unix)]
    &kill_policy::PROGRAM,
];

/// Every program's name and title, a line each. Those with a `~` also play under a clock that jumps.
pub(crate) fn list() -> String {
    let line = |program: &&Program| {
        let mark = if program.is_async { '~' } else { ' ' };
        format!("{mark} {:<20}{}", program.name, program.title)
    };
    ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

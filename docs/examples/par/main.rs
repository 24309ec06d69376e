//! `par`: runs a command once for each input, several at a time, and leaves nothing running.
//!
//! An `xargs -P` with the options that users of GNU parallel miss. It shows a scope whose jobs are lanes: each
//! takes an input, runs a child and waits for it, tries again if it has to, and takes the next. On Unix only.

#[cfg(unix)]
mod board;
#[cfg(unix)]
#[path = "../shared/cli.rs"]
mod cli;
#[cfg(unix)]
mod halt;
#[cfg(unix)]
mod inputs;
#[cfg(unix)]
mod joblog;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod output;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod sbatch;
#[cfg(unix)]
mod session;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod tally;
#[cfg(unix)]
mod template;
#[cfg(all(test, unix))]
mod tests;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    session::main()
}

#[cfg(not(unix))]
fn main() {}

//! How large should a semaphore be? A sweep over its permits, against a service that is simulated.
//!
//! ```text
//! cargo run --release --example tune_semaphore                       a table, and where the knee is
//! cargo run --release --example tune_semaphore -- --svg knee.svg     and a chart
//! cargo run --release --example tune_semaphore -- --servers 4        another service
//! ```
//!
//! The service and its clients are tasks that sleep, on a clock that jumps: minutes of its time pass in
//! milliseconds of ours, and the same seed gives the same table. To measure a service of your own, put its call
//! in the place of `Service::call` and take the real clock. What the table says is explained in
//! `docs/guide/23-choosing-a-limit.md`.

mod args;
mod service;
mod sweep;
mod report;
mod chart;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use args::{Request, Sweep};

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => print(args::USAGE),
        Ok(Request::Sweep(wanted)) => show(&wanted),
        Err(error) => {
            eprintln!("tune_semaphore: {error}");
            ExitCode::from(2)
        }
    }
}

fn show(wanted: &Sweep) -> ExitCode {
    let rows = sweep::over(&sweep::sizes(wanted.load.clients), &wanted.service, &wanted.load);
    let knee = sweep::knee(&rows);
    if let Some(path) = &wanted.svg {
        if let Err(error) = fs::write(path, chart::draw(&rows, knee)) {
            eprintln!("tune_semaphore: `{}` cannot be written: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    print(report::text(&rows, knee, &wanted.service, &wanted.load).trim_end())
}

/// Prints a text; that nobody reads it to its end is no failure.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("tune_semaphore: {error}");
            ExitCode::from(2)
        }
        Err(_) | Ok(()) => ExitCode::SUCCESS,
    }
}

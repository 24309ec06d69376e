//! How large should a semaphore be? A sweep over its permits, against a service that is simulated.
//!
//! ```text
//! cargo run --release --example tune_semaphore                       a table, and where the knee is
//! cargo run --release --example tune_semaphore -- --svg knee.svg     and a chart
//! cargo run --release --example tune_semaphore -- --servers 4        another service
//! ```
//!
//! Exits with 0 if all went well, and with 2 if the chart or the table could not be written.
//!
//! The service and its clients are tasks that sleep, on a clock that jumps: minutes of its time pass in
//! milliseconds of ours, and the same seed gives the same table. To measure a service of your own, put its call
//! in the place of `Service::call` and take the real clock. What the table says is explained in
//! `docs/guide/b-choosing-a-limit.md`.

#[path = "../shared/cli.rs"]
mod cli;
mod args;
mod service;
mod sweep;
mod report;
mod chart;

use std::fs;
use std::process::ExitCode;

use args::{Request, Sweep};
use cli::{Cli, shown};

const CLI: Cli = Cli { name: "tune_semaphore", usage: args::USAGE, failure: 2 };

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => CLI.help(),
        Ok(Request::Version) => CLI.version(),
        Ok(Request::Sweep(wanted)) => show(&wanted),
        Err(error) => CLI.misused(error),
    }
}

fn show(wanted: &Sweep) -> ExitCode {
    let rows = sweep::over(&sweep::sizes(wanted.load.clients), &wanted.service, &wanted.load);
    let knee = sweep::knee(&rows);
    if let Some(path) = &wanted.svg {
        if let Err(error) = fs::write(path, chart::draw(&rows, knee)) {
            return CLI.fail(format_args!("{} cannot be written: {error}", shown(path)));
        }
    }
    let text = report::text(&rows, knee, &wanted.service, &wanted.load);
    CLI.finish(text.as_bytes(), ExitCode::SUCCESS)
}

//! Fetches many pages at once, and keeps what came of each: slow, broken and silent servers included.
//!
//! ```text
//! cargo run --release --example http_probe                           a server of its own, with all that can go wrong
//! cargo run --release --example http_probe -- http://example.org/    or pages of the world, plain HTTP only
//! cargo run --release --example http_probe -- --file urls.txt --limit 20 --timeout 2 --retries 1
//! ```
//!
//! Exits with 1 if a page failed, and with 2 if nothing could be tried. It shows how the parts meet:
//!
//! - A page is a *task*: it waits for its turn, tries, waits, and tries again (`probe.rs`).
//! - A try is a *job*: std's sockets block, so they do it on a pool's threads (`http.rs`). The task awaits it.
//! - One *token* for both says how long a try may take. The job looks at it between two reads; so a try that was
//!   given up does not go on in secret.

mod args;
mod url;
mod trouble;
mod connect;
mod incoming;
mod head;
mod body;
mod http;
mod probe;
mod report;
mod server;

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use args::{Request, Wanted};
use server::Server;

fn main() -> ExitCode {
    let request = match args::parse(lexopt::Parser::from_env()) {
        Ok(request) => request,
        Err(error) => return failed(&error),
    };
    let shown = match request {
        Request::Help => print(args::USAGE).map(|()| true),
        Request::Probe(wanted) => run(wanted),
    };
    match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => failed(&*error),
    }
}

/// Probes and reports. True if every page was fetched.
fn run(wanted: Wanted) -> Result<bool, Box<dyn std::error::Error>> {
    let mut urls = wanted.urls;
    if let Some(path) = &wanted.file {
        let list = fs::read_to_string(path)
            .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        urls.extend(args::urls_in(&list));
    }
    let mut server = None;
    if wanted.file.is_none() && urls.is_empty() {
        urls = server.insert(Server::start()?).urls();
    }
    if urls.is_empty() {
        return Err("the file names no page".into());
    }
    let bar = ProgressBar::new(urls.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len}, {eta} left") {
        bar.set_style(style);
    }
    let rows = probe::probe(&urls, &wanted.settings, || bar.inc(1))?;
    bar.finish_and_clear();
    print(report::text(&rows).trim_end())?;
    Ok(rows.iter().all(|row| row.outcome.is_ok()))
}

/// Prints a text; that nobody reads it to its end is no failure.
fn print(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("http_probe: {error}");
    ExitCode::from(2)
}

//! Fetches many pages at once, and keeps what came of each: slow, broken and silent servers included.
//!
//! ```text
//! cargo run --release --example http_probe                           a server of its own, with all that can go wrong
//! cargo run --release --example http_probe -- http://example.org/    or pages of the world, plain HTTP only
//! cargo run --release --example http_probe -- --file urls.txt --limit 20 --timeout 2 --retries 1
//! ```
//!
//! Exits with 0 if all pages were fetched, with 1 if one was not, and with 2 if nothing could be tried or
//! printed. It shows how the parts meet:
//!
//! - A page is a *task*: it waits for its turn, tries, waits, and tries again (`probe.rs`).
//! - A try is a *job*: std's sockets block, so they do it on a pool's threads (`http.rs`). The task awaits it.
//! - One *token* for both says how long a try may take. The job looks at it between two reads; so a try that was
//!   given up does not go on in secret.
//!
//! HTTP is read by `httparse`; `README.md` says what is taken and what is refused.

#[path = "../shared/bar.rs"]
mod bar;
#[path = "../shared/cli.rs"]
mod cli;
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

use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use args::{Request, Wanted};
use bar::bar;
use cli::{Cli, shown};
use server::Server;

const CLI: Cli = Cli { name: "http_probe", usage: args::USAGE, failure: 2 };

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => CLI.help(),
        Ok(Request::Version) => CLI.version(),
        Ok(Request::Probe(wanted)) => run(&wanted).unwrap_or_else(|error| CLI.fail(error)),
        Err(error) => CLI.misused(error),
    }
}

/// Probes and reports.
fn run(wanted: &Wanted) -> Result<ExitCode, Box<dyn Error>> {
    let mut server = None;
    let urls = match wanted.urls.is_empty() && wanted.files.is_empty() {
        true => server.insert(Server::start()?).urls(),
        false => all_urls(&wanted.urls, &wanted.files)?,
    };
    if urls.is_empty() {
        return Err("the files name no page".into());
    }
    let bar = bar(urls.len(), "pages");
    let rows = probe::probe(&urls, &wanted.settings, || bar.inc(1))?;
    bar.finish_and_clear();
    let has_failed = rows.iter().any(|row| row.outcome.is_err());
    Ok(CLI.finish(report::text(&rows).as_bytes(), ExitCode::from(u8::from(has_failed))))
}

fn all_urls(named: &[String], files: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut urls = named.to_vec();
    for path in files {
        let list = match path == Path::new("-") {
            true => read_all(io::stdin()),
            false => fs::read(path),
        };
        let list = list.map_err(|error| format!("{} cannot be read: {error}", shown(path)))?;
        urls.extend(args::urls_in(&list));
    }
    Ok(urls)
}

fn read_all(mut source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(bytes)
}

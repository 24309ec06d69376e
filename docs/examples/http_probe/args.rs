//! What was asked for on the command line.
//!
//! Knows nothing of pages. Whether a URL is one is found out in its own row, so that one bad line of a long
//! file does not keep the others from being fetched.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use super::probe::Settings;

pub(crate) const USAGE: &str = "\
Fetches many pages at once over plain HTTP/1.1, and says what came of each.

Usage: http_probe [OPTIONS] [URL...]

  URL...             what to fetch (default: the pages of a server of its own)
  --file FILE        fetch what is named there, too: a URL a line, # begins a
                     comment; - is stdin
  --limit N          fetch at most N pages at a time (default: 8)
  --timeout SECONDS  how long one try may take (default: 1)
  --retries N        how often to try again (default: 2)
  --within SECONDS   when to stop, whatever is not finished (default: never)
  -h, --help         this text
  -V, --version      the version

Exits with 0 if all pages were fetched, with 1 if one was not, and with 2 if
nothing could be tried or printed.
";

#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Version,
    Probe(Wanted),
}

#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) urls: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) settings: Settings,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, lexopt::Error> {
    let mut settings = Settings::default();
    let (mut urls, mut files) = (Vec::new(), Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('V') | Long("version") => return Ok(Request::Version),
            Long("file") => files.push(parser.value()?.into()),
            Long("limit") => settings.limit = parser.value()?.parse_with(limit)?,
            Long("timeout") => settings.timeout = parser.value()?.parse_with(seconds)?,
            Long("retries") => settings.retries = parser.value()?.parse()?,
            Long("within") => settings.within = parser.value()?.parse_with(seconds)?,
            Value(url) => urls.push(url.to_string_lossy().into_owned()),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Request::Probe(Wanted { urls, files, settings }))
}

/// The URLs of a file: one a line, without what is empty or a comment. What is no text there is no URL either,
/// and fails in its own row.
pub(crate) fn urls_in(list: &[u8]) -> Vec<String> {
    let list = String::from_utf8_lossy(list);
    // Some editors begin a file with a byte order mark, which is no part of its text.
    let lines = list.strip_prefix('\u{feff}').unwrap_or(&list).lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Each page at a time has a thread, so there is an upper bound.
fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1_000) => Ok(n),
        Ok(_) | Err(_) => Err("it is a number from 1 to 1000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0.001..=86_400.0) => Ok(Duration::from_secs_f64(seconds)),
        Ok(_) | Err(_) => Err("it is a number of seconds from 0.001 to 86400".to_owned()),
    }
}

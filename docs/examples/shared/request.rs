//! What a tool that reads folders was asked for.
//!
//! Knows nothing of what is looked for in them.

use std::path::PathBuf;
use std::thread::available_parallelism;

use lexopt::prelude::*;

pub(crate) enum Asked {
    Help,
    Version,
    Work(Request),
}

pub(crate) struct Request {
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) threads: usize,
    pub(crate) compare: bool,
    /// How many of what was found are shown.
    pub(crate) top: Option<usize>,
    /// Names are ended by NUL, and shown as they are.
    pub(crate) print0: bool,
}

/// What a tool prints as its results.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prints {
    #[allow(dead_code, reason = "a tool prints one of both")]
    Text,
    /// So there is `--print0`, too.
    #[allow(dead_code, reason = "a tool prints one of both")]
    Names,
}

pub(crate) fn parse(mut parser: lexopt::Parser, prints: Prints) -> Result<Asked, lexopt::Error> {
    let cores = available_parallelism().map_or(1, std::num::NonZero::get);
    let mut request =
        Request { folders: Vec::new(), threads: cores, compare: false, top: None, print0: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Asked::Help),
            Short('V') | Long("version") => return Ok(Asked::Version),
            Long("threads") => request.threads = parser.value()?.parse_with(threads)?,
            Long("compare") => request.compare = true,
            Long("top") => request.top = Some(parser.value()?.parse()?),
            Long("print0") if prints == Prints::Names => request.print0 = true,
            Value(folder) => request.folders.push(folder.into()),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    if request.folders.is_empty() {
        return Err("which folder?".into());
    }
    Ok(Asked::Work(request))
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=1_000) => Ok(n),
        Ok(_) | Err(_) => Err("it is a number from 1 to 1000".to_owned()),
    }
}

//! Which files are there twice, and what would it save to have each of them once?
//!
//! ```text
//! cargo run --release --example find_duplicates -- ~/.cargo/registry/src --compare
//! ```
//!
//! Exits with 0 if all of it was read, with 1 if a file was left out, and with 2 if nothing could be read or
//! printed. A small tool on a pool: maps over borrowed lists, a progress bar, and no panic on anything that a
//! file system may hold. It deletes nothing. `README.md` sets it beside `jdupes` and `rdfind`.

#[path = "../shared/bar.rs"]
mod bar;
#[path = "../shared/cli.rs"]
mod cli;
mod content;
mod duplicates;
#[path = "../shared/open.rs"]
mod open;
mod report;
#[path = "../shared/request.rs"]
mod request;
#[path = "../shared/tool.rs"]
mod tool;
#[path = "../shared/tree.rs"]
mod tree;

use std::process::ExitCode;

use cli::Cli;
use request::Prints;

const USAGE: &str = "\
Finds files with the same content below some folders. It deletes nothing.

Usage: find_duplicates [OPTIONS] DIR...

  --top N        show the N groups that cost most (default: 10)
  --print0       for other programs: each name as it is, ended by NUL, and each
                 group ended by one NUL more; all groups, unless --top is given
  --threads N    the threads that read (default: as many as there are cores)
  --compare      then read again, with so many threads and with one in turns,
                 and say on stderr by how much the one is slower
  -h, --help     this text
  -V, --version  the version

Empty files and other names of the same file are no duplicates; links are not
followed. Exits with 0 if all was read, with 1 if something was left out
(stderr says what), and with 2 if nothing could be read or printed.
";

fn main() -> ExitCode {
    tool::run(
        &Cli { name: "find_duplicates", usage: USAGE, failure: tool::FAILURE },
        Prints::Names,
        |pool, files, bar| duplicates::find(pool, files, &|n| bar.inc(n as u64)),
        |same, request| match request.print0 {
            true => report::names(&same, request.top.unwrap_or(usize::MAX)),
            false => report::text(&same, request.top.unwrap_or(10)).into_bytes(),
        },
    )
}

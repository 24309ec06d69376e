//! Which words are the most frequent in a tree of text files?
//!
//! ```text
//! cargo run --release --example count_words -- src docs --compare
//! ```
//!
//! Exits with 0 if all of it was counted, with 1 if a file was left out, and with 2 if nothing could be
//! counted or printed. A small tool on a pool: forks that borrow, a progress bar, and no panic on anything
//! that a file system may hold. `README.md` sets it beside `wc`, `sort` and `uniq`.

#[path = "../shared/bar.rs"]
mod bar;
#[path = "../shared/cli.rs"]
mod cli;
#[path = "../shared/open.rs"]
mod open;
#[path = "../shared/request.rs"]
mod request;
#[path = "../shared/tool.rs"]
mod tool;
#[path = "../shared/tree.rs"]
mod tree;
mod words;

use std::fmt::Write;
use std::mem;
use std::process::ExitCode;

use cli::{Cli, shown};
use request::Prints;
use words::Count;

const USAGE: &str = "\
Counts the words of all text files below some folders.

Usage: count_words [OPTIONS] DIR...

  --top N        show the N most frequent words (default: 10)
  --threads N    the threads that count (default: as many as there are cores)
  --compare      then count again, with so many threads and with one in turns,
                 and say on stderr by how much the one is slower
  -h, --help     this text
  -V, --version  the version

Text is in UTF-8. A word ends where Unicode says so; letters count as the same
in both cases. Exits with 0 if all was counted, with 1 if something was left
out (stderr says what), and with 2 if nothing could be counted or printed.
";

fn main() -> ExitCode {
    tool::run(
        &Cli { name: "count_words", usage: USAGE, failure: tool::FAILURE },
        Prints::Text,
        |pool, files, bar| {
            let mut count = words::count(pool, files, &|| bar.inc(1));
            let troubles = mem::take(&mut count.troubles);
            (count, troubles)
        },
        |count, request| report(&count, request.top.unwrap_or(10)),
    )
}

fn report(count: &Count, top: usize) -> Vec<u8> {
    let mut text = String::new();
    for (word, n) in count.top(top) {
        let _ = writeln!(text, "{n:>9} {}", shown(word)); // To write into a string cannot fail.
    }
    let (words, lines, different) = (count.n_words, count.n_lines, count.of.len());
    text += &format!("{words} words ({different} different) in {lines} lines\n");
    text.into_bytes()
}

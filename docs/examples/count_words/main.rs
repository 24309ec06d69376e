//! Which words are the most frequent in a tree of text files?
//!
//! ```text
//! cargo run --release --example count_words -- src docs --compare
//! ```
//!
//! A small tool on a pool: forks that borrow, a progress bar, and no panic on anything that a file
//! system may hold.

#[path = "../shared/open.rs"]
mod open;
#[path = "../shared/tool.rs"]
mod tool;
#[path = "../shared/tree.rs"]
mod tree;
mod words;

use std::fmt::Write;
use std::mem;
use std::process::ExitCode;

const USAGE: &str = "\
Counts the words of all text files below some folders.

Usage: cargo run --release --example count_words -- [OPTIONS] DIR...

  --threads N   the threads that count (default: as many as there are cores)
  --compare     then do it again, with so many threads and with one in turns,
                and say by how much the one is slower
  --help        this text
";

fn main() -> ExitCode {
    tool::run(
        USAGE,
        |pool, files, bar| {
            let mut count = words::count(pool, files, &|| bar.inc(1));
            let troubles = mem::take(&mut count.troubles);
            (count, troubles)
        },
        |count| {
            let mut text = String::new();
            for (word, n) in count.top(10) {
                let _ = writeln!(text, "{n:>9} {word}"); // To write into a string cannot fail.
            }
            let (words, lines, different) = (count.n_words, count.n_lines, count.of.len());
            text + &format!("{words} words ({different} different) in {lines} lines\n")
        },
    )
}

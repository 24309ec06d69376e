//! Which files are there twice, and what would it save to have each of them once?
//!
//! ```text
//! cargo run --release --example find_duplicates -- ~/.cargo/registry/src --compare
//! ```
//!
//! A small tool on a pool: maps over borrowed lists, a progress bar, and no panic on anything that a
//! file system may hold. It deletes nothing.

mod content;
mod duplicates;
#[path = "../shared/open.rs"]
mod open;
#[path = "../shared/tool.rs"]
mod tool;
#[path = "../shared/tree.rs"]
mod tree;

use std::fmt::Write;
use std::process::ExitCode;

use duplicates::Same;

const USAGE: &str = "\
Finds files with the same content below some folders.

Usage: cargo run --release --example find_duplicates -- [OPTIONS] DIR...

  --threads N   the threads that read (default: as many as there are cores)
  --compare     then do it again, with so many threads and with one in turns,
                and say by how much the one is slower
  --help        this text
";

fn main() -> ExitCode {
    tool::run(
        USAGE,
        |pool, files, bar| duplicates::find(pool, files, &|n| bar.inc(n as u64)),
        |same| {
            let mut text = String::new();
            for group in same.iter().take(10) {
                let (n, len) = (group.paths.len(), group.len);
                let _ = writeln!(text, "{n} times {len} bytes:"); // To write into a string cannot fail.
                for path in group.paths.iter().take(10) {
                    let _ = writeln!(text, "    {}", path.display());
                }
                if n > 10 {
                    let _ = writeln!(text, "    and {} more", n - 10);
                }
            }
            let n_spare: u64 = same.iter().map(Same::n_spare).sum();
            text + &format!("{} groups; {n_spare} bytes would be saved\n", same.len())
        },
    )
}

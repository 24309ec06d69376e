//! Have the hot paths become longer?
//!
//! A time on a machine that others use too says so only when it is much longer. The number of
//! instructions is the same each time, to well under 1 %: callgrind counts them. It sees neither a cache
//! miss nor a lock that is fought for; those are the business of the other programs here.
//!
//! Each path is run twice under callgrind, the second time with twice the operations, and what the second
//! run had more is divided by the operations that it had more: what it takes to start and to end is not
//! in it.
//!
//! ```sh
//! cargo run --release --manifest-path benches/guard/Cargo.toml               # compare; 1 if one is worse
//! cargo run --release --manifest-path benches/guard/Cargo.toml -- --accept   # what is now, is right
//! ```
//!
//! Where there is nothing to compare with, because there is no valgrind, or because the compiler is not
//! the one of the file, it says so and exits with 77.

mod paths;
mod counts;

use std::env;
use std::fs;
use std::process::{Command, ExitCode};

use crate::counts::Counts;
use crate::paths::Path;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.txt");

/// Enough that the count of one operation does not hang on when a list grows.
const OPERATIONS: u64 = 10_000;

/// "Skipped", as the other scripts of the repository say it.
const NOTHING_TO_COMPARE: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["--accept"] => accept(),
        ["--path", name, n] => {
            let path = paths::ALL.iter().find(|path| path.name == *name);
            let path = path.expect("the program asks itself for what is in its list");
            (path.run)(n.parse().expect("the program asks itself for a number"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: handspun-guard [--accept]");
            ExitCode::from(2)
        }
    }
}

fn compare() -> ExitCode {
    let accepted = fs::read_to_string(FILE).ok();
    let Some(accepted) = accepted.as_deref().and_then(Counts::parse) else {
        println!("{FILE} cannot be read: accept what is counted with `-- --accept`.");
        return ExitCode::from(NOTHING_TO_COMPARE);
    };
    let here = (compiler(), machine());
    if (&accepted.compiler, &accepted.machine) != (&here.0, &here.1) {
        println!("Nothing is compared: the counts were accepted with");
        println!("  {} on {}, and this is", accepted.compiler, accepted.machine);
        println!("  {} on {}.", here.0, here.1);
        return ExitCode::from(NOTHING_TO_COMPARE);
    }
    let Some(now) = count_all() else { return without_valgrind() };

    println!("{:<20} {:>10} {:>10} {:>9}", "path", "accepted", "now", "change");
    let changes = accepted.compare(&now);
    changes.iter().for_each(|change| println!("{change}"));
    if changes.iter().any(|change| change.is_worse()) {
        println!("\nWorse by more than 5 %. If that is the price of something better, accept it:");
        println!("  cargo run --release --manifest-path benches/guard/Cargo.toml -- --accept");
        return ExitCode::FAILURE;
    }
    if changes.iter().any(|change| change.is_to_be_accepted()) {
        println!("\nBetter by more than 5 %, or new. So that it stays so, accept it:");
        println!("  cargo run --release --manifest-path benches/guard/Cargo.toml -- --accept");
    }
    ExitCode::SUCCESS
}

fn accept() -> ExitCode {
    let Some(now) = count_all() else { return without_valgrind() };
    fs::write(FILE, now.to_string()).expect("the file lies beside the program's source");
    print!("{now}");
    ExitCode::SUCCESS
}

fn without_valgrind() -> ExitCode {
    println!("Nothing is compared: there is no valgrind here (`apt-get install valgrind`).");
    ExitCode::from(NOTHING_TO_COMPARE)
}

fn count_all() -> Option<Counts> {
    let mut of_paths = std::collections::BTreeMap::new();
    for path in &paths::ALL {
        eprintln!("counting {}: {} …", path.name, path.what);
        let (once, twice) = (instructions(path, OPERATIONS)?, instructions(path, 2 * OPERATIONS)?);
        of_paths.insert(path.name.to_owned(), (twice - once) / OPERATIONS);
    }
    Some(Counts { compiler: compiler(), machine: machine(), of_paths })
}

/// What all threads of this program execute for `n` operations. `None` if there is no valgrind.
fn instructions(path: &Path, n: u64) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("the program knows where it is"))
        .args(["--path", path.name, &n.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} under valgrind: {}\n{said}", path.name, output.status);
    // A line `==123== Collected : 456`.
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.expect("callgrind says what it has counted");
    Some(count.trim().parse().expect("it is a number"))
}

fn compiler() -> String {
    env!("COMPILER").to_owned()
}

fn machine() -> String {
    format!("{} {}", env::consts::OS, env::consts::ARCH)
}

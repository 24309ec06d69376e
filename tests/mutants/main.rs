//! Whether the checks catch anything: one mistake at a time is planted in a copy of the crate.
//!
//! ```text
//! cargo test --test mutants
//! cargo test --test mutants -- settle     only the mistakes whose check or file says `settle`
//! cargo test --test mutants -- --         only those that an ordinary test must catch
//! ```
//!
//! Knows nothing of how a check works. A mistake is a piece of text that stands in its file exactly
//! once, what is put in its place, and the check that must fail. What must always hold: only a
//! failed check counts as caught. A mistake that does not compile, or whose text has changed, is a
//! fault of the lists, which stand beside this file: one for each file of `tests/model`, and one of
//! mistakes about time, which ordinary tests must catch, for no time passes in a model.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod wait;
mod handle;
mod pool;
mod injector;
mod shutdown;
mod as_completed;
mod tokens;
mod submit_with;
mod observer;
mod sync;
mod children;
mod borrow;
mod executor;
mod time;
mod chains;

/// One mistake that somebody might make.
struct Mutant {
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// What has gone wrong, in words.
    mistake: &'static str,
    /// The path of the check below `model::`; or the target of an ordinary test, a space, and its path.
    caught_by: &'static str,
}

/// The mistakes, one list for each file of checks.
const MUTANTS: [&[Mutant]; 15] = [
    wait::MUTANTS,
    handle::MUTANTS,
    pool::MUTANTS,
    injector::MUTANTS,
    shutdown::MUTANTS,
    as_completed::MUTANTS,
    tokens::MUTANTS,
    submit_with::MUTANTS,
    observer::MUTANTS,
    sync::MUTANTS,
    children::MUTANTS,
    borrow::MUTANTS,
    executor::MUTANTS,
    time::MUTANTS,
    chains::MUTANTS,
];

fn main() -> ExitCode {
    let wanted = env::args().nth(1).unwrap_or_default();
    if wanted == "--texts" {
        return texts_stand();
    }
    let bench = Bench::set_up().expect("a copy of the crate can be made below the target folder");
    let mut n_escaped = 0;
    println!("{:<46} {:<60} caught", "file: check", "mistake");
    for mutant in MUTANTS.into_iter().flatten() {
        let place = format!("{}: {}", mutant.file, mutant.caught_by);
        if !place.contains(&wanted) {
            continue;
        }
        let fate = bench.try_out(mutant).expect("files can be written, and cargo can be run");
        println!("{place}\n{:<46} {:<60} {}", "", mutant.mistake, fate.in_words());
        n_escaped += usize::from(!matches!(fate, Fate::Caught(_)));
    }
    if n_escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says which mistakes cannot be planted any more, as the code that they change has changed. Builds nothing.
fn texts_stand() -> ExitCode {
    let mut n_faulty = 0;
    for mutant in MUTANTS.into_iter().flatten() {
        let n_places =
            fs::read_to_string(mutant.file).map(|text| text.matches(mutant.right).count());
        if !matches!(n_places, Ok(1)) {
            println!("{}: `{}`: found {n_places:?}", mutant.file, mutant.right);
            n_faulty += 1;
        }
    }
    println!(
        "{} mistakes can be planted, and {n_faulty} cannot",
        MUTANTS.iter().map(|of| of.len()).sum::<usize>() - n_faulty
    );
    if n_faulty == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What became of a mistake.
enum Fate {
    /// The check failed, and this is what it said of when.
    Caught(String),
    /// The check passes all the same.
    Escaped,
    /// The mistake, and not the crate, is to be mended.
    Faulty(String),
}

impl Fate {
    fn in_words(&self) -> String {
        match self {
            Self::Caught(when) => when.clone(),
            Self::Escaped => "ESCAPED: the check passes".to_owned(),
            Self::Faulty(why) => format!("FAULTY: {why}"),
        }
    }
}

/// What must fail.
struct Check {
    /// What cargo is told to build, and for which backend.
    target: &'static str,
    rustflags: &'static str,
    path: String,
    /// What it prints if it fails, and then how soon.
    fails_with: &'static str,
}

impl Check {
    fn new(caught_by: &'static str) -> Self {
        match caught_by.split_once(' ') {
            Some((target, path)) => Self {
                target,
                rustflags: "",
                path: path.to_owned(),
                fails_with: "test result: FAILED. 0 passed; 1 failed; ",
            },
            None => Self {
                target: "--lib",
                rustflags: "--cfg handspun_model",
                path: format!("model::{caught_by}"),
                fails_with: ": failed in ",
            },
        }
    }
}

/// A copy of the crate in which mistakes are planted, with target folders that they share.
struct Bench {
    root: &'static Path,
    copy: PathBuf,
    targets: PathBuf,
}

impl Bench {
    fn set_up() -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bench = Self { root, copy: folder.join("crate"), targets: folder.join("target") };
        if bench.copy.exists() {
            fs::remove_dir_all(&bench.copy)?;
        }
        fs::create_dir_all(&bench.copy)?;
        for name in ["Cargo.toml", "Cargo.lock", "src", "tests", "docs"] {
            copy_all(&root.join(name), &bench.copy.join(name))?;
        }
        Ok(bench)
    }

    fn try_out(&self, mutant: &Mutant) -> io::Result<Fate> {
        let text = fs::read_to_string(self.root.join(mutant.file))?;
        let n_places = text.matches(mutant.right).count();
        if n_places != 1 {
            return Ok(Fate::Faulty(format!("its text stands in the file {n_places} times")));
        }
        fs::write(self.copy.join(mutant.file), text.replacen(mutant.right, mutant.wrong, 1))?;
        let fate = self.check(mutant.caught_by);
        fs::write(self.copy.join(mutant.file), text)?;
        fate
    }

    fn check(&self, caught_by: &'static str) -> io::Result<Fate> {
        let check = Check::new(caught_by);
        let (is_built, errors) = self.cargo_test(&check, &["--no-run"])?;
        if !is_built {
            let error = errors.lines().find(|line| line.starts_with("error"));
            return Ok(Fate::Faulty(error.unwrap_or("it does not compile").to_owned()));
        }
        let (is_passed, output) = self.cargo_test(&check, &["--", "--exact", &check.path])?;
        if output.contains("running 0 tests") {
            return Ok(Fate::Faulty("there is no such check".to_owned()));
        }
        if is_passed {
            return Ok(Fate::Escaped);
        }
        let failed = output.lines().find_map(|line| line.split_once(check.fails_with));
        let when = failed.and_then(|(_, counts)| counts.rsplit("; finished in ").next());
        Ok(match when {
            Some(when) => Fate::Caught(when.to_owned()),
            // The watchdog of a test has ended the process: that is a failed check, too.
            None if output.contains("` has hung for ") => Fate::Caught("a minute".to_owned()),
            None => Fate::Faulty("the check did not end as a failed check does".to_owned()),
        })
    }

    /// Whether it succeeded, and all that it said.
    fn cargo_test(&self, check: &Check, arguments: &[&str]) -> io::Result<(bool, String)> {
        let backend = if check.rustflags.is_empty() { "machine" } else { "model" };
        let output = Command::new(env!("CARGO"))
            .args(["test", "--quiet"])
            .arg(check.target)
            .args(arguments)
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", self.targets.join(backend))
            .env("CARGO_PROFILE_DEV_DEBUG", "0") // Nobody debugs a mutant, and they build faster.
            .env("RUSTFLAGS", check.rustflags)
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

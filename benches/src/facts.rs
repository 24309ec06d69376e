//! On what, by what and when was this measured? A figure that does not say so is a rumour.

use std::collections::BTreeMap;
use std::process::Command;
use std::{env, fmt, fs, thread};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::line_up::{DOUBLINGS, Scale};
use crate::pools::WORKERS;

/// The crates whose versions are told: whoever takes part in a row.
const MEASURED: [&str; 17] = [
    "async-channel",
    "async-executor",
    "async-io",
    "async-process",
    "chili",
    "compio-runtime",
    "crossbeam-channel",
    "duct",
    "flume",
    "futures",
    "handspun",
    "rayon",
    "rusty_pool",
    "smol",
    "subprocess",
    "threadpool",
    "tokio",
];

#[derive(Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) date: String,
    command: String,
    /// `None` where there is no git, or no commit yet.
    pub(crate) commit: Option<String>,
    compiler: String,
    optimised: bool,
    system: String,
    processor: Option<String>,
    cores: Option<usize>,
    /// How busy the machine already was: the mean number of runnable threads over the last minute.
    load: Option<f64>,
    workers: usize,
    /// `None` where there is nothing to repeat.
    rounds: Option<Rounds>,
    quick: bool,
    versions: BTreeMap<String, String>,
    /// Date and commit of the earlier run that this one is compared with, if it is.
    #[serde(default)]
    pub(crate) after: Option<String>,
}

/// How the rounds were taken.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rounds {
    /// In each process.
    pub(crate) rounds: u32,
    /// For each row, at least.
    pub(crate) processes: usize,
    /// How long a row may take more of them for.
    pub(crate) within_s: u64,
    /// All rows in one process, instead of several for each.
    pub(crate) in_one_process: bool,
}

impl Facts {
    pub(crate) fn gather(scale: Scale, rounds: Option<Rounds>) -> Self {
        Self {
            date: format!("{:.0}", Timestamp::now()),
            command: command(),
            commit: commit(),
            compiler: env!("COMPILER").to_owned(),
            optimised: !cfg!(debug_assertions),
            system: format!("{} {}", env::consts::OS, env::consts::ARCH),
            processor: processor(),
            cores: thread::available_parallelism().ok().map(Into::into),
            load: load(),
            workers: WORKERS,
            rounds,
            quick: scale == Scale::Quick,
            versions: versions(include_str!("../Cargo.lock")),
            after: None,
        }
    }

    /// What to type, and where, to get this run again.
    pub(crate) fn how_to_repeat(&self) -> String {
        let checkout = self.commit.as_ref().map_or(String::new(), |commit| {
            let dirty = if commit.ends_with("-dirty") { ", with changes of its own" } else { "" };
            let commit = commit.trim_end_matches("-dirty");
            format!("git checkout {commit}   # what was measured{dirty}\n")
        });
        format!("To repeat this run, from the top of the repository:\n\n{checkout}{}", self.command)
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        let versions: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let cores = or_unknown(self.cores.map(|n| n.to_string()));
        let load = or_unknown(self.load.map(|load| load.to_string()));

        writeln!(f, "date      {}", self.date)?;
        writeln!(f, "command   {}", self.command)?;
        writeln!(f, "commit    {}", or_unknown(self.commit.clone()))?;
        writeln!(f, "compiler  {}", self.compiler)?;
        writeln!(
            f,
            "machine   {}, {cores} cores, {}",
            self.system,
            or_unknown(self.processor.clone())
        )?;
        writeln!(f, "load      {load} threads were runnable in the minute before")?;
        if let Some(rounds) = self.rounds {
            let Rounds { rounds, processes, within_s, in_one_process } = rounds;
            let times = if in_one_process { "times in one process" } else { "processes" };
            writeln!(f, "method    {} workers each, one operation, medians", self.workers)?;
            writeln!(
                f,
                "rounds    {rounds} in each of {processes} {times}, and of up to {} while a target is open, within \
                 {within_s} s a row",
                processes << DOUBLINGS
            )?;
        }
        writeln!(f, "versions  {}", versions.join(", "))?;
        if let Some(earlier) = &self.after {
            writeln!(f, "before    {earlier}")?;
        }
        if self.quick {
            writeln!(f, "          quick: a tenth of the operations; do not quote these figures")?;
        }
        if !self.optimised {
            writeln!(f, "          built without --release; these figures mean nothing")?;
        }
        Ok(())
    }
}

/// What to type to get this run again. The first argument, the path of the program, differs on
/// every machine.
fn command() -> String {
    let mut cargo = "cargo run --locked --release --manifest-path benches/Cargo.toml".to_owned();
    let program = env!("CARGO_BIN_NAME");
    if program != env!("CARGO_PKG_NAME") {
        cargo.push_str(" --bin ");
        cargo.push_str(program);
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.is_empty() { cargo } else { format!("{cargo} -- {}", arguments.join(" ")) }
}

/// The commit, and whether what is measured has been changed since. A document may have been: the tables
/// of one program are written before the next one begins.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR")]).args(arguments).output().ok()
    };
    let described = git(&["describe", "--always", "--abbrev=12"])?;
    let is_same = git(&["diff", "--quiet", "HEAD", "--", "../src", "../Cargo.toml", "."])?;
    let dirty = if is_same.status.success() { "" } else { "-dirty" };
    let commit = String::from_utf8_lossy(&described.stdout).trim().to_owned();
    described.status.success().then(|| commit + dirty)
}

fn processor() -> Option<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = processors.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}

fn load() -> Option<f64> {
    let loads = fs::read_to_string("/proc/loadavg").ok()?;
    loads.split_whitespace().next()?.parse().ok()
}

/// Reads from a lock file which version of each measured crate was built. `version` follows `name`
/// there.
fn versions(lock: &str) -> BTreeMap<String, String> {
    fn quoted<'lock>(line: &'lock str, key: &str) -> Option<&'lock str> {
        line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
    }
    let pairs = lock.lines().zip(lock.lines().skip(1));
    pairs
        .filter_map(|(first, second)| Some((quoted(first, "name")?, quoted(second, "version")?)))
        .filter(|(name, _)| MEASURED.contains(name))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_names_a_version_for_everybody_measured() {
        let versions = versions(include_str!("../Cargo.lock"));
        assert_eq!(versions.into_keys().collect::<Vec<_>>(), MEASURED);
    }
}

//! What both tools have around their work: arguments, a progress bar, a stopwatch, plain errors.
//!
//! Knows nothing of the work. It is done on a worker, not on the main thread, so that `--threads N`
//! means what it says: a fork made outside the pool would have one thread more.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use handspun::ThreadPool;
use indicatif::{ProgressBar, ProgressStyle};
use lexopt::prelude::*;

use crate::tree::{File, Trouble, files_below};

/// How many of a long list are shown.
const SHOWN: usize = 10;

struct Request {
    folders: Vec<PathBuf>,
    threads: usize,
    compare: bool,
}

/// Parses the arguments, runs the work, and prints what it says.
pub(crate) fn run<T: Send>(
    usage: &str,
    work: impl Fn(&ThreadPool, &[File], &ProgressBar) -> (T, Vec<Trouble>) + Sync,
    report: impl FnOnce(T) -> String,
) -> ExitCode {
    let request = match parse(lexopt::Parser::from_env()) {
        Ok(Some(request)) => request,
        Ok(None) => return print(usage),
        Err(error) => return fail(&format!("{error}\n\n{usage}")),
    };
    let (files, mut troubles) = match files_below(&request.folders) {
        Ok(found) => found,
        Err(Trouble { path, why }) => return fail(&format!("{}: {why}", path.display())),
    };
    let timed = |threads| {
        let pool =
            ThreadPool::builder().threads(threads).build().map_err(|error| error.to_string())?;
        let bar = bar(files.len());
        let start = Instant::now();
        let done = pool.scope(|s| s.submit(|| work(&pool, &files, &bar)).join());
        let took = start.elapsed();
        bar.finish_and_clear();
        done.map(|done| (done, took)).map_err(|error| error.to_string())
    };
    let ((done, new_troubles), took) = match timed(request.threads) {
        Ok(timed) => timed,
        Err(error) => return fail(&error),
    };
    troubles.extend(new_troubles);
    let mut text = report(done);
    text += &told(&troubles);
    let n_bytes: u64 = files.iter().map(|file| file.len).sum();
    let (n, took, threads) = (files.len(), shown(took), request.threads);
    text += &format!("{n} files of {n_bytes} bytes in {took} with {threads} threads\n");
    if request.compare {
        match in_turns(|threads| Ok(timed(threads)?.1), request.threads) {
            Ok((together, alone)) => {
                let times = alone.as_secs_f64() / together.as_secs_f64().max(f64::EPSILON);
                let (together, alone) = (shown(together), shown(alone));
                text += &format!(
                    "again: {together}; with 1 thread: {alone}, {times:.2} times as long\n"
                );
            }
            Err(error) => return fail(&error),
        }
    }
    print(&text)
}

/// The best of three, with these threads and with one, in turns. By now the files are in the system's
/// cache for both.
fn in_turns(
    timed: impl Fn(usize) -> Result<Duration, String>,
    threads: usize,
) -> Result<(Duration, Duration), String> {
    let (mut together, mut alone) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        together = together.min(timed(threads)?);
        alone = alone.min(timed(1)?);
    }
    Ok((together, alone))
}

fn parse(mut parser: lexopt::Parser) -> Result<Option<Request>, lexopt::Error> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut request = Request { folders: Vec::new(), threads: cores, compare: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("threads") => request.threads = parser.value()?.parse()?,
            Long("compare") => request.compare = true,
            Value(folder) => request.folders.push(folder.into()),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    if request.folders.is_empty() {
        return Err("which folder?".into());
    }
    if request.threads == 0 {
        return Err("with 0 threads nothing would be done".into());
    }
    Ok(Some(request))
}

/// On stderr, and only if that is a terminal.
fn bar(n_files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} to go");
    let bar = ProgressBar::new(n_files as u64);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn told(troubles: &[Trouble]) -> String {
    let mut text = String::new();
    for Trouble { path, why } in troubles.iter().take(SHOWN) {
        text += &format!("left out: {}: {why}\n", path.display());
    }
    if troubles.len() > SHOWN {
        text += &format!("left out: {} more\n", troubles.len() - SHOWN);
    }
    text
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Not `println!`, which panics if whoever reads has had enough.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(text: &str) -> ExitCode {
    // There is nowhere to say that nothing can be said.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(2)
}

//! What the tools that read folders have around their work: arguments, a progress bar, a stopwatch, errors.
//!
//! Knows nothing of the work. It is done on a worker, not on the main thread, so that `--threads N`
//! means what it says: a fork made outside the pool would have one thread more.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use handspun::ThreadPool;
use indicatif::ProgressBar;

use crate::bar::bar;
use crate::cli::{Cli, shown};
use crate::request::{Asked, Prints, Request, parse};
use crate::tree::{File, Trouble, files_below};

/// The exit code if nothing could be done, or there is nowhere to put what was done.
pub(crate) const FAILURE: u8 = 2;
/// The exit code if something was left out.
const SOME_IS_MISSING: u8 = 1;

/// Parses the arguments, runs the work, and prints what it says.
pub(crate) fn run<T: Send>(
    cli: &Cli,
    prints: Prints,
    work: impl Fn(&ThreadPool, &[File], &ProgressBar) -> (T, Vec<Trouble>) + Sync,
    report: impl FnOnce(T, &Request) -> Vec<u8>,
) -> ExitCode {
    let request = match parse(lexopt::Parser::from_env(), prints) {
        Ok(Asked::Work(request)) => request,
        Ok(Asked::Help) => return cli.help(),
        Ok(Asked::Version) => return cli.version(),
        Err(error) => return cli.misused(error),
    };
    let (files, troubles) = match files_below(&request.folders) {
        Ok(found) => found,
        Err(trouble) => return cli.fail(told(&trouble)),
    };
    let timed = |threads| timed(threads, &files, &work);
    let (done, new_troubles) = match timed(request.threads) {
        Ok((done, _)) => done,
        Err(error) => return cli.fail(error),
    };
    let troubles = [troubles, new_troubles].concat();
    for trouble in &troubles {
        cli.tell(format_args!("left out: {}", told(trouble)));
    }
    if request.compare {
        match in_turns(|threads| Ok(timed(threads)?.1), request.threads) {
            Ok(times) => cli.tell(compared(&files, times, request.threads)),
            Err(error) => return cli.fail(error),
        }
    }
    let code = if troubles.is_empty() { 0 } else { SOME_IS_MISSING };
    cli.finish(&report(done, &request), ExitCode::from(code))
}

/// What the work gives with so many threads, and how long it takes.
fn timed<T: Send>(
    threads: usize,
    files: &[File],
    work: &(impl Fn(&ThreadPool, &[File], &ProgressBar) -> T + Sync),
) -> Result<(T, Duration), String> {
    let pool = ThreadPool::builder().threads(threads).build().map_err(|error| error.to_string())?;
    let bar = bar(files.len(), "files");
    let start = Instant::now();
    let done = pool.scope(|s| s.submit(|| work(&pool, files, &bar)).join());
    let took = start.elapsed();
    bar.finish_and_clear();
    done.map(|done| (done, took)).map_err(|error| error.to_string())
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

fn compared(files: &[File], (together, alone): (Duration, Duration), threads: usize) -> String {
    let n_bytes: u64 = files.iter().map(|file| file.len).sum();
    let times = alone.as_secs_f64() / together.as_secs_f64().max(f64::EPSILON);
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let (n, together, alone) = (files.len(), millis(together), millis(alone));
    format!(
        "{n} files of {n_bytes} bytes: {together} with {threads} threads; {alone} with 1, \
         {times:.2} times as long"
    )
}

fn told(Trouble { path, why }: &Trouble) -> String {
    format!("{}: {why}", shown(path))
}

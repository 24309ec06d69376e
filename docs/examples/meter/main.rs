//! How long do requests wait for a thread, and how many threads would be enough?
//!
//! ```text
//! cargo run --release --example meter                         a table for 1, 2, 4 and 8 threads
//! cargo run --release --example meter -- 3 6 --rate 900       for these numbers, at 900 requests a second
//! ```
//!
//! The mean of the waits hides the one customer in a hundred who waits for a second. So each pool has a
//! meter (`meter.rs`) that keeps two histograms of the crate `hdrhistogram`: of the time that requests are
//! queued, and of the time that they run. The requests here only sleep; to measure a service of your own,
//! give your own pool `meter.observer()`, and look at the counts whenever you like.
//!
//! Requests come at a fixed rate, whether or not the ones before are done: if the next one waited for the
//! last, a slow pool would be asked less, and would look better than it is.

#[path = "../shared/cli.rs"]
mod cli;
mod meter;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use handspun::{BuildError, ThreadPool};
use hdrhistogram::Histogram;
use lexopt::prelude::*;

use cli::Cli;
use meter::{Counts, Meter};

const USAGE: &str = "\
How long requests wait for a thread, with so many threads.

Usage: cargo run --release --example meter -- [OPTIONS] [THREADS...]

  THREADS...      how many threads to try (default: 1 2 4 8)
  --rate N        requests a second (default: 400)
  --requests N    requests for each number of threads (default: 400)
  -h, --help      this text
  -V, --version   the version

Exits with 0 if all went well, and with 2 if the table could not be made or printed.
";

const CLI: Cli = Cli { name: "meter", usage: USAGE, failure: 2 };

/// Most requests take this long, and a few of them longer.
const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_millis(20);
const ONE_IN: u32 = 20;

enum Asked {
    Help,
    Version,
    For(Request),
}

struct Request {
    threads: Vec<usize>,
    rate: u32,
    requests: u32,
}

fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()) {
        Ok(Asked::Help) => CLI.help(),
        Ok(Asked::Version) => CLI.version(),
        Ok(Asked::For(request)) => match table(&request) {
            Ok(table) => CLI.finish(table.as_bytes(), ExitCode::SUCCESS),
            Err(error) => CLI.fail(error),
        },
        Err(error) => CLI.misused(error),
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    let mut request = Request { threads: Vec::new(), rate: 400, requests: 400 };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Asked::Help),
            Short('V') | Long("version") => return Ok(Asked::Version),
            Long("rate") => request.rate = parser.value()?.parse()?,
            Long("requests") => request.requests = parser.value()?.parse()?,
            Value(threads) => request.threads.push(threads.parse()?),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    if request.rate == 0 || request.threads.contains(&0) {
        return Err("with 0 threads, or at a rate of 0, nothing would ever be done".into());
    }
    if request.threads.is_empty() {
        request.threads = vec![1, 2, 4, 8];
    }
    Ok(Asked::For(request))
}

/// One row for each number of threads.
fn table(request: &Request) -> Result<String, BuildError> {
    let Request { threads, rate, requests } = request;
    let mut table = format!(
        "{requests} requests, {rate} a second: {SHORT:?}, and one in {ONE_IN} {LONG:?}.\n\n\
         {:>9}{:>24}{:>33}{:>12}\n\
         {:>7}{:>11}{:>10}{:>10}{:>12}{:>10}{:>10}{:>9}\n",
        "",
        "in the queue",
        "on a thread",
        "queued at",
        "threads",
        "p50",
        "p99",
        "p99.9",
        "p50",
        "p99",
        "p99.9",
        "the end",
    );
    for threads in threads {
        let meter = Meter::default();
        let pool = ThreadPool::builder().threads(*threads).observer(meter.observer()).build()?;
        serve(&pool, request);
        let (n_queued, _) = meter.read().unfinished();
        drop(pool); // It runs what is queued, and then all is counted.
        table += &format!("{threads:>7}{}{n_queued:>9}\n", row(&meter.read()));
    }
    Ok(table)
}

/// Submits requests at a fixed rate.
fn serve(pool: &ThreadPool, Request { rate, requests, .. }: &Request) {
    let began = Instant::now();
    for n in 0..*requests {
        let due = began + Duration::from_secs(1) * n / *rate;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let length = if n % ONE_IN == ONE_IN - 1 { LONG } else { SHORT };
        // The meter counts it; its result is of no use to anybody.
        drop(pool.submit(move || thread::sleep(length)));
    }
}

fn row(counts: &Counts) -> String {
    let millis = |times: &Histogram<u64>, share| times.value_at_quantile(share) as f64 / 1e6;
    let [queued, ran] = [&counts.queued, &counts.ran]
        .map(|times| [0.5, 0.99, 0.999].map(|share| format!("{:.2}ms", millis(times, share))));
    let [[a, b, c], [d, e, f]] = [queued, ran];
    format!("{a:>11}{b:>10}{c:>10}{d:>12}{e:>10}{f:>10}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Asked, lexopt::Error> {
        super::parse(lexopt::Parser::from_args(args))
    }

    #[test]
    fn every_request_is_counted_and_has_a_row() {
        let meter = Meter::default();
        let pool = ThreadPool::builder().threads(4).observer(meter.observer()).build();
        let pool = pool.expect("four threads can be started");
        serve(&pool, &Request { threads: Vec::new(), rate: 10_000, requests: 40 });
        drop(pool);
        let counts = meter.read();
        assert_eq!((counts.returned, counts.ran.len()), (40, 40));
        assert!(counts.ran.value_at_quantile(0.5) >= 2_000_000 * 99 / 100);
        assert!(counts.ran.max() >= 20_000_000 * 99 / 100);
        assert_eq!(row(&counts).matches("ms").count(), 6);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for args in [&["0"][..], &["--rate", "0"], &["two"], &["--fast"]] {
            assert!(parse(args).is_err(), "{args:?}");
        }
        assert!(matches!(parse(&["--help"]), Ok(Asked::Help)));
        assert!(matches!(parse(&["-V"]), Ok(Asked::Version)));
        let Ok(Asked::For(request)) = parse(&[]) else { panic!("there are defaults") };
        assert_eq!(request.threads, [1, 2, 4, 8]);
    }
}

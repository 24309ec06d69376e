//! Random programs over pools, as many as there is time for. At the end of each every sum is right,
//! and no thread and no memory is left.
//!
//! ```text
//! cargo test --test stress                                      # 10 seconds of seeds 0, 1, 2, …
//! HANDSPUN_STRESS_SECONDS=300 cargo test --release --test stress   # 300 of seeds nobody has tried
//! HANDSPUN_STRESS_SEED=17 cargo test --test stress              # one program, again and again
//! ```
//!
//! A program that fails or hangs is named by its seed. The seed gives the same program; how its
//! threads take turns is up to the machine. So a seed is tried a thousand times.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod rng;
mod records;
mod jobs;
mod maps;
mod actor;
mod program;
mod timed;

use std::collections::BTreeMap;
use std::env;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use records::KINDS;
use support::watched;

const SECONDS: &str = "HANDSPUN_STRESS_SECONDS";
const SEED: &str = "HANDSPUN_STRESS_SEED";

/// How long it takes in the usual run.
const A_WHILE: Duration = Duration::from_secs(10);
/// How often one seed is tried that somebody asks for.
const TRIES: usize = 1000;

#[test]
fn random_programs_leave_every_sum_right_and_nothing_behind() {
    let mut kinds = Kinds::default();
    for_each_seed(|seed, elapsed| {
        // A machine that is slow takes its time, until it has seen everything.
        if elapsed > A_WHILE && (kinds.never().is_empty() || elapsed > 6 * A_WHILE) {
            return false;
        }
        kinds.add(seed);
        true
    });
    if number_in(SEED).or(number_in(SECONDS)).is_none() {
        assert_eq!(kinds.never(), [""; 0], "these never happened");
    }
    println!("{} programs", kinds.n_programs);
    KINDS.iter().for_each(|kind| println!("{:>9}  {kind}", kinds.times_of(kind)));
}

#[test]
fn random_programs_about_time_end_and_no_wait_is_early() {
    let mut n_programs = 0;
    for_each_seed(|seed, elapsed| {
        if elapsed > A_WHILE {
            return false;
        }
        by_name(seed, timed::run_program);
        n_programs += 1;
        true
    });
    println!("{n_programs} programs about time");
}

/// One seed a thousand times, new ones for as long as is asked for, or 0, 1, 2, … until it is enough.
fn for_each_seed(mut run: impl FnMut(u64, Duration) -> bool) {
    let began = Instant::now();
    if let Some(seed) = number_in(SEED) {
        for _ in 0..TRIES {
            run(seed, Duration::ZERO);
        }
    } else if let Some(seconds) = number_in(SECONDS) {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970");
        let mut seeds = since_1970.as_nanos() as u64..;
        while began.elapsed() < Duration::from_secs(seconds) {
            run(seeds.next().expect("there are seeds enough"), Duration::ZERO);
        }
    } else {
        let _ = (0..).find(|seed| !run(*seed, began.elapsed()));
    }
}

/// Runs one program, on a thread with its name: that is what a panic and the watchdog print.
fn by_name<T: Send + 'static>(seed: u64, run: impl FnOnce(u64) -> T + Send + 'static) -> T {
    let name = format!("{SEED}={seed} cargo test --test stress");
    let program = thread::Builder::new().name(name).spawn(move || {
        let mut ended = None;
        watched(|| ended = Some(run(seed)));
        ended.expect("it has run")
    });
    let ran = program.expect("the system gives us a thread").join();
    ran.unwrap_or_else(|_| panic!("to see it again: {SEED}={seed} cargo test --test stress"))
}

fn number_in(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is `{value}`, and not a number")))
}

/// How often each kind of thing has happened.
#[derive(Default)]
struct Kinds {
    n_programs: usize,
    times: BTreeMap<&'static str, usize>,
}

impl Kinds {
    /// Runs one more program.
    fn add(&mut self, seed: u64) {
        let records = by_name(seed, program::run);
        self.n_programs += 1;
        records.times().for_each(|(kind, times)| *self.times.entry(kind).or_default() += times);
    }

    fn times_of(&self, kind: &str) -> usize {
        self.times.get(kind).copied().unwrap_or(0)
    }

    fn never(&self) -> Vec<&'static str> {
        KINDS.into_iter().filter(|kind| self.times_of(kind) == 0).collect()
    }
}

//! Many children at once, each in a lane: a job of a pool that blocks while its child runs.
//!
//! Knows nothing of arguments and signals. Nothing stands between a child and the next one: the lane that has
//! waited for the end of the first starts the second. So the lanes start their children beside each other, too,
//! which takes longer than all the rest that is done here.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use handspun::process::{Command, Outcome, Signal, SpawnError};
use handspun::{CancellationToken, Scope, ThreadPool, TraceEvent};
use parking_lot::Mutex;

use crate::board::Board;
use crate::inputs::Inputs;
use crate::joblog::Joblog;
use crate::output::{Sink, Written};
use crate::plan::Plan;
use crate::tally::{Came, Report, Tally};
use crate::template::Input;

/// What hears of each child, if a timeline was asked for.
pub(crate) type Ear = Arc<dyn Fn(&TraceEvent<'_>) + Send + Sync>;

/// What is there besides the plan.
#[derive(Default)]
pub(crate) struct Around {
    pub(crate) ear: Option<Ear>,
    pub(crate) log: Option<Joblog>,
    /// The numbers of the inputs that are passed over.
    pub(crate) done: BTreeSet<usize>,
}

/// What the lanes share.
struct Work<'a, W> {
    plan: &'a Plan,
    /// Ends what is running, and all else.
    all: &'a CancellationToken,
    /// Ends only that more is started.
    more: CancellationToken,
    inputs: &'a Inputs,
    ear: Option<Ear>,
    done: BTreeSet<usize>,
    board: Board<'a, W>,
    /// When the next child may be started.
    next_start: Mutex<Option<Instant>>,
}

/// Runs all, and prints what they say.
pub(crate) fn run(
    plan: &Plan,
    all: &CancellationToken,
    inputs: &Inputs,
    around: Around,
    out: &mut (impl Write + Send),
) -> Tally {
    let Around { ear, log, done } = around;
    let board = Board::new(plan, log, out);
    let (more, next_start) = (all.child(), Mutex::default());
    let work = Work { plan, all, more, inputs, ear, done, board, next_start };
    ThreadPool::new(plan.jobs).scope(|scope| open_lane(scope, &work, 1));
    work.board.finish()
}

/// A lane that has found an input opens the next: there are no more of them than inputs.
fn open_lane<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    work: &'env Work<'_, impl Write + Send>,
    number: usize,
) {
    drop(scope.submit(move || {
        let mut found = work.next();
        if found.is_some() && number < work.plan.jobs {
            open_lane(scope, work, number + 1);
        }
        while let Some(input) = found {
            work.run_one(input, number);
            found = work.next();
        }
    }));
}

impl<W: Write> Work<'_, W> {
    /// The next input that is to be run.
    fn next(&self) -> Option<Input> {
        loop {
            let input = self.inputs.next(&self.more)?;
            if !self.done.contains(&input.seq) {
                return Some(input);
            }
            self.board.pass_over(input.seq);
        }
    }

    /// One input: a child, and more of them while it fails.
    fn run_one(&self, input: Input, slot: usize) {
        let words = self.plan.command.fill(&input, slot);
        let typed = self.plan.command.typed(&words);
        let mut report = self.try_once(&input, slot, &words, &typed);
        let mut pause = Duration::from_millis(100);
        for _ in 1..self.plan.tries {
            // A pause ends early if there is nothing to wait for any more.
            if report.is_success() || self.all.sleep(pause).is_err() {
                break;
            }
            pause *= 2;
            report = self.try_once(&input, slot, &words, &typed);
        }
        report.values = input.values;
        self.board.take(report);
        self.look_whether_to_stop();
    }

    fn look_whether_to_stop(&self) {
        let halt = self.plan.halt;
        let reader_has_gone = self.board.with_tally(|tally| {
            let n_failed = tally.failures.len();
            tally.is_halted |= halt.is_reached(tally.n_done, n_failed, self.inputs.n_in_all());
            if tally.is_halted {
                self.more.cancel();
            }
            tally.reader_has_gone
        });
        if reader_has_gone {
            self.all.cancel_because("the reader of the output has gone");
        } else if halt.is_now() && self.more.is_cancelled() {
            self.all.cancel_because("enough others have ended");
        }
    }

    fn try_once(&self, input: &Input, slot: usize, words: &[OsString], typed: &OsStr) -> Report {
        let mut report = Report {
            seq: input.seq,
            values: Vec::new(),
            command: typed.to_owned(),
            started: SystemTime::now(),
            came: Came::Nothing,
            out: Written::default(),
            err: Written::default(),
        };
        if self.plan.is_dry_run {
            report.out = Written::of([typed.as_bytes(), b"\n"].concat());
            return report;
        }
        self.wait_for_start();
        report.started = SystemTime::now();
        let sinks = if self.plan.ungroups { Ok(None) } else { sinks().map(Some) };
        let ran = sinks.and_then(|sinks| {
            let directory = self.plan.directory.as_ref();
            let directory = directory.map(|word| word.fill(input, slot, OsStr::to_owned).into());
            report.came = self.run_words(words, sinks.as_ref(), directory)?.into();
            if let Some([out, err]) = sinks {
                (report.out, report.err) = (out.into_written()?, err.into_written()?);
            }
            Ok(())
        });
        if let Err(error) = ran {
            report.came = Came::NoOutput(error);
        }
        report
    }

    fn wait_for_start(&self) {
        if self.plan.delay.is_zero() {
            return;
        }
        let mut next = self.next_start.lock();
        let now = Instant::now();
        let start = next.map_or(now, |next| next.max(now));
        *next = Some(start + self.plan.delay);
        drop(next);
        let _ = self.all.sleep(start - now); // If all is cancelled, nothing will be started.
    }

    /// An error of its own, if the outputs have no place.
    fn run_words(
        &self,
        words: &[OsString],
        sinks: Option<&[Sink; 2]>,
        directory: Option<PathBuf>,
    ) -> io::Result<Result<Outcome, SpawnError>> {
        let as_planned = |program: &OsStr| {
            let mut command = Command::new(program).token(self.all);
            command = match sinks {
                Some([out, err]) => command.stdout(out.output()?).stderr(err.output()?),
                None => command.stdout(Stdio::inherit()).stderr(Stdio::inherit()),
            };
            command = command.kill_policy(Signal::TERM, self.plan.grace);
            command = command.timeout(self.plan.timeout.unwrap_or(Duration::MAX));
            for (name, value) in &self.plan.env {
                command = command.env(name, value);
            }
            if let Some(directory) = &directory {
                command = command.current_dir(directory);
            }
            io::Result::Ok(match self.ear.clone() {
                Some(ear) => command.observer(move |event| ear(event)),
                None => command,
            })
        };
        match as_planned(&words[0])?.args(&words[1..]).run() {
            Err(error) if is_no_program_format(&error) => {
                let script = found(&words[0]);
                Ok(as_planned(OsStr::new("sh"))?.arg(script).args(&words[1..]).run())
            }
            result => Ok(result),
        }
    }
}

fn sinks() -> io::Result<[Sink; 2]> {
    Ok([Sink::new()?, Sink::new()?])
}

/// Whether it is a file that the system cannot run as it is: a script without `#!`. A shell and `xargs` give it
/// to `sh`, and so do we.
fn is_no_program_format(error: &SpawnError) -> bool {
    const ENOEXEC: i32 = 8; // On every Unix.
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.raw_os_error() == Some(ENOEXEC))
}

/// Where the program is; `sh` itself would look in the current folder first. Never like an option of `sh`.
fn found(program: &OsStr) -> OsString {
    if program.as_bytes().contains(&b'/') {
        return program.to_owned();
    }
    let is_program = |file: &PathBuf| {
        file.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program)).find(is_program);
    found.unwrap_or_else(|| Path::new(".").join(program)).into_os_string()
}

//! `--sbatch`: Slurm runs the inputs, as a job array, on whatever machines it has.
//!
//! Knows nothing of lanes: Slurm has its own. What must always hold:
//!
//! 1. A command has ended when its file `N.end` is there, and that is moved there in one step. All else was cut off,
//!    by Ctrl-C or with its node: so it is not in the joblog, and `--resume` submits it again.
//! 2. When this returns, nothing of the array is queued or running, unless Slurm itself does not answer.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use handspun::CancellationToken;
use handspun::process::Command;
use tempfile::TempDir;

use crate::board::Board;
use crate::cli::say;
use crate::inputs::Inputs;
use crate::output::{Sink, Written};
use crate::plan::{Plan, Slurm};
use crate::run::Around;
use crate::tally::{Came, Elsewhere, Report, Tally};
use crate::template::{Input, quoted};

/// How many there may be in an array, unless Slurm's administrator says otherwise (`MaxArraySize`).
const ARRAY: usize = 1_000;

/// Between two looks at what has ended.
const LOOK: Duration = Duration::from_secs(1);

struct Task {
    input: Input,
    command: OsString,
}

/// Submits all, waits, and prints what they say.
///
/// # Errors
///
/// Slurm takes no job, or there is no place for its files in the current folder, which all nodes have to see.
pub(crate) fn run(
    plan: &Plan,
    slurm: &Slurm,
    all: &CancellationToken,
    inputs: &Inputs,
    around: Around,
    out: &mut impl Write,
) -> Result<Tally, String> {
    let board = Board::new(plan, around.log, out);
    let failed = |error: io::Error| format!("no place for the files of the job array: {error}");
    let here = std::env::current_dir().map_err(failed)?;
    let folder = tempfile::Builder::new().prefix("par-sbatch-").tempdir_in(here).map_err(failed)?;
    let mut waiting = BTreeMap::new();
    let mut scripts = Vec::new();
    while let Some(input) = inputs.next(all) {
        if around.done.contains(&input.seq) {
            board.pass_over(input.seq);
            continue;
        }
        let (n, slot) = (waiting.len(), waiting.len() % ARRAY + 1);
        if n % ARRAY == 0 {
            scripts.push(head(plan));
        }
        let words = plan.command.fill(&input, slot);
        let script = scripts.last_mut().ok_or("there is one")?;
        script.extend(case(plan, &input, slot, &words).into_vec());
        let command = plan.command.typed(&words);
        waiting.insert(input.seq, Task { input, command });
    }
    let mut jobs = Vec::new();
    for (index, mut script) in scripts.into_iter().enumerate() {
        script.extend(tail(folder.path()).into_vec());
        let path = folder.path().join(format!("array-{index}.sh"));
        fs::write(&path, script).map_err(failed)?;
        let n = ARRAY.min(waiting.len() - index * ARRAY);
        match submit(slurm, n, &path) {
            Ok(job) => jobs.push(job),
            Err(error) => {
                end(&jobs, false);
                return Err(error);
            }
        }
    }
    if !jobs.is_empty() && !plan.is_quiet {
        say(format_args!("par: {} inputs are Slurm's job {}\n", waiting.len(), jobs.join(",")));
    }
    wait(plan, &jobs, all, inputs, &folder, &board, &mut waiting);
    for (_, task) in waiting {
        board.take(report(task, Came::Lost, SystemTime::now(), Default::default()));
    }
    Ok(board.finish())
}

/// Takes in what has ended, until the queue has nothing of it.
fn wait(
    plan: &Plan,
    jobs: &[String],
    all: &CancellationToken,
    inputs: &Inputs,
    folder: &TempDir,
    board: &Board<'_, impl Write>,
    waiting: &mut BTreeMap<usize, Task>,
) {
    let (mut is_ended, mut is_halted) = (false, false);
    while !jobs.is_empty() {
        let is_over = is_over(jobs); // Before the look: what ends between the two is seen at the next.
        ended(waiting, folder.path()).into_iter().for_each(|report| board.take(report));
        let (halted, gone) = board.with_tally(|tally| {
            let n_failed = tally.failures.len();
            tally.is_halted |= plan.halt.is_reached(tally.n_done, n_failed, inputs.n_in_all());
            (tally.is_halted, tally.reader_has_gone)
        });
        if is_over {
            return;
        }
        if !is_ended && (gone || all.is_cancelled() || (halted && plan.halt.is_now())) {
            is_ended = end(jobs, false);
        } else if halted && !is_halted {
            is_halted = end(jobs, true);
        }
        // A cancelled token sleeps no more, and the end may take its time.
        if all.sleep(LOOK).is_err() {
            let _ = CancellationToken::new().sleep(LOOK / 4);
        }
    }
}

fn ended(waiting: &mut BTreeMap<usize, Task>, folder: &Path) -> Vec<Report> {
    let mut reports = Vec::new();
    let seqs: Vec<_> = waiting.keys().copied().collect();
    for seq in seqs {
        let file = |kind| folder.join(format!("{seq}.{kind}"));
        let Some(ended) =
            fs::read_to_string(file("end")).ok().and_then(|text| Elsewhere::parse(&text))
        else {
            continue;
        };
        let written =
            |kind| File::open(file(kind)).and_then(|file| Sink::from(file).into_written());
        let (started, outputs) =
            (ended.started, written("out").and_then(|out| Ok((out, written("err")?))));
        let Some(task) = waiting.remove(&seq) else { continue };
        reports.push(match outputs {
            Ok(outputs) => report(task, Came::Elsewhere(ended), started, outputs),
            Err(error) => report(task, Came::NoOutput(error), started, Default::default()),
        });
        for kind in ["out", "err", "end"] {
            let _ = fs::remove_file(file(kind)); // All goes with the folder, at the latest.
        }
    }
    reports
}

fn report(task: Task, came: Came, started: SystemTime, (out, err): (Written, Written)) -> Report {
    let Task { input: Input { seq, values }, command } = task;
    Report { seq, values, command, started, came, out, err }
}

fn head(plan: &Plan) -> Vec<u8> {
    let mut script = b"#!/bin/sh\n".to_vec();
    for (name, value) in &plan.env {
        let words =
            [OsStr::new("export "), name, OsStr::new("="), &quoted(value), OsStr::new("\n")];
        words.iter().for_each(|word| script.extend(word.as_bytes()));
    }
    script.extend(b"case $SLURM_ARRAY_TASK_ID in\n");
    script
}

/// One input in the script.
fn case(plan: &Plan, input: &Input, slot: usize, words: &[OsString]) -> OsString {
    let mut line = OsString::from(format!("{slot}) n={}; ", input.seq));
    if let Some(directory) = &plan.directory {
        line.push("cd -- ");
        line.push(quoted(&directory.fill(input, slot, OsStr::to_owned)));
        line.push(" || exit; ");
    }
    line.push("set --");
    if let Some(timeout) = plan.timeout {
        line.push(format!(" timeout -k {} {}", plan.grace.as_secs_f64(), timeout.as_secs_f64()));
    }
    for word in words {
        line.push(" ");
        line.push(quoted(word));
    }
    line.push(" ;;\n");
    line
}

fn tail(folder: &Path) -> OsString {
    let mut tail = OsString::from("esac\nd=");
    tail.push(quoted(folder.as_os_str()));
    tail.push(
        "\nstarted=$(date +%s.%N)\n\"$@\" >\"$d/$n.out\" 2>\"$d/$n.err\" </dev/null\ncode=$?\n\
         echo \"$code $started $(date +%s.%N) $(hostname)\" >\"$d/$n.tmp\" && mv \"$d/$n.tmp\" \"$d/$n.end\"\nexit $code\n",
    );
    tail
}

/// The number of the job.
fn submit(slurm: &Slurm, n: usize, script: &Path) -> Result<String, String> {
    let at_once = slurm.at_once.map_or(String::new(), |n| format!("%{n}"));
    let command = Command::new("sbatch").args(["--parsable", "--no-requeue", "--job-name=par"]);
    let command = command.args(["--output=/dev/null", "--error=/dev/null"]);
    let command = command.arg(format!("--array=1-{n}{at_once}")).args(&slurm.options);
    let outcome = command.arg(script).run().map_err(|error| error.to_string())?;
    let outcome = outcome.check().map_err(|error| error.to_string())?;
    let answer = outcome.stdout.text().into_owned();
    let job = answer.trim().split(';').next().filter(|job| !job.is_empty());
    Ok(job.ok_or("sbatch named no job")?.to_owned())
}

/// Asks Slurm to end them, or only what has not begun. True if it has heard.
fn end(jobs: &[String], only_pending: bool) -> bool {
    let state = only_pending.then_some("--state=PENDING");
    let outcome =
        Command::new("scancel").args(state).args(jobs).timeout(Duration::from_secs(60)).run();
    jobs.is_empty() || outcome.is_ok_and(|outcome| outcome.is_success())
}

/// Whether the queue has nothing of them. If Slurm does not answer it is not known, and asked again.
fn is_over(jobs: &[String]) -> bool {
    let squeue =
        Command::new("squeue").args(["--noheader", "--format=%T", "--jobs"]).arg(jobs.join(","));
    let Ok(outcome) = squeue.timeout(Duration::from_secs(60)).run() else { return false };
    let is_unknown = outcome.stderr.text().contains("Invalid job id");
    is_unknown || (outcome.is_success() && outcome.stdout.bytes.is_empty())
}

//! One call of `par`, from its arguments to its exit code.
//!
//! Knows nothing of how anything is done, only in which order.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use handspun::{CancellationToken, Timeline};

use crate::cli::{Cli, may_draw, say, shown};
use crate::inputs::Inputs;
use crate::joblog::Joblog;
use crate::options::{Request, USAGE, parse};
use crate::plan::{Plan, Source};
use crate::run::{Around, Ear, run};
use crate::{sbatch, signals};

static CLI: Cli = Cli { name: "par", usage: USAGE, failure: 255 };

/// As a program's that has died of SIGPIPE.
const READER_HAS_GONE: u8 = 128 + 13;

pub(crate) fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()) {
        Ok(Request::Help) => CLI.help(),
        Ok(Request::Version) => CLI.version(),
        Ok(Request::Run(plan)) => match perform(&plan) {
            Ok(code) => ExitCode::from(code),
            Err(why) => CLI.fail(why),
        },
        Err(error) => CLI.misused(error),
    }
}

fn perform(plan: &Plan) -> Result<u8, String> {
    let is_typed = plan.sources.iter().any(Source::is_stdin) && io::stdin().is_terminal();
    if is_typed {
        CLI.tell("the inputs come from the terminal, one a line, up to Ctrl-D");
    }
    let ctrl_c = CancellationToken::new();
    if let Err(error) = signals::listen(ctrl_c.clone()) {
        CLI.tell(format_args!("Ctrl-C will not end the commands gently: {error}"));
    }
    let (log, done) = match plan.joblog.as_ref().filter(|_| !plan.is_dry_run) {
        Some(path) => {
            let opened = Joblog::open(path, plan.resume);
            opened.map(|(log, done)| (Some(log), done)).map_err(|error| about(path, &error))?
        }
        None => (None, BTreeSet::new()),
    };
    let timeline = plan.timeline.as_ref().map(|_| Timeline::new());
    let ear = timeline.as_ref().map(|timeline| Arc::new(timeline.observer()) as Ear);
    let end = if plan.ends_with_nul { 0 } else { b'\n' };
    let inputs = Inputs::of(plan.sources.clone(), end);
    let around = Around { ear, log, done };
    let all = ctrl_c.child();
    let out = &mut io::stdout();
    let tally = match &plan.sbatch {
        Some(slurm) if !plan.is_dry_run => sbatch::run(plan, slurm, &all, &inputs, around, out)?,
        Some(_) | None => run(plan, &all, &inputs, around, out),
    };
    if tally.reader_has_gone {
        return Ok(READER_HAS_GONE);
    }
    if !plan.is_quiet && (may_draw() || !tally.failures.is_empty()) {
        say(tally.summary());
    }
    if let (Some(path), Some(timeline)) = (&plan.timeline, timeline) {
        write(&timeline, path).map_err(|error| about(path, &error))?;
    }
    let code = tally.exit_code(plan.halt, inputs.n_in_all());
    if let Some(trouble) = tally.trouble.or(inputs.into_error()) {
        return Err(trouble);
    }
    Ok(if ctrl_c.is_cancelled() { CLI.failure } else { code })
}

fn about(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", shown(path))
}

fn write(timeline: &Timeline, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    timeline.write_chrome_trace(&mut file)?;
    file.flush()
}

//! `par`: runs a command once for each input, several at a time, and leaves nothing running.
//!
//! A small `xargs -P`. It shows a scope whose jobs are lanes: each takes an input, runs a child and waits
//! for it, tries again if it has to, and takes the next. On Unix only.

#[cfg(unix)]
mod board;
#[cfg(unix)]
mod inputs;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod tally;
#[cfg(all(test, unix))]
mod tests;

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
use {
    handspun::process::{KillPolicy, terminate_all},
    handspun::{CancellationToken, Timeline},
    inputs::Inputs,
    std::fs::File,
    std::io::{self, BufWriter, Write},
    std::path::Path,
    std::process::ExitCode,
    std::sync::Arc,
};

#[cfg(unix)]
fn main() -> ExitCode {
    let plan = match plan::plan(lexopt::Parser::from_env()) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            print!("{}", plan::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("par: {error}");
            return ExitCode::from(255);
        }
    };
    let ctrl_c = CancellationToken::new();
    if let Err(error) = ctrlc::set_handler(on_ctrl_c(ctrl_c.clone())) {
        eprintln!("par: Ctrl-C will not end the commands gently: {error}");
    }
    let timeline = plan.timeline.as_ref().map(|_| Timeline::new());
    let ear = timeline.as_ref().map(|timeline| Arc::new(timeline.observer()) as run::Ear);
    let inputs = match &plan.inputs {
        Some(inputs) => Inputs::of(inputs.clone()),
        None => Inputs::lines_of(io::stdin()),
    };
    let tally = run::run(&plan, &ctrl_c.child(), &inputs, ear, &mut io::stdout());
    if !plan.is_quiet {
        eprint!("{}", tally.summary());
    }
    if let (Some(path), Some(timeline)) = (&plan.timeline, timeline) {
        if let Err(error) = write(&timeline, path) {
            eprintln!("par: no timeline in {}: {error}", path.display());
            return ExitCode::from(255);
        }
    }
    if let Some(error) = &tally.not_shown {
        eprintln!("par: some of the output is lost: {error}");
        return ExitCode::from(255);
    }
    if let Some(error) = inputs.into_error() {
        eprintln!("par: there may be more inputs, but stdin cannot be read: {error}");
        return ExitCode::from(255);
    }
    ExitCode::from(if ctrl_c.is_cancelled() { 255 } else { tally.exit_code(plan.fails_fast) })
}

#[cfg(unix)]
fn write(timeline: &Timeline, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    timeline.write_chrome_trace(&mut file)?;
    file.flush()
}

/// The first asks all to end, as their policy says; the next kills them.
#[cfg(unix)]
fn on_ctrl_c(ctrl_c: CancellationToken) -> impl FnMut() {
    let mut n_times = 0;
    move || {
        n_times += 1;
        ctrl_c.cancel_because("Ctrl-C");
        if n_times > 1 {
            terminate_all(KillPolicy::at_once());
        }
    }
}

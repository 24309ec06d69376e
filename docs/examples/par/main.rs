//! `par`: runs a command once for each input, several at a time, and leaves nothing running.
//!
//! A small `xargs -P`. It shows one thread that waits for many children at once: each input is a future
//! that starts a child, awaits it, and tries again if it has to; `as_completed` takes them as they
//! finish. On Unix only.

#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod tally;
#[cfg(unix)]
mod run;
#[cfg(all(test, unix))]
mod tests;

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
use {
    handspun::process::{KillPolicy, terminate_all},
    handspun::{CancellationToken, Close, Queue, Timeline, block_on},
    std::fs::File,
    std::io::{self, BufRead, BufWriter, Write},
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
    let tally =
        run::run(&plan, &ctrl_c.child(), &feed(plan.inputs.clone()), ear, &mut io::stdout());
    if !plan.is_quiet {
        eprint!("{}", tally.summary());
    }
    if let (Some(path), Some(timeline)) = (&plan.timeline, timeline) {
        if let Err(error) = write(&timeline, path) {
            eprintln!("par: no timeline in {}: {error}", path.display());
            return ExitCode::from(255);
        }
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

/// The inputs, or the lines of stdin: a thread reads them, since a read cannot be taken back.
#[cfg(unix)]
fn feed(inputs: Option<Vec<String>>) -> Arc<Queue<String>> {
    let Some(inputs) = inputs else {
        let lines = Arc::new(Queue::bounded(64));
        let line = lines.clone();
        std::thread::spawn(move || {
            for text in io::stdin().lock().lines().map_while(Result::ok) {
                if block_on(line.put(text)).is_err() {
                    break;
                }
            }
            line.close(Close::Drain);
        });
        return lines;
    };
    let queue = Queue::unbounded();
    for input in inputs {
        queue.try_put(input).expect("it is open, and has room for all");
    }
    queue.close(Close::Drain);
    queue.into()
}

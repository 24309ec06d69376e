//! What came of each input, and of all of them.
//!
//! Knows nothing of how they are run.

use std::io;
use std::time::Duration;

use handspun::process::{Cause, Outcome, SpawnError};

/// What came of one input.
pub(crate) struct Report {
    pub(crate) index: usize,
    pub(crate) command: String,
    pub(crate) result: Result<Outcome, SpawnError>,
}

/// What came of all of them.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) n_done: usize,
    pub(crate) n_timed_out: usize,
    /// By a signal, for another reason than its time.
    n_killed: usize,
    /// A line for each.
    pub(crate) failures: Vec<String>,
    /// What the first of them exited with.
    first_code: u8,
    slowest: Option<(Duration, String)>,
    /// Why some of the output was not printed, if it was not.
    pub(crate) not_shown: Option<io::Error>,
}

impl Tally {
    pub(crate) fn count(&mut self, report: &Report) {
        self.n_done += 1;
        let why = match &report.result {
            Err(error) => error.to_string(),
            Ok(outcome) => {
                self.n_timed_out += usize::from(outcome.cause == Cause::TimedOut);
                let was_killed = outcome.signal().is_some();
                self.n_killed += usize::from(was_killed && outcome.cause != Cause::TimedOut);
                if self.slowest.as_ref().is_none_or(|(wall, _)| outcome.wall > *wall) {
                    self.slowest = Some((outcome.wall, report.command.clone()));
                }
                let status = outcome.status.map_or("no status".to_owned(), |s| s.to_string());
                if outcome.is_success() {
                    return;
                }
                format!("{} ({status})", outcome.cause)
            }
        };
        if self.failures.is_empty() {
            self.first_code = code_of(&report.result);
        }
        self.failures.push(format!("{}: {why}", report.command));
    }

    /// What GNU parallel exits with; `fails_fast` is its `--halt now,fail=1`.
    pub(crate) fn exit_code(&self, fails_fast: bool) -> u8 {
        if fails_fast { self.first_code } else { self.failures.len().min(101) as u8 }
    }

    pub(crate) fn summary(&self) -> String {
        let Self { n_done, n_timed_out, n_killed, failures, .. } = self;
        let n_failed = failures.len();
        let mut text = format!(
            "par: {} ok, {n_failed} failed, {n_timed_out} of them timed out and {n_killed} killed\n",
            n_done - n_failed,
        );
        if let Some((wall, command)) = &self.slowest {
            text += &format!("par: the slowest took {:.2} s: {command}\n", wall.as_secs_f64());
        }
        let failures = self.failures.iter().map(|failure| format!("  {failure}\n"));
        text + &failures.collect::<String>()
    }
}

/// The code of one command that failed, as a shell has it: 128 and the signal, 127 if there is none.
fn code_of(result: &Result<Outcome, SpawnError>) -> u8 {
    let code = match result {
        Ok(outcome) if outcome.cause == Cause::TimedOut => None,
        Ok(outcome) => outcome.code().or(outcome.signal().map(|signal| 128 + signal.number())),
        Err(SpawnError::NoProgram { .. }) => Some(127),
        Err(SpawnError::NotExecutable { .. }) => Some(126),
        Err(_) => None,
    };
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

//! What came of each input, and of all of them.
//!
//! Knows nothing of how they are run.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, SystemTime};

use handspun::process::{Cause, Outcome, SpawnError};

use crate::cli::shown;
use crate::halt::{Count, Halt, What};
use crate::output::Written;

/// What came of one input.
pub(crate) struct Report {
    pub(crate) seq: usize,
    pub(crate) values: Vec<OsString>,
    /// As it would be typed.
    pub(crate) command: OsString,
    pub(crate) started: SystemTime,
    pub(crate) came: Came,
    pub(crate) out: Written,
    pub(crate) err: Written,
}

/// What came of a command.
pub(crate) enum Came {
    /// It was only to be printed.
    Nothing,
    Ended(Outcome),
    NotStarted(SpawnError),
    /// Its output could not be kept: the disk is full, most likely.
    NoOutput(io::Error),
    /// It ended on a node of Slurm.
    Elsewhere(Elsewhere),
    /// Slurm has ended it, or has lost its node.
    Lost,
}

/// How a command ended that another machine has run.
pub(crate) struct Elsewhere {
    code: i32,
    pub(crate) started: SystemTime,
    wall: Duration,
    host: String,
}

impl Elsewhere {
    /// Code, start and end in seconds since 1970, and the host.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_whitespace();
        let code = fields.next()?.parse().ok()?;
        let mut seconds = || Duration::try_from_secs_f64(fields.next()?.parse().ok()?).ok();
        let (started, ended) = (seconds()?, seconds()?);
        let (wall, started) = (ended.saturating_sub(started), SystemTime::UNIX_EPOCH + started);
        Some(Self { code, started, wall, host: fields.next()?.to_owned() })
    }

    /// A shell says 128 and the signal.
    fn code_and_signal(&self) -> (i32, i32) {
        if self.code > 128 { (0, self.code - 128) } else { (self.code, 0) }
    }
}

impl From<Result<Outcome, SpawnError>> for Came {
    fn from(result: Result<Outcome, SpawnError>) -> Self {
        result.map_or_else(Self::NotStarted, Self::Ended)
    }
}

impl Report {
    pub(crate) fn is_success(&self) -> bool {
        match &self.came {
            Came::Nothing => true,
            Came::Ended(outcome) => outcome.is_success(),
            Came::Elsewhere(ended) => ended.code == 0,
            Came::NotStarted(_) | Came::NoOutput(_) | Came::Lost => false,
        }
    }

    /// What was cut off is not done: `--resume` runs it again.
    pub(crate) fn is_to_be_logged(&self) -> bool {
        match &self.came {
            Came::Ended(outcome) => {
                !matches!(outcome.cause, Cause::Cancelled(_) | Cause::Terminated)
            }
            Came::NotStarted(error) => !matches!(error, SpawnError::Cancelled(_)),
            Came::Elsewhere(_) => true,
            Came::Nothing | Came::NoOutput(_) | Came::Lost => false,
        }
    }

    pub(crate) fn is_long(&self) -> bool {
        self.out.is_long() || self.err.is_long()
    }

    pub(crate) fn wall(&self) -> Duration {
        match &self.came {
            Came::Ended(outcome) => outcome.wall,
            Came::Elsewhere(ended) => ended.wall,
            Came::Nothing | Came::NotStarted(_) | Came::NoOutput(_) | Came::Lost => Duration::ZERO,
        }
    }

    /// As a joblog has it: `:` is here.
    pub(crate) fn host(&self) -> &str {
        if let Came::Elsewhere(ended) = &self.came { &ended.host } else { ":" }
    }

    pub(crate) fn tag(&self) -> Vec<u8> {
        self.values.join(OsStr::new(" ")).into_vec()
    }

    /// Why it did not run, or not well. Without the command.
    pub(crate) fn failure(&self) -> Option<String> {
        match &self.came {
            Came::Nothing => None,
            Came::Ended(outcome) if outcome.is_success() => None,
            Came::Ended(outcome) => {
                let status = outcome.status.map_or("no status".to_owned(), |s| s.to_string());
                Some(format!("{} ({status})", outcome.cause))
            }
            Came::NotStarted(error) => Some(error.to_string()),
            Came::NoOutput(error) => Some(format!("its output could not be kept: {error}")),
            Came::Elsewhere(ended) => (ended.code != 0)
                .then(|| format!("it exited on {} (exit status: {})", ended.host, ended.code)),
            Came::Lost => Some("it did not end: cancelled, or its node was lost".to_owned()),
        }
    }

    /// As a joblog has it.
    pub(crate) fn code_and_signal(&self) -> (i32, i32) {
        match &self.came {
            Came::Nothing => (0, 0),
            Came::Ended(outcome) => match (&outcome.cause, outcome.signal()) {
                (Cause::TimedOut, signal) => (-1, signal.map_or(0, |signal| signal.0)),
                (_, Some(signal)) => (0, signal.0),
                (_, None) => (outcome.code().unwrap_or(-1), 0),
            },
            Came::NotStarted(SpawnError::Refused { error, .. })
                if error.kind() == io::ErrorKind::NotFound =>
            {
                (127, 0)
            }
            Came::NotStarted(SpawnError::Refused { error, .. })
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                (126, 0)
            }
            Came::Elsewhere(ended) => ended.code_and_signal(),
            Came::NotStarted(_) | Came::NoOutput(_) | Came::Lost => (-1, 0),
        }
    }

    /// As a shell has it: 128 and the signal; 255 for what is no code.
    fn exit_code(&self) -> u8 {
        match self.code_and_signal() {
            (code, 0) => u8::try_from(code).unwrap_or(255),
            (0, signal) => u8::try_from(128 + signal).unwrap_or(255),
            _ => 255,
        }
    }
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
    /// Nobody reads the output any more.
    pub(crate) reader_has_gone: bool,
    /// What went wrong here, and not with a command: the first such thing.
    pub(crate) trouble: Option<String>,
    /// Whether the policy has stopped it.
    pub(crate) is_halted: bool,
}

impl Tally {
    pub(crate) fn has_trouble(&mut self, trouble: String) {
        self.trouble.get_or_insert(trouble);
    }

    pub(crate) fn count(&mut self, report: &Report) {
        self.n_done += 1;
        let command = || shown(&report.command).to_string();
        if let Came::Ended(outcome) = &report.came {
            self.n_timed_out += usize::from(outcome.cause == Cause::TimedOut);
            let was_killed = outcome.signal().is_some();
            self.n_killed += usize::from(was_killed && outcome.cause != Cause::TimedOut);
            if self.slowest.as_ref().is_none_or(|(wall, _)| outcome.wall > *wall) {
                self.slowest = Some((outcome.wall, command()));
            }
        }
        let Some(why) = report.failure() else { return };
        if self.failures.is_empty() {
            self.first_code = report.exit_code();
        }
        self.failures.push(format!("{}: {why}", command()));
    }

    /// What GNU parallel exits with.
    pub(crate) fn exit_code(&self, halt: Halt, n_in_all: Option<usize>) -> u8 {
        let n_failed = self.failures.len();
        match halt {
            Halt::When { what: What::Success, .. } if self.is_halted => 0,
            Halt::When { what: What::Fail, n: Count::Of(1), .. } if self.is_halted => {
                self.first_code
            }
            Halt::When { what: What::Fail, n: Count::Percent(_), .. } if self.is_halted => {
                let n_in_all = n_in_all.unwrap_or(self.n_done).max(1);
                (n_failed * 100).div_ceil(n_in_all).min(100) as u8
            }
            Halt::Never | Halt::When { .. } => n_failed.min(101) as u8,
        }
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

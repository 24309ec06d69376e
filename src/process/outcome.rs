//! How a child ended: the status, the reason, the output; and why there was none.
//!
//! Knows nothing of how it came about. What must always hold:
//!
//! 1. An outcome is a success only if the child exited by itself, with 0. A child that was ended for us and
//!    then exits with 0 is none.
//! 2. An error names the program, or the directory, that it is about; a missing program and a missing
//!    directory are told apart.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::error::CancelReason;

use super::output::Captured;
use super::sys::{self, Signal};

/// What came of a child.
///
/// It is there however the child ended, and so is its output, as far as it came. To go on only after
/// a success, use [`check`](Self::check).
///
/// ```
/// use std::time::Duration;
/// use handspun::process::{Cause, Command};
///
/// let stuck = Command::new("sh").args(["-c", "echo working; sleep 60"]);
/// let outcome = stuck.timeout(Duration::from_millis(300)).run()?;
/// assert_eq!(outcome.cause, Cause::TimedOut);
/// assert_eq!(outcome.stdout.text(), "working\n");
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
#[doc(alias = "CompletedProcess")]
#[derive(Clone, Debug)]
#[must_use = "it may be a failure, or a timeout: see `check`"]
#[non_exhaustive]
pub struct Outcome {
    /// The program and its arguments, as they would be typed.
    pub command: String,
    /// The status with which it exited. `None` if it is not known: other code in this process has
    /// reaped the child, or it outlived even its SIGKILL for a second.
    pub status: Option<ExitStatus>,
    /// Why it ended: what came first.
    pub cause: Cause,
    /// What it wrote to its standard output, as far as that was captured.
    pub stdout: Captured,
    /// What it wrote to its standard error, as far as that was captured and not merged.
    pub stderr: Captured,
    /// Whether a process that it left behind still held a pipe. There may have been more to read.
    pub pipes_leaked: bool,
    /// How long it took, from the spawn until it was reaped.
    pub wall: Duration,
}

/// Why a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// By itself: it exited.
    Exited,
    /// By a signal that was not ours.
    Signalled,
    /// Its time was over.
    TimedOut,
    /// Its token was cancelled.
    Cancelled(CancelReason),
    /// It was asked to, through its handle or through [`terminate_all`](super::terminate_all).
    Terminated,
    /// Not known: other code in this process has reaped it, or its driver has failed.
    Unknown,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited => f.write_str("it exited"),
            Self::Signalled => f.write_str("a signal ended it"),
            Self::TimedOut => f.write_str("its time was over"),
            Self::Cancelled(reason) => write!(f, "it was cancelled: {reason}"),
            Self::Terminated => f.write_str("it was terminated"),
            Self::Unknown => f.write_str("somebody else has taken its status"),
        }
    }
}

impl Outcome {
    /// Whether it exited by itself, with 0.
    pub fn is_success(&self) -> bool {
        self.cause == Cause::Exited && self.status.is_some_and(|status| status.success())
    }

    /// The code with which it exited, if it exited: 0 to 255, since the system keeps no more.
    #[doc(alias = "returncode")]
    pub fn code(&self) -> Option<i32> {
        self.status?.code()
    }

    /// The signal that ended it, if one did.
    pub fn signal(&self) -> Option<Signal> {
        self.status?.signal().map(Signal)
    }

    /// Goes on with `?` if it was a success.
    ///
    /// # Errors
    ///
    /// [`ExitError`], with the command, how it ended, and the last lines of its standard error.
    #[doc(alias = "check_returncode")]
    #[doc(alias = "check_output")]
    #[doc(alias = "check_call")]
    pub fn check(self) -> Result<Self, ExitError> {
        if self.is_success() { Ok(self) } else { Err(ExitError(Box::new(self))) }
    }
}

/// A child did not succeed. The whole outcome is inside.
///
/// You meet it in [`Outcome::check`].
///
/// ```
/// use handspun::process::Command;
///
/// let print = Command::new("sh").args(["-c", "echo no paper >&2; exit 3"]).run()?;
/// let error = print.check().unwrap_err();
/// assert!(error.to_string().ends_with(" failed: it exited (exit status: 3)\nno paper"));
/// assert_eq!(error.0.code(), Some(3));
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
#[doc(alias = "CalledProcessError")]
#[doc(alias = "TimeoutExpired")]
pub struct ExitError(
    /// How the child ended.
    pub Box<Outcome>,
);

/// How much of standard error an error shows.
const TAIL: usize = 2000;

impl fmt::Display for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { command, cause, status, stderr, .. } = &*self.0;
        let status = status.map_or("status unknown".to_owned(), |status| status.to_string());
        write!(f, "`{command}` failed: {cause} ({status})")?;
        let said = &stderr.bytes[stderr.bytes.len().saturating_sub(TAIL)..];
        match String::from_utf8_lossy(said).trim() {
            "" => Ok(()),
            said => write!(f, "\n{said}"),
        }
    }
}

impl fmt::Debug for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What `unwrap` and a `main` that returns an error show.
        fmt::Display::fmt(self, f)
    }
}

impl Error for ExitError {}

/// A child could not be started. There is no process then, and nothing to clean up.
///
/// You meet it in [`Command::spawn`](super::Command::spawn).
///
/// ```
/// use handspun::process::Command;
///
/// let no_program = Command::new("no-such-program").run().unwrap_err();
/// assert!(no_program.to_string().starts_with("no program `no-such-program`"));
/// let no_directory = Command::new("true").current_dir("/no/such/place").run().unwrap_err();
/// assert!(no_directory.to_string().starts_with("no directory `/no/such/place` to run `true` in"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The child was to run in a directory that is not there, or that we may not enter.
    NoDirectory {
        /// Where it was to run.
        directory: PathBuf,
        /// What was to be run.
        program: PathBuf,
    },
    /// The command's token was cancelled before there was a process.
    Cancelled(CancelReason),
    /// The system refused. The error's [kind](io::Error::kind) tells a program that is not there, or a script whose
    /// interpreter is not (`NotFound`), from one that must not be run (`PermissionDenied`), a NUL or a `=` where
    /// there may be none (`InvalidInput`), and all else, such as too few processes or descriptors.
    #[doc(alias = "FileNotFoundError")]
    #[doc(alias = "PermissionError")]
    Refused {
        /// What was to be run.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What is said of a script without one.
const ASKS_FOR_INTERPRETER: &str =
    "; a script says in its first line who runs it, as in `#!/bin/sh`";

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory { directory, program } => {
                let (place, program) = (directory.display(), program.display());
                write!(
                    f,
                    "no directory `{place}` to run `{program}` in, or no permission to enter it"
                )
            }
            Self::Cancelled(reason) => write!(f, "cancelled before it was started: {reason}"),
            Self::Refused { program, error } => {
                let program = program.display();
                if error.kind() == ErrorKind::NotFound {
                    write!(f, "no program `{program}`, or no interpreter for it")
                } else if error.kind() == ErrorKind::PermissionDenied {
                    write!(f, "no permission to run `{program}`")
                } else {
                    let hint =
                        if sys::is_unknown_format(error) { ASKS_FOR_INTERPRETER } else { "" };
                    write!(f, "the system refused to start `{program}`: {error}{hint}")
                }
            }
        }
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Refused { error, .. } = self { Some(error) } else { None }
    }
}

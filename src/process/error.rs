//! What can go wrong with a child: it cannot be started, it failed, it does not listen.
//!
//! Knows nothing of how a child is run. What must always hold: an error names the program, or the
//! directory, that it is about; a missing program and a missing directory are told apart.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::CancelReason;

use super::sys;

/// A child could not be started. There is no process then, and nothing to clean up.
///
/// You meet it in [`Command::spawn`](super::Command::spawn).
///
/// ```
/// use handspun::process::{Command, SpawnError};
///
/// let no_program = Command::new("no-such-program").run().unwrap_err();
/// assert!(matches!(no_program, SpawnError::NoProgram { .. }));
/// let no_directory = Command::new("true").current_dir("/no/such/place").run().unwrap_err();
/// assert!(no_directory.to_string().starts_with("no directory `/no/such/place` to run `true` in"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such program, or it is a script whose interpreter is missing.
    NoProgram {
        /// What was looked for.
        program: PathBuf,
    },
    /// The program is there and must not be run: no execute permission, or a directory.
    NotExecutable {
        /// What was found.
        program: PathBuf,
    },
    /// The child was to run in a directory that is not there, or that we may not enter.
    NoDirectory {
        /// Where it was to run.
        directory: PathBuf,
        /// What was to be run.
        program: PathBuf,
    },
    /// As many children are running as there are descriptors for.
    ///
    /// Wait for some of them, raise the limit (`ulimit -n`), or ask with
    /// [`Command::wait_for_place`](super::Command::wait_for_place) to wait for a place.
    TooMany {
        /// How many may run at once.
        limit: usize,
    },
    /// The command's token was cancelled before there was a process.
    Cancelled(CancelReason),
    /// The system refused: out of processes or descriptors, a NUL in an argument, an environment
    /// variable's name with a `=` in it or none at all, a script without `#!`, or something else.
    Refused {
        /// What was to be run.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram { program } => {
                write!(f, "no program `{}`, or no interpreter for it", program.display())
            }
            Self::NotExecutable { program } => {
                write!(f, "no permission to run `{}`", program.display())
            }
            Self::NoDirectory { directory, program } => {
                write!(
                    f,
                    "no directory `{}` to run `{}` in, or no permission to enter it",
                    directory.display(),
                    program.display()
                )
            }
            Self::TooMany { limit } => {
                write!(f, "{limit} children are running, and there are no descriptors for one more")
            }
            Self::Cancelled(reason) => write!(f, "cancelled before it was started: {reason}"),
            Self::Refused { program, error } => {
                write!(f, "the system refused to start `{}`: {error}", program.display())?;
                if sys::is_unknown_format(error) {
                    f.write_str(
                        "; a script says in its first line who runs it, as in `#!/bin/sh`",
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused { error, .. } => Some(error),
            Self::NoProgram { .. }
            | Self::NotExecutable { .. }
            | Self::NoDirectory { .. }
            | Self::TooMany { .. }
            | Self::Cancelled(_) => None,
        }
    }
}

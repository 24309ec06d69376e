//! What a command is made of: the settings that a child is started with.
//!
//! Knows nothing of how it is started. What must always hold: a setting that nobody made is the safe
//! one: a group of its own, nothing to read, output that is captured up to a cap.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Observer;
use crate::wait::cancel::CancellationToken;

use super::output::Cap;
use super::policy::KillPolicy;

/// Where a child's standard input comes from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Stdin {
    /// Nowhere: it ends at once.
    #[default]
    Null,
    /// These bytes, and then the end.
    Bytes(Arc<[u8]>),
    /// This file, from where it stands.
    File(Arc<File>),
    /// From where ours comes. A child in a group of its own that reads from a terminal is stopped by
    /// the system: use [`Group::Inherit`] with it.
    Inherit,
    /// From [`Child::write`](super::Child::write).
    Piped,
}

impl Stdin {
    /// These bytes, and then the end.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into().into())
    }

    /// This file, from where it stands. Commands that are started with it share that place.
    pub fn file(file: File) -> Self {
        Self::File(file.into())
    }
}

/// Where a child's standard output, or its standard error, goes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Output {
    /// Into the outcome, up to the cap.
    #[default]
    Capture,
    /// The same, and line by line to [`Child::next_line`](super::Child::next_line) as it comes.
    Lines,
    /// To where ours goes.
    Inherit,
    /// Nowhere.
    Null,
    /// Into this file.
    File(Arc<File>),
    /// Of standard error only: to where standard output goes, in the order in which it is written.
    /// For standard output it means [`Output::Capture`].
    Merge,
}

impl Output {
    /// Into this file.
    pub fn file(file: File) -> Self {
        Self::File(file.into())
    }
}

/// Which process group a child runs in: whom its signals reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// One of its own. Signals reach all that is in it, and Ctrl-C in the terminal does not.
    #[default]
    Own,
    /// Ours: for programs that talk to the terminal. Signals from here reach the child alone.
    Inherit,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) clears_env: bool,
    /// Set or, if `None`, removed; the last word on a name counts.
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) stdin: Stdin,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) cap: Cap,
    pub(crate) longest_line: usize,
    pub(crate) timeout: Duration,
    pub(crate) idle: Option<Duration>,
    pub(crate) policy: KillPolicy,
    pub(crate) pipe_grace: Duration,
    pub(crate) group: Group,
    pub(crate) sweeps: bool,
    pub(crate) waits_for_place: bool,
    pub(crate) uses_pidfd: bool,
    pub(crate) token: Option<CancellationToken>,
    pub(crate) observer: Observer,
}

impl Settings {
    pub(crate) fn new(program: OsString) -> Self {
        Self {
            program,
            args: Vec::new(),
            clears_env: false,
            env: Vec::new(),
            directory: None,
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            cap: Cap::default(),
            longest_line: 64 << 10,
            timeout: Duration::MAX,
            idle: None,
            policy: KillPolicy::default(),
            pipe_grace: Duration::from_millis(200),
            group: Group::default(),
            sweeps: true,
            waits_for_place: false,
            uses_pidfd: true,
            token: None,
            observer: Observer::default(),
        }
    }

    /// The command as it would be typed into a shell.
    pub(crate) fn as_typed(&self) -> String {
        let words = [&self.program].into_iter().chain(&self.args);
        words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "_-./=:,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut settings = Settings::new("make".into());
        settings.args = ["-j2", "CC=gcc", "", "it's all"].map(OsString::from).into();
        assert_eq!(settings.as_typed(), r"make -j2 CC=gcc '' 'it'\''s all'");
    }
}

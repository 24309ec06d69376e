//! How every tool talks to its user: what it prints, how it fails, how it shows a name.
//!
//! Knows nothing of what a tool does. What must always hold:
//!
//! 1. Nothing here panics, whatever stdout and stderr are: a closed pipe, a full device, nothing at all.
//! 2. Results go to stdout, all else to stderr, and each line there begins with the tool's name.
//! 3. A reader that is gone ends the printing quietly. Any other error is told, and is the exit code.
//! 4. A name may be any bytes. What is shown of it is one line without control characters.

#![allow(dead_code, reason = "each tool is a program of its own, and uses what it needs")]

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// What all tools have in common.
pub(crate) struct Cli {
    pub(crate) name: &'static str,
    /// What `--help` prints: at most 24 lines of 80 columns, so that it fits a screen.
    pub(crate) usage: &'static str,
    /// The exit code if the tool could not do its own work.
    pub(crate) failure: u8,
}

/// What became of something printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    All,
    /// The reader has closed the pipe, as `head` does: more need not be printed.
    ReaderGone,
}

impl Cli {
    /// Prints results, and ends with `done`: or with `failure`, if they cannot be printed.
    pub(crate) fn finish(&self, results: &[u8], done: ExitCode) -> ExitCode {
        match print(&mut io::stdout().lock(), results) {
            Ok(Printed::All | Printed::ReaderGone) => done,
            Err(error) => self.fail(format_args!("cannot print: {error}")),
        }
    }

    /// What `--help` does.
    pub(crate) fn help(&self) -> ExitCode {
        self.finish(self.usage.as_bytes(), ExitCode::SUCCESS)
    }

    /// What `--version` does.
    pub(crate) fn version(&self) -> ExitCode {
        let text =
            format!("{} ({} {})\n", self.name, env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        self.finish(text.as_bytes(), ExitCode::SUCCESS)
    }

    /// Says something on stderr, in a line that begins with the tool's name.
    pub(crate) fn tell(&self, text: impl fmt::Display) {
        say(format_args!("{}: {text}\n", self.name));
    }

    /// Says why the tool cannot do its work.
    pub(crate) fn fail(&self, why: impl fmt::Display) -> ExitCode {
        self.tell(why);
        ExitCode::from(self.failure)
    }

    /// Says what is wrong with the arguments.
    pub(crate) fn misused(&self, why: impl fmt::Display) -> ExitCode {
        self.fail(format_args!("{why}; see {} --help", self.name))
    }
}

/// Writes all of it, and flushes: into stdout, or what stands for it.
///
/// # Errors
///
/// Whatever is no closed pipe: a full disk, most likely.
pub(crate) fn print(out: &mut impl Write, bytes: &[u8]) -> io::Result<Printed> {
    printed(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Tells a reader that is gone from an error.
pub(crate) fn printed(result: io::Result<()>) -> io::Result<Printed> {
    match result {
        Ok(()) => Ok(Printed::All),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Printed::ReaderGone),
        Err(error) => Err(error),
    }
}

/// Writes to stderr, in one piece. Not `eprintln!`, which panics if that is closed or full.
pub(crate) fn say(text: impl fmt::Display) {
    // There is nowhere left to say that nothing can be said.
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}

/// Whether to draw on stderr (progress, colour): on a terminal, unless `NO_COLOR` is set or it is dumb.
pub(crate) fn may_draw() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// A name, a path or a word for people to read: in one line, with all that is no text escaped.
///
/// A newline, an ESC or a sign that turns the direction of writing could pass for output of the tool's own.
/// For programs, print the bytes themselves, each ended by NUL.
pub(crate) fn shown(name: &(impl AsRef<OsStr> + ?Sized)) -> Shown<'_> {
    Shown(name.as_ref().as_encoded_bytes())
}

pub(crate) struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                if turns || c.is_control() || c == '\\' {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

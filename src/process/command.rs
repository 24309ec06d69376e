//! A command: a program, and how to run it.
//!
//! Knows nothing of how it is run. What must always hold: a setting that was not made is the safe one, with nothing to
//! read, and output that is captured up to a cap.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::trace_event::{Observer, TraceEvent};
use crate::wait::cancel::CancellationToken;

use super::sys::Signal;

/// A program to run as a child, with its arguments and all that bounds it.
///
/// When to use it: for any other program, run on this thread with [`run`](Self::run) or beside it with
/// [`spawn`](Self::spawn). The child has a process group of its own, and unless said otherwise nothing to
/// read; its output is captured up to a cap; it has no timeout. A command may be run any number of times.
///
/// ```
/// use std::time::Duration;
/// use handspun::process::Command;
///
/// let mut date = Command::new("date").arg("+%Y").timeout(Duration::from_secs(5));
/// let year = date.run()?.check()?.stdout.text().trim().parse::<u32>()?;
/// assert!(year > 2000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **A hard bound.** With a [`timeout`](Self::timeout), a wait returns within that time plus the grace of
/// the [policy](Self::kill_policy), plus the kill-wait (1 s), plus the pipe-grace (0.2 s): whatever the
/// child ignores, and whatever it leaves behind. A shell that starts a server in the background and exits is no
/// reason to wait for the server, which is killed with the rest of the group:
///
/// ```
/// use std::time::Duration;
/// use handspun::process::Command;
///
/// let outcome = Command::new("sh").args(["-c", "echo hi; sleep 3 & exit 0"]).run()?;
/// assert!(outcome.wall < Duration::from_secs(2), "and not 3");
/// assert!(outcome.is_success() && outcome.pipes_leaked);
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
///
/// **Not on Windows**: this module is there on Unix only. It does not follow processes that leave their
/// group (`setsid`, daemons, the jobs of `bash -m`, `timeout` in a shell): they are not killed, but nobody
/// waits for them either.
///
/// **Ctrl-C** in the terminal reaches us and no child, since each has a group of its own; and if nothing handles it,
/// it ends us without a drop, so that the children live on. Handle it, and call
/// [`terminate_all`](super::terminate_all). A program that talks to the terminal has to be in our group, or the system
/// stops it: run it with std's [`Command`](process::Command).
///
/// **What a child inherits** is its environment, its standard streams as they are set, and every other
/// descriptor of ours that lacks the close-on-exec flag. Rust sets it on all that it opens; on what a C
/// library opened, or our own parent left open, set it yourself (`fcntl` with `FD_CLOEXEC`).
#[doc(alias = "subprocess")]
#[derive(Debug)]
#[must_use = "a command does nothing until `run` or `spawn`"]
pub struct Command {
    /// What to run, where, and with which streams.
    pub(crate) std: process::Command,
    /// What its standard input is to say, if it was said beforehand.
    pub(crate) input: Option<Arc<[u8]>>,
    /// Whether its output is also given line by line.
    pub(crate) wants_lines: bool,
    /// Whether both outputs go into one pipe.
    pub(crate) merges: bool,
    /// How many of the first and of the last bytes of each stream are kept.
    pub(crate) cap: (usize, usize),
    pub(crate) timeout: Duration,
    pub(crate) policy: (Signal, Duration),
    pub(crate) token: Option<CancellationToken>,
    pub(crate) observer: Observer,
}

impl Command {
    /// A program: a path, or a name that is looked for in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut std = process::Command::new(program);
        std.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self {
            std,
            input: None,
            wants_lines: false,
            merges: false,
            cap: (8 << 20, 8 << 20),
            timeout: Duration::MAX,
            policy: (Signal::TERM, Duration::from_secs(5)),
            token: None,
            observer: Observer::default(),
        }
    }

    /// One more argument. No shell looks at it: a space or a quote is part of it.
    #[doc(alias = "shell")]
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// More arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.std.args(args);
        self
    }

    /// Sets a variable of the child's environment, which is otherwise ours.
    ///
    /// With a `PATH` for the child std does not start it in the quick way of the system: that takes longer the more memory
    /// this process has.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.std.env(name, value);
        self
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.std.env_remove(name);
        self
    }

    /// Starts with an empty environment, instead of ours, and forgets what was set so far.
    ///
    /// A program without a `/` in its name is then looked for where the system's programs are, unless a `PATH` is set.
    pub fn env_clear(mut self) -> Self {
        self.std.env_clear();
        self
    }

    /// Runs the child in this directory.
    ///
    /// A relative path to the program counts from there, and so does a relative one in `PATH`.
    #[doc(alias = "cwd")]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.std.current_dir(directory);
        self
    }

    /// Where its standard input comes from: nowhere, unless said otherwise.
    ///
    /// A file is read from its current position. With [`Stdio::piped`] it comes from
    /// [`Child::write`](super::Child::write).
    #[doc(alias = "DEVNULL")]
    #[doc(alias = "PIPE")]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.std.stdin(stdin);
        self.input = None;
        self
    }

    /// Gives it these bytes as its standard input, and then the end.
    #[doc(alias = "input")]
    pub fn stdin_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.std.stdin(Stdio::piped());
        self.input = Some(bytes.into().into());
        self
    }

    /// Where its standard output goes: into the outcome, unless said otherwise.
    ///
    /// ```
    /// use std::process::Stdio;
    /// use handspun::process::Command;
    ///
    /// let silent = Command::new("echo").arg("hello").stdout(Stdio::null()).run()?;
    /// assert_eq!(silent.stdout.text(), "");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    #[doc(alias = "capture_output")]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.std.stdout(stdout);
        self
    }

    /// Where its standard error goes: into the outcome, unless said otherwise.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.std.stderr(stderr);
        self
    }

    /// Captures its standard error with its standard output, in the order in which they are written.
    ///
    /// ```
    /// use handspun::process::Command;
    ///
    /// let both = Command::new("sh").args(["-c", "echo out; echo err >&2; echo out"]);
    /// assert_eq!(both.merge_stderr().run()?.stdout.text(), "out\nerr\nout\n");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    #[doc(alias = "STDOUT")]
    pub fn merge_stderr(mut self) -> Self {
        self.merges = true;
        self
    }

    /// Gives what is captured line by line, too, to [`Child::next_line`](super::Child::next_line) as it comes.
    pub fn lines(mut self) -> Self {
        self.wants_lines = true;
        self
    }

    /// How much of each stream is kept: so many of the first bytes and of the last, 8 MiB of each unless said otherwise.
    ///
    /// The child is never held up by that.
    #[doc(alias = "maxBuffer")]
    pub fn cap(mut self, head: usize, tail: usize) -> Self {
        self.cap = (head, tail);
        self
    }

    /// How long it may run, counted from the spawn. Then it is ended as the policy says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How it is ended, for whatever reason: with this signal, and with SIGKILL if it has not heeded that within the
    /// grace. SIGTERM and 5 seconds, unless said otherwise.
    ///
    /// After the signal comes a SIGCONT, so that a child which was stopped can heed it. With no grace it is killed at once.
    /// A signal that this process ignores, as a script's background ignores SIGINT, the child ignores as well.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::process::{Command, Signal};
    ///
    /// let stuck = Command::new("sleep").arg("60").timeout(Duration::from_millis(20));
    /// let outcome = stuck.kill_policy(Signal::TERM, Duration::from_secs(2)).run()?;
    /// assert_eq!(outcome.signal(), Some(Signal::TERM));
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    pub fn kill_policy(mut self, signal: Signal, grace: Duration) -> Self {
        self.policy = (signal, grace);
        self
    }

    /// Ends it when this token is cancelled. If it is already, nothing is started.
    ///
    /// ```
    /// use handspun::CancellationToken;
    /// use handspun::process::Command;
    ///
    /// let token = CancellationToken::new();
    /// let child = Command::new("sleep").arg("60").token(&token).spawn()?;
    /// token.cancel_because("enough");
    /// let outcome = child.wait();
    /// assert_eq!(outcome.cause.to_string(), "it was cancelled: enough");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    pub fn token(mut self, token: &CancellationToken) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// Calls this function with each step in the life of each child that is started from here.
    ///
    /// It is called on the thread that starts the child, and at the end on the one that drives it: that of
    /// [`run`](Self::run), or the driver's. There it must wait for nothing, nor start a child, which would inherit that every signal is blocked there.
    pub fn observer(mut self, observer: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// The program and its arguments, each in quotes.
    pub(crate) fn as_text(&self) -> String {
        let words = [self.std.get_program()].into_iter().chain(self.std.get_args());
        words.map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ")
    }
}

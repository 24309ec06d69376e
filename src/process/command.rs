//! A command: a program, and how to run it.
//!
//! Knows nothing of how it is run. What must always hold:
//!
//! 1. A command is only data, and may be run any number of times, each time afresh.
//! 2. A setting that was not made is the safe one: a group of its own, nothing to read, output that is
//!    captured up to a cap.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::trace_event::{Observer, TraceEvent};
use crate::wait::cancel::CancellationToken;

use super::output::Cap;
use super::sys::Signal;

/// A program to run as a child, with its arguments and all that bounds it.
///
/// When to use it: for any other program, run on this thread with [`run`](Self::run) or beside it with
/// [`spawn`](Self::spawn). Unless said otherwise the child has a process group of its own, nothing to
/// read, and its output is captured up to a cap; it has no timeout.
///
/// ```
/// use std::time::Duration;
/// use handspun::process::Command;
///
/// let date = Command::new("date").arg("+%Y").timeout(Duration::from_secs(5));
/// let year = date.run()?.check()?.stdout.text().trim().parse::<u32>()?;
/// assert!(year > 2000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **A hard bound.** With a [`timeout`](Self::timeout), a wait returns within that time plus the sum of
/// the [policy](KillPolicy)'s graces, plus its kill-wait (1 s), plus the
/// [pipe-grace](Self::pipe_grace) (0.2 s): whatever the child ignores, and whatever it leaves behind.
/// A shell that starts a server in the background and exits is no reason to wait for the server:
///
/// ```
/// use std::time::Duration;
/// use handspun::process::Command;
///
/// let leaves_one_behind = Command::new("sh").args(["-c", "echo hi; sleep 3 & exit 0"]);
/// let outcome = leaves_one_behind.run()?;
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
/// [`terminate_all`](super::terminate_all); or let the child share our group, with [`Group::Inherit`].
///
/// **What a child inherits** is its environment, its standard streams as they are set, and every other
/// descriptor of ours that lacks the close-on-exec flag. Rust sets it on all that it opens; on what a C
/// library opened, or our own parent left open, set it yourself (`fcntl` with `FD_CLOEXEC`).
#[doc(alias = "subprocess")]
#[derive(Clone)]
#[must_use = "a command does nothing until `run` or `spawn`"]
pub struct Command(pub(crate) Settings);

/// What was set of a command. What was not set is empty, and then the safe way is taken.
#[derive(Clone, Default)]
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
    pub(crate) timeout: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) policy: KillPolicy,
    pub(crate) pipe_grace: Option<Duration>,
    pub(crate) group: Group,
    pub(crate) spares_group: bool,
    pub(crate) waits_for_place: bool,
    pub(crate) without_pidfd: bool,
    pub(crate) token: Option<CancellationToken>,
    pub(crate) observer: Observer,
}

impl Command {
    /// A program: a path, or a name that is looked for in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref().to_owned();
        Self(Settings { program, ..Settings::default() })
    }

    fn with(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.0);
        self
    }

    /// One more argument. No shell looks at it: a space or a quote is part of it.
    #[doc(alias = "shell")]
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// More arguments.
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.with(|settings| settings.args.extend(args))
    }

    /// Sets a variable of the child's environment, which is otherwise ours.
    pub fn env(self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let variable = (name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self.with(|settings| settings.env.push(variable))
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove(self, name: impl AsRef<OsStr>) -> Self {
        self.with(|settings| settings.env.push((name.as_ref().to_owned(), None)))
    }

    /// Starts with an empty environment, instead of ours, and forgets what was set so far.
    ///
    /// A program without a `/` in its name is then looked for in our `PATH`, unless another is set.
    pub fn env_clear(self) -> Self {
        self.with(|settings| (settings.clears_env, settings.env) = (true, Vec::new()))
    }

    /// Runs the child in this directory.
    ///
    /// A relative path to the program counts from there, and so does a relative one in `PATH`.
    #[doc(alias = "cwd")]
    pub fn current_dir(self, directory: impl Into<PathBuf>) -> Self {
        self.with(|settings| settings.directory = Some(directory.into()))
    }

    /// Where its standard input comes from: nowhere, unless said otherwise.
    pub fn stdin(self, stdin: Stdin) -> Self {
        self.with(|settings| settings.stdin = stdin)
    }

    /// Where its standard output goes: into the outcome, unless said otherwise.
    pub fn stdout(self, stdout: Output) -> Self {
        self.with(|settings| settings.stdout = stdout)
    }

    /// Where its standard error goes: into the outcome, unless said otherwise.
    ///
    /// ```
    /// use handspun::process::{Command, Output};
    ///
    /// let both = Command::new("sh").args(["-c", "echo out; echo err >&2; echo out"]);
    /// assert_eq!(both.stderr(Output::Merge).run()?.stdout.text(), "out\nerr\nout\n");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    pub fn stderr(self, stderr: Output) -> Self {
        self.with(|settings| settings.stderr = stderr)
    }

    /// How much of each stream is kept.
    #[doc(alias = "maxBuffer")]
    pub fn cap(self, cap: Cap) -> Self {
        self.with(|settings| settings.cap = cap)
    }

    /// How long it may run, counted from the spawn. Then it is ended as the policy says.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = Some(timeout))
    }

    /// How long it may write nothing. Then it is ended as the policy says.
    ///
    /// What counts is what comes through a pipe: one whose output is inherited, or goes into a file, is
    /// silent. The time that it is held up by the reader of its lines does not count.
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.idle = Some(timeout))
    }

    /// How it is ended, for whatever reason: SIGTERM, 5 s, SIGKILL, unless said otherwise.
    pub fn kill_policy(self, policy: KillPolicy) -> Self {
        self.with(|settings| settings.policy = policy)
    }

    /// How long the pipes may stay open after the child has exited; 0.2 s unless said otherwise.
    ///
    /// What the child itself wrote is in the pipe by then, and is read. More can only come from a
    /// process that it left behind. To kill, terminate or cancel the child ends this time, and with it
    /// what is left of its group (after [`sweep(false)`](Self::sweep), to kill it alone); the timeout
    /// does not.
    pub fn pipe_grace(self, timeout: Duration) -> Self {
        self.with(|settings| settings.pipe_grace = Some(timeout))
    }

    /// Which process group it runs in: one of its own, unless said otherwise.
    #[doc(alias = "start_new_session")]
    #[doc(alias = "process_group")]
    pub fn group(self, group: Group) -> Self {
        self.with(|settings| settings.group = group)
    }

    /// Whether what it leaves behind in its group is killed when it has exited, as it is unless said
    /// otherwise. Say `false` for a program that starts a daemon and is to leave it running.
    pub fn sweep(self, sweeps: bool) -> Self {
        self.with(|settings| settings.spares_group = !sweeps)
    }

    /// Ends it when this token is cancelled. If it is already, nothing is started.
    ///
    /// ```
    /// use handspun::{CancellationToken, thread};
    /// use handspun::process::{Cause, Command};
    ///
    /// let token = CancellationToken::new();
    /// let child = Command::new("sleep").arg("60").token(&token).spawn()?;
    /// token.cancel_because("enough");
    /// let outcome = child.wait();
    /// assert_eq!(outcome.cause.to_string(), "it was cancelled: enough");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    pub fn token(self, token: &CancellationToken) -> Self {
        self.with(|settings| settings.token = Some(token.clone()))
    }

    /// Waits in `spawn` for a permit, if as many children are running as there are descriptors for.
    ///
    /// There are permits for a quarter of the descriptors that `ulimit -n` allows. Otherwise the spawn
    /// fails with [`SpawnError::TooMany`](super::SpawnError::TooMany). It blocks the thread: in a task,
    /// bound the number of children with a semaphore instead.
    pub fn wait_for_place(self) -> Self {
        self.with(|settings| settings.waits_for_place = true)
    }

    /// Calls this function with each step in the life of each child that is started from here.
    ///
    /// It is called on the thread that starts the child, and at the end on the one that drives it: that of
    /// [`run`](Self::run), or the driver's. There it must wait for nothing, nor start a child, which would
    /// inherit that every signal is blocked there.
    pub fn observer(self, observer: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.observer = Observer::new(observer))
    }

    /// For tests: without the descriptor that is readable after an exit, as on a system that has none.
    #[doc(hidden)]
    pub fn without_pidfd(self) -> Self {
        self.with(|settings| settings.without_pidfd = true)
    }
}

impl Settings {
    /// The command as it would be typed into a shell.
    pub(crate) fn as_typed(&self) -> String {
        let words = [&self.program].into_iter().chain(&self.args);
        words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// Where a child's standard input comes from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Stdin {
    /// Nowhere: it ends at once.
    #[doc(alias = "DEVNULL")]
    #[default]
    Null,
    /// These bytes, and then the end.
    #[doc(alias = "input")]
    Bytes(Arc<[u8]>),
    /// This file, from its current position.
    File(Arc<File>),
    /// From where ours comes. A child in a group of its own that reads from a terminal is stopped by
    /// the system: use [`Group::Inherit`] with it.
    Inherit,
    /// From [`Child::write`](super::Child::write).
    #[doc(alias = "PIPE")]
    Piped,
}

impl Stdin {
    /// These bytes, and then the end.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into().into())
    }

    /// This file, from its current position. Commands that are started with it share that position.
    pub fn file(file: File) -> Self {
        Self::File(file.into())
    }
}

/// Where a child's standard output, or its standard error, goes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Output {
    /// Into the outcome, up to the cap.
    #[doc(alias = "capture_output")]
    #[doc(alias = "PIPE")]
    #[default]
    Capture,
    /// The same, and line by line to [`Child::next_line`](super::Child::next_line) as it comes.
    Lines,
    /// To where ours goes.
    Inherit,
    /// Nowhere.
    #[doc(alias = "DEVNULL")]
    Null,
    /// Into this file.
    File(Arc<File>),
    /// Of standard error only: to where standard output goes, in the order in which it is written.
    /// For standard output it means [`Output::Capture`].
    #[doc(alias = "STDOUT")]
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

/// How a child is ended: signals, each with a time to heed it, and then SIGKILL.
///
/// The same policy is for a timeout, a cancelled token, an output limit and
/// [`Child::terminate`](super::Child::terminate). After each signal comes a SIGCONT, so that a child
/// which was stopped can heed it. Unless said otherwise: SIGTERM, and 5 seconds.
///
/// ```
/// use std::time::Duration;
/// use handspun::process::{Command, KillPolicy, Signal};
///
/// let gently = KillPolicy::new([
///     (Signal::INT, Duration::from_secs(2)),
///     (Signal::TERM, Duration::from_secs(5)),
/// ]);
/// let stuck = Command::new("sleep").arg("60").timeout(Duration::from_millis(20)).kill_policy(gently);
/// let outcome = stuck.run()?;
/// assert!(outcome.signal().is_some() && !outcome.escalated, "it did not take SIGKILL");
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillPolicy {
    pub(crate) steps: Vec<(Signal, Duration)>,
    pub(crate) kill_wait: Duration,
}

impl KillPolicy {
    /// These signals in turn, each with a time to heed it, and then SIGKILL.
    pub fn new(steps: impl IntoIterator<Item = (Signal, Duration)>) -> Self {
        Self { steps: steps.into_iter().collect(), kill_wait: Duration::from_secs(1) }
    }

    /// SIGKILL, and nothing before it.
    pub fn at_once() -> Self {
        Self::new([])
    }

    /// How long to wait for a child to die of SIGKILL, one second unless said otherwise.
    ///
    /// It takes less than a millisecond, unless the child hangs in the kernel (a dead network file
    /// system) or runs as a user whose processes we may not kill. Then its handle settles after this time,
    /// without a status, and the driver goes on looking for its end.
    pub fn kill_wait(mut self, timeout: Duration) -> Self {
        self.kill_wait = timeout;
        self
    }
}

impl Default for KillPolicy {
    fn default() -> Self {
        Self::new([(Signal::TERM, Duration::from_secs(5))])
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

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.0.as_typed())
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let command = Command::new("make").args(["-j2", "CC=gcc", "", "it's all"]);
        assert_eq!(command.0.as_typed(), r"make -j2 CC=gcc '' 'it'\''s all'");
    }
}

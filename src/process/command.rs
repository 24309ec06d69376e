//! A command: a program, and how to run it.
//!
//! Knows nothing of how it is run. What must always hold: a command is only data, and may be run any
//! number of times, each time afresh.

use std::ffi::OsStr;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Event, Observer};
use crate::wait::cancel::CancellationToken;

use super::child::Child;
use super::driver::DRIVER;
use super::error::SpawnError;
use super::outcome::Outcome;
use super::output::Cap;
use super::policy::KillPolicy;
use super::settings::{Group, Output, Settings, Stdin};
use super::spawn::start;

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
/// group on purpose (`setsid`, daemons): they are not killed, but nobody waits for them either.
#[doc(alias = "subprocess")]
#[derive(Clone)]
#[must_use = "a command does nothing until `run` or `spawn`"]
pub struct Command {
    settings: Settings,
}

impl Command {
    /// A program: a path, or a name that is looked for in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { settings: Settings::new(program.as_ref().to_owned()) }
    }

    /// One more argument. No shell looks at it: a space or a quote is part of it.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.settings.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.settings.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the child's environment, which is otherwise ours.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.settings.env.push((name.as_ref().to_owned(), value));
        self
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.settings.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Starts with an empty environment, in place of ours, and forgets what was set so far.
    ///
    /// A program without a `/` in its name is then looked for in our `PATH`, unless another is set.
    pub fn env_clear(mut self) -> Self {
        self.settings.clears_env = true;
        self.settings.env.clear();
        self
    }

    /// Runs the child in this directory. A relative path to the program may count from there.
    #[doc(alias = "cwd")]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.directory = Some(directory.into());
        self
    }

    /// Where its standard input comes from: nowhere, unless said otherwise.
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.settings.stdin = stdin;
        self
    }

    /// Where its standard output goes: into the outcome, unless said otherwise.
    pub fn stdout(mut self, stdout: Output) -> Self {
        self.settings.stdout = stdout;
        self
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
    pub fn stderr(mut self, stderr: Output) -> Self {
        self.settings.stderr = stderr;
        self
    }

    /// How much of each stream is kept.
    #[doc(alias = "maxBuffer")]
    pub fn cap(mut self, cap: Cap) -> Self {
        self.settings.cap = cap;
        self
    }

    /// The longest line, in bytes, that is given as one; 64 KiB unless said otherwise.
    pub fn longest_line(mut self, bytes: usize) -> Self {
        self.settings.longest_line = bytes;
        self
    }

    /// How long it may run, counted from the spawn. Then it is ended as the policy says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long it may write nothing. Then it is ended as the policy says.
    ///
    /// The time that it is held up by whoever reads its lines does not count.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle = Some(timeout);
        self
    }

    /// How it is ended, for whatever reason: SIGTERM, 5 s, SIGKILL, unless said otherwise.
    pub fn kill_policy(mut self, policy: KillPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// How long the pipes may stay open after the child has exited; 0.2 s unless said otherwise.
    ///
    /// What the child itself wrote is in the pipe by then, and is read. More can only come from a
    /// process that it left behind.
    pub fn pipe_grace(mut self, timeout: Duration) -> Self {
        self.settings.pipe_grace = timeout;
        self
    }

    /// Which process group it runs in: one of its own, unless said otherwise.
    pub fn group(mut self, group: Group) -> Self {
        self.settings.group = group;
        self
    }

    /// Whether what it leaves behind in its group is killed when it has exited, as it is unless said
    /// otherwise. Say `false` for a program that starts a daemon and is to leave it running.
    pub fn sweep(mut self, sweeps: bool) -> Self {
        self.settings.sweeps = sweeps;
        self
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
    pub fn token(mut self, token: &CancellationToken) -> Self {
        self.settings.token = Some(token.clone());
        self
    }

    /// Waits in `spawn` for a place, if as many children are running as there are descriptors for.
    ///
    /// There are places for a quarter of the descriptors that `ulimit -n` allows. Otherwise the spawn
    /// fails with [`SpawnError::TooMany`]. It blocks the thread: in a task, bound the number of
    /// children with a semaphore instead.
    pub fn wait_for_place(mut self) -> Self {
        self.settings.waits_for_place = true;
        self
    }

    /// Calls this function with each step in the life of each child that is started from here.
    ///
    /// It is called on the thread that starts the child, and on the driver's at the end: there it must
    /// wait for nothing, nor start a child, which would inherit that every signal is blocked there.
    pub fn observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.observer = Observer::new(observer);
        self
    }

    /// For tests: without the descriptor that tells of an exit, as on a system that has none.
    #[doc(hidden)]
    pub fn without_pidfd(mut self) -> Self {
        self.settings.uses_pidfd = false;
        self
    }

    /// Runs it and waits for its end, on this thread. In a task, `spawn` it and `.await` the child.
    ///
    /// # Errors
    ///
    /// [`SpawnError`], if it could not be started. A child that fails has run: see
    /// [`Outcome::check`].
    #[track_caller]
    pub fn run(&self) -> Result<Outcome, SpawnError> {
        Ok(self.spawn()?.wait())
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] says what is missing, and names it. There is no process then.
    #[doc(alias = "create_subprocess_exec")]
    #[track_caller]
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        start(&self.settings, &DRIVER, Location::caller()).map(Child::new)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.settings.as_typed())
    }
}

//! How a command becomes a process in the driver's care.
//!
//! Knows nothing of how a child is led and ended. It runs on the caller's thread: a spawn takes as
//! long as a hundred turns of the driver, and the others' deadlines must not wait for it.
//!
//! What must always hold:
//!
//! 1. A spawn that fails leaves no process, no descriptor and no permit taken.
//! 2. The quick way of the system is taken (`posix_spawn`): no code of ours runs between fork and exec,
//!    where little is allowed, and the cost does not grow with our memory.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crate::event::Step;
use crate::prims::{self, AtomicBool};
use crate::wait::cancel::CancellationToken;
use crate::wait::host::Hold;
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines, Source};
use super::child::Child;
use super::command::{Command, Group, Output, Stdin};
use super::driver::{DRIVER, Message};
use super::error::SpawnError;
use super::managed::ManagedChild;
use super::outcome::Outcome;
use super::output::{Capture, Splitter, Stream};
use super::permits::{Permit, limit};
use super::policy::{KillState, later};
use super::signals::{ExitWatch, RealProcess, Signals};
use super::state::{ChildState, FORKED};
use super::sys;

/// Where a pipe cannot be opened and kept from other children in one step, spawns take turns: a child
/// that inherited a stranger's pipe would keep it open.
#[cfg(target_vendor = "apple")]
static TURNS: prims::Lazy<prims::Mutex<()>> = prims::Lazy::new(prims::Mutex::default);

impl Command {
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
        start(self, Location::caller()).map(Child::new)
    }
}

/// Starts a child and hands it to the driver.
fn start(
    settings: &Command,
    at: &'static Location<'static>,
) -> Result<Arc<ChildState>, SpawnError> {
    if let Some(reason) = settings.token.as_ref().and_then(CancellationToken::reason) {
        return Err(SpawnError::Cancelled(reason));
    }
    if !DRIVER.is_of_this_process() {
        return Err(explain(settings, io::Error::new(ErrorKind::Unsupported, FORKED)));
    }
    let permit = take_permit(settings)?;
    let began = prims::now();
    let process = spawn(settings).map_err(|error| explain(settings, error))?;
    let (state, child) = manage(settings, process, permit, began);
    state.tell(Step::Submitted(at)); // Before the driver hears of it, and may tell the end.
    // Where there is no thread, and no pipe to wake it, the child is killed.
    DRIVER.register(child).map_err(|error| explain(settings, error))?;
    Ok(state)
}

fn take_permit(settings: &Command) -> Result<Permit, SpawnError> {
    let (limit, token) = (limit(), settings.token.as_ref());
    if settings.waits_for_place {
        return DRIVER.permits.take(limit, token).map_err(SpawnError::Cancelled);
    }
    DRIVER.permits.try_take(limit, None).ok_or(SpawnError::TooMany { limit })
}

/// The longest line, in bytes, that is given as one.
const LONGEST_LINE: usize = 64 << 10;

/// Our ends of the pipes to stdin, and from stdout and stderr.
type Pipes = [Option<File>; 3];

fn spawn(settings: &Command) -> io::Result<(u32, Pipes)> {
    #[cfg(target_vendor = "apple")]
    let _turn = TURNS.lock();
    check_names(settings)?;
    let mut command = process::Command::new(resolved(settings)?);
    command.arg0(&settings.program).args(&settings.args);
    if settings.clears_env {
        command.env_clear();
    }
    for (name, value) in &settings.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(directory) = &settings.directory {
        command.current_dir(directory);
    }
    if settings.group == Group::Own {
        command.process_group(0);
    }
    command.stdin(match &settings.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Bytes(_) | Stdin::Piped => Stdio::piped(),
        Stdin::File(file) => file.try_clone()?.into(),
        Stdin::Inherit => Stdio::inherit(),
    });
    let (stdout, stderr, merged) = outputs(settings)?;
    command.stdout(stdout).stderr(stderr);
    let child = command.spawn()?;
    drop(command); // And with it our copies of the child's ends: nothing would ever end otherwise.

    let pid = child.id();
    let stdout = merged.or(child.stdout.map(OwnedFd::from));
    let pipes = [child.stdin.map(OwnedFd::from), stdout, child.stderr.map(OwnedFd::from)];
    let pipes = pipes.map(|pipe| pipe.map(File::from));
    for pipe in pipes.iter().flatten() {
        // Otherwise a read might wait, and the driver with it.
        sys::set_nonblocking(pipe).expect("a pipe that was just opened takes the flag");
    }
    Ok((pid, pipes))
}

/// Where the two outputs go; and where to read, if they are one.
fn outputs(settings: &Command) -> io::Result<(Stdio, Stdio, Option<OwnedFd>)> {
    let (stdout, stderr) = (&settings.stdout, &settings.stderr);
    let second = match (stderr, stdout) {
        (Output::Merge, Output::Capture | Output::Lines | Output::Merge) => {
            let (reader, writer) = sys::pipe()?;
            return Ok((writer.try_clone()?.into(), writer.into(), Some(reader)));
        }
        (Output::Merge, Output::Inherit) => io::stdout().as_fd().try_clone_to_owned()?.into(),
        (Output::Merge, same) | (same, _) => sink(same)?,
    };
    Ok((sink(stdout)?, second, None))
}

fn sink(output: &Output) -> io::Result<Stdio> {
    Ok(match output {
        Output::Capture | Output::Lines | Output::Merge => Stdio::piped(),
        Output::Inherit => Stdio::inherit(),
        Output::Null => Stdio::null(),
        Output::File(file) => file.try_clone()?.into(),
    })
}

/// The program's path, where std would have to fork to look for it: if the child has a `PATH` that is
/// not ours.
///
/// It is looked for in the `PATH` that the child is given, and in ours if it is given none. There, too, a
/// relative path counts from the child's directory.
fn resolved(settings: &Command) -> io::Result<PathBuf> {
    let program = PathBuf::from(&settings.program);
    let path = settings.env.iter().rev().find(|(name, _)| name == "PATH");
    let is_name = |byte: &u8| !matches!(byte, b'/' | 0);
    let is_bare = settings.program.as_bytes().iter().all(is_name) && !settings.program.is_empty();
    if !is_bare || (path.is_none() && !settings.clears_env) {
        return Ok(program);
    }
    let path = path.and_then(|(_, value)| value.clone()).or_else(|| env::var_os("PATH"));
    let folders = env::split_paths(path.as_deref().unwrap_or(OsStr::new("/bin:/usr/bin")));
    // The dot makes a path of what is relative, or std would look for the bare name once more.
    let mut candidates = folders.map(|folder| Path::new(".").join(folder).join(&program));
    let from = settings.directory.as_deref().unwrap_or(Path::new(""));
    let found = candidates.find(|candidate| sys::is_executable(&from.join(candidate)));
    found.ok_or(ErrorKind::NotFound.into())
}

/// In the environment, a block of `name=value`, another name would be another variable.
fn check_names(settings: &Command) -> io::Result<()> {
    let is_none =
        |name: &OsStr| name.is_empty() || name.as_bytes().iter().any(|b| b"=\0".contains(b));
    match settings.env.iter().find(|(name, _)| is_none(name)) {
        Some((name, _)) => {
            let message = format!("{name:?} is no name of an environment variable");
            Err(io::Error::new(ErrorKind::InvalidInput, message))
        }
        None => Ok(()),
    }
}

fn explain(settings: &Command, error: io::Error) -> SpawnError {
    let program = PathBuf::from(&settings.program);
    // The dot is found only by who may enter.
    let closed = settings.directory.as_ref().filter(|directory| !directory.join(".").is_dir());
    match (error.kind(), closed) {
        (
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied,
            Some(directory),
        ) => SpawnError::NoDirectory { directory: directory.clone(), program },
        (ErrorKind::NotFound, _) => SpawnError::NoProgram { program },
        (ErrorKind::PermissionDenied, _) => SpawnError::NotExecutable { program },
        _ => SpawnError::Refused { program, error },
    }
}

fn manage(
    settings: &Command,
    (pid, pipes): (u32, Pipes),
    permit: Permit,
    began: Instant,
) -> (Arc<ChildState>, ManagedChild) {
    let [stdin, stdout, stderr] = pipes;
    let leads_group = settings.group == Group::Own;
    let input = match &settings.stdin {
        Stdin::Bytes(bytes) => Input::new(bytes.clone(), true),
        Stdin::Piped => Input::new([].into(), false),
        Stdin::Null | Stdin::File(_) | Stdin::Inherit => Input::closed(),
    };
    let process = RealProcess::new(pid, leads_group, settings.uses_pidfd);
    let watch = ExitWatch::new(process.interest());
    let outcome = Settle::queued(());
    outcome.begin();
    let state = Arc::new(ChildState {
        pid,
        program: settings.program.to_string_lossy().into_owned(),
        number: DRIVER.number(),
        observer: settings.observer.clone(),
        signals: Signals::new(process),
        sweeps: settings.sweeps && leads_group,
        input,
        lines: Lines::new(),
        outcome,
        token_has_news: AtomicBool::new(true),
        tell_driver: |number| DRIVER.tell(Message::News(number)),
        is_ours: || DRIVER.is_of_this_process(),
        hold: Hold::take(),
    });
    let timeout = later(began, settings.timeout);
    let child = ManagedChild {
        state: state.clone(),
        command: settings.as_typed(),
        kill: KillState::new(settings.policy.clone(), timeout, settings.idle, settings.pipe_grace),
        watch,
        stdin,
        stdout: stream(settings, stdout, &settings.stdout, Source::Stdout),
        stderr: stream(settings, stderr, &settings.stderr, Source::Stderr),
        token: settings.token.as_ref().map(CancellationToken::cancelled),
        began,
        last_output: began,
        has_exited: false,
        reason: None,
        is_settled: false,
        permit: Some(permit),
    };
    (state, child)
}

fn stream(settings: &Command, pipe: Option<File>, output: &Output, source: Source) -> Stream {
    let wants_lines = matches!(output, Output::Lines);
    Stream {
        pipe,
        source,
        capture: Capture::new(settings.cap),
        splitter: wants_lines.then(|| Splitter::new(LONGEST_LINE)),
        is_held_up: false,
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::super::outcome::Cause;
    use super::*;

    /// As it is lost when there can be no thread, or when that has panicked.
    #[test]
    fn a_child_whose_driver_is_lost_is_killed_and_its_wait_ends() {
        let settings = Command::new("sleep").arg("60");
        let permit = take_permit(&settings).expect("there are some");
        let process = spawn(&settings).expect("there is such a program");
        let (state, managed) = manage(&settings, process, permit, prims::now());
        drop(managed);
        let child = Child::new(state);
        assert!(child.is_finished());
        let outcome = child.wait();
        assert_eq!((outcome.cause, outcome.status), (Cause::Unknown, None));
    }
}

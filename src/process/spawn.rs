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
use std::time::{Duration, Instant};

use crate::prims;
use crate::trace_event::Step;
use crate::wait::cancel::{CancellationToken, wait_for_permit};
use crate::wait::runtime::{RuntimeContext, hold};
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines, Shared, Source};
use super::child::Child;
use super::command::{Command, Group, Output, Settings, Stdin};
use super::driver::{DRIVER, Message};
use super::managed::{Asked, ChildPermit, ChildState, FIRST_CHECK, FORKED, ManagedChild};
use super::outcome::{Outcome, SpawnError};
use super::output::Stream;
use super::signals::{KillState, Signals};
use super::sys::{self, Interest, RealProcess};

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
    #[doc(alias = "getoutput")]
    #[doc(alias = "getstatusoutput")]
    #[track_caller]
    pub fn run(&self) -> Result<Outcome, SpawnError> {
        // Where this thread may stay until the end, it need not pass the child to another. A task's has timers to
        // fire; and if the input were not read, our write would be a SIGPIPE, which the driver's thread blocks.
        let may_stay = RuntimeContext::current().is_none() && self.0.token.is_none();
        let child = start(&self.0, Location::caller(), |child, managed| {
            if !may_stay || managed.stdin.is_some() {
                return DRIVER.register(managed);
            }
            child.release_streams();
            DRIVER.drive_here(managed)
        })?;
        Ok(child.wait())
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] says what is missing, and names it. There is no process then.
    #[doc(alias = "create_subprocess_exec")]
    #[track_caller]
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        start(&self.0, Location::caller(), |_, managed| DRIVER.register(managed))
    }
}

/// Starts a child, and hands it to what drives it to its end. If nothing can, the child is killed.
fn start(
    settings: &Settings,
    at: &'static Location<'static>,
    drive: impl FnOnce(&Child, ManagedChild) -> io::Result<()>,
) -> Result<Child, SpawnError> {
    if let Some(reason) = settings.token.as_ref().and_then(CancellationToken::reason) {
        return Err(SpawnError::Cancelled(reason));
    }
    if !DRIVER.process.is_current() {
        return Err(explain(settings, io::Error::new(ErrorKind::Unsupported, FORKED)));
    }
    let permit = take_permit(settings)?;
    let (began, asked) = (prims::now(), DRIVER.asked.lock().clone());
    let process = spawn(settings).map_err(|error| explain(settings, error))?;
    let managed = manage(settings, process, permit, began, asked);
    let child = Child::new(managed.state.clone());
    managed.state.emit(Step::Submitted(at)); // Before the driver has it, and may emit the end.
    drive(&child, managed).map_err(|error| explain(settings, error))?;
    Ok(child)
}

/// What a child needs: three pipes, and the descriptor that is readable after its exit.
const FOR_A_CHILD: usize = 4;
/// What a wait for a permit is for.
const PLACE: &str = "a child to end";
/// What is left to all others, and to the moment of a spawn.
const FOR_OTHERS: usize = 32;

/// Takes a permit, of which there are as many as there are descriptors for. The limit is asked for each time:
/// it may be raised while we run.
fn take_permit(settings: &Settings) -> Result<ChildPermit, SpawnError> {
    let limit = (sys::descriptor_limit().saturating_sub(FOR_OTHERS) / FOR_A_CHILD).max(1);
    let permits = &DRIVER.permits;
    permits.set_limit(limit);
    if settings.waits_for_place {
        let permit = wait_for_permit(permits, PLACE, settings.token.as_ref(), Duration::ZERO);
        return permit.map_err(|reason| SpawnError::Cancelled(reason.expect("it is never closed")));
    }
    permits.try_acquire(1).map_err(|_| SpawnError::TooMany { limit })
}

/// Our ends of the pipes to stdin, and from stdout and stderr.
type Pipes = [Option<File>; 3];

fn spawn(settings: &Settings) -> io::Result<(u32, Pipes)> {
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
fn outputs(settings: &Settings) -> io::Result<(Stdio, Stdio, Option<OwnedFd>)> {
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
fn resolved(settings: &Settings) -> io::Result<PathBuf> {
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
fn check_names(settings: &Settings) -> io::Result<()> {
    let is_none =
        |name: &OsStr| name.is_empty() || name.as_bytes().iter().any(|b| b"=\0".contains(b));
    let Some((name, _)) = settings.env.iter().find(|(name, _)| is_none(name)) else {
        return Ok(());
    };
    let message = format!("{name:?} is no name of an environment variable");
    Err(io::Error::new(ErrorKind::InvalidInput, message))
}

fn explain(settings: &Settings, error: io::Error) -> SpawnError {
    use ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let (kind, program) = (error.kind(), PathBuf::from(&settings.program));
    // The dot is found only if we may enter.
    let closed = settings.directory.clone().filter(|directory| !directory.join(".").is_dir());
    match (kind, closed) {
        (NotFound | NotADirectory | PermissionDenied, Some(directory)) => {
            SpawnError::NoDirectory { directory, program }
        }
        (NotFound, None) => SpawnError::NoProgram { program },
        (PermissionDenied, None) => SpawnError::NotExecutable { program },
        _ => SpawnError::Refused { program, error },
    }
}

fn manage(
    settings: &Settings,
    (pid, [stdin, stdout, stderr]): (u32, Pipes),
    permit: ChildPermit,
    began: Instant,
    asked: Arc<Asked>,
) -> ManagedChild {
    let leads_group = settings.group == Group::Own;
    let process = RealProcess::new(pid, leads_group, !settings.without_pidfd);
    let pidfd = process.pidfd.as_ref().map(Interest::read);
    let state = ChildState {
        pid,
        program: settings.program.to_string_lossy().into_owned(),
        number: DRIVER.number(),
        observer: settings.observer.clone(),
        signals: Signals::new(process),
        sweeps: leads_group && !settings.spares_group,
        input: Shared::of(match &settings.stdin {
            Stdin::Bytes(bytes) => Input::new(bytes.clone(), true),
            Stdin::Piped => Input::new([].into(), false),
            Stdin::Null | Stdin::File(_) | Stdin::Inherit => Input::new([].into(), true),
        }),
        lines: Shared::of(Lines::default()),
        outcome: Settle::running(),
        hold: hold(),
        parent: DRIVER.process,
        wake_driver: |number| DRIVER.send(Message::Wake(number)),
    };
    let stream = |pipe, output: &Output, source| {
        Stream::new(pipe, source, settings.cap, matches!(output, Output::Lines))
    };
    ManagedChild {
        state: Arc::new(state),
        command: settings.as_typed(),
        kill: KillState::new(settings, began),
        pidfd,
        pause: FIRST_CHECK,
        stdin,
        outputs: [
            stream(stdout, &settings.stdout, Source::Stdout),
            stream(stderr, &settings.stderr, Source::Stderr),
        ],
        token: settings.token.as_ref().map(CancellationToken::cancelled),
        began,
        asked,
        has_exited: false,
        permit: Some(permit),
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::super::command::KillPolicy;
    use super::super::driver::Registry;
    use super::super::outcome::Cause;
    use super::super::poller::Poller;
    use super::*;
    use crate::error::CancelReason;
    use crate::wait::permits::Permits;
    use std::thread;

    /// S83.
    #[test]
    fn a_permit_that_is_given_back_goes_to_the_wait_for_one() {
        let permits = Permits::new(1);
        let permit = permits.try_acquire(1).expect("there is one");
        let waiting = thread::spawn({
            let permits = permits.clone();
            move || wait_for_permit(&permits, PLACE, None, Duration::ZERO).map(drop)
        });
        drop(permit);
        assert_eq!(waiting.join().unwrap(), Ok(()));
        assert_eq!(permits.n_free(), 1, "it is back again");
    }

    #[test]
    fn a_wait_for_a_permit_ends_with_its_token() {
        let permits = Permits::new(0);
        let token = CancellationToken::new();
        let waiting = thread::spawn({
            let token = token.clone();
            move || wait_for_permit(&permits, PLACE, Some(&token), Duration::ZERO).map(drop)
        });
        token.cancel();
        assert_eq!(waiting.join().unwrap(), Err(Some(CancelReason::Requested)));
    }

    fn sleeper() -> ManagedChild {
        let Command(settings) = Command::new("sleep").arg("60");
        let permit = take_permit(&settings).expect("there are some");
        let process = spawn(&settings).expect("there is such a program");
        manage(&settings, process, permit, prims::now(), Arc::default())
    }

    /// As it is lost when there can be no thread, or when that has panicked.
    #[test]
    fn a_child_whose_driver_is_lost_is_killed_and_its_wait_ends() {
        let managed = sleeper();
        let child = Child::new(managed.state.clone());
        drop(managed);
        assert!(child.is_finished());
        let outcome = child.wait();
        assert_eq!((outcome.cause, outcome.status), (Cause::Unknown, None));
    }

    /// The first asks for SIGKILL, and the second for a gentler signal.
    #[test]
    fn a_child_heeds_all_that_was_asked_of_all_since_its_start() {
        let mut managed = sleeper();
        let (_, later) = managed.asked.0.get_or_init(|| (KillPolicy::at_once(), Arc::default()));
        later.0.get_or_init(|| (KillPolicy::default(), Arc::default()));
        managed.turn(&mut [0; 8]);
        assert!(managed.kill.has_escalated(), "the second does not put the first off");
    }

    /// Two have died, and one is to have a turn: the driver does not look through all of them.
    #[test]
    fn a_child_has_a_turn_only_when_its_time_has_come() {
        let (mut registry, mut poller, scratch) = (Registry::default(), Poller::new(), &mut [0; 8]);
        let states = [(); 2].map(|()| {
            let managed = Box::new(sleeper());
            let state = managed.state.clone();
            registry.handle(Message::Register(managed));
            state
        });
        registry.take_turns(&mut poller, scratch);
        for state in &states {
            state.signals.kill(true);
            while !state.signals.status().has_exited {
                thread::yield_now();
            }
        }
        registry.handle(Message::Wake(states[0].number));
        registry.take_turns(&mut poller, scratch);
        assert_eq!(states.each_ref().map(|state| state.outcome.is_settled()), [true, false]);
    }
}

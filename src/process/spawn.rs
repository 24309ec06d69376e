//! How a command becomes a process in the driver's care.
//!
//! Knows nothing of how a child is led and ended. It runs on the caller's thread: a spawn takes as
//! long as a hundred turns of the driver, and the others' deadlines must not wait for it.
//!
//! What must always hold:
//!
//! 1. A spawn that fails leaves no process and no descriptor.
//! 2. The quick way of the system is taken (`posix_spawn`) where std can: no code of ours runs between fork and exec,
//!    where little is allowed, and the cost does not grow with our memory.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::panic::Location;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::time::Instant;

use crate::prims;
use crate::trace_event::Step;
use crate::wait::cancel::CancellationToken;
use crate::wait::clock::Deadline;
use crate::wait::runtime::{RuntimeContext, hold};
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines, SharedBuffer, Source};
use super::child::Child;
use super::command::Command;
use super::driver::{self, DRIVER};
use super::managed::{ChildState, FORKED, ManagedChild};
use super::outcome::{Outcome, SpawnError};
use super::output::Stream;
use super::signals::{KillState, Signals};
use super::sys::{self, RealProcess};

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
    pub fn run(&mut self) -> Result<Outcome, SpawnError> {
        // Where this thread may stay until the end, it need not pass the child to another. A task's has timers to
        // fire; and if the input were not read, our write would be a SIGPIPE, which the driver's thread blocks.
        let may_stay = RuntimeContext::current().is_none() && self.token.is_none();
        let child = self.start(Location::caller(), |child, managed| {
            if !may_stay || managed.stdin.is_some() {
                return DRIVER.register(managed);
            }
            child.release_streams();
            driver::drive_here(managed)
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
    pub fn spawn(&mut self) -> Result<Child, SpawnError> {
        self.start(Location::caller(), |_, managed| DRIVER.register(managed))
    }

    /// Starts it, and hands it to what drives it to its end. If nothing can, the child is killed.
    fn start(
        &mut self,
        at: &'static Location<'static>,
        drive: impl FnOnce(&Child, Box<ManagedChild>) -> io::Result<()>,
    ) -> Result<Child, SpawnError> {
        if let Some(reason) = self.token.as_ref().and_then(CancellationToken::reason) {
            return Err(SpawnError::Cancelled(reason));
        }
        let began = prims::now();
        let process = self.spawn_process().map_err(|error| self.explain(error))?;
        let managed = self.manage(process, began);
        DRIVER.running.lock().add(&managed.state, began);
        let child = Child(managed.state.clone());
        managed.state.emit(Step::Submitted(at)); // Before the driver has it, and may emit the end.
        drive(&child, managed).map_err(|error| self.explain(error))?;
        Ok(child)
    }

    fn spawn_process(&mut self) -> io::Result<(u32, Pipes)> {
        if !DRIVER.process.is_current() {
            return Err(io::Error::new(ErrorKind::Unsupported, FORKED));
        }
        #[cfg(target_vendor = "apple")]
        let _turn = TURNS.lock();
        check_names(&self.std)?;
        let mut merged = None;
        if self.merges {
            let (reader, writer) = sys::pipe()?;
            self.std.stdout(writer.try_clone()?).stderr(writer);
            merged = Some(reader);
        }
        let spawned = self.std.process_group(0).spawn();
        if self.merges {
            self.std.stdout(Stdio::null()).stderr(Stdio::null()); // Our copies of its ends: the pipe would never end.
        }
        let child = spawned?;
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

    fn manage(
        &self,
        (pid, [stdin, stdout, stderr]): (u32, Pipes),
        began: Instant,
    ) -> Box<ManagedChild> {
        let process = RealProcess::new(pid);
        let pidfd = process.pidfd.as_ref().map(sys::readable);
        let is_open = stdin.is_some() && self.input.is_none();
        let state = ChildState {
            pid,
            program: self.std.get_program().to_string_lossy().into_owned(),
            number: DRIVER.number(),
            observer: self.observer.clone(),
            signals: Signals::new(process),
            input: SharedBuffer::of(Input::new(self.input.clone().unwrap_or_default(), !is_open)),
            lines: SharedBuffer::of(Lines::default()),
            outcome: Settle::running(),
            hold: hold(),
            parent: DRIVER.process,
            news: prims::Mutex::default(),
        };
        let stream = |pipe, source| Stream::new(pipe, source, self.cap, self.wants_lines);
        Box::new(ManagedChild {
            state: Arc::new(state),
            command: self.as_text(),
            kill: KillState::new(self.policy, Deadline::later(began, self.timeout)),
            pidfd,
            stdin,
            outputs: [stream(stdout, Source::Stdout), stream(stderr, Source::Stderr)],
            token: self.token.as_ref().map(CancellationToken::cancelled),
            began,
            has_exited: false,
            next_turn: Deadline::At(began),
        })
    }

    fn explain(&self, error: io::Error) -> SpawnError {
        use ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        let program = self.std.get_program().into();
        // The dot is found only if we may enter.
        let closed = self.std.get_current_dir().filter(|directory| !directory.join(".").is_dir());
        match (error.kind(), closed) {
            (NotFound | NotADirectory | PermissionDenied, Some(directory)) => {
                SpawnError::NoDirectory { directory: directory.into(), program }
            }
            _ => SpawnError::Refused { program, error },
        }
    }
}

/// Our ends of the pipes to stdin, and from stdout and stderr.
type Pipes = [Option<File>; 3];

/// In the environment, a block of `name=value`, another name would be another variable.
fn check_names(command: &process::Command) -> io::Result<()> {
    let is_none =
        |name: &OsStr| name.is_empty() || name.as_bytes().iter().any(|b| b"=\0".contains(b));
    let Some((name, _)) = command.get_envs().find(|(name, _)| is_none(name)) else {
        return Ok(());
    };
    let message = format!("{name:?} is no name of an environment variable");
    Err(io::Error::new(ErrorKind::InvalidInput, message))
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::super::driver::RunningChildren;
    use super::super::outcome::Cause;
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn sleeper() -> Box<ManagedChild> {
        let mut command = Command::new("sleep").arg("60");
        let process = command.spawn_process().expect("there is such a program");
        command.manage(process, prims::now())
    }

    /// As it is lost when there can be no thread, or when that has panicked.
    #[test]
    fn a_child_whose_driver_is_lost_is_killed_and_its_wait_ends() {
        let managed = sleeper();
        let child = Child(managed.state.clone());
        drop(managed);
        assert!(child.is_finished());
        let outcome = child.wait();
        assert_eq!((outcome.cause, outcome.status), (Cause::Unknown, None));
    }

    /// The system has started it, and it is not in the list yet.
    #[test]
    fn a_child_that_is_being_started_when_all_are_asked_is_asked_too() {
        let (mut running, began) = (RunningChildren::default(), prims::now());
        drop(running.ask_all(Duration::ZERO));
        let managed = sleeper();
        running.add(&managed.state, began);
        assert!(managed.state.signals.status().kill_by.is_some());
        let later = sleeper();
        running.add(&later.state, prims::now());
        assert_eq!(later.state.signals.status().kill_by, None);
    }

    /// Two have died, and one is to have a turn: the driver does not look through all of them.
    #[test]
    fn a_child_has_a_turn_only_when_its_time_has_come() {
        let mut children = [sleeper(), sleeper()];
        assert!(children.iter_mut().all(|child| child.take_turn(&mut [0; 8])));
        for child in &children {
            child.state.signals.kill();
            while !child.state.signals.status().has_exited {
                thread::yield_now();
            }
        }
        children[0].state.wake_driver();
        assert_eq!(children.each_mut().map(|child| child.take_turn(&mut [0; 8])), [false, true]);
        assert_eq!(
            children.each_ref().map(|child| child.state.outcome.is_settled()),
            [true, false]
        );
    }
}

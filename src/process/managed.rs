//! A managed child: its pipes, its exit, and its end, as the driver sees to them; and what its handle shares with
//! that.
//!
//! Knows nothing of the other children, nor of how one sleeps: it says what it waits for, and is
//! given a turn when a descriptor is ready or its deadline has passed.
//!
//! What must always hold:
//!
//! 1. Nothing here waits: the pipes are non-blocking, and a turn reads and writes a bounded amount.
//! 2. In a turn the pipes and the exit are looked at before any deadline is.
//! 3. The descriptors are closed before the handle settles; and it settles, whatever becomes of the driver.
//! 4. Each part of what is shared has a lock of its own, and no two of them are taken at once.

use std::fmt;
use std::fs::File;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::prims::{self, Mutex};
use crate::trace_event::{Ending, Observer, Step, What};
use crate::wait::cancel::WaitForCancel;
use crate::wait::clock::Deadline;
use crate::wait::hints::ProcessId;
use crate::wait::runtime::Hold;
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines, SharedBuffer};
use super::outcome::{Cause, Outcome};
use super::output::Stream;
use super::signals::{Action, KillState, Signals};
use super::sys::{self, RealProcess, WakePipe, pollfd};

/// What is said where nothing can be done.
pub(crate) const FORKED: &str =
    "this process was forked from one that runs children, and has no thread that would see to any";

/// What the handle and the driver share of one child.
pub(crate) struct ChildState {
    pub(crate) pid: u32,
    /// The program, for an observer.
    pub(crate) program: String,
    /// Which child of this process it is.
    pub(crate) number: usize,
    pub(crate) observer: Observer,
    pub(crate) signals: Signals<RealProcess>,
    pub(crate) input: SharedBuffer<Input>,
    pub(crate) lines: SharedBuffer<Lines>,
    pub(crate) outcome: Settle<(), Outcome>,
    /// On the executor on whose thread it was started, if it was: its clock is not to jump over a
    /// child's life. Let go when its waiter has gone, or has been woken.
    pub(crate) hold: Hold,
    /// Which process started it: this one, or the one of which this is a fork.
    pub(crate) parent: ProcessId,
    /// Whether there is something to do for what drives it; and what wakes that, once there is one.
    pub(crate) news: Mutex<(bool, Option<Arc<WakePipe>>)>,
}

impl ChildState {
    /// There is something for the driver to do.
    pub(crate) fn wake_driver(&self) {
        let mut news = self.news.lock();
        news.0 = true;
        let pipe = news.1.clone();
        drop(news);
        if let Some(pipe) = pipe {
            pipe.wake();
        }
    }

    pub(crate) fn emit(&self, step: Step) {
        let when = self.observer.now();
        self.observer.tell_about(when, What::Child, self.number, Some(&self.program), step);
    }
}

impl fmt::Debug for ChildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = if self.outcome.is_settled() { "finished" } else { "running" };
        write!(f, "{}, {}, {progress}", self.program, self.pid)
    }
}

/// The waker for the child's token.
impl Wake for ChildState {
    fn wake(self: Arc<Self>) {
        self.wake_driver();
    }
}

/// How many looks a child is given to die in, at most, where nothing drives it any more.
const MOST_CHECKS: usize = 200;
/// How often a child without a pidfd is looked at.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct ManagedChild {
    pub(crate) state: Arc<ChildState>,
    pub(crate) command: String,
    pub(crate) kill: KillState,
    /// Readable once it has exited. Where there is none, it is looked at after each pause.
    pub(crate) pidfd: Option<pollfd>,
    pub(crate) stdin: Option<File>,
    /// Standard output, and standard error.
    pub(crate) outputs: [Stream; 2],
    pub(crate) token: Option<WaitForCancel>,
    pub(crate) began: Instant,
    pub(crate) has_exited: bool,
    /// When it is to have a turn, if there is no news of it before.
    pub(crate) next_turn: Deadline,
}

impl ManagedChild {
    /// What it waits for: its exit, then stdin, stdout and stderr.
    pub(crate) fn interests(&self) -> [Option<pollfd>; 4] {
        let exit = self.pidfd.filter(|_| !self.has_exited);
        // With nothing to write there is nothing to wait for: a reader that has gone would keep us
        // awake.
        let stdin = self.stdin.as_ref().filter(|_| self.state.input.is_due()).map(sys::writable);
        let [stdout, stderr] = self.outputs.each_ref().map(|it| it.interest(&self.state.lines));
        [exit, stdin, stdout, stderr]
    }

    /// Has a turn, if its time has come or there is news of it. False at its end.
    pub(crate) fn take_turn(&mut self, scratch: &mut [u8]) -> bool {
        let has_news = mem::take(&mut self.state.news.lock().0);
        !(has_news || self.next_turn.has_passed()) || self.turn(scratch)
    }

    /// Does what there is to do, and says when it is to be asked again. False at its end.
    pub(crate) fn turn(&mut self, scratch: &mut [u8]) -> bool {
        drop(self.stdin.take_if(|pipe| self.state.input.feed(pipe)));
        self.read(false, scratch);
        self.poll_token();
        let (now, process) = (prims::now(), self.state.signals.status());
        if process.has_exited && !self.has_exited {
            self.has_exited = true;
            self.close_input();
            // What it wrote last may have come after our look, and more of it than a turn takes.
            self.read(true, scratch);
        }
        loop {
            match self.kill.next(now, process, self.has_open_pipes()) {
                Action::Signal(signal) => self.state.signals.send(signal),
                Action::Finish => {
                    let status = self.state.signals.reap();
                    self.settle(status);
                    return false;
                }
                Action::GiveUp => self.settle(None),
                Action::Wait => break,
            }
        }
        let is_seen = self.has_exited || self.pidfd.is_some();
        let next_look = if is_seen { Deadline::Never } else { Deadline::later(now, PAUSE) };
        self.next_turn = self.kill.deadline().min(next_look);
        true
    }

    fn close_input(&mut self) {
        self.stdin = None;
        self.state.input.close();
    }

    fn read(&mut self, is_exit: bool, scratch: &mut [u8]) {
        for stream in &mut self.outputs {
            stream.read(is_exit, &self.state.lines, scratch);
        }
    }

    /// Takes notice if the token has been cancelled, which it says once.
    fn poll_token(&mut self) {
        let Some(token) = &mut self.token else { return };
        let waker = Waker::from(self.state.clone());
        if let Poll::Ready(reason) = Pin::new(token).poll(&mut Context::from_waker(&waker)) {
            self.token = None;
            self.kill.reason = Some(Cause::Cancelled(reason));
        }
    }

    fn has_open_pipes(&self) -> bool {
        self.outputs.iter().any(|stream| stream.pipe.is_some())
    }

    /// Nothing is left open when the handle settles, but the pidfd of one that has not exited.
    fn settle(&mut self, status: Option<ExitStatus>) {
        let (state, pipes_leaked) = (self.state.clone(), self.has_open_pipes());
        if state.outcome.is_settled() {
            return; // It was given up, and has died after all.
        }
        self.close_input();
        self.token = None;
        let [stdout, stderr] = self.outputs.each_mut().map(|stream| stream.finish(&state.lines));
        state.lines.close();
        let outcome = Outcome {
            command: mem::take(&mut self.command),
            status,
            cause: self.kill.cause.take().unwrap_or_else(|| cause_of(status)),
            stdout,
            stderr,
            pipes_leaked,
            wall: prims::now().saturating_duration_since(self.began),
        };
        state.emit(Step::Settled(ending_of(&outcome)));
        drop(state.outcome.settle(outcome).run());
        state.hold.let_go(); // Not before the waiter has been woken.
    }
}

impl Drop for ManagedChild {
    /// There can be no thread for it, or that has panicked: nothing would end it in time.
    fn drop(&mut self) {
        if !self.state.outcome.is_settled() {
            let signals = &self.state.signals;
            signals.kill();
            // If it is not ours to kill, or hangs in the kernel, we do not wait for it longer than for so many looks.
            for _ in 0..MOST_CHECKS {
                if signals.status().has_exited {
                    signals.reap();
                    break;
                }
                sys::poll(&mut [], Deadline::after(PAUSE));
            }
            self.settle(None);
        }
    }
}

/// Why it ended, where nothing made it end.
fn cause_of(status: Option<ExitStatus>) -> Cause {
    let Some(status) = status else { return Cause::Unknown };
    if status.signal().is_some() { Cause::Signalled } else { Cause::Exited }
}

fn ending_of(outcome: &Outcome) -> Ending {
    let was_given_up = outcome.status.is_none() && outcome.cause != Cause::Unknown;
    if was_given_up || outcome.signal().is_some() { Ending::Killed } else { Ending::Returned }
}

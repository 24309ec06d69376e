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
//! 3. The descriptors are closed and the permit is given back before the handle settles; and it settles,
//!    whatever becomes of the driver.
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

use crate::prims::{self, SetOnce};
use crate::trace_event::{Ending, Observer, Step, What};
use crate::wait::cancel::WaitForCancel;
use crate::wait::clock::Deadline;
use crate::wait::hints::Process;
use crate::wait::permits::Permit;
use crate::wait::runtime::Hold;
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines, Shared};
use super::command::KillPolicy;
use super::outcome::{Cause, Outcome};
use super::output::Stream;
use super::signals::{Action, KillState, Signals};
use super::sys::{self, Interest, RealProcess, Signal};

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
    /// Whether what it leaves behind in its group is killed when it has exited.
    pub(crate) sweeps: bool,
    pub(crate) input: Shared<Input>,
    pub(crate) lines: Shared<Lines>,
    pub(crate) outcome: Settle<(), Outcome>,
    /// On the executor on whose thread it was started, if it was: its clock is not to jump over a
    /// child's life. Let go when its waiter has gone, or has been woken.
    pub(crate) hold: Hold,
    /// Which process started it: this one, or the one of which this is a fork.
    pub(crate) parent: Process,
    /// Gives the child of this number a turn of the driver.
    pub(crate) wake_driver: fn(usize),
}

impl ChildState {
    /// There is something for the driver to do.
    pub(crate) fn wake_driver(&self) {
        (self.wake_driver)(self.number);
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

/// Of the driver's permits: one for each child that may run.
pub(crate) type ChildPermit = Permit<'static>;

/// How many descriptors a managed child waits for at most.
pub(crate) const INTERESTS: usize = 4;

/// How many looks a child is given to die in, at most, where nothing drives it any more.
const MOST_CHECKS: usize = 1000;
/// How often a child without a pidfd is looked at: more rarely, the longer it runs.
pub(crate) const FIRST_CHECK: Duration = Duration::from_millis(1);
const RAREST_CHECK: Duration = Duration::from_millis(50);

/// What all children at once are asked: to end, by this policy; and what they are asked later. Each child reads on
/// from where the list ended when it was started, and nothing is kept that every child has read.
#[derive(Default)]
pub(crate) struct Asked(pub(crate) SetOnce<(KillPolicy, Arc<Asked>)>);

impl Drop for Asked {
    /// Link by link: dropped inside one another, the links of a long list would take the whole stack.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some((_, later)) = next {
            next = Arc::into_inner(later).and_then(|mut later| later.0.take());
        }
    }
}

pub(crate) struct ManagedChild {
    pub(crate) state: Arc<ChildState>,
    pub(crate) command: String,
    pub(crate) kill: KillState,
    /// Readable once it has exited. Where there is none, it is looked at after each `pause`.
    pub(crate) pidfd: Option<Interest>,
    pub(crate) pause: Duration,
    pub(crate) stdin: Option<File>,
    /// Standard output, and standard error.
    pub(crate) outputs: [Stream; 2],
    pub(crate) token: Option<WaitForCancel>,
    pub(crate) began: Instant,
    /// What all children are asked from its start on.
    pub(crate) asked: Arc<Asked>,
    pub(crate) has_exited: bool,
    /// `None` once its descriptors are closed.
    pub(crate) permit: Option<ChildPermit>,
}

impl ManagedChild {
    /// What it waits for: its exit, then stdin, stdout and stderr.
    pub(crate) fn interests(&self) -> [Option<Interest>; INTERESTS] {
        let exit = self.pidfd.filter(|_| !self.has_exited);
        // With nothing to write there is nothing to wait for: a reader that has gone would keep us
        // awake.
        let stdin = self.stdin.as_ref().filter(|_| self.state.input.is_due()).map(Interest::write);
        let [stdout, stderr] = self.outputs.each_ref().map(|it| it.interest(&self.state.lines));
        [exit, stdin, stdout, stderr]
    }

    /// Does what there is to do. Says until when it need not be asked again; `None` at its end.
    pub(crate) fn turn(&mut self, scratch: &mut [u8]) -> Option<Deadline> {
        while let Some((policy, later)) = self.asked.0.get().cloned() {
            self.state.signals.terminate();
            self.kill.hasten(&policy, prims::now());
            self.asked = later;
        }
        drop(self.stdin.take_if(|pipe| self.state.input.feed(pipe)));
        self.read(false, scratch);
        let is_cancelled = self.poll_token();
        let (now, mut process) = (prims::now(), self.state.signals.status());
        if process.has_exited && !self.has_exited {
            self.has_exited = true;
            self.close_input();
            // What it wrote last may have come after our look, and more of it than a turn takes.
            self.read(true, scratch);
        }
        process.skips_pipe_grace |= process.has_exited && is_cancelled;
        loop {
            match self.kill.next(now, process, self.has_open_pipes()) {
                Action::Signal(signal) => {
                    self.state.signals.send(signal);
                    self.pause = FIRST_CHECK;
                }
                Action::Finish => {
                    let reaped = self.state.signals.reap(self.state.sweeps);
                    self.settle(reaped);
                    return None;
                }
                Action::GiveUp => self.settle(None),
                Action::Wait => return Some(self.kill.deadline().min(self.next_check(now))),
            }
        }
    }

    /// When to look whether it has exited, after a look; the next one will be later.
    fn next_check(&mut self, now: Instant) -> Deadline {
        if self.has_exited || self.pidfd.is_some() {
            return Deadline::Never;
        }
        let next = Deadline::later(now, self.pause);
        self.pause = RAREST_CHECK.min(self.pause * 2);
        next
    }

    fn close_input(&mut self) {
        self.stdin = None;
        self.state.input.close();
    }

    fn read(&mut self, is_exit: bool, scratch: &mut [u8]) {
        let had_open_pipes = self.has_open_pipes();
        for stream in &mut self.outputs {
            if stream.read(is_exit, &self.state.lines, scratch) {
                self.kill.last_output = prims::now();
            }
            if stream.capture.is_over() {
                self.kill.reason.get_or_insert(Cause::OutputLimit);
            }
        }
        if had_open_pipes && !self.has_open_pipes() {
            self.pause = FIRST_CHECK; // As they end at an exit.
        }
    }

    /// Whether it says that the token has been cancelled, which it says once.
    fn poll_token(&mut self) -> bool {
        let Some(token) = &mut self.token else { return false };
        let waker = Waker::from(self.state.clone());
        let Poll::Ready(reason) = Pin::new(token).poll(&mut Context::from_waker(&waker)) else {
            return false;
        };
        self.token = None;
        self.kill.reason.get_or_insert(Cause::Cancelled(reason));
        true
    }

    fn has_open_pipes(&self) -> bool {
        self.outputs.iter().any(|stream| stream.pipe.is_some())
    }

    /// Nothing is left open when the handle settles, but the pidfd of one that has not exited.
    fn settle(&mut self, reaped: Option<(ExitStatus, Duration)>) {
        let (state, pipes_leaked) = (self.state.clone(), self.has_open_pipes());
        if state.outcome.is_settled() {
            return; // It was given up, and has died after all.
        }
        self.close_input();
        self.token = None;
        let is_over = self.outputs.iter().any(|stream| stream.capture.is_over());
        let [stdout, stderr] = self.outputs.each_mut().map(|stream| stream.finish(&state.lines));
        state.lines.close();
        if self.has_exited {
            self.permit = None;
        }

        let (status, cpu) = reaped.unzip();
        // Too much is no success, though it exited before we could end it for that.
        let by_itself = if is_over { Cause::OutputLimit } else { cause_of(status) };
        let outcome = Outcome {
            command: mem::take(&mut self.command),
            status,
            cause: self.kill.cause.take().unwrap_or(by_itself),
            escalated: self.kill.has_escalated(),
            stdout,
            stderr,
            pipes_leaked,
            wall: prims::now().saturating_duration_since(self.began),
            cpu,
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
            signals.kill(true);
            // If it is not ours to kill, or hangs in the kernel, we do not wait for it longer than for so many looks.
            for _ in 0..MOST_CHECKS {
                if signals.status().has_exited {
                    self.has_exited = signals.reap(false).is_some();
                    break;
                }
                sys::poll(&[], Some(FIRST_CHECK));
            }
            self.settle(None);
        }
    }
}

/// Why it ended, where nothing made it end.
fn cause_of(status: Option<ExitStatus>) -> Cause {
    let Some(status) = status else { return Cause::Unknown };
    status.signal().map_or(Cause::Exited, |number| Cause::Signalled(Signal::from_number(number)))
}

fn ending_of(outcome: &Outcome) -> Ending {
    let was_given_up = outcome.status.is_none() && outcome.cause != Cause::Unknown;
    if was_given_up || outcome.signal().is_some() { Ending::Killed } else { Ending::Returned }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn what_all_children_were_asked_is_dropped_without_a_stack_of_its_length() {
        let first = Arc::new(Asked::default());
        let mut last = first.clone();
        for _ in 0..100_000 {
            let next = Arc::new(Asked::default());
            assert!(last.0.set((KillPolicy::default(), next.clone())).is_ok());
            last = next;
        }
        drop(first);
    }
}

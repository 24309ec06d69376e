//! A managed child: its pipes, its exit, and its end, as the driver sees to them.
//!
//! Knows nothing of the other children, nor of how one sleeps: it says what it looks out for, and is
//! given a turn when there is news or its deadline has passed.
//!
//! What must always hold:
//!
//! 1. Nothing here waits: the pipes are non-blocking, and a turn reads and writes a bounded amount.
//! 2. In a turn the pipes and the exit are looked at before any deadline is.
//! 3. The descriptors are closed and the permit is given back before the handle settles; and it settles,
//!    whatever becomes of the driver.

use std::fs::File;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::event::{Ending, Step};
use crate::prims;
use crate::wait::cancel::WaitForCancel;
use crate::wait::deadline::Deadline;

use super::outcome::{Cause, Outcome};
use super::output::Stream;
use super::permits::Permit;
use super::policy::{Act, KillPolicy, KillState, Seen};
use super::signals::ExitWatch;
use super::state::ChildState;
use super::sys::{Interest, Signal};

/// How many descriptors a managed child looks out for at most.
pub(crate) const INTERESTS: usize = 4;

pub(crate) struct ManagedChild {
    pub(crate) state: Arc<ChildState>,
    pub(crate) command: String,
    pub(crate) kill: KillState,
    pub(crate) watch: ExitWatch,
    pub(crate) stdin: Option<File>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    pub(crate) token: Option<WaitForCancel>,
    pub(crate) began: Instant,
    pub(crate) last_output: Instant,
    pub(crate) has_exited: bool,
    /// A cancelled token or too much output, whichever came first.
    pub(crate) reason: Option<Cause>,
    /// Whether the handle has been told. The end may come later, after it was given up.
    pub(crate) is_settled: bool,
    /// `None` once its descriptors are closed.
    pub(crate) permit: Option<Permit>,
}

impl ManagedChild {
    /// What it looks out for: its exit, then stdin, stdout and stderr.
    pub(crate) fn interests(&self) -> [Option<Interest>; INTERESTS] {
        let exit = if self.has_exited { None } else { self.watch.pidfd };
        // With nothing to write there is nothing to look out for: a reader that has gone would keep us
        // awake.
        let stdin = self.stdin.as_ref().filter(|_| self.state.input.is_due()).map(Interest::write);
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|stream| {
            let is_wanted = stream.is_wanted(&self.state.lines);
            stream.pipe.as_ref().filter(|_| is_wanted).map(Interest::read)
        });
        [exit, stdin, stdout, stderr]
    }

    /// Does what there is to do. Says until when it need not be asked again; `None` at its end.
    pub(crate) fn turn(
        &mut self,
        is_ready: [bool; INTERESTS],
        scratch: &mut [u8],
    ) -> Option<Deadline> {
        let [_exit, stdin_is_ready, outputs @ ..] = is_ready;
        if stdin_is_ready {
            self.feed();
        }
        self.read(outputs, scratch);
        let is_cancelled = self.hear_token();
        let now = prims::now();
        let mut look = self.state.signals.look();
        if look.has_exited && !self.has_exited {
            self.has_exited = true;
            self.stdin = None;
            self.state.input.close();
            // What it wrote last may have come after our look, and more of it than a turn takes.
            for stream in [&mut self.stdout, &mut self.stderr] {
                stream.drain(&self.state.lines, scratch);
            }
            self.read([false; 2], scratch);
        }
        if self.has_exited && is_cancelled {
            self.state.signals.terminate();
            look.skips_pipe_grace = true;
        }
        if self.is_settled {
            // It was given up. If it has died after all, that is the end of it.
            if self.has_exited {
                self.state.signals.reap(self.state.sweeps);
            }
            return (!self.has_exited).then(|| self.watch.next_look(now));
        }
        self.go_on(Seen {
            now,
            has_exited: self.has_exited,
            pipes_are_open: self.has_open_pipes(),
            last_output: self.last_output,
            asked: look.asked,
            skips_pipe_grace: look.skips_pipe_grace,
            reason: self.reason.clone(),
        })
    }

    fn go_on(&mut self, seen: Seen) -> Option<Deadline> {
        loop {
            match self.kill.next(&seen) {
                Act::Signal(signal) => {
                    self.state.signals.send(signal);
                    self.watch.look_often();
                }
                Act::Finish => {
                    let reaped = self.state.signals.reap(self.state.sweeps);
                    self.settle(reaped, seen.pipes_are_open);
                    return None;
                }
                Act::GiveUp => self.settle(None, seen.pipes_are_open),
                Act::Wait => break,
            }
        }
        let look = if self.has_exited { Deadline::Never } else { self.watch.next_look(seen.now) };
        Some(self.kill.deadline(self.last_output).min(look))
    }

    pub(crate) fn number(&self) -> usize {
        self.state.number
    }

    /// The end by this policy, or by one under way if that comes sooner.
    pub(crate) fn terminate_by(&mut self, policy: &KillPolicy) {
        self.state.signals.terminate();
        self.kill.hasten(policy, prims::now());
    }

    fn feed(&mut self) {
        if let Some(pipe) = &mut self.stdin {
            if self.state.input.feed(pipe).is_break() {
                self.stdin = None;
                self.state.input.close();
            }
        }
    }

    fn read(&mut self, is_ready: [bool; 2], scratch: &mut [u8]) {
        let had_open_pipes = self.has_open_pipes();
        for (stream, is_ready) in [&mut self.stdout, &mut self.stderr].into_iter().zip(is_ready) {
            let is_wanted = stream.is_wanted(&self.state.lines);
            let was_held_up = stream.is_held_up;
            stream.is_held_up = stream.pipe.is_some() && !is_wanted;
            let has_read = is_ready && is_wanted && stream.read(&self.state.lines, scratch);
            if has_read || was_held_up || stream.is_held_up {
                // Who is, or was until now, held up by its reader is not idle by its own fault.
                self.last_output = prims::now();
            }
            if stream.capture.is_over() {
                self.reason.get_or_insert(Cause::OutputLimit);
            }
        }
        if had_open_pipes && !self.has_open_pipes() {
            self.watch.look_often();
        }
    }

    /// Whether it says that the token has been cancelled, which it says once.
    fn hear_token(&mut self) -> bool {
        if !self.state.takes_news() {
            return false;
        }
        let waker = Waker::from(self.state.clone());
        let Some(token) = &mut self.token else { return false };
        match Pin::new(token).poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => false,
            Poll::Ready(reason) => {
                self.token = None;
                self.reason.get_or_insert(Cause::Cancelled(reason));
                true
            }
        }
    }

    fn has_open_pipes(&self) -> bool {
        self.stdout.pipe.is_some() || self.stderr.pipe.is_some()
    }

    /// Nothing is left open when the handle hears of it, but the watch for one who has not exited.
    fn settle(&mut self, reaped: Option<(ExitStatus, Duration)>, pipes_leaked: bool) {
        let state = self.state.clone();
        (self.stdin, self.token, self.is_settled) = (None, None, true);
        let is_over = self.stdout.capture.is_over() || self.stderr.capture.is_over();
        let stdout = self.stdout.finish(&state.lines);
        let stderr = self.stderr.finish(&state.lines);
        state.input.close();
        state.lines.close();
        if self.has_exited {
            self.permit = None;
        }

        let status = reaped.map(|(status, _)| status);
        // Too much is no success, though it exited before we could end it for that.
        let by_itself = if is_over { Cause::OutputLimit } else { cause_of(status) };
        let outcome = Outcome {
            command: mem::take(&mut self.command),
            status,
            cause: self.kill.cause().cloned().unwrap_or(by_itself),
            escalated: self.kill.has_escalated(),
            stdout,
            stderr,
            pipes_leaked,
            wall: prims::now().saturating_duration_since(self.began),
            cpu: reaped.map(|(_, time)| time),
        };
        state.tell(Step::Settled(ending_of(&outcome)));
        drop(state.outcome.settle(outcome).run_its_course());
        state.let_go(); // Not before the waiter has been woken.
    }
}

impl Drop for ManagedChild {
    /// There can be no thread for it, or that has panicked: nobody would end it in time.
    fn drop(&mut self) {
        if !self.is_settled {
            self.state.signals.kill(true);
            self.has_exited = self.state.signals.reap(false).is_some();
            self.settle(None, self.has_open_pipes());
        }
    }
}

/// Why it ended, where nobody had a hand in it.
fn cause_of(status: Option<ExitStatus>) -> Cause {
    match status {
        None => Cause::Unknown,
        Some(status) => match status.signal() {
            None => Cause::Exited,
            Some(number) => Cause::Signalled(Signal::from_number(number)),
        },
    }
}

fn ending_of(outcome: &Outcome) -> Ending {
    let was_given_up = outcome.status.is_none() && outcome.cause != Cause::Unknown;
    if was_given_up || outcome.signal().is_some() { Ending::Killed } else { Ending::Returned }
}

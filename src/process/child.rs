//! The handle: what the code that started a child keeps.
//!
//! Knows nothing of how the child is led. What must always hold: what is asked here is done under
//! the signal lock, or by the driver; nothing here waits but what is called `wait`.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Closed, StillRunning};
use crate::wait::block_on::{block_on, block_on_until};
use crate::wait::clock::Deadline;
use crate::wait::runtime::poll_elsewhere;

use super::buffers::{BufferWait, Line};
use super::managed::{ChildState, FORKED};
use super::outcome::Outcome;

/// A process that we started, and a claim on its [`Outcome`].
///
/// Block a thread with [`wait`](Self::wait), await it in any executor, or hand it to
/// [`as_completed`](crate::as_completed) beside anything else that finishes.
///
/// ```
/// use handspun::{as_completed, block_on};
/// use handspun::process::Command;
///
/// let child = Command::new("echo").arg("hello").spawn()?;
/// assert_eq!(block_on(child).stdout.text(), "hello\n");
///
/// let children = ["1", "2", "3"].map(|code| Command::new("sh").args(["-c", "exit $0", code]).spawn());
/// let children: Vec<_> = children.into_iter().collect::<Result<_, _>>()?;
/// let codes = as_completed(children).map(|outcome| outcome.code());
/// assert_eq!(codes.flatten().sum::<i32>(), 6);
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
///
/// **To wait is to have nothing more to say**: the first wait or poll closes the child's standard
/// input behind what was written, and takes in no more lines, so that they do not hold the child up.
///
/// **In a task**: while a child that was started there lives, a clock that jumps does not. Its own
/// timeouts are in real time.
///
/// **In a fork** of the process that started it nothing can be done with it, and all but dropping it
/// panics: the thread that sees to children is not there.
///
/// **Dropping it** kills the child and its group, at once and without waiting; the driver reaps it.
/// To let it run on, wait for it on another thread, or in a task.
#[doc(alias = "Popen")]
#[derive(Debug)]
#[must_use = "a child whose handle is dropped is killed"]
pub struct Child(pub(crate) Arc<ChildState>);

impl Child {
    /// The number by which the system knows it, and its group.
    ///
    /// Do not signal it by that: once it has been reaped the number may be any process's.
    #[doc(alias = "pid")]
    pub fn id(&self) -> u32 {
        self.0.pid
    }

    /// Waits for the end on this thread. In a task, `.await` the child instead.
    ///
    /// With a timeout set, it returns within timeout + grace + kill-wait + pipe-grace, whatever the
    /// child and its own children do: see [`Command`](super::Command).
    #[doc(alias = "communicate")]
    pub fn wait(self) -> Outcome {
        block_on(self)
    }

    /// Waits for the end on this thread, for at most `timeout`. It says nothing to the child.
    ///
    /// So its input stays open, and a child whose lines are not taken is held up: it does not end then.
    /// To have said all, [`close_stdin`](Self::close_stdin); to take no lines,
    /// [`wait`](Self::wait) with a [timeout](super::Command::timeout) on the command.
    ///
    /// # Errors
    ///
    /// [`StillRunning`] holds this handle, to wait again or to end the child.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::process::{Cause, Command};
    ///
    /// let child = Command::new("sleep").arg("60").spawn()?;
    /// let child = child.wait_timeout(Duration::from_millis(5)).unwrap_err().into_inner();
    /// child.terminate();
    /// assert_eq!(child.wait().cause, Cause::Terminated);
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    #[doc(alias = "wait_for")]
    pub fn wait_timeout(self, timeout: Duration) -> Result<Outcome, StillRunning<Self>> {
        let end = pin!(poll_fn(|context| self.poll_end(context)));
        let outcome = block_on_until(end, Deadline::after(timeout), Duration::ZERO);
        outcome.ok_or(StillRunning(self))
    }

    /// Whether it has ended, and its outcome is there or was taken.
    #[doc(alias = "poll")]
    pub fn is_finished(&self) -> bool {
        self.state().outcome.is_settled()
    }

    /// The next line of its output, after [`Command::lines`](super::Command::lines). It is `None` at the end.
    ///
    /// Lines of both streams come in the order in which they were read. A reader that is behind holds the child
    /// up, but no deadline. To drop the future loses no line.
    ///
    /// ```
    /// use handspun::block_on;
    /// use handspun::process::Command;
    ///
    /// let count = Command::new("seq").arg("3").lines().spawn()?;
    /// let mut sum = 0;
    /// while let Some(line) = block_on(count.next_line()) {
    ///     sum += line.text().parse::<u32>().unwrap();
    /// }
    /// assert_eq!(sum, 6);
    /// assert_eq!(count.wait().stdout.text(), "1\n2\n3\n", "lines are captured too");
    /// # Ok::<(), handspun::process::SpawnError>(())
    /// ```
    #[doc(alias = "readline")]
    pub fn next_line(&self) -> impl Future<Output = Option<Line>> {
        let state = self.state();
        let mut wait = BufferWait::on(&state.lines);
        let mut poll = move |context: &mut Context<'_>| wait.poll_next(context);
        poll_fn(move |context| {
            let polled = poll_elsewhere("a line of a child process", context, &mut poll);
            polled.map(|(line, has_room_again)| {
                if has_room_again {
                    state.wake_driver();
                }
                line
            })
        })
    }

    /// Writes to the child's standard input, if that was set to [`Stdio::piped`](std::process::Stdio::piped).
    ///
    /// The bytes are under way when this returns. Await the answer to learn that the pipe has taken them: so code that
    /// writes much does not fill the memory. Dropping it takes nothing back.
    ///
    /// ```
    /// use std::process::Stdio;
    /// use handspun::block_on;
    /// use handspun::process::Command;
    ///
    /// let cat = Command::new("cat").stdin(Stdio::piped()).lines().spawn()?;
    /// block_on(cat.write(b"how do you do\n"))?;
    /// assert_eq!(block_on(cat.next_line()).unwrap().text(), "how do you do");
    /// cat.close_stdin();
    /// assert!(cat.wait().is_success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], if the child reads no more, or its input was closed or never piped.
    pub fn write<'a>(&'a self, bytes: &[u8]) -> impl Future<Output = Result<(), Closed>> + use<'a> {
        let state = self.state();
        let needs_wake = state.input.write(bytes);
        if needs_wake == Ok(true) {
            state.wake_driver();
        }
        let mut wait = needs_wake.map(|_| BufferWait::on(&state.input));
        poll_fn(move |context| match &mut wait {
            Ok(wait) => poll_elsewhere("a child process to read its input", context, |context| {
                wait.poll_written(context)
            }),
            Err(closed) => Poll::Ready(Err(*closed)),
        })
    }

    /// Ends the child's standard input, behind what was written.
    pub fn close_stdin(&self) {
        if self.state().input.finish() {
            self.state().wake_driver();
        }
    }

    /// Asks it to end, as its [policy](super::Command::kill_policy) says. Does not wait.
    ///
    /// A child that has exited has exited: its status and its cause stay the same.
    #[doc(alias = "send_signal")]
    pub fn terminate(&self) {
        self.state().signals.terminate(Deadline::Never);
        self.state().wake_driver();
    }

    /// Kills it, and its group. Does not wait.
    ///
    /// Of a child that has exited, but is not [finished](Self::is_finished), it kills what is left of its group.
    pub fn kill(&self) {
        self.state().signals.kill();
        self.state().wake_driver();
    }

    /// What both sides know of it.
    fn state(&self) -> &ChildState {
        assert!(self.0.parent.is_current(), "{FORKED}");
        &self.0
    }

    fn poll_end(&self, context: &mut Context<'_>) -> Poll<Outcome> {
        poll_elsewhere("a child process", context, |context| self.state().outcome.poll(context))
    }

    /// Nothing more to write, and no more lines to read.
    pub(crate) fn release_streams(&self) {
        let state = self.state();
        let needs_wake = state.input.finish();
        if state.lines.close() || needs_wake {
            state.wake_driver();
        }
    }
}

/// Awaits the end.
impl Future for Child {
    type Output = Outcome;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.release_streams();
        self.poll_end(context)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.0.parent.is_current() {
            return; // The child is our parent's.
        }
        if !self.is_finished() {
            // Now, and not by a message to the driver: if this process exits in the next moment,
            // nothing of the child stays behind.
            self.0.signals.kill();
            self.0.wake_driver();
        }
        drop(self.0.outcome.abandon());
    }
}

//! A task's handle, and the cell in which its output is left.
//!
//! Knows nothing of the loop. The future of a task ends by settling a cell of the hall, as a job does; the
//! handle waits for that cell, on whatever executor or thread it is. What must always hold: a task settles
//! exactly once, and its future has been dropped by then.

use std::any::Any;
use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::event::{Ending, Step};
use crate::wait::cancel_on_drop::CancelOnDrop;
use crate::wait::deferred;
use crate::wait::host::poll_elsewhere;
use crate::wait::inside;
use crate::wait::settle::{Progress, Settle};
use crate::wait::tag::{self, Tag};

use super::core::Core;
use super::current;
use super::ready::{Shared, TaskId, is_home};
use super::seats::{AnyCell, Card, Live};

/// A handle of a task: what it came to, or a way to cancel it.
///
/// It is a `Future`, of the output or of a [`JoinError`], and may be awaited anywhere: in this executor, in
/// another one, or with [`block_on`](crate::block_on) on another thread.
///
/// ```
/// use handspun::{JoinError, run, spawn};
///
/// run(async {
///     let answer = spawn(async { 6 * 7 });
///     let broken = spawn(async { panic!("oh no") });
///     assert_eq!(answer.await?, 42);
///     assert!(matches!(broken.await, Err(JoinError::Panicked(_))));
///     Ok::<(), JoinError>(())
/// })?;
/// # Ok::<(), JoinError>(())
/// ```
///
/// **Dropping it** detaches the task, which goes on as long as its executor does. If such a task panics, the
/// panic hook hears of it. [`cancel_on_drop`](Self::cancel_on_drop) makes it otherwise. So a part of a future
/// that must not be dropped with it is a task of its own, whose handle it awaits.
#[doc(alias = "shield")]
#[must_use = "dropping it detaches the task: say `drop(task)` if that is meant"]
pub struct Task<T> {
    cell: Arc<TaskCell<T>>,
    /// The output has been given away, and there is nothing to let go of.
    is_read: bool,
}

/// What a task settles.
struct TaskCell<T> {
    card: Card,
    output: Settle<(), Result<T, JoinError>>,
}

impl<T> TaskCell<T> {
    fn settle(&self, result: Result<T, JoinError>) {
        let step = Step::Settled(match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        });
        self.card.tell(step);
        if let Some(unread) = self.output.settle(result).run_its_course() {
            self.card.shared.panic_hook.dispose(unread);
        }
    }
}

impl<T: 'static> AnyCell for TaskCell<T> {
    fn card(&self) -> &Card {
        &self.card
    }

    fn fail(&self, error: JoinError) {
        self.settle(Err(error));
    }

    fn waits(&self) -> Option<*const ()> {
        self.output.waits()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A task that has no future yet. Dropped like this, it settles as cancelled.
pub(crate) struct Unborn<T>(Option<Arc<TaskCell<T>>>);

impl<T> Unborn<T> {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        name: Option<Box<str>>,
        spawned_at: &'static Location<'static>,
    ) -> (Task<T>, Self) {
        let card = Card::new(shared, name, spawned_at);
        card.tell(Step::Submitted(spawned_at));
        let cell = Arc::new(TaskCell { card, output: Settle::running() });
        (Task { cell: cell.clone(), is_read: false }, Self(Some(cell)))
    }
}

impl<T: 'static> Unborn<T> {
    /// Gives it a future and a seat, unless the executor has been closed.
    pub(crate) fn be_born(
        mut self,
        core: &Core,
        future: impl Future<Output = T> + 'static,
    ) -> Option<TaskId> {
        if !core.is_open() {
            let _ = deferred::run(move || {
                drop(future);
                drop(self); // Which tells whoever waits for it.
            });
            return None;
        }
        let cell = self.0.take().expect("it is taken here only, and `self` with it");
        core.seat(cell, Box::pin(Some(future)))
    }
}

impl<F> Live for Option<F>
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn poll_to_cell(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        leave: &mut dyn FnMut() -> Arc<dyn AnyCell>,
    ) -> Poll<()> {
        let future = self.as_mut().as_pin_mut().expect("a task that is over is not polled");
        let Poll::Ready(output) = future.poll(context) else { return Poll::Pending };
        self.set(None); // Whoever waits for the task finds its future dropped.
        let cell = leave();
        let cell = cell.as_any().downcast_ref::<TaskCell<F::Output>>();
        cell.expect("a task was seated with its own cell").settle(Ok(output));
        Poll::Ready(())
    }
}

impl<T> Drop for Unborn<T> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            cell.settle(Err(JoinError::Cancelled(CancelReason::ShutDown)));
        }
    }
}

impl<T> Task<T> {
    /// Drops the task's future where it stands; false if the task is over.
    ///
    /// Called inside of its executor, the future has been dropped when this returns, and the handle settles
    /// to [`JoinError::Cancelled`]; but a task that cancels itself, from inside its own poll, is dropped
    /// after that poll, and where the drop of a task cancels the next one, and so on for more than a dozen,
    /// the rest of the chain follows one by one, and is over when the first cancel returns. From elsewhere, another thread or between two runs, it is asked for, and happens
    /// when the executor reads its mail; then `true` says only that the task was not over at this moment. A
    /// thread that means to do so keeps a [`Remote`](crate::Remote): an executor in which nobody else could wake
    /// reports that it hangs, and does not ask where its handles are.
    ///
    /// A task cannot refuse. Clean-up that has to wait for something needs a
    /// [`CancellationToken`](crate::CancellationToken), which the task looks at.
    ///
    /// ```
    /// use handspun::{JoinError, run, sleep, spawn};
    /// use std::time::Duration;
    ///
    /// run(async {
    ///     let task = spawn(sleep(Duration::from_secs(3600)));
    ///     assert!(task.cancel());
    ///     assert!(matches!(task.await, Err(JoinError::Cancelled(_))));
    /// });
    /// ```
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> bool {
        let card = &self.cell.card;
        !self.is_finished()
            && (card.cancel_unseated() || current::cancel(&card.shared, card.task()))
    }

    /// Ties the task to its handle: dropping what this returns cancels the task.
    ///
    /// When to use it: nobody wants the task any more once you stop waiting for it, as in a
    /// [`timeout`](crate::timeout) or a [`race`](crate::race).
    ///
    /// ```
    /// use std::{rc::Rc, time::Duration};
    /// use handspun::{run, sleep, spawn, timeout};
    ///
    /// run(async {
    ///     let held = Rc::new(());
    ///     let task = spawn({
    ///         let held = held.clone();
    ///         async move { sleep(Duration::from_secs(3600)).await; drop(held) }
    ///     });
    ///     assert!(timeout(Duration::from_millis(1), task.cancel_on_drop()).await.is_err());
    ///     assert_eq!(Rc::strong_count(&held), 1);
    /// });
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<Self> {
        CancelOnDrop::new(self, |task| {
            task.cancel();
        })
    }

    /// Whether it is over. Never blocks.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.cell.output.progress() == Progress::Finished
    }

    /// The name that it was given, if it was; see [`spawn_named`](crate::spawn_named).
    #[doc(alias = "get_name")]
    pub fn name(&self) -> Option<&str> {
        self.cell.card.name.as_deref()
    }

    /// Its number: the tasks of an executor are counted as they are spawned.
    pub fn number(&self) -> usize {
        self.cell.card.number
    }

    /// The line that spawned it.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.cell.card.spawned_at
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready; or if a task of the same executor waits for it while it
    /// blocks the thread, on which this task would have to run.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !is_home(&self.cell.card.shared) {
            let poll = |context: &mut Context<'_>| self.cell.output.poll(context);
            let polled = poll_elsewhere("a task of another executor", context, poll);
            self.is_read = polled.is_ready();
            return polled;
        }
        let polled = self.cell.output.poll(context);
        self.is_read = polled.is_ready();
        if polled.is_pending() {
            assert!(
                !inside::is_blocking_wait(),
                "task {} can never finish: a task of the same executor blocks the thread to wait for \
                 it; `.await` it there instead",
                self.cell.card.number
            );
            tag::say(Tag::Task(self.cell.card.number));
        }
        polled
    }
}

impl<T> UnwindSafe for Task<T> {}
impl<T> RefUnwindSafe for Task<T> {}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if self.is_read {
            return;
        }
        if let Some(unread) = self.cell.output.abandon() {
            self.cell.card.shared.panic_hook.dispose(unread);
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_finished() { "finished" } else { "not finished" };
        write!(f, "Task({}, {state})", self.cell.card.number)
    }
}

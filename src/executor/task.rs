//! A task: how it is spawned, the cell in which its output is left, and the handle that waits for that.
//!
//! Knows nothing of the loop. The future of a task ends by settling a cell of the core, as a job does; the
//! handle waits for that cell, on whatever executor or thread it is. What must always hold:
//!
//! 1. A task settles exactly once, and its future has been dropped by then.
//! 2. A spawn outside of an executor says so, and what to do about it.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::trace_event::{Ending, Step};
use crate::wait::cancel::CancelOnDrop;
use crate::wait::deferred;
use crate::wait::hints::{self, WaitReason};
use crate::wait::runtime::poll_elsewhere;
use crate::wait::settle::{Progress, Settle};

use super::shared::{ErasedFuture, ErasedTask, Metadata, Shared};
use super::tasks::{self, Tasks};

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
pub struct Task<T>(pub(super) Arc<TaskCell<T>>);

/// What a task settles.
pub(super) struct TaskCell<T> {
    metadata: Metadata,
    output: Settle<Infallible, Result<T, JoinError>>,
}

impl<T> TaskCell<T> {
    fn settle(&self, result: Result<T, JoinError>) {
        let step = Step::Settled(match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        });
        self.metadata.tell(step);
        if let Some(unread) = self.output.settle(result).run() {
            self.metadata.shared.panic_hook.dispose(unread);
        }
    }
}

impl<T: 'static> ErasedTask for TaskCell<T> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
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

/// The future that `run` was given, as a task: it has a slot, and is never settled.
pub(crate) fn of_main(
    shared: &Arc<Shared>,
    called_at: &'static Location<'static>,
) -> Arc<dyn ErasedTask> {
    let metadata = Metadata::new(shared, Some("main".into()), called_at);
    Arc::new(TaskCell::<()> { metadata, output: Settle::running() })
}

/// A task that has no future yet. Dropped like this, it settles as cancelled.
pub(crate) struct PendingTask<T>(Option<Arc<TaskCell<T>>>);

impl<T: 'static> PendingTask<T> {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        name: Option<Box<str>>,
        spawned_at: &'static Location<'static>,
    ) -> (Task<T>, Self) {
        let metadata = Metadata::new(shared, name, spawned_at);
        metadata.tell(Step::Submitted(spawned_at));
        let cell = Arc::new(TaskCell { metadata, output: Settle::running() });
        (Task(cell.clone()), Self(Some(cell)))
    }

    /// Gives it a future and a slot, unless the executor has been closed.
    pub(crate) fn start(mut self, tasks: &Tasks, future: impl Future<Output = T> + 'static) {
        if tasks.is_closed.get() {
            let _ = deferred::run(move || {
                drop(future);
                drop(self); // Which tells the waiter for it.
            });
            return;
        }
        let cell = self.0.take().expect("it is taken here only, and `self` with it");
        tasks.insert(cell, Box::pin(Some(future)));
    }
}

impl<T> Drop for PendingTask<T> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            cell.settle(Err(JoinError::Cancelled(CancelReason::ShutDown)));
        }
    }
}

impl<F> ErasedFuture for Option<F>
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn poll_to_end(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        remove: &mut dyn FnMut() -> Arc<dyn ErasedTask>,
    ) -> Poll<()> {
        let future = self.as_mut().as_pin_mut().expect("a task that is over is not polled");
        let Poll::Ready(output) = future.poll(context) else { return Poll::Pending };
        self.set(None); // The waiter for the task finds its future dropped.
        let task = remove();
        let cell = task.as_any().downcast_ref::<TaskCell<F::Output>>();
        cell.expect("a task was given a slot with its own cell").settle(Ok(output));
        Poll::Ready(())
    }
}

impl<T> Task<T> {
    /// Drops the task's future as it is; false if the task is over.
    ///
    /// Called inside of its executor, the future has been dropped when this returns, and the handle settles
    /// to [`JoinError::Cancelled`]; but a task that cancels itself, from inside its own poll, is dropped
    /// after that poll, and where the drop of a task cancels the next one, and so on for more than a dozen,
    /// the rest of the chain follows one by one, and is over when the first cancel returns. From elsewhere, another thread or between two runs, it is asked for, and happens
    /// when the executor reads its messages; then `true` says only that the task was not over at this moment. A
    /// thread that means to do so keeps a [`Remote`](crate::Remote): an executor in which nothing else could wake
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
        let metadata = &self.0.metadata;
        !self.is_finished() && (metadata.cancel_pending() || tasks::cancel(metadata))
    }

    /// Ties the task to its handle: dropping what this returns cancels the task.
    ///
    /// When to use it: the task is not wanted any more once you stop waiting for it, as in a
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
        self.0.output.progress() == Progress::Finished
    }

    /// The name that it was given, if it was; see [`spawn_named`](crate::spawn_named).
    #[doc(alias = "get_name")]
    pub fn name(&self) -> Option<&str> {
        self.0.metadata.name.as_deref()
    }

    /// Its number: the tasks of an executor are counted as they are spawned.
    pub fn number(&self) -> usize {
        self.0.metadata.number
    }

    /// The line that spawned it.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.0.metadata.spawned_at
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    ///
    /// If it is polled again after it was ready; or if a task of the same executor waits for it while it
    /// blocks the thread, on which this task would have to run.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let TaskCell { metadata: Metadata { shared, number, .. }, output } = &*self.0;
        if !tasks::is_current(shared) {
            let poll = |context: &mut Context<'_>| output.poll(context);
            return poll_elsewhere("a task of another executor", context, poll);
        }
        let polled = output.poll(context);
        if polled.is_pending() {
            assert!(
                !hints::is_blocking_wait(),
                "task {number} can never finish: a task of the same executor blocks the thread to wait for \
                 it; `.await` it there instead"
            );
            hints::set_reason(WaitReason::Task(*number));
        }
        polled
    }
}

impl<T> UnwindSafe for Task<T> {}
impl<T> RefUnwindSafe for Task<T> {}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(unread) = self.0.output.abandon() {
            self.0.metadata.shared.panic_hook.dispose(unread);
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_finished() { "finished" } else { "not finished" };
        write!(f, "Task({}, {state})", self.0.metadata.number)
    }
}

/// Begins to run a future beside the one that spawns it, on the executor of this thread.
///
/// When to use it: something is to go on while the code here waits for something else. It is polled for the
/// first time in the next turn of the executor. Futures of an executor need not be `Send`.
///
/// ```
/// use std::time::Duration;
/// use handspun::{run, sleep, spawn};
///
/// run(async {
///     let slow = spawn(async {
///         sleep(Duration::from_millis(5)).await;
///         "slow"
///     });
///     let quick = spawn(async { "quick" });
///     assert_eq!(quick.await?, "quick");
///     assert_eq!(slow.await?, "slow");
///     Ok::<(), handspun::JoinError>(())
/// })?;
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// # Panics
///
/// If no executor runs on this thread; from other threads, use a [`Remote`](crate::Remote).
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[doc(alias = "get_running_loop")]
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(None, Location::caller(), future)
}

/// The same, with a name for observers and for reports on programs that hang.
///
/// # Panics
///
/// As [`spawn`] does.
#[doc(alias = "create_task")]
#[doc(alias = "set_name")]
#[track_caller]
pub fn spawn_named<F>(name: impl Into<String>, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(Some(name.into().into_boxed_str()), Location::caller(), future)
}

/// The same, for what spawns in the name of another line.
pub(super) fn spawn_at<F>(
    name: Option<Box<str>>,
    site: &'static Location<'static>,
    future: F,
) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let Some(tasks) = Tasks::current() else {
        panic!(
            "`spawn` at {site} is not called by a task: no executor runs on this thread. Call it inside \
             of `handspun::run`, or use `Executor::spawn` or a `Remote`"
        );
    };
    let (task, pending) = PendingTask::new(&tasks.shared, name, site);
    pending.start(&tasks, future);
    task
}

/// Lets every other task that is ready be polled first, and then goes on.
///
/// When to use it: in a loop that computes for long, so that the others get their turn. It works in any
/// executor.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use handspun::{run, spawn, yield_now};
///
/// let order = Rc::new(RefCell::new(Vec::new()));
/// run({
///     let order = order.clone();
///     async move {
///         let other = spawn({
///             let order = order.clone();
///             async move { order.borrow_mut().push("other") }
///         });
///         yield_now().await;
///         order.borrow_mut().push("main");
///         drop(other);
///     }
/// });
/// assert_eq!(*order.borrow(), ["other", "main"]);
/// ```
pub fn yield_now() -> impl Future<Output = ()> {
    let mut has_yielded = false;
    poll_fn(move |context| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

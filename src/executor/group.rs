//! Tasks that belong together: none outlives the group, and a failure ends them all.
//!
//! Knows nothing of what they do. What must always hold:
//!
//! 1. When a group is over, whether it was waited for or dropped, so is every task of it.
//! 2. A task that fails says why to its group, once; nothing else need ask.
//! 3. A task is cancelled, and user code runs, with no borrow of the group held.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use crate::wait::permits::Permits;

use super::idle::confined;
use super::members::{Failures, Members, begin, cancel_all};
use super::task::Task;

/// Tasks that end together.
///
/// When to use it: one piece of work is several tasks, and none of them is to be left behind. Tasks are spawned
/// into the group, and [`join`](Self::join) waits until all of them are over. If one *fails* (it panics, or was
/// spawned with [`try_spawn`](Self::try_spawn) and gives an `Err`), the others are cancelled, and `join` says
/// why; a [supervising](Self::supervising) group lets the others go on.
///
/// ```
/// use std::time::Duration;
/// use handspun::{TaskGroup, run, sleep};
///
/// run(async {
///     let group = TaskGroup::new();
///     let answer = group.spawn(async { 42 });
///     group.join().await?;
///     assert_eq!(answer.await, Some(42));
///
///     let group = TaskGroup::new();
///     group.try_spawn(async { Err::<(), _>("no more paper") }).detach();
///     let endless = group.spawn(sleep(Duration::MAX));
///     let failures = group.join().await.unwrap_err();
///     assert!(failures.to_string().contains("no more paper"));
///     assert_eq!(endless.await, None);
///     Ok::<(), handspun::Failures>(())
/// })?;
/// # Ok::<(), handspun::Failures>(())
/// ```
///
/// **Dropping it** cancels its tasks, and their futures have been dropped when that returns. (Inside of their
/// executor, that is. Between two runs it is asked for, and happens in the next.)
#[doc(alias = "JoinSet")]
#[doc(alias = "nursery")]
#[derive(Default)]
pub struct TaskGroup {
    shared: Rc<RefCell<Members>>,
}

impl TaskGroup {
    /// A group in which the first failure cancels the others.
    pub fn new() -> Self {
        Self::default()
    }

    /// A group in which the others go on when one fails. All failures are told at the end.
    #[doc(alias = "return_exceptions")]
    pub fn supervising() -> Self {
        let group = Self::default();
        group.shared.borrow_mut().supervises = true;
        group
    }

    /// Lets at most so many tasks go on at a time. The others begin when one is over, in their order.
    ///
    /// # Panics
    ///
    /// If it is zero.
    #[must_use = "it is changed by value"]
    pub fn limit(self, n_tasks: usize) -> Self {
        assert!(n_tasks > 0, "a limit of 0 would let nothing begin: ask for at least 1");
        self.shared.borrow_mut().limit = Some(Permits::new(n_tasks));
        self
    }

    /// Spawns a task into the group. If it panics, it has failed; an `Err` is an output like others.
    ///
    /// A group that is over, because a task has failed or it was cancelled, takes no more: the future is
    /// dropped, and the member is `None`.
    ///
    /// # Panics
    ///
    /// If no executor runs on this thread, or if the tasks in the group are of another one.
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Member<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Member(begin(&self.shared, Location::caller(), future, Ok))
    }

    /// Spawns a task into the group. If it gives an `Err`, or panics, it has failed.
    ///
    /// # Panics
    ///
    /// If no executor runs on this thread, or if the tasks in the group are of another one.
    #[track_caller]
    pub fn try_spawn<F, T, E>(&self, future: F) -> Member<T>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let finish = |result: Result<T, E>| result.map_err(Into::into);
        Member(begin(&self.shared, Location::caller(), future, finish))
    }

    /// A way to spawn into this group from its own tasks.
    pub fn spawner(&self) -> GroupSpawner {
        GroupSpawner { shared: Rc::downgrade(&self.shared) }
    }

    /// Cancels the tasks of the group, which takes no more.
    ///
    /// Their futures have been dropped when this returns, but for a task that calls it: that one is dropped
    /// after its poll. To be cancelled is no failure, so [`join`](Self::join) does not tell of it.
    pub fn cancel(&self) {
        cancel_all(&self.shared, None);
    }

    /// Waits until all tasks are over, also those that are spawned meanwhile.
    ///
    /// Dropping the wait drops the group, and cancels its tasks.
    ///
    /// # Errors
    ///
    /// [`Failures`], if there were any.
    pub async fn join(self) -> Result<(), Failures> {
        self.until(|shared| shared.tasks.is_empty()).await;
        self.result()
    }

    async fn until(&self, is_enough: impl Fn(&Members) -> bool) {
        let poll = |context: &mut Context<'_>| {
            if is_enough(&self.shared.borrow()) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            let stale = self.shared.borrow_mut().waiter.replace(waker);
            drop(stale);
            Poll::Pending
        };
        confined("the tasks of a group", poll_fn(poll)).await;
    }

    fn result(&self) -> Result<(), Failures> {
        let mut shared = self.shared.borrow_mut();
        shared.is_over = true;
        let failures = mem::take(&mut shared.failures);
        if failures.is_empty() { Ok(()) } else { Err(Failures::new(failures, shared.n_spawned)) }
    }
}

/// Runs `body` with a group of tasks, and waits for them all.
///
/// The first failure of a task cancels the others *and the body*. When this is over, so is everything in it.
///
/// ```
/// use handspun::{run, task_group};
///
/// let sum = run(task_group(async |group| {
///     let members = [1, 2, 3].map(|n| group.spawn(async move { n * n }));
///     let mut sum = 0;
///     for member in members {
///         sum += member.await.unwrap_or(0);
///     }
///     sum
/// }))?;
/// assert_eq!(sum, 14);
/// # Ok::<(), handspun::Failures>(())
/// ```
///
/// What the body returns is no failure, an `Err` neither: the tasks go on, and are waited for. If they are not
/// to, [cancel](TaskGroup::cancel) them first:
///
/// ```
/// use std::time::Duration;
/// use handspun::{run, sleep, task_group};
///
/// let refused = run(task_group(async |group| {
///     group.spawn(sleep(Duration::from_secs(3600))).detach();
///     group.cancel(); // Without this it would wait for an hour.
///     Err::<(), _>("no more paper")
/// }))?;
/// assert_eq!(refused, Err("no more paper"));
/// # Ok::<(), handspun::Failures>(())
/// ```
///
/// **Dropping it** drops the body and cancels the tasks.
///
/// # Errors
///
/// [`Failures`], if a task has failed.
///
/// # Panics
///
/// If the body does; the tasks have been cancelled by then.
#[doc(alias = "TaskGroup")]
pub async fn task_group<T>(body: impl AsyncFnOnce(&TaskGroup) -> T) -> Result<T, Failures> {
    let group = TaskGroup::new();
    let output = {
        let mut body = pin!(body(&group));
        let mut failed = pin!(group.until(|shared| !shared.failures.is_empty()));
        poll_fn(|context| match body.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => failed.as_mut().poll(context).map(|()| None),
        })
        .await
    };
    group.join().await?;
    Ok(output.expect("a body is given up for a failure only, and the group has told that"))
}

/// Spawns into a group from its own tasks; see [`TaskGroup::spawner`].
///
/// It does not keep the group: when that is over, it takes no more.
#[derive(Clone)]
pub struct GroupSpawner {
    shared: Weak<RefCell<Members>>,
}

impl GroupSpawner {
    /// As [`TaskGroup::spawn`]; `None` if the group is gone.
    ///
    /// # Panics
    ///
    /// If no executor runs on this thread, or if the tasks in the group are of another one.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Option<Member<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let group = self.shared.upgrade()?;
        Some(Member(begin(&group, Location::caller(), future, Ok)))
    }
}

/// A task of a group: what it came to, or `None` if it failed or was cancelled, which the group explains.
///
/// **Dropping it** changes nothing for the task.
#[derive(Debug)]
#[must_use = "the task goes on in its group all the same: say `detach()` if that is meant"]
pub struct Member<T>(Task<Option<T>>);

impl<T> Member<T> {
    /// Lets go of it. The group still waits for the task.
    pub fn detach(self) {
        drop(self.0);
    }

    /// Cancels this task alone, which is no failure; false if it is over.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }
}

impl<T> Future for Member<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(context).map(|result| result.ok().flatten())
    }
}

impl Drop for TaskGroup {
    fn drop(&mut self) {
        cancel_all(&self.shared, None);
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskGroup({} tasks)", self.shared.borrow().tasks.len())
    }
}

impl fmt::Debug for GroupSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupSpawner(..)")
    }
}

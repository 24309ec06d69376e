//! Tasks that belong together: none outlives the group, and a failure ends them all.
//!
//! Knows nothing of what they do. What must always hold:
//!
//! 1. When a group is over, whether it was waited for or dropped, so is every task of it.
//! 2. A task counts from its beginning to its end, whatever that is: what its future is in counts it out.
//! 3. No failure is lost, and each says which line spawned the task: `join` tells it, or the panic hook.
//! 4. A task is cancelled, and user code runs, with no borrow of the group held.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::panic::{self, Panic};
use crate::wait::deferred;
use crate::wait::permits::Permits;

use super::idle::confined;
use super::shared::{ErasedTask, Metadata};
use super::task::{PendingTask, Task};
use super::tasks::{self, Tasks};

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
///     group.try_spawn(async { Err::<(), _>("no more paper") });
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
    members: Rc<RefCell<Members>>,
    /// Its drop cancels nothing.
    is_spawner: bool,
}

#[derive(Default)]
struct Members {
    supervises: bool,
    /// Those that are not over.
    tasks: BTreeMap<usize, Arc<dyn ErasedTask>>,
    n_spawned: usize,
    /// It takes no more.
    is_over: bool,
    failures: Vec<(Arc<dyn ErasedTask>, BoxError)>,
    /// For the end of the group, or the first failure. Many may wait, for a spawner can join, too.
    news: Permits,
}

type BoxError = Box<dyn Error + Send + Sync>;

/// What the output of a future comes to for its group.
type Finish<F, T> = fn(<F as Future>::Output) -> Result<T, BoxError>;

impl TaskGroup {
    /// A group in which the first failure cancels the others.
    pub fn new() -> Self {
        Self::default()
    }

    /// A group in which the others go on when one fails. All failures are told at the end.
    #[doc(alias = "return_exceptions")]
    pub fn supervising() -> Self {
        let group = Self::new();
        group.members.borrow_mut().supervises = true;
        group
    }

    /// Spawns a task into the group. If it panics, it has failed; an `Err` is an output like others.
    ///
    /// A group that is over, because a task has failed or it was cancelled, takes no more: the future is
    /// dropped, and the member is `None`. To let a few go on at a time, let each wait for a permit of a
    /// [`Semaphore`](crate::Semaphore).
    ///
    /// # Panics
    ///
    /// If no executor runs on this thread.
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Member<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.begin(Location::caller(), future, Ok)
    }

    /// Spawns a task into the group. If it gives an `Err`, or panics, it has failed.
    ///
    /// # Panics
    ///
    /// If no executor runs on this thread.
    #[track_caller]
    pub fn try_spawn<F, T, E>(&self, future: F) -> Member<T>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: Into<BoxError>,
    {
        self.begin(Location::caller(), future, |result| result.map_err(Into::into))
    }

    fn begin<F, T>(
        &self,
        site: &'static Location<'static>,
        future: F,
        finish: Finish<F, T>,
    ) -> Member<T>
    where
        F: Future + 'static,
        T: 'static,
    {
        let tasks = Tasks::current().expect(
            "no executor runs on this thread: a group's tasks are spawned by what it polls",
        );
        let (handle, pending) = PendingTask::new(&tasks.shared, None, site);
        let (group, task) = (self.spawner(), handle.0.clone());
        let mut members = self.members.borrow_mut();
        let (number, is_over) = (members.n_spawned, members.is_over);
        members.n_spawned += 1;
        members.tasks.insert(number, task.clone());
        drop(members);
        // Boxed by itself, so that what is around it does not hold its size twice.
        let member = RunMember { group, number, task, future: Some(Box::pin(future)) };
        if is_over {
            let _ = deferred::run(move || drop((member, pending))); // It may spawn in vain again.
        } else {
            pending.start(&tasks, member.run(finish));
        }
        Member(handle)
    }

    /// The same group, for its own tasks to spawn into. Dropping this one cancels nothing.
    #[must_use = "it is for spawning"]
    pub fn spawner(&self) -> Self {
        Self { members: self.members.clone(), is_spawner: true }
    }

    /// Cancels the tasks of the group, which takes no more.
    ///
    /// Their futures have been dropped when this returns, but for a task that calls it: that one is dropped
    /// after its poll. To be cancelled is no failure, so [`join`](Self::join) does not tell of it.
    pub fn cancel(&self) {
        let mut members = self.members.borrow_mut();
        members.is_over = true;
        let tasks = members.tasks.values().cloned().collect::<Vec<_>>();
        let news = members.news.clone();
        drop(members);
        for task in tasks {
            tasks::cancel(task.metadata());
        }
        tell(&news);
    }

    /// Waits until all tasks are over, also those that are spawned meanwhile.
    ///
    /// Dropping the wait drops the group, and cancels its tasks.
    ///
    /// # Errors
    ///
    /// [`Failures`], if there were any; of several that wait, the first to be polled is told.
    pub async fn join(self) -> Result<(), Failures> {
        self.until(|members| members.tasks.is_empty()).await;
        let mut members = self.members.borrow_mut();
        members.is_over = true;
        if members.failures.is_empty() {
            return Ok(());
        }
        let failures = mem::take(&mut members.failures).into_iter().map(|(task, error)| {
            let Metadata { number, spawned_at, .. } = task.metadata();
            Failure { number: *number, spawned_at, error }
        });
        Err(Failures { failures: failures.collect(), of: members.n_spawned })
    }

    async fn until(&self, is_enough: impl Fn(&Members) -> bool) {
        while !is_enough(&self.members.borrow()) {
            let (news, what) = (self.members.borrow().news.clone(), "the tasks of a group");
            drop(confined(what, news.acquire(1, what)).await);
        }
    }
}

/// Each wait that has begun looks again.
fn tell(news: &Permits) {
    news.with(|count, wakers| {
        count.set_limit(usize::MAX, wakers);
        count.set_limit(0, wakers);
    });
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
///     group.spawn(sleep(Duration::from_secs(3600)));
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
        let mut failed = pin!(group.until(|members| !members.failures.is_empty()));
        poll_fn(|context| match body.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => failed.as_mut().poll(context).map(|()| None),
        })
        .await
    };
    group.join().await?;
    Ok(output.expect("a body is given up for a failure only, and the group has told that"))
}

/// A task of a group: what it came to, or `None` if it failed or was cancelled, which the group explains.
///
/// **Dropping it** changes nothing for the task: the group waits for it all the same.
#[derive(Debug)]
pub struct Member<T>(Task<Option<T>>);

impl<T> Member<T> {
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

/// What a member's task owns. It counts the member out when it is dropped, whatever the end.
struct RunMember<F> {
    group: TaskGroup,
    number: usize,
    task: Arc<dyn ErasedTask>,
    /// `None` once it is dropped.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> RunMember<F> {
    async fn run<T>(mut self, finish: Finish<F, T>) -> Option<T> {
        let site = self.task.metadata().spawned_at;
        let ended = poll_fn(|context| {
            let future = self.future.as_mut().expect("it is dropped at the end");
            panic::catch(site, || future.as_mut().poll(context).map(finish))
                .unwrap_or_else(|panic| Poll::Ready(Err(panic.into())))
        });
        ended.await.map_err(|error| self.fail(error)).ok()
    }
}

impl<F> RunMember<F> {
    fn fail(&self, error: BoxError) {
        let mut members = self.group.members.borrow_mut();
        members.failures.push((self.task.clone(), error));
        let ends_the_group = !members.supervises && !members.is_over;
        drop(members);
        if ends_the_group {
            self.group.cancel();
        }
    }
}

impl<F> Drop for RunMember<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        if let Err(panic) = panic::catch(self.task.metadata().spawned_at, || drop(future)) {
            self.fail(panic.into());
        }
        let mut members = self.group.members.borrow_mut();
        members.tasks.remove(&self.number);
        let news = Some(&members.news).filter(|_| members.tasks.is_empty()).cloned();
        drop(members);
        news.iter().for_each(tell);
    }
}

impl Drop for TaskGroup {
    fn drop(&mut self) {
        if !self.is_spawner {
            self.cancel();
        }
    }
}

/// Failures that were never asked for: what panicked is told to the hook.
impl Drop for Members {
    fn drop(&mut self) {
        for (task, error) in mem::take(&mut self.failures) {
            match error.downcast::<Panic>() {
                Ok(panic) => task.metadata().shared.panic_hook.tell(&panic),
                Err(error) => panic::contain(|| drop(error)),
            }
        }
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskGroup({} tasks)", self.members.borrow().tasks.len())
    }
}

/// What went wrong in a group of tasks; see [`TaskGroup::join`].
#[doc(alias = "ExceptionGroup")]
#[derive(Debug)]
pub struct Failures {
    /// In the order in which they happened; there is one at least.
    pub failures: Vec<Failure>,
    /// How many tasks were spawned into the group.
    pub of: usize,
}

/// One task that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the task.
    pub number: usize,
    /// The line that spawned it.
    pub spawned_at: &'static Location<'static>,
    /// What it gave; or a [`Panic`], to which it can be cast down.
    pub error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks failed", self.failures.len(), self.of)?;
        for Failure { number, spawned_at, error } in &self.failures {
            write!(f, "; task {number}, spawned at {spawned_at}: {error}")?;
        }
        Ok(())
    }
}

impl Error for Failures {}

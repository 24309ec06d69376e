//! The tasks of a group: how they begin, fail and end.
//!
//! Knows nothing of what waits for them. What must always hold:
//!
//! 1. A task counts from its beginning to its end, whatever that is: its future counts it out.
//! 2. A member beyond the limit is a task as any other, which first waits for a permit. It gives that back when
//!    its future has been dropped.
//! 3. All of them are of one executor.
//! 4. A task is cancelled, and user code runs, with no borrow of the group held.
//! 5. No failure is lost, and each says which line spawned the task.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::panic::{self, Panic};
use crate::wait::deferred;
use crate::wait::permits::{Permit, Permits};

use super::idle::confined;
use super::shared::{Shared, TaskId};
use super::task::{PendingTask, Task};
use super::tasks::{self, Tasks};

#[derive(Default)]
pub(super) struct Members {
    pub(super) supervises: bool,
    /// A permit for each that may go on at a time.
    pub(super) limit: Option<Permits>,
    /// Whose tasks they are, if there are any: a number and a slot say nothing in another one.
    executor: Option<Arc<Shared>>,
    /// By number: all that are not over.
    pub(super) tasks: BTreeMap<usize, TaskId>,
    /// It takes no more.
    pub(super) is_over: bool,
    pub(super) n_spawned: usize,
    pub(super) failures: Vec<Failure>,
    /// Waits for the end of the group, or for the first failure.
    pub(super) waiter: Option<Waker>,
}

/// What the output of a future comes to for its group.
type Finish<F, T> = fn(<F as Future>::Output) -> Result<T, Box<dyn Error + Send + Sync>>;

pub(super) fn begin<F, T>(
    group: &Rc<RefCell<Members>>,
    site: &'static Location<'static>,
    future: F,
    finish: Finish<F, T>,
) -> Task<Option<T>>
where
    F: Future + 'static,
    T: 'static,
{
    let tasks = Tasks::current()
        .expect("no executor runs on this thread: a group's tasks are spawned by what it polls");
    let (limit, is_over) = group.borrow_mut().count_in(&tasks.shared);
    let (task, pending) = PendingTask::new(&tasks.shared, None, site);
    let number = task.number();
    // Boxed by itself, so that what is around it does not hold its size twice.
    let future = Some(Box::pin(future));
    let member = RunMember { group: group.clone(), number, site, future, permit: None };
    if is_over {
        let _ = deferred::run(move || drop((member, pending))); // It may spawn in vain again.
    } else if let Some(id) = pending.start(&tasks, member.run(limit, finish)) {
        group.borrow_mut().tasks.insert(number, id);
    }
    task
}

/// What a member's task owns. It counts the member out when it is dropped, whatever the end.
struct RunMember<F> {
    group: Rc<RefCell<Members>>,
    number: usize,
    site: &'static Location<'static>,
    future: Option<Pin<Box<F>>>,
    permit: Option<Permit<'static>>,
}

impl<F: Future> RunMember<F> {
    async fn run<T>(mut self, limit: Option<Permits>, finish: Finish<F, T>) -> Option<T> {
        if let Some(limit) = limit {
            let what = "a permit of its group";
            let permit = confined(what, limit.acquire(1, what)).await;
            self.permit = permit.ok().map(Permit::into_owned);
        }
        let ended = poll_fn(|context| {
            let future = self.future.as_mut().expect("it is polled until it is ready");
            let poll = || future.as_mut().poll(context).map(finish);
            panic::catch(self.site, poll)
                .map_or_else(|panic| Poll::Ready(Err(panic)), |polled| polled.map(Ok))
        });
        let result = match ended.await {
            Ok(result) => result.map_err(FailureCause::Failed),
            Err(panic) => Err(FailureCause::Panicked(panic)),
        };
        let output = result.map_err(|cause| self.fail(cause)).ok();
        let is_cleaned_up = self.clean_up();
        output.filter(|_| is_cleaned_up)
    }
}

impl<F> RunMember<F> {
    /// Drops the future. A panic in that is a failure, too; false if there was one.
    fn clean_up(&mut self) -> bool {
        let future = self.future.take();
        let dropped = panic::catch(self.site, || drop(future));
        dropped.map_err(|panic| self.fail(FailureCause::Panicked(panic))).is_ok()
    }

    fn fail(&self, cause: FailureCause) {
        let Self { group, number, site: spawned_at, .. } = self;
        let mut shared = group.borrow_mut();
        shared.failures.push(Failure { number: *number, spawned_at, cause });
        let ends_the_group = !shared.supervises && !shared.is_over;
        drop(shared);
        if ends_the_group {
            cancel_all(group, Some(*number));
        }
    }
}

impl<F> Drop for RunMember<F> {
    fn drop(&mut self) {
        self.clean_up();
        let mut shared = self.group.borrow_mut();
        shared.tasks.remove(&self.number);
        let waiter = if shared.tasks.is_empty() { shared.waiter.take() } else { None };
        drop(shared);
        panic::wake_each(waiter);
    }
}

/// Cancels all tasks but the one that asks for it.
pub(super) fn cancel_all(group: &Rc<RefCell<Members>>, but: Option<usize>) {
    let mut shared = group.borrow_mut();
    shared.is_over = true;
    let ids = shared.tasks.values().filter(|id| Some(id.number) != but);
    let ids: Vec<_> = ids.copied().collect();
    let (executor, waiter) = (shared.executor.clone(), shared.waiter.take());
    drop(shared);
    if let Some(executor) = executor {
        for id in ids {
            tasks::cancel(&executor, id);
        }
    }
    panic::wake_each(waiter);
}

impl Members {
    /// One more is to begin. Gives the limit, and whether the group is over and takes none.
    fn count_in(&mut self, executor: &Arc<Shared>) -> (Option<Permits>, bool) {
        if self.tasks.is_empty() {
            self.executor = Some(executor.clone());
        }
        assert!(
            self.executor.as_ref().is_some_and(|own| Arc::ptr_eq(own, executor)),
            "the tasks in this group are of another executor: make a group for those of this one"
        );
        self.n_spawned += 1;
        (self.limit.clone(), self.is_over)
    }
}

/// Failures that were never asked for: what panicked is told to the hook.
impl Drop for Members {
    fn drop(&mut self) {
        let Some(executor) = &self.executor else { return };
        for failure in mem::take(&mut self.failures) {
            match failure.cause {
                FailureCause::Panicked(panic) => executor.panic_hook.tell(&panic),
                FailureCause::Failed(error) => panic::contain(|| drop(error)),
            }
        }
    }
}

/// What went wrong in a group of tasks; see [`TaskGroup::join`](crate::TaskGroup::join).
#[doc(alias = "ExceptionGroup")]
#[derive(Debug)]
pub struct Failures {
    failures: Vec<Failure>,
    of: usize,
}

/// One task that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the task.
    pub number: usize,
    /// The line that spawned it.
    pub spawned_at: &'static Location<'static>,
    /// What happened.
    pub cause: FailureCause,
}

/// Why a task of a group failed.
#[derive(Debug)]
pub enum FailureCause {
    /// It panicked.
    Panicked(Panic),
    /// It gave this error.
    Failed(Box<dyn Error + Send + Sync>),
}

impl Failures {
    pub(crate) fn new(failures: Vec<Failure>, of: usize) -> Self {
        Self { failures, of }
    }

    /// Each failure, in the order in which they happened; there is one at least.
    pub fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter()
    }

    /// The same, to be kept.
    pub fn into_vec(self) -> Vec<Failure> {
        self.failures
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks failed", self.failures.len(), self.of)?;
        self.failures.iter().try_for_each(|failure| write!(f, "; {failure}"))
    }
}

impl Error for Failures {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            FailureCause::Panicked(panic) => write!(f, "task {}: {panic}", self.number),
            FailureCause::Failed(error) => {
                write!(f, "task {}, spawned at {}: {error}", self.number, self.spawned_at)
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            FailureCause::Panicked(panic) => Some(panic),
            FailureCause::Failed(error) => Some(&**error),
        }
    }
}

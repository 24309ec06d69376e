//! The tasks of a group: how they begin, fail, and leave.
//!
//! Knows nothing of who waits for them. What must always hold:
//!
//! 1. A task counts from its beginning to its end, whatever that is: its future counts it out.
//! 2. A member beyond the limit is a task as any other, which first waits for a permit. Permits are passed on
//!    in the order of the numbers.
//! 3. All of them are of one executor.
//! 4. A task is cancelled, and other people's code runs, with no borrow of the group held.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::panic;
use crate::wait::deferred;

use super::core::Core;
use super::current;
use super::failures::{Failure, FailureCause};
use super::ready::{self, TaskId};
use super::stuck::ConfinedWaker;
use super::task::{Task, Unborn};

#[derive(Default)]
pub(super) struct Members {
    pub(super) supervises: bool,
    pub(super) limit: Option<usize>,
    /// Whose tasks they are, if there are any: a number and a seat say nothing in another one.
    executor: Option<Arc<ready::Shared>>,
    /// By number: all that are not over.
    tasks: BTreeMap<usize, TaskId>,
    /// Those that go on, each with a permit if there is a limit.
    pub(super) n_running: usize,
    /// Those without a permit, and the wakers of those that have been polled. The first by number came first.
    waiting: BTreeMap<usize, Option<ConfinedWaker>>,
    /// It takes no more.
    pub(super) is_over: bool,
    pub(super) n_spawned: usize,
    pub(super) failures: Vec<Failure>,
    /// Waits for the end of the group, or for the first failure.
    pub(super) waiter: Option<ConfinedWaker>,
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
    let core = current::current()
        .expect("no executor runs on this thread: a group's tasks are spawned by what it polls");
    group.borrow_mut().belong_to(&core);
    let (task, unborn) = Unborn::new(&core.shared, None, site);
    let number = task.number();
    group.borrow_mut().count_in(number);
    // Boxed by itself, so that what is around it has no second room for it.
    let future = Some(Box::pin(future));
    let member = RunMember { group: group.clone(), number, site, future, finish };
    if group.borrow().is_over {
        let _ = deferred::run(move || drop((member, unborn))); // It may spawn in vain again.
    } else if let Some(id) = unborn.be_born(&core, member) {
        group.borrow_mut().tasks.insert(number, id);
    }
    task
}

/// What a member's task runs. It counts the member out when it is dropped, whatever the end.
struct RunMember<F: Future, T> {
    group: Rc<RefCell<Members>>,
    number: usize,
    site: &'static Location<'static>,
    future: Option<Pin<Box<F>>>,
    finish: Finish<F, T>,
}

impl<F: Future, T> Future for RunMember<F, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if this.group.borrow().waiting.contains_key(&this.number) {
            let waker = ConfinedWaker::new(context, "a permit of its group");
            let stale = this.group.borrow_mut().waiting.insert(this.number, Some(waker));
            drop(stale);
            return Poll::Pending;
        }
        let future = this.future.as_mut().expect("it is polled until it is ready");
        let poll = || future.as_mut().poll(context).map(this.finish);
        let result = match panic::catch(this.site, poll) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result.map_err(FailureCause::Failed),
            Err(panic) => Err(FailureCause::Panicked(panic)),
        };
        let output = result.map_err(|cause| this.fail(cause)).ok();
        let is_cleaned_up = this.clean_up();
        Poll::Ready(output.filter(|_| is_cleaned_up))
    }
}

impl<F: Future, T> RunMember<F, T> {
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

impl<F: Future, T> Drop for RunMember<F, T> {
    fn drop(&mut self) {
        self.clean_up();
        let mut shared = self.group.borrow_mut();
        let next = shared.count_out(self.number);
        let waiter = if shared.is_empty() { shared.waiter.take() } else { None };
        drop(shared);
        panic::wake_each([next, waiter].into_iter().flatten().map(ConfinedWaker::into_waker));
    }
}

/// Cancels all tasks but the one that asks for it.
pub(super) fn cancel_all(group: &Rc<RefCell<Members>>, but: Option<usize>) {
    let mut shared = group.borrow_mut();
    shared.is_over = true;
    let tasks = shared.tasks.values().filter(|task| Some(task.number) != but);
    let tasks: Vec<_> = tasks.copied().collect();
    let executor = shared.executor.clone();
    let waiter = shared.waiter.take();
    drop(shared);
    if let Some(executor) = executor {
        for task in tasks {
            current::cancel(&executor, task);
        }
    }
    panic::wake_each(waiter.map(ConfinedWaker::into_waker));
}

impl Members {
    fn belong_to(&mut self, core: &Core) {
        if self.is_empty() {
            self.executor = Some(core.shared.clone());
        }
        assert!(
            self.executor.as_ref().is_some_and(|executor| Arc::ptr_eq(executor, &core.shared)),
            "the tasks in this group are of another executor: make a group for those of this one"
        );
    }

    /// Gives the member a permit, if there is one.
    fn count_in(&mut self, number: usize) {
        self.n_spawned += 1;
        let has_room = self.limit.is_none_or(|limit| self.n_running < limit);
        if has_room && self.waiting.is_empty() {
            self.n_running += 1;
        } else {
            self.waiting.insert(number, None);
        }
    }

    /// Takes the member's permit, if it has one, and passes it on; the one that has it now is to be woken.
    fn count_out(&mut self, number: usize) -> Option<ConfinedWaker> {
        self.tasks.remove(&number);
        if let Some(waker) = self.waiting.remove(&number) {
            return waker;
        }
        match self.waiting.pop_first() {
            Some((_, waker)) => waker,
            None => {
                self.n_running -= 1;
                None
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.n_running == 0 && self.waiting.is_empty()
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

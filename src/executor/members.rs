//! The tasks of a group: how they begin, fail, and leave.
//!
//! Knows nothing of who waits for them. What must always hold:
//!
//! 1. A task is in the list from its beginning to its end, whatever that is: its future holds what counts it
//!    out.
//! 2. Where a group is over, nothing begins any more.
//! 3. All of them are of one executor.
//! 4. A task is cancelled, and other people's code runs, with no borrow of the group held.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use crate::panic;
use crate::wait::deferred;

use super::core::Core;
use super::current;
use super::failures::{Cause, Failure};
use super::ready::{self, TaskId};
use super::task::{Task, Unborn};

#[derive(Default)]
pub(super) struct Members {
    pub(super) supervises: bool,
    pub(super) limit: Option<usize>,
    /// Whose tasks they are, if there are any: a number and a seat say nothing in another one.
    executor: Option<Arc<ready::Shared>>,
    /// By number.
    pub(super) running: BTreeMap<usize, TaskId>,
    /// What gives a seat to each that is beyond the limit. The first by number came first.
    waiting: BTreeMap<usize, Box<Begin>>,
    /// Somebody further up this stack begins those that wait.
    is_beginning: bool,
    /// It takes no more.
    pub(super) is_over: bool,
    pub(super) n_spawned: usize,
    pub(super) failures: Vec<Failure>,
    /// Waits for the end of the group, or for the first failure.
    pub(super) waiter: Option<Waker>,
}

/// Gives a task its seat, and says which.
type Begin = dyn FnOnce(&Core) -> Option<TaskId>;

pub(super) fn begin<T: 'static>(
    group: &Rc<RefCell<Members>>,
    site: &'static Location<'static>,
    future: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + 'static,
) -> Task<Option<T>> {
    let core = current::current()
        .expect("no executor runs on this thread: a group's tasks are spawned by what it polls");
    group.borrow_mut().belong_to(&core);
    let (task, unborn) = Unborn::new(&core.shared, None, site);
    let number = task.number();
    let body = run_member(Leaves { group: group.clone(), number }, site, future);
    let begin = move |core: &Core| unborn.be_born(core, body);
    let mut shared = group.borrow_mut();
    shared.n_spawned += 1;
    if shared.is_over {
        drop(shared);
        let _ = deferred::run(move || drop(begin)); // It may spawn in vain again.
    } else if shared.has_room() && shared.waiting.is_empty() {
        drop(shared);
        seat(group, &core, begin);
    } else {
        shared.waiting.insert(number, Box::new(begin)); // Whoever leaves makes room for it.
    }
    task
}

fn seat(group: &Rc<RefCell<Members>>, core: &Core, begin: impl FnOnce(&Core) -> Option<TaskId>) {
    if let Some(task) = begin(core) {
        group.borrow_mut().running.insert(task.number, task);
    }
}

/// Begins as many of those that wait as there is room for.
///
/// One that is refused, because the executor ends, is dropped and leaves, and that begins the next. It
/// is the loop here that does so, for a line of a hundred thousand would need as deep a stack.
fn begin_waiting(group: &Rc<RefCell<Members>>, core: &Core) {
    if mem::replace(&mut group.borrow_mut().is_beginning, true) {
        return;
    }
    loop {
        let mut shared = group.borrow_mut();
        let next = if shared.has_room() { shared.waiting.pop_first() } else { None };
        let Some((_, begin)) = next else {
            shared.is_beginning = false;
            return;
        };
        drop(shared);
        seat(group, core, begin);
    }
}

async fn run_member<T>(
    leaves: Leaves,
    site: &'static Location<'static>,
    future: impl Future<Output = Result<T, Box<dyn Error + Send + Sync>>>,
) -> Option<T> {
    let result = {
        let mut future = pin!(future);
        poll_fn(|context| panic::catch_poll(site, future.as_mut(), context)).await
    };
    let cause = match result {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => Cause::Failed(error),
        Err(panic) => Cause::Panicked(panic),
    };
    let Leaves { group, number } = &leaves;
    let mut shared = group.borrow_mut();
    shared.failures.push(Failure { number: *number, spawned_at: site, cause });
    let supervises = shared.supervises;
    drop(shared);
    if !supervises {
        cancel_all(group, Some(*number));
    }
    None
}

/// Counts a task out, whatever its end. The task's future holds it from the beginning.
struct Leaves {
    group: Rc<RefCell<Members>>,
    number: usize,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        self.group.borrow_mut().running.remove(&self.number);
        if let Some(core) = current::current() {
            begin_waiting(&self.group, &core);
        }
        let mut shared = self.group.borrow_mut();
        let waiter = if shared.is_empty() { shared.waiter.take() } else { None };
        drop(shared);
        panic::wake_each(waiter);
    }
}

/// Cancels all tasks but the one that asks for it, and drops those that have not begun.
pub(super) fn cancel_all(group: &Rc<RefCell<Members>>, but: Option<usize>) {
    let mut shared = group.borrow_mut();
    shared.is_over = true;
    let waiting = mem::take(&mut shared.waiting);
    let running = shared.running.values().filter(|task| Some(task.number) != but);
    let running: Vec<_> = running.copied().collect();
    let executor = shared.executor.clone();
    let waiter = shared.waiter.take();
    drop(shared);
    panic::drop_each(waiting);
    if let Some(executor) = executor {
        for task in running {
            current::cancel(&executor, task);
        }
    }
    panic::wake_each(waiter);
}

/// Drops a task that waits for its turn; false if it does not.
pub(super) fn give_up(group: &Rc<RefCell<Members>>, number: usize) -> bool {
    let waiting = group.borrow_mut().waiting.remove(&number);
    let is_given_up = waiting.is_some();
    panic::drop_each(waiting);
    is_given_up
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

    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.running.len() < limit)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }
}

//! Step 2: many tasks and a ready queue.
//!
//! The idea: a waker names its task, and to wake is to put that name into a queue. The executor polls the task
//! whose name comes next, and looks at no other. The queue is a channel, since a waker may be on any thread.
//!
//! Without it: `block_on` one task after the other, and a task that waits for a later one waits for ever. Or poll
//! all the tasks whenever a flag is set, and of a thousand tasks 999 are polled for nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crossbeam_channel::{Receiver, Sender, unbounded};

type Task = Pin<Box<dyn Future<Output = ()>>>;

struct TaskWaker {
    id: usize,
    ready: Sender<usize>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        // The executor may be gone, and then there is nothing to wake.
        let _ = self.ready.send(self.id);
    }
}

struct Executor {
    /// All that wait, by their names.
    tasks: RefCell<BTreeMap<usize, Task>>,
    n_spawned: Cell<usize>,
    wake: Sender<usize>,
    ready: Receiver<usize>,
}

impl Executor {
    fn new() -> Rc<Self> {
        let (wake, ready) = unbounded();
        let (tasks, n_spawned) = Default::default();
        Rc::new(Self { tasks, n_spawned, wake, ready })
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let id = self.n_spawned.replace(self.n_spawned.get() + 1);
        self.tasks.borrow_mut().insert(id, Box::pin(task));
        self.wake.send(id).expect("we have the receiver");
    }

    /// Runs until all tasks have ended.
    fn run(&self) {
        while let Ok(id) = self.ready.try_recv() {
            self.poll(id);
        }
        assert_eq!(self.tasks.borrow().len(), 0, "tasks wait, and nothing has woken them");
    }

    fn poll(&self, id: usize) {
        // It is taken out for the poll, which may spawn others. If it was woken twice, it may have ended.
        let Some(mut task) = self.tasks.borrow_mut().remove(&id) else { return };
        let waker = Waker::from(Arc::new(TaskWaker { id, ready: self.wake.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut().insert(id, task);
        }
    }
}

/// Gives way once: wakes its task at once, and is ready at the second poll.
fn yield_now() -> impl Future<Output = ()> {
    let mut is_first = true;
    poll_fn(move |context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(crate) fn show() -> String {
    let log = Rc::new(RefCell::new(String::new()));
    let executor = Executor::new();
    for name in ["a", "b"] {
        let log = log.clone();
        executor.spawn(async move {
            for n in 1..=3 {
                *log.borrow_mut() += &format!(" {name}{n}");
                yield_now().await;
            }
        });
    }
    executor.run();
    format!("executor 2: two tasks take turns:{}", log.borrow())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn tasks_that_give_way_take_turns() {
        watched(|| assert!(show().ends_with(": a1 b1 a2 b2 a3 b3")));
    }

    #[test]
    fn a_task_that_is_not_woken_is_not_polled() {
        watched(|| {
            let executor = Executor::new();
            let (n_polls, is_over) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
            let kept = Rc::new(RefCell::new(None::<Waker>));
            let (polls, over, keep) = (n_polls.clone(), is_over.clone(), kept.clone());
            executor.spawn(poll_fn(move |context| {
                polls.set(polls.get() + 1);
                *keep.borrow_mut() = Some(context.waker().clone());
                if over.get() { Poll::Ready(()) } else { Poll::Pending }
            }));
            executor.spawn(async move {
                for _ in 0..10 {
                    yield_now().await;
                }
                is_over.set(true);
                kept.borrow().as_ref().expect("the first task was polled").wake_by_ref();
            });
            executor.run();
            assert_eq!(n_polls.get(), 2, "the first one, and one for the wake");
        });
    }

    #[test]
    #[should_panic = "nothing has woken them"]
    fn a_task_that_is_never_woken_does_not_hang_the_run() {
        watched(|| {
            let executor = Executor::new();
            executor.spawn(std::future::pending());
            executor.run();
        });
    }
}

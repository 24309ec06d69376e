//! Step 4: wakes from other threads.
//!
//! The idea: with no task ready, the executor's thread waits in the queue itself, until a name comes or the first
//! deadline does. The queue is a channel, so a wake from another thread ends the wait.
//!
//! Without it: the thread is in `thread::sleep`, and a wake is seen only after it. With no timer the run of step 3
//! panics, since it concludes that nothing can wake the task. This run cannot tell: a waker may be on any thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

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
    /// Two sleeps may have the same deadline, so each has a number as well.
    timers: RefCell<BTreeMap<(Instant, usize), Waker>>,
    n_sleeps: Cell<usize>,
}

impl Executor {
    fn new() -> Rc<Self> {
        let (wake, ready) = unbounded();
        let (tasks, n_spawned, timers, n_sleeps) = Default::default();
        Rc::new(Self { tasks, n_spawned, wake, ready, timers, n_sleeps })
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let id = self.n_spawned.replace(self.n_spawned.get() + 1);
        self.tasks.borrow_mut().insert(id, Box::pin(task));
        self.wake.send(id).expect("we have the receiver");
    }

    fn sleep_until(self: Rc<Self>, deadline: Instant) -> impl Future<Output = ()> {
        let key = (deadline, self.n_sleeps.replace(self.n_sleeps.get() + 1));
        poll_fn(move |context| {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().insert(key, context.waker().clone());
            Poll::Pending
        })
    }

    /// Runs until all tasks have ended.
    fn run(&self) {
        while !self.tasks.borrow().is_empty() {
            self.wake_sleepers();
            let first = self.timers.borrow().keys().next().map(|key| key.0);
            let woken = match first {
                Some(deadline) => self.ready.recv_deadline(deadline).ok(),
                None => self.ready.recv().ok(),
            };
            if let Some(id) = woken {
                self.poll(id);
            }
        }
    }

    fn wake_sleepers(&self) {
        let later = self.timers.borrow_mut().split_off(&(Instant::now(), usize::MAX));
        let due = self.timers.replace(later);
        due.into_values().for_each(Waker::wake);
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

/// A task waits for an hour or for a thread, whichever comes first.
pub(crate) fn show() -> String {
    let (executor, brought) = (Executor::new(), Rc::new(Cell::new(0)));
    let an_hour = Instant::now() + Duration::from_secs(3600);
    let mut hour = Box::pin(executor.clone().sleep_until(an_hour));
    let ((sender, answer), same) = (bounded(1), brought.clone());
    executor.spawn(poll_fn(move |context| {
        if let Ok(n) = answer.try_recv() {
            same.set(n);
            return Poll::Ready(());
        }
        let (sender, waker) = (sender.clone(), context.waker().clone());
        thread::spawn(move || sender.send(42).map(|()| waker.wake()));
        hour.as_mut().poll(context)
    }));
    executor.run();
    format!("executor 4: a thread woke the task, and brought {}", brought.get())
}

#[test]
fn a_wake_from_another_thread_ends_the_rest() {
    crate::support::watched(|| assert!(show().ends_with("brought 42")));
}

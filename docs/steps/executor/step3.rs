//! Step 3: timers.
//!
//! The idea: the executor keeps wakers in the order of their deadlines. Between two polls it wakes those that are
//! due; and if no task is ready, its thread sleeps until the first deadline.
//!
//! Without it: a task that wants to wait calls `thread::sleep`, and no other task is polled meanwhile. Ten tasks that
//! wait for a second each take ten seconds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

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
        loop {
            self.wake_sleepers();
            if let Ok(id) = self.ready.try_recv() {
                self.poll(id);
            } else if let Some((deadline, _)) = self.timers.borrow().keys().next() {
                thread::sleep(deadline.saturating_duration_since(Instant::now()));
            } else {
                break;
            }
        }
        assert_eq!(self.tasks.borrow().len(), 0, "tasks wait, and nothing has woken them");
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

/// Three tasks sleep, and say when they are up; the longest was spawned first.
pub(crate) fn show() -> String {
    let (executor, up) = (Executor::new(), Rc::new(RefCell::new(Vec::new())));
    let start = Instant::now();
    for ms in [300, 200, 100] {
        let (same, up) = (executor.clone(), up.clone());
        executor.spawn(async move {
            same.sleep_until(start + Duration::from_millis(ms)).await;
            up.borrow_mut().push(ms);
        });
    }
    executor.run();
    format!("executor 3: three tasks slept at once, and were up after {:?} ms", up.borrow())
}

#[test]
fn tasks_sleep_at_once_and_the_shortest_sleep_ends_first() {
    crate::support::watched(|| assert!(show().ends_with("[100, 200, 300] ms")));
}

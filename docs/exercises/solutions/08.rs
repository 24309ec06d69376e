//! Stalled is: after the last poll, first the inbox is read, and then the queue is found empty.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

struct TaskWaker {
    number: usize,
    inbox: Arc<Mutex<Vec<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.inbox.lock().expect("nothing panics under the lock").push(self.number);
    }
}

#[derive(Default)]
pub(crate) struct Executor {
    tasks: RefCell<BTreeMap<usize, Task>>,
    n_spawned: Cell<usize>,
    ready: RefCell<VecDeque<usize>>,
    inbox: Arc<Mutex<Vec<usize>>>,
}

impl Executor {
    pub(crate) fn new() -> Rc<Self> {
        Rc::default()
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let number = self.n_spawned.replace(self.n_spawned.get() + 1);
        self.tasks.borrow_mut().insert(number, Box::pin(task));
        self.ready.borrow_mut().push_back(number);
    }

    pub(crate) fn run_until_stalled(&self) -> usize {
        loop {
            self.read_mail();
            let n_ready = self.ready.borrow().len();
            if n_ready == 0 {
                return self.tasks.borrow().len();
            }
            for _ in 0..n_ready {
                self.poll_first();
            }
        }
    }

    fn read_mail(&self) {
        let inbox = std::mem::take(&mut *self.inbox.lock().expect("nothing panics under the lock"));
        self.ready.borrow_mut().extend(inbox);
    }

    fn poll_first(&self) {
        let Some(number) = self.ready.borrow_mut().pop_front() else { return };
        let Some(mut task) = self.tasks.borrow_mut().remove(&number) else { return };
        let waker = Waker::from(Arc::new(TaskWaker { number, inbox: self.inbox.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut().insert(number, task);
        }
    }
}

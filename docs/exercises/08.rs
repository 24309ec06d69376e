//! # 8. Until it is stalled
//!
//! ★★ · 45 minutes · [The loop](../guide/12-the-loop.md)
//!
//! `run_until_stalled` is to poll until no task is ready, and to return how many are left, without waiting. It returns too
//! early here: after one batch. Tasks are spawned by tasks, wake themselves, and are woken from other threads, whose wakes
//! arrive in the inbox.

pub(crate) mod yours {
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
        /// Those that were spawned, and those whose messages were read.
        ready: RefCell<VecDeque<usize>>,
        /// Those that were woken.
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

        /// Polls until no task is ready. How many are left, none of which is.
        pub(crate) fn run_until_stalled(&self) -> usize {
            self.read_mail();
            for _ in 0..self.ready.borrow().len() {
                self.poll_first();
            }
            self.tasks.borrow().len()
        }

        fn read_mail(&self) {
            let inbox =
                std::mem::take(&mut *self.inbox.lock().expect("nothing panics under the lock"));
            self.ready.borrow_mut().extend(inbox);
        }

        fn poll_first(&self) {
            let Some(number) = self.ready.borrow_mut().pop_front() else { return };
            // Taken out for the poll, which may spawn. If it was woken twice, it may have ended.
            let Some(mut task) = self.tasks.borrow_mut().remove(&number) else { return };
            let waker = Waker::from(Arc::new(TaskWaker { number, inbox: self.inbox.clone() }));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                self.tasks.borrow_mut().insert(number, task);
            }
        }
    }
}

mod tests {
    use std::cell::Cell;
    use std::future::{pending, poll_fn};
    use std::rc::Rc;
    use std::task::Poll;
    use std::thread;

    use crate::answers::a08::Executor;

    #[test]
    fn a_task_that_wakes_itself_is_polled_to_its_end() {
        let (executor, mut n_left) = (Executor::new(), 5);
        executor.spawn(poll_fn(move |context| {
            if n_left == 0 {
                return Poll::Ready(());
            }
            n_left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        assert_eq!(executor.run_until_stalled(), 0);
    }

    #[test]
    fn a_task_that_is_spawned_by_another_is_polled() {
        let (executor, has_run) = (Executor::new(), Rc::new(Cell::new(false)));
        let (spawner, inner) = (executor.clone(), has_run.clone());
        executor.spawn(async move {
            let inner = inner.clone();
            spawner.spawn(async move { inner.set(true) });
        });
        assert_eq!(executor.run_until_stalled(), 0);
        assert!(has_run.get());
    }

    #[test]
    fn a_wake_from_another_thread_during_a_poll_is_heard() {
        let (executor, mut is_first) = (Executor::new(), true);
        executor.spawn(poll_fn(move |context| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            Poll::Pending
        }));
        assert_eq!(executor.run_until_stalled(), 0);
    }

    #[test]
    fn what_nothing_wakes_is_left() {
        let executor = Executor::new();
        executor.spawn(pending());
        executor.spawn(async {});
        assert_eq!(executor.run_until_stalled(), 1);
    }
}

//! # 7. The flag of a task
//!
//! ★ · 15 minutes · [A task and its waker](../guide/11-a-task-and-its-waker.md)
//!
//! A task stands in the queue once, however often it was woken; its flag says that it does. But a task that wakes itself
//! while it is polled is never polled again here. Move one line.

pub(crate) mod yours {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
    use std::task::{Context, Wake, Waker};

    #[derive(Default)]
    struct Task {
        is_queued: AtomicBool,
        in_queue: AtomicUsize,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            // ORDERING: Relaxed, here and below. All of this is on one thread.
            if !self.is_queued.swap(true, Relaxed) {
                self.in_queue.fetch_add(1, Relaxed);
            }
        }
    }

    /// Polls while the task is queued. Returns the output, if it came, and the number of polls.
    pub(crate) fn run<F: Future>(future: F) -> (Option<F::Output>, usize) {
        let (mut future, task) = (pin!(future), Arc::new(Task::default()));
        let waker = Waker::from(task.clone());
        waker.wake_by_ref();
        let mut n_polls = 0;
        // ORDERING: Relaxed, as above, here and below.
        while task.in_queue.load(Relaxed) > 0 {
            task.in_queue.fetch_sub(1, Relaxed); // ORDERING: as above.
            n_polls += 1;
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            task.is_queued.store(false, Relaxed); // ORDERING: as above.
            if let std::task::Poll::Ready(output) = polled {
                return (Some(output), n_polls);
            }
        }
        (None, n_polls)
    }
}

mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use crate::answers::a07::run;

    fn steps(n: u32, n_wakes: u32) -> impl Future<Output = ()> {
        let mut n_left = n;
        poll_fn(move |context| {
            if n_left == 0 {
                return Poll::Ready(());
            }
            n_left -= 1;
            for _ in 0..n_wakes {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }

    #[test]
    fn a_task_that_wakes_itself_is_polled_again() {
        assert_eq!(run(steps(3, 1)), (Some(()), 4));
    }

    #[test]
    fn ten_wakes_are_one_poll() {
        assert_eq!(run(steps(3, 10)), (Some(()), 4));
    }

    #[test]
    fn a_task_that_nothing_wakes_is_not_polled() {
        assert_eq!(run(steps(1, 0)), (None, 1));
    }
}

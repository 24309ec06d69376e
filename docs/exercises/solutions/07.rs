//! The flag is cleared before the poll: a wake from then on is for the next one.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

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

pub(crate) fn run<F: Future>(future: F) -> (Option<F::Output>, usize) {
    let (mut future, task) = (pin!(future), Arc::new(Task::default()));
    let waker = Waker::from(task.clone());
    waker.wake_by_ref();
    let mut n_polls = 0;
    // ORDERING: Relaxed, as above, here and below.
    while task.in_queue.load(Relaxed) > 0 {
        task.in_queue.fetch_sub(1, Relaxed); // ORDERING: as above.
        n_polls += 1;
        task.is_queued.store(false, Relaxed); // ORDERING: as above.
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (Some(output), n_polls);
        }
    }
    (None, n_polls)
}

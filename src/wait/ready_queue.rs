//! A ready queue: the indices of the members that were woken.
//!
//! Knows nothing of what the indices stand for. What must always hold:
//!
//! 1. An index is in the queue at most once, however often its member is woken. The queue is taken out as a
//!    whole, and from then on a wake counts again.
//! 2. Looking and leaving a waker are one step under the lock, so no wake falls between them.
//! 3. The waiter is woken, and wakers are dropped, with the lock let go.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::panic;
use crate::prims::Mutex;

/// The epoch of an index that was never queued.
const NEVER: u64 = u64::MAX;

/// Indices, in the order in which they were queued.
#[derive(Default)]
pub(crate) struct ReadyQueue(Mutex<State>);

#[derive(Default)]
struct State {
    queued: VecDeque<usize>,
    /// The epoch in which each index was queued last. If it was this one, it is in `queued`.
    epochs: Vec<u64>,
    /// How often the whole queue has been taken out.
    epoch: u64,
    /// To be woken when there is one.
    waiter: Option<Waker>,
}

impl ReadyQueue {
    /// A waker that enqueues this index.
    pub(crate) fn waker_of(self: &Arc<Self>, at: usize) -> Waker {
        Waker::from(Arc::new(Enqueue { queue: self.clone(), at }))
    }

    pub(crate) fn enqueue(&self, at: usize) {
        let mut queue = self.0.lock();
        if queue.epochs.len() <= at {
            queue.epochs.resize(at + 1, NEVER);
        }
        let epoch = queue.epoch;
        if mem::replace(&mut queue.epochs[at], epoch) == epoch {
            return; // It is in the queue, and will be polled after this wake.
        }
        queue.queued.push_back(at);
        let waiter = queue.waiter.take();
        drop(queue);
        if let Some(waker) = waiter {
            waker.wake();
        }
    }

    /// Takes all that are queued into `taken`, which is empty. If there are none, leaves the waker
    /// to be woken when there is one.
    pub(crate) fn take_all(&self, taken: &mut VecDeque<usize>, waker: &Waker) {
        self.0.lock().take_all(taken);
        if taken.is_empty() {
            self.leave_waker(taken, waker.clone());
        }
    }

    /// The waiter goes.
    pub(crate) fn forget_waiter(&self) {
        let waiter = self.0.lock().waiter.take();
        panic::drop_each(waiter);
    }

    /// The slow half of `take_all`. It looks again: a member may have been queued since.
    fn leave_waker(&self, taken: &mut VecDeque<usize>, waker: Waker) {
        let mut queue = self.0.lock();
        queue.take_all(taken);
        let not_needed = match taken.is_empty() {
            true => queue.waiter.replace(waker),
            false => Some(waker),
        };
        drop(queue);
        panic::drop_each(not_needed); // After the lock: a waker is user code, its drop too.
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        self.forget_waiter();
    }
}

impl State {
    /// Takes the same time, however many there are: two pointers are swapped.
    fn take_all(&mut self, taken: &mut VecDeque<usize>) {
        mem::swap(&mut self.queued, taken);
        // Before the members are polled: a wake from within a poll must count.
        self.epoch += 1;
    }
}

/// The waker of one member.
struct Enqueue {
    queue: Arc<ReadyQueue>,
    at: usize,
}

impl Wake for Enqueue {
    fn wake(self: Arc<Self>) {
        self.queue.enqueue(self.at);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.queue.enqueue(self.at);
    }
}

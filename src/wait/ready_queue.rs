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
use std::task::{Context, Poll, Wake, Waker};

use crate::panic;
use crate::prims::Mutex;

use super::wait_list::poll_locked;

/// The epoch of an index that was never queued.
const NEVER: u64 = u64::MAX;

/// Indices, in the order in which they were queued. Not on the cache line of its `Arc`: each waker is counted there by
/// the thread that adds its member, while others enqueue.
#[derive(Default)]
#[repr(align(128))]
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

    /// Takes all that are queued into `taken`, which is empty: two pointers are swapped, however many there are. If
    /// there are none, the waker is woken when there is one.
    pub(crate) fn take_all(&self, taken: &mut VecDeque<usize>, context: &Context<'_>) {
        let _ = poll_locked(&self.0, context, |queue, wakers| {
            mem::swap(&mut queue.queued, taken);
            // Before the members are polled: a wake from within a poll must count.
            queue.epoch += 1;
            if !taken.is_empty() {
                return Poll::Ready(());
            }
            if let Some(waker) = wakers.waiter.take() {
                wakers.waiter = queue.waiter.replace(waker);
            }
            Poll::Pending
        });
    }

    /// The waiter goes.
    pub(crate) fn forget_waiter(&self) {
        let waiter = self.0.lock().waiter.take();
        panic::drop_each(waiter);
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

//! The loop: which task is polled, and what happens when none can be.
//!
//! Knows nothing of handles. One turn of the loop reads the messages, wakes those whose time has come, and
//! polls *the batch that is ready at that moment*. What is woken meanwhile is polled in the next turn, so
//! that a task which always wakes itself starves neither the others, nor the timers, nor the messages
//! (tokio needs a budget for that).
//!
//! What must always hold:
//!
//! 1. A future is polled once for each time it was queued, and never otherwise.
//! 2. The thread idles only when no task is ready, and reads its messages afterwards.
//! 3. No borrow of the queue or the slab is held while a future is polled or dropped.

use std::panic::Location;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::JoinError;
use crate::panic;
use crate::wait::deferred;
use crate::wait::hints;

use super::idle::Hang;
use super::shared::{ErasedTask, Message, TaskId, end};
use super::task::of_main;
use super::tasks::{KeptWaker, Slot, Tasks};

/// The slot of the future that `run` was given, which is emptied on every way out. The future itself is not in there,
/// since it may borrow.
struct MainSlot<'a> {
    tasks: &'a Tasks,
    waker: KeptWaker,
}

impl<'a> MainSlot<'a> {
    /// Fills it, and queues it for its first poll.
    fn fill(tasks: &'a Tasks, task: Arc<dyn ErasedTask>) -> Self {
        let id = task.metadata().id();
        let waker = KeptWaker::new(&tasks.shared, id);
        waker.to_poll_with.wake_by_ref();
        tasks.main.replace(Some(Slot::new(task, id.number, None, Some(waker.clone()))));
        Self { tasks, waker }
    }

    fn poll<F: Future>(&self, main: Pin<&mut F>) -> Poll<F::Output> {
        self.waker.itself.begin_poll();
        let runtime = &self.tasks.shared.runtime;
        runtime.set_polled(self.waker.to_poll_with.data());
        let polled = main.poll(&mut Context::from_waker(&self.waker.to_poll_with));
        runtime.set_polled(ptr::null());
        let waits_for = hints::take_reason();
        self.tasks.main.borrow_mut().as_mut().expect("it was filled").waits_for = waits_for;
        polled
    }
}

impl Drop for MainSlot<'_> {
    fn drop(&mut self) {
        self.tasks.main.take();
        self.tasks.shared.runtime.set_polled(ptr::null()); // It may have panicked.
    }
}

impl Tasks {
    /// Runs until that future is ready, or until it is proved that it never will be.
    pub(crate) fn run<F: Future>(
        &self,
        mut main: Pin<&mut F>,
        called_at: &'static Location<'static>,
    ) -> Result<F::Output, Hang> {
        hints::take_reason(); // Left over from before this run.
        let task = of_main(&self.shared, called_at);
        let (this, slot) = (task.metadata().id(), MainSlot::fill(self, task));
        loop {
            for _ in 0..self.begin_turn() {
                let next = self.queue.borrow_mut().pop_front();
                let next = next.expect("what is in the queue is taken out here only");
                if next != this {
                    self.poll(next);
                } else if let Poll::Ready(output) = slot.poll(main.as_mut()) {
                    return Ok(output);
                }
            }
            // Deep in deferred code, the end of a task is queued, and waited for here.
            if self.queue.borrow().is_empty() && !deferred::run_queued() {
                if self.rest() {
                    return Err(Hang(self.dump()));
                }
                self.read_messages();
            }
        }
    }

    /// Polls a task that was queued.
    fn poll(&self, id: TaskId) {
        let begun = self.begin_poll(id);
        let Some((mut future, waker)) = begun else { return }; // It was cancelled after it was queued.
        let mut context = Context::from_waker(&waker.to_poll_with);
        let mut remove = || self.remove(id);
        let mut poll = || future.as_mut().poll_to_end(&mut context, &mut remove);
        self.shared.runtime.set_polled(waker.to_poll_with.data());
        let polled = panic::catch(Location::caller(), &mut poll);
        self.shared.runtime.set_polled(ptr::null());
        match polled {
            Ok(Poll::Pending) => return self.end_poll(id, (future, waker)),
            Ok(Poll::Ready(())) => self.spare.set(Some(waker)),
            Err(panic) => {
                let task = self.remove(id);
                self.spare.set(Some(waker));
                let panic = panic.submitted_by(task.metadata().spawned_at);
                end(task, future, JoinError::Panicked(panic));
            }
        }
        hints::take_reason(); // Of a task that is over, and not of the next one.
    }

    /// Reads the messages, fires the timers, and says how many are to be polled in this turn.
    fn begin_turn(&self) -> usize {
        if self.shared.runtime.parker.take_notice() {
            self.read_messages();
        }
        self.shared.runtime.fire_due();
        self.slab.borrow_mut().tidy();
        let mut queue = self.queue.borrow_mut();
        if let Some(seed) = self.seed.get() {
            self.seed.set(Some(shuffle(queue.make_contiguous(), seed)));
        }
        queue.len()
    }

    fn read_messages(&self) {
        let mut messages = self.messages.take();
        self.shared.fetch(&mut messages);
        for message in messages.drain(..) {
            match message {
                Message::Wake(id) => self.queue.borrow_mut().push_back(id),
                Message::Cancel(id) => drop(self.cancel(id)),
                Message::Spawn(spawn) => panic::contain(spawn),
            }
        }
        self.messages.set(messages);
    }
}

/// Puts a batch into an order that follows from the seed, and gives the next seed.
///
/// The generator is Marsaglia's xorshift; the shuffle is Fisher's and Yates's.
fn shuffle<T>(batch: &mut [T], mut seed: u64) -> u64 {
    for last in (1..batch.len()).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        batch.swap(last, (seed % (last as u64 + 1)) as usize);
    }
    seed
}

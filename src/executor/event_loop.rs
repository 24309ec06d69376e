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

use std::cell::Cell;
use std::future::pending;
use std::panic::Location;
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::JoinError;
use crate::panic;
use crate::prims;
use crate::trace_event::Step;
use crate::wait::deferred;
use crate::wait::hints;

use super::idle::Hang;
use super::shared::{Message, Shared, TaskId, end};
use super::task::of_main;
use super::tasks::Tasks;

pub(crate) struct EventLoop {
    pub(crate) tasks: Rc<Tasks>,
    /// Of the generator that shuffles the batches, if they are shuffled.
    seed: Cell<Option<u64>>,
    /// From when on the observer hears of a poll.
    slow_poll: Duration,
    /// Empty between two turns, and kept for their memory.
    messages: Cell<Vec<Message>>,
    /// Whether one of the tasks is the future that `run` was given.
    has_main: Cell<bool>,
}

/// A slot for the future that `run` was given, as long as that runs. The future itself may borrow, and is not in there.
struct MainSlot<'a> {
    event_loop: &'a EventLoop,
    id: TaskId,
}

impl<'a> MainSlot<'a> {
    /// Takes one, and queues it for its first poll.
    fn take(event_loop: &'a EventLoop, called_at: &'static Location<'static>) -> Self {
        let task = of_main(&event_loop.tasks.shared, called_at);
        event_loop.tasks.insert(task.clone(), Box::pin(Some(pending::<()>())));
        event_loop.has_main.set(true);
        Self { event_loop, id: task.metadata().id() }
    }
}

impl Drop for MainSlot<'_> {
    fn drop(&mut self) {
        self.event_loop.tasks.remove(self.id);
        self.event_loop.has_main.set(false);
    }
}

impl EventLoop {
    pub(crate) fn new(shared: Arc<Shared>, seed: Option<u64>, slow_poll: Duration) -> Self {
        let (tasks, seed) = (Rc::new(Tasks::new(shared)), Cell::new(seed));
        Self { tasks, seed, slow_poll, messages: Cell::default(), has_main: Cell::default() }
    }

    /// Runs until that future is ready, or until it is proved that it never will be.
    pub(crate) fn run<F: Future>(
        &self,
        mut main: Pin<&mut F>,
        called_at: &'static Location<'static>,
    ) -> Result<F::Output, Hang> {
        let _ = (hints::take_reason(), hints::has_blocked()); // Left over from before this run.
        let slot = MainSlot::take(self, called_at);
        loop {
            for _ in 0..self.begin_turn() {
                let next = self.tasks.queue.borrow_mut().pop_front();
                let next = next.expect("what is in the queue is taken out here only");
                if next != slot.id {
                    self.poll(next);
                } else if let Poll::Ready(output) = self.poll_main(next, main.as_mut()) {
                    return Ok(output);
                }
            }
            // Deep in deferred code, the end of a task is queued, and waited for here.
            if self.tasks.queue.borrow().is_empty() && !deferred::run_queued() {
                if self.tasks.rest() {
                    return Err(Hang(self.tasks.dump()));
                }
                self.read_messages();
            }
        }
    }

    /// Polls the future that `run` was given. What is in its slot takes no part in it.
    fn poll_main<F: Future>(&self, id: TaskId, main: Pin<&mut F>) -> Poll<F::Output> {
        let (in_slot, waker) = self.tasks.begin_poll(id).expect("it has a slot while it runs");
        let began = self.begin_watch();
        self.tasks.shared.runtime.set_polled(waker.to_poll_with.data());
        let polled = main.poll(&mut Context::from_waker(&waker.to_poll_with));
        self.tasks.shared.runtime.set_polled(ptr::null());
        self.tell_if_slow(began, id);
        self.tasks.end_poll(id, (in_slot, waker), hints::take_reason());
        polled
    }

    /// Polls a task that was queued.
    fn poll(&self, id: TaskId) {
        let begun = self.tasks.begin_poll(id);
        let Some((mut future, waker)) = begun else { return }; // It was cancelled after it was queued.
        let began = self.begin_watch();
        let remove = || {
            self.tell_if_slow(began, id);
            self.tasks.remove(id)
        };
        let mut context = Context::from_waker(&waker.to_poll_with);
        let poll = || future.as_mut().poll_to_end(&mut context, &mut { remove });
        self.tasks.shared.runtime.set_polled(waker.to_poll_with.data());
        let (polled, waits_for) = (panic::catch(Location::caller(), poll), hints::take_reason());
        self.tasks.shared.runtime.set_polled(ptr::null());
        match polled {
            Ok(Poll::Pending) => {
                self.tell_if_slow(began, id);
                self.tasks.end_poll(id, (future, waker), waits_for);
            }
            Ok(Poll::Ready(())) => self.tasks.keep(waker),
            Err(panic) => {
                let task = remove();
                self.tasks.keep(waker);
                let panic = panic.submitted_by(task.metadata().spawned_at);
                end(task, future, JoinError::Panicked(panic));
            }
        }
    }

    /// Reads the messages, fires the timers, and says how many are to be polled in this turn.
    fn begin_turn(&self) -> usize {
        if self.tasks.shared.runtime.parker.take_notice() {
            self.read_messages();
        }
        self.tasks.shared.runtime.fire_due();
        self.tasks.slab.borrow_mut().tidy();
        let mut queue = self.tasks.queue.borrow_mut();
        if let Some(seed) = self.seed.get() {
            self.seed.set(Some(shuffle(queue.make_contiguous(), seed)));
        }
        queue.len()
    }

    fn read_messages(&self) {
        let mut messages = self.messages.take();
        self.tasks.shared.fetch(&mut messages);
        for message in messages.drain(..) {
            match message {
                Message::Wake(id) => self.tasks.queue.borrow_mut().push_back(id),
                Message::Cancel(id) => drop(self.tasks.cancel(id)),
                Message::Spawn(spawn) => panic::contain(spawn),
            }
        }
        self.messages.set(messages);
    }

    /// When a poll began, if there is an observer that wants to know how long it takes.
    fn begin_watch(&self) -> Option<Instant> {
        self.tasks.shared.observer.now_by(prims::now)
    }

    /// Tells of a poll that was slow, if there is an observer.
    #[inline]
    fn tell_if_slow(&self, began: Option<Instant>, id: TaskId) {
        began.into_iter().for_each(|began| self.tell_of_a_poll(began, id));
    }

    #[cold]
    fn tell_of_a_poll(&self, began: Instant, id: TaskId) {
        let (took, blocked) = (began.elapsed(), hints::has_blocked());
        if took >= self.slow_poll || blocked {
            let task = self.tasks.get(id).expect("it is removed afterwards");
            let spawned_at = task.metadata().spawned_at;
            task.metadata().tell(Step::SlowPoll { took, blocked, spawned_at });
        }
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.tasks.slab.borrow().len() - usize::from(self.has_main.get())
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

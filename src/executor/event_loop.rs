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

use std::cell::{Cell, RefCell};
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

use super::idle::{Dump, Hang, Idle, Main, Verdict, dump, nothing_can_wake};
use super::shared::{Message, NO_SLOT, Shared, TaskId, end};
use super::tasks::{KeptWaker, Tasks};

pub(crate) struct EventLoop {
    pub(crate) tasks: Rc<Tasks>,
    shared: Arc<Shared>,
    /// Of the future that `run` was given, while it runs.
    main: RefCell<Option<Main>>,
    idle: Idle,
    /// Of the generator that shuffles the batches, if they are shuffled.
    seed: Cell<Option<u64>>,
    /// From when on the observer hears of a poll.
    slow_poll: Duration,
    /// Empty between two turns, and kept for their memory.
    messages: Cell<Vec<Message>>,
}

impl EventLoop {
    pub(crate) fn new(
        shared: Arc<Shared>,
        seed: Option<u64>,
        spin_limit: Duration,
        slow_poll: Duration,
    ) -> Self {
        Self {
            tasks: Rc::new(Tasks::new(shared.clone())),
            idle: Idle::new(&shared, spin_limit),
            shared,
            main: RefCell::new(None),
            seed: Cell::new(seed),
            slow_poll,
            messages: Cell::default(),
        }
    }

    /// Runs until that future is ready, or until it is proved that it never will be.
    pub(crate) fn run<F: Future>(&self, mut main: Pin<&mut F>) -> Result<F::Output, Hang> {
        let this = TaskId { slot: NO_SLOT, number: self.shared.next_number() };
        let waker = KeptWaker::new(&self.shared, this);
        waker.to_poll_with.wake_by_ref(); // For its first poll.
        let _ = (hints::take_reason(), hints::has_blocked()); // Left over from before this run.
        *self.main.borrow_mut() = Some(Main::new(waker.itself.clone()));
        loop {
            for _ in 0..self.begin_turn() {
                let next = self.tasks.queue.borrow_mut().pop_front();
                let next = next.expect("what is in the queue is taken out here only");
                if next != this {
                    self.poll(next);
                    continue;
                }
                self.tasks.begin_poll_with(&waker.itself);
                self.update_main(|main| main.is_polled = true);
                let began = self.begin_watch();
                let mut context = Context::from_waker(&waker.to_poll_with);
                self.shared.runtime.set_polled(waker.to_poll_with.data());
                let (polled, waits_for) = (main.as_mut().poll(&mut context), hints::take_reason());
                self.shared.runtime.set_polled(ptr::null());
                self.tell_if_slow(began, this);
                if let Poll::Ready(output) = polled {
                    return Ok(output);
                }
                self.update_main(|main| (main.is_polled, main.waits_for) = (false, waits_for));
            }
            // Deep in deferred code, the end of a task is queued, and waited for here.
            if self.tasks.queue.borrow().is_empty() && !deferred::run_queued() {
                match self.idle.rest(self.n_tasks(), || self.nothing_can_wake()) {
                    Verdict::GoesOn => self.read_messages(),
                    Verdict::Hangs => return Err(Hang(self.dump())),
                }
            }
        }
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
        self.shared.runtime.set_polled(waker.to_poll_with.data());
        let (polled, waits_for) = (panic::catch(Location::caller(), poll), hints::take_reason());
        self.shared.runtime.set_polled(ptr::null());
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
        if self.shared.runtime.parker.take_notice() {
            self.read_messages();
        }
        self.shared.runtime.fire_due();
        self.tasks.slab.borrow_mut().tidy();
        let mut queue = self.tasks.queue.borrow_mut();
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
                Message::Wake(id) => self.tasks.queue.borrow_mut().push_back(id),
                Message::Cancel(id) => drop(self.tasks.cancel(id)),
                Message::Spawn(spawn) => panic::contain(spawn),
            }
        }
        self.messages.set(messages);
    }

    /// When a poll began, if there is an observer that wants to know how long it takes.
    fn begin_watch(&self) -> Option<Instant> {
        self.shared.observer.now_by(prims::now)
    }

    /// Tells of a poll that was slow, if there is an observer.
    #[inline]
    fn tell_if_slow(&self, began: Option<Instant>, id: TaskId) {
        began.into_iter().for_each(|began| self.tell_of_a_poll(began, id));
    }

    /// What has no slot is the future that `run` was given.
    #[cold]
    fn tell_of_a_poll(&self, began: Instant, id: TaskId) {
        let (took, blocked) = (began.elapsed(), hints::has_blocked());
        if took >= self.slow_poll || blocked {
            let task = self.tasks.get(id);
            let metadata = task.as_ref().map(|task| task.metadata());
            let name = metadata.map_or(Some("main"), |task| task.name.as_deref());
            let spawned_at = metadata.map(|task| task.spawned_at);
            self.shared.tell(id.number, name, Step::SlowPoll { took, blocked, spawned_at });
        }
    }

    fn update_main(&self, update: impl FnOnce(&mut Main)) {
        if let Some(main) = &mut *self.main.borrow_mut() {
            update(main);
        }
    }

    /// The future that `run` was given is over, in whatever way.
    pub(crate) fn forget_main(&self) {
        self.main.take();
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.tasks.slab.borrow().len()
    }

    pub(crate) fn dump(&self) -> Dump {
        dump(self.main.borrow().as_ref(), &self.tasks.slab.borrow())
    }

    fn nothing_can_wake(&self) -> bool {
        let is_disturbed = || self.shared.runtime.parker.is_notified();
        let (main, slab) = (self.main.borrow(), self.tasks.slab.borrow());
        nothing_can_wake(
            main.as_ref(),
            &slab,
            &mut self.tasks.known_clones.borrow_mut(),
            is_disturbed,
        )
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

//! The tasks of an executor: their wakers, the queue of those that are ready, and the slots where they wait.
//!
//! Knows nothing of when a task is polled. A waker is an `Arc` that names a task. Woken on the thread of its
//! executor, the name goes straight to the queue there; woken elsewhere, it is a message. Futures never leave
//! the executor's thread, which is why they need not be `Send`, and why nothing here is locked.
//!
//! What must always hold, and whose bug it shuts out:
//!
//! 1. A waker is in the queue at most once: it is queued by the wake that takes `is_queued` from false
//!    to true, and the flag is taken back *before* the poll. There is no other short-cut, so that a wake
//!    which comes during a poll is never taken for one that came before it (compio #948).
//! 2. A waker owns all that it touches. Woken when its task is over, it queues a number that no task has any
//!    more; woken during or after the executor's end, it sends to a closed inbox. Neither does anything.
//! 3. A waker is given to another task only when there is no other clone of it: a late wake is never the next one's,
//!    and a clone that is counted was given to the task that is there.
//! 4. One executor runs on a thread at a time, though another may end inside of it. Which one that is, is asked
//!    by comparing executors, not threads: two executors may take turns on one.
//! 5. A future is dropped, and a handle settled, with nothing borrowed here: that is user code, which
//!    may spawn, wake and cancel.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::error::{CancelReason, JoinError};
use crate::panic;
use crate::prims::{AtomicBool, AtomicUsize, Ordering, fence, thread_local};
use crate::wait::deferred;
use crate::wait::hints::{self, WaitReason};
use crate::wait::parker::AdaptiveSpin;
use crate::wait::runtime::RuntimeContext;
use crate::wait::slab::Slab;

use super::shared::{BoxedFuture, ErasedTask, Message, Metadata, Shared, TaskId, end};

use Ordering::{Acquire, Relaxed, Release};

/// The waker of one task, and when that is over of another one.
pub(crate) struct TaskWaker {
    shared: Arc<Shared>,
    slot: AtomicUsize,
    number: AtomicUsize,
    is_queued: AtomicBool,
}

/// A waker as the executor keeps it: to poll with, and to look into.
#[derive(Clone)]
pub(crate) struct KeptWaker {
    pub(crate) to_poll_with: Waker,
    pub(crate) itself: Arc<TaskWaker>,
}

impl KeptWaker {
    /// How many clones there are if none was given away: the two here.
    pub(crate) const CLONES: usize = 2;

    pub(crate) fn new(shared: &Arc<Shared>, id: TaskId) -> Self {
        let itself = Arc::new(TaskWaker {
            shared: shared.clone(),
            slot: AtomicUsize::new(id.slot),
            number: AtomicUsize::new(id.number),
            is_queued: AtomicBool::new(false),
        });
        Self { to_poll_with: Waker::from(itself.clone()), itself }
    }

    fn has_no_clones(&self) -> bool {
        let is_alone = Arc::strong_count(&self.itself) == Self::CLONES;
        // ORDERING: Acquire. Pairs with the Release with which an `Arc` counts down: who had a clone
        // has read from it for the last time before the next task's name is written into it.
        fence(Acquire);
        is_alone
    }

    /// Is that task's from now on, which is about to be polled.
    fn serve(self, id: TaskId) -> Self {
        let TaskWaker { slot, number, .. } = &*self.itself;
        // ORDERING: Relaxed, both. There is no other clone: one that is made carries them.
        slot.store(id.slot, Relaxed);
        number.store(id.number, Relaxed);
        self
    }
}

impl TaskWaker {
    /// Whose waker it is. The slot may be another's by now, if the task is over; the number is not.
    pub(crate) fn id(&self) -> TaskId {
        // ORDERING: Relaxed, both. The caller has a clone, and then they are not changed.
        TaskId { slot: self.slot.load(Relaxed), number: self.number.load(Relaxed) }
    }

    /// The poll begins: from now on, a wake is for the next one.
    pub(crate) fn begin_poll(&self) {
        // ORDERING: Acquire. Pairs with the Release swap in `wake_by_ref`: the poll sees what was
        // written before the wake that it answers.
        self.is_queued.swap(false, Acquire);
    }

    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued.load(Relaxed) // ORDERING: Relaxed. For reports, and on the executor's thread.
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: Release. Pairs with the Acquire in `begin_poll`. Where another thread has queued
        // it and it was not polled since, that poll sees our writes too: it acquires from a chain of
        // swaps, of which this is one.
        if self.is_queued.swap(true, Release) {
            return;
        }
        let enqueue = |tasks: &Tasks| tasks.queue.borrow_mut().push_back(self.id());
        if with_current(&self.shared, enqueue).is_none() {
            self.shared.send(Message::Wake(self.id()));
        }
    }
}

/// One task, in its slot.
pub(crate) struct Slot {
    /// `None` while it is polled: the loop has it then, or `run`.
    future: Option<BoxedFuture>,
    /// It is to be dropped when the poll is over: not before, for it is the future itself that is running.
    is_cancelled: bool,
    /// As in its metadata: to compare it is what a slot is looked into for most often.
    pub(crate) number: usize,
    pub(crate) task: Arc<dyn ErasedTask>,
    /// `None` before its first poll, and while it is polled.
    pub(super) waker: Option<KeptWaker>,
    pub(crate) waits_for: Option<WaitReason>,
}

impl Slot {
    #[inline]
    pub(super) fn new(
        task: Arc<dyn ErasedTask>,
        number: usize,
        future: Option<BoxedFuture>,
        waker: Option<KeptWaker>,
    ) -> Self {
        Self { future, is_cancelled: false, number, task, waker, waits_for: None }
    }

    /// Ends a task that is not being polled and was removed from its slot.
    fn cancel(self, reason: CancelReason) {
        let Self { future, task, waker, .. } = self;
        drop(waker);
        let future = future.expect("what is being polled stays in its slot");
        end(task, future, JoinError::Cancelled(reason));
    }
}

/// The tasks of one executor.
pub(crate) struct Tasks {
    pub(crate) shared: Arc<Shared>,
    /// Those that are to be polled, in that order.
    pub(crate) queue: RefCell<VecDeque<TaskId>>,
    pub(crate) slab: RefCell<Slab<Slot>>,
    /// Of the future that `run` was given, while it runs. The future is not in there, since it may borrow.
    pub(super) main: RefCell<Option<Slot>>,
    /// Of a task that is over.
    pub(super) spare: Cell<Option<KeptWaker>>,
    /// No more are spawned.
    pub(super) is_closed: Cell<bool>,
    /// Of the generator that shuffles the batches, if they are shuffled.
    pub(super) seed: Cell<Option<u64>>,
    /// Empty between two turns, and kept for their memory.
    pub(super) messages: Cell<Vec<Message>>,
    pub(super) adaptive_spin: Cell<AdaptiveSpin>,
}

impl Tasks {
    pub(crate) fn new(shared: Arc<Shared>, seed: Option<u64>) -> Self {
        Self {
            shared,
            queue: RefCell::default(),
            slab: RefCell::default(),
            main: RefCell::default(),
            spare: Cell::default(),
            is_closed: Cell::default(),
            seed: Cell::new(seed),
            messages: Cell::default(),
            adaptive_spin: Cell::default(),
        }
    }

    /// Gives a task its slot, and queues it for its first poll; but one that was cancelled already is dropped.
    pub(crate) fn insert(&self, task: Arc<dyn ErasedTask>, future: BoxedFuture) {
        let mut slab = self.slab.borrow_mut();
        let metadata = task.metadata();
        let (is_wanted, id) = (metadata.take_slot(slab.next_slot()), metadata.id());
        if !is_wanted {
            drop(slab);
            return end(task, future, JoinError::Cancelled(CancelReason::Requested));
        }
        slab.insert(Slot::new(task, id.number, Some(future), None));
        self.queue.borrow_mut().push_back(id);
    }

    /// Takes the future out, to poll it with that waker; `None` if its task is over.
    pub(crate) fn begin_poll(&self, id: TaskId) -> Option<(BoxedFuture, KeptWaker)> {
        let mut slab = self.slab.borrow_mut();
        let slot = get(&mut slab, id)?;
        let future = slot.future.take().expect("one is polled at a time");
        // Many tasks have no second poll, and leave their waker to the next.
        let new = || match self.spare.take().filter(KeptWaker::has_no_clones) {
            Some(spare) => spare.serve(id),
            None => KeptWaker::new(&self.shared, id),
        };
        let waker = slot.waker.take().unwrap_or_else(new);
        waker.itself.begin_poll();
        Some((future, waker))
    }

    /// Puts it back after a poll. If it was cancelled meanwhile, that happens now.
    pub(crate) fn end_poll(&self, id: TaskId, (future, waker): (BoxedFuture, KeptWaker)) {
        let mut slab = self.slab.borrow_mut();
        let slot = get(&mut slab, id).expect("only the loop removes what is polled");
        (slot.future, slot.waker, slot.waits_for) =
            (Some(future), Some(waker), hints::take_reason());
        if slot.is_cancelled {
            drop(slab);
            self.cancel(id);
        }
    }

    /// Removes a task that is over.
    pub(crate) fn remove(&self, id: TaskId) -> Arc<dyn ErasedTask> {
        let slot = self.slab.borrow_mut().remove(id.slot);
        slot.expect("only the loop removes what is polled").task
    }

    /// Drops a task's future, and settles it. If it is this very task that runs, after its poll.
    pub(crate) fn cancel(&self, id: TaskId) -> bool {
        let mut slab = self.slab.borrow_mut();
        let Some(slot) = get(&mut slab, id) else { return false };
        slot.is_cancelled = true;
        if slot.future.is_some() {
            let slot = slab.remove(id.slot);
            drop(slab);
            slot.into_iter().for_each(|slot| slot.cancel(CancelReason::Requested));
        }
        true
    }

    /// Drops every future and all messages, and takes no more of them.
    pub(crate) fn close(&self) {
        self.is_closed.set(true);
        while self.slab.borrow().len() > 0 {
            let slots = self.slab.take();
            slots.into_iter().for_each(|slot| slot.cancel(CancelReason::ShutDown));
            deferred::run_queued(); // If we are deep in such code, the futures are there.
        }
        panic::drop_each(self.shared.close().into_iter().flatten());
        self.queue.borrow_mut().clear();
    }
}

fn get(slab: &mut Slab<Slot>, id: TaskId) -> Option<&mut Slot> {
    slab.get_mut(id.slot).filter(|slot| slot.number == id.number)
}

thread_local! {
    /// Of the executor that runs on this thread.
    static CURRENT: RefCell<Option<Rc<Tasks>>> = const { RefCell::new(None) };
}

/// This thread runs an executor, for as long as this lives.
pub(crate) struct RunGuard {
    /// What ran here before: only something that drops another executor has that.
    before: Option<Rc<Tasks>>,
    runtime_before: Option<Arc<RuntimeContext>>,
    _inside: hints::Entered,
}

impl Tasks {
    /// Of the executor that runs on this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        // A thread that is ending may have lost its locals, and runs no executor.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Makes its executor the one of this thread; also inside of another one, for the drops of what it has
    /// polled. They may ask for their executor, and must not spawn into the other one.
    pub(crate) fn enter(self: &Rc<Self>) -> RunGuard {
        let before = replace_current(Some(self.clone()));
        let runtime_before = RuntimeContext::enter(Some(self.shared.runtime.clone()));
        RunGuard { before, runtime_before, _inside: hints::enter(false) }
    }
}

fn replace_current(tasks: Option<Rc<Tasks>>) -> Option<Rc<Tasks>> {
    // As in `current`. An executor that a thread-local keeps ends without being found; all wakes are messages.
    CURRENT.try_with(|current| current.replace(tasks)).ok().flatten()
}

/// Looks at the tasks of that executor, if it runs on this thread. No user code runs in a look.
#[inline]
fn with_current<T>(executor: &Arc<Shared>, look: impl FnOnce(&Tasks) -> T) -> Option<T> {
    let looked = CURRENT.try_with(|current| match &*current.borrow() {
        Some(tasks) if Arc::ptr_eq(&tasks.shared, executor) => Some(look(tasks)),
        Some(_) | None => None,
    });
    looked.ok().flatten()
}

/// Whether that executor runs on this thread.
#[inline]
pub(crate) fn is_current(executor: &Arc<Shared>) -> bool {
    with_current(executor, |_| ()).is_some()
}

/// Cancels a task: here if its executor runs here, and by a message otherwise. False if it is over.
pub(crate) fn cancel(task: &Metadata) -> bool {
    match Tasks::current() {
        Some(tasks) if Arc::ptr_eq(&tasks.shared, &task.shared) => tasks.cancel(task.id()),
        Some(_) | None => task.shared.send(Message::Cancel(task.id())),
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        RuntimeContext::enter(self.runtime_before.take());
        let ended = replace_current(self.before.take());
        drop(ended);
    }
}

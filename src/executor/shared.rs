//! What an executor shares with the wakers and handles of its tasks, on whatever thread they are.
//!
//! Knows nothing of how a task is polled. What another thread asks for is a message; it is in the inbox, and
//! the executor's thread is unparked.
//!
//! What must always hold, and whose bug it shuts out:
//!
//! 1. To leave a message never waits, and the inbox is locked for a push and no longer: a wake cannot block
//!    (compio #1044).
//! 2. A message to an executor that has ended is dropped, and nothing happens (async-executor #163).
//! 3. The executor sleeps in a parker of its own, so that no library called in a poll can eat the token
//!    that was meant for it (futures-rs #2010).

use std::any::Any;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::JoinError;
use crate::panic;
use crate::prims::{AtomicUsize, Mutex, Ordering};
use crate::trace_event::{Observer, Step, What};
use crate::wait::deferred;
use crate::wait::panic_hook::PanicHook;
use crate::wait::runtime::RuntimeContext;

use Ordering::{Acquire, Relaxed, Release};

pub(crate) struct Shared {
    pub(crate) runtime: Arc<RuntimeContext>,
    pub(crate) observer: Observer,
    pub(crate) panic_hook: PanicHook,
    /// `None` once the executor has ended.
    inbox: Mutex<Option<Vec<Message>>>,
    /// Tasks are numbered in the order in which they are spawned.
    n_spawned: AtomicUsize,
    /// Handles with which other threads may spawn.
    n_remotes: AtomicUsize,
}

/// What other threads ask of an executor.
pub(crate) enum Message {
    Wake(TaskId),
    Cancel(TaskId),
    /// Runs on the executor's thread, and spawns there.
    Spawn(Box<dyn FnOnce() + Send>),
}

/// The slot of a task, and which task it is: another may have been there before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskId {
    pub(crate) slot: usize,
    pub(crate) number: usize,
}

impl Shared {
    pub(crate) fn new(
        runtime: Arc<RuntimeContext>,
        observer: Observer,
        panic_hook: PanicHook,
    ) -> Self {
        let (n_spawned, n_remotes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let inbox = Mutex::new(Some(Vec::new()));
        Self { runtime, observer, panic_hook, inbox, n_spawned, n_remotes }
    }

    /// Another thread may spawn from now on.
    pub(crate) fn add_remote(&self) {
        self.n_remotes.fetch_add(1, Relaxed); // ORDERING: Relaxed. As in `has_remotes`.
    }

    pub(crate) fn remove_remote(&self) {
        // ORDERING: Release. Pairs with the Acquire in `has_remotes`.
        self.n_remotes.fetch_sub(1, Release);
    }

    /// Whether another thread may spawn. Once it is false, what they have sent is in the inbox.
    pub(crate) fn has_remotes(&self) -> bool {
        self.n_remotes.load(Acquire) > 0 // ORDERING: Acquire. Pairs with `remove_remote`.
    }

    /// Sends a message; false if it will not be read, and then it is dropped.
    pub(crate) fn send(&self, message: Message) -> bool {
        let mut inbox = self.inbox.lock();
        let Some(messages) = &mut *inbox else {
            drop(inbox);
            // What was to be spawned may spawn again when it is dropped, and that again.
            let _ = deferred::run(move || drop(message));
            return false;
        };
        messages.push(message);
        drop(inbox);
        self.runtime.parker.unpark();
        true
    }

    /// Takes what has come, for an empty list.
    pub(crate) fn fetch(&self, messages: &mut Vec<Message>) {
        if let Some(inbox) = &mut *self.inbox.lock() {
            mem::swap(inbox, messages);
        }
    }

    pub(crate) fn has_messages(&self) -> bool {
        self.inbox.lock().as_ref().is_some_and(|messages| !messages.is_empty())
    }

    /// Reads no more messages. What has come is returned, to be dropped.
    pub(crate) fn close(&self) -> Option<Vec<Message>> {
        self.inbox.lock().take()
    }

    /// Emits an event of a task, now by the executor's clock.
    #[inline]
    pub(crate) fn tell(&self, number: usize, name: Option<&str>, step: Step) {
        if let Some(when) = self.observer.now_by(|| self.runtime.clock.now()) {
            self.observer.tell_about(Some(when), What::Task, number, name, step);
        }
    }
}

/// A task's future, which is an `Option` of what was spawned: with one, a pinned future can be dropped in
/// its place, without `unsafe`, so that the waiter for the task's end finds it dropped.
pub(crate) type BoxedFuture = Pin<Box<dyn ErasedFuture>>;

pub(crate) trait ErasedFuture {
    /// Polls. If that was the last time, drops the future, removes the task from its slot, and settles it.
    fn poll_to_end(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        remove: &mut dyn FnMut() -> Arc<dyn ErasedTask>,
    ) -> Poll<()>;
}

/// What a task settles, as the executor sees it.
pub(crate) trait ErasedTask {
    fn metadata(&self) -> &Metadata;

    /// Settles without an output.
    fn fail(&self, error: JoinError);

    /// What the waker of the waiter for this task holds.
    fn waits(&self) -> Option<*const ()>;

    fn as_any(&self) -> &dyn Any;
}

/// No slot: of a task that has none yet.
const NO_SLOT: usize = usize::MAX;
/// The slot of a task that was cancelled before it had one.
const CANCELLED: usize = NO_SLOT - 1;

/// Which task it is.
pub(crate) struct Metadata {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
    /// On another thread, or when the task is over, only a hint.
    slot: AtomicUsize,
    pub(crate) name: Option<Box<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Metadata {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        name: Option<Box<str>>,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let number = shared.n_spawned.fetch_add(1, Relaxed); // ORDERING: Relaxed. A number.
        let shared = shared.clone();
        Self { shared, number, slot: AtomicUsize::new(NO_SLOT), name, spawned_at }
    }

    /// Gives it a slot; false if it was cancelled before.
    pub(crate) fn take_slot(&self, slot: usize) -> bool {
        // ORDERING: Relaxed, both. As in `id`; and nothing else is read because of it.
        self.slot.compare_exchange(NO_SLOT, slot, Relaxed, Relaxed).is_ok()
    }

    /// Cancels it before it has a slot, for the executor to find when it gives it one; false if it has one.
    pub(crate) fn cancel_pending(&self) -> bool {
        // ORDERING: Relaxed, both. As in `take_slot`.
        let before = self.slot.compare_exchange(NO_SLOT, CANCELLED, Relaxed, Relaxed);
        before.is_ok() || before == Err(CANCELLED)
    }

    pub(crate) fn id(&self) -> TaskId {
        // ORDERING: Relaxed. The number is compared with that of the task in the slot before it is used.
        TaskId { slot: self.slot.load(Relaxed), number: self.number }
    }

    #[inline]
    pub(crate) fn tell(&self, step: Step) {
        self.shared.tell(self.number, self.name.as_deref(), step);
    }
}

/// Drops a task's future, and then tells whoever waits for the task. If it was cancelled and its drop panics,
/// that is what it came to.
pub(crate) fn end(task: Arc<dyn ErasedTask>, future: BoxedFuture, error: JoinError) {
    let end = move || match (panic::catch(task.metadata().spawned_at, || drop(future)), error) {
        (Err(panic), JoinError::Cancelled(_)) => task.fail(JoinError::Panicked(panic)),
        (Ok(()) | Err(_), error) => task.fail(error),
    };
    // The future may own the next task of a chain. What panics is caught in there.
    let _ = deferred::run(end);
}

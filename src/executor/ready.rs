//! Who is to be polled next: a task's waker, the queue of its own thread, and mail from others.
//!
//! Knows nothing of what a task is. A waker is an `Arc` that names a task. Woken on the thread of its
//! executor, the name goes straight to the queue there; woken elsewhere it is mail, and the executor's
//! thread is unparked.
//!
//! What must always hold, and whose bug it shuts out:
//!
//! 1. A waker stands in the queue at most once: it is queued by whoever takes `is_queued` from false to
//!    true, and the flag is taken back *before* the poll. There is no other short-cut, so that a wake
//!    which comes during a poll is never taken for one that came before it (compio #948).
//! 2. A waker owns all that it touches. Woken during or after the executor's end, it posts to a closed
//!    inbox, and nothing happens (async-executor #163).
//! 3. Mail never waits for room, and the inbox is locked for a push and no longer: a wake cannot block
//!    (compio #1044).
//! 4. The executor sleeps in a parker of its own, so that no library called in a poll can eat the token
//!    that was meant for it (futures-rs #2010).
//! 5. A waker serves another task only when nobody has a clone of it: a late wake is never the next one's.
//! 6. Which thread is home is asked by comparing executors, not threads: two executors may take turns
//!    on one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::event::Observer;
use crate::prims::{AtomicBool, AtomicUsize, Mutex, Ordering, fence, thread_local};
use crate::wait::deferred;
use crate::wait::host::Host;
use crate::wait::panic_hook::PanicHook;

use Ordering::{Acquire, Relaxed, Release};

/// What an executor shares with wakers and handles, on whatever thread they are.
pub(crate) struct Shared {
    pub(crate) host: Arc<Host>,
    pub(crate) observer: Observer,
    pub(crate) panic_hook: PanicHook,
    /// `None` once the executor has ended.
    inbox: Mutex<Option<Vec<Mail>>>,
    /// Tasks are numbered in the order in which they are spawned.
    n_spawned: AtomicUsize,
    /// Handles with which other threads may spawn.
    n_remotes: AtomicUsize,
}

/// What other threads ask of an executor.
pub(crate) enum Mail {
    Wake(TaskId),
    Cancel(TaskId),
    /// Runs on the executor's thread, and spawns there.
    Spawn(Box<dyn FnOnce() + Send>),
}

/// Where a task sits, and which one it is: another may have sat there before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskId {
    pub(crate) seat: usize,
    pub(crate) number: usize,
}

impl Shared {
    pub(crate) fn new(host: Arc<Host>, observer: Observer, panic_hook: PanicHook) -> Self {
        Self {
            host,
            observer,
            panic_hook,
            inbox: Mutex::new(Some(Vec::new())),
            n_spawned: AtomicUsize::new(0),
            n_remotes: AtomicUsize::new(0),
        }
    }

    /// The number of the next task.
    pub(crate) fn next_number(&self) -> usize {
        self.n_spawned.fetch_add(1, Relaxed) // ORDERING: Relaxed. A number.
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

    /// Sends mail; false if nobody will read it, and then it is dropped.
    pub(crate) fn post(&self, mail: Mail) -> bool {
        let mut inbox = self.inbox.lock();
        let Some(mails) = &mut *inbox else {
            drop(inbox);
            // What was to be spawned may spawn again when it is dropped, and that again.
            let _ = deferred::run(move || drop(mail));
            return false;
        };
        mails.push(mail);
        drop(inbox);
        self.host.parker.unpark();
        true
    }

    /// Takes what has come, for an empty list.
    pub(crate) fn fetch(&self, mails: &mut Vec<Mail>) {
        if let Some(inbox) = &mut *self.inbox.lock() {
            mem::swap(inbox, mails);
        }
    }

    pub(crate) fn has_mail(&self) -> bool {
        self.inbox.lock().as_ref().is_some_and(|mails| !mails.is_empty())
    }

    /// Reads no more mail. What has come is returned, to be dropped.
    pub(crate) fn close(&self) -> Option<Vec<Mail>> {
        self.inbox.lock().take()
    }
}

/// The waker of one task after another: it serves the next one when nobody else has a clone of it.
pub(crate) struct TaskWaker {
    shared: Arc<Shared>,
    seat: AtomicUsize,
    number: AtomicUsize,
    is_queued: AtomicBool,
}

/// A waker as the loop keeps it: to poll with, and to look into.
pub(crate) struct KeptWaker {
    pub(crate) to_poll_with: Waker,
    pub(crate) itself: Arc<TaskWaker>,
}

/// No seat: of a task that has none yet, and of the future that `run` was given, which sits there.
pub(crate) const NO_SEAT: usize = usize::MAX;

impl KeptWaker {
    /// How many clones there are of one that nobody else has: the two here.
    pub(crate) const CLONES: usize = 2;

    pub(crate) fn new(shared: &Arc<Shared>, task: TaskId) -> Self {
        let itself = Arc::new(TaskWaker {
            shared: shared.clone(),
            seat: AtomicUsize::new(task.seat),
            number: AtomicUsize::new(task.number),
            is_queued: AtomicBool::new(false),
        });
        Self { to_poll_with: Waker::from(itself.clone()), itself }
    }

    /// Takes leave of a task that is over; `None` if somebody may still wake it, and then it is retired.
    pub(crate) fn take_leave(self) -> Option<Self> {
        if Arc::strong_count(&self.itself) > Self::CLONES {
            self.itself.retire();
            return None;
        }
        // ORDERING: Acquire. Pairs with the Release with which an `Arc` counts down: who had a clone
        // has read from it for the last time before the next task's name is written into it.
        fence(Acquire);
        Some(self)
    }

    /// Serves that task from now on, which is about to be polled.
    pub(crate) fn serve(self, task: TaskId) -> Self {
        let TaskWaker { seat, number, is_queued, .. } = &*self.itself;
        // ORDERING: Relaxed, all three. Nobody else has it: who gets a clone gets them with it.
        seat.store(task.seat, Relaxed);
        number.store(task.number, Relaxed);
        is_queued.store(false, Relaxed);
        self
    }
}

impl TaskWaker {
    /// Whose waker it is. The seat may be another's by now, if the task is over; the number is not.
    pub(crate) fn task(&self) -> TaskId {
        // ORDERING: Relaxed, both. Whoever asks has a clone, and then they are not changed.
        TaskId { seat: self.seat.load(Relaxed), number: self.number.load(Relaxed) }
    }

    /// The poll begins: from now on, a wake is for the next one.
    pub(crate) fn begin_poll(&self) {
        // ORDERING: Acquire. Pairs with the Release swap in `wake_by_ref`: the poll sees what was
        // written before the wake that it answers.
        self.is_queued.swap(false, Acquire);
    }

    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued.load(Relaxed) // ORDERING: Relaxed. For reports, and on the home thread.
    }

    /// What it wakes is over, and no wake will queue it any more.
    pub(crate) fn retire(&self) {
        self.is_queued.store(true, Relaxed); // ORDERING: Relaxed. Nothing is read because of it.
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: Release. Pairs with the Acquire in `begin_poll`. Where somebody else has queued
        // it and it was not polled since, that poll sees our writes too: it acquires from a chain of
        // swaps, of which this is one.
        if self.is_queued.swap(true, Release) {
            return;
        }
        if !push_at_home(self) {
            self.shared.post(Mail::Wake(self.task()));
        }
    }
}

/// The tasks that are to be polled, in that order.
pub(crate) type Queue = Rc<RefCell<VecDeque<TaskId>>>;

struct Home {
    shared: Arc<Shared>,
    queue: Queue,
}

thread_local! {
    /// The executor that runs on this thread.
    static HOME: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// Makes this thread the home of an executor, or of none.
pub(crate) fn settle_down(home: Option<(&Arc<Shared>, &Queue)>) {
    let home = home.map(|(shared, queue)| Home { shared: shared.clone(), queue: queue.clone() });
    // A thread that is ending may have lost its locals. Then all wakes are mail.
    let before = HOME.try_with(|place| place.replace(home));
    drop(before);
}

/// Whether that executor runs on this thread.
pub(crate) fn is_home(shared: &Arc<Shared>) -> bool {
    with_home(shared, |_| ()).is_some()
}

fn push_at_home(waker: &Arc<TaskWaker>) -> bool {
    with_home(&waker.shared, |queue| queue.borrow_mut().push_back(waker.task())).is_some()
}

/// Wakers are woken from the destructors of thread-locals too, when this one may be gone.
fn with_home<T>(shared: &Arc<Shared>, look: impl FnOnce(&Queue) -> T) -> Option<T> {
    let looked = HOME.try_with(|home| match &*home.borrow() {
        Some(home) if Arc::ptr_eq(&home.shared, shared) => Some(look(&home.queue)),
        Some(_) | None => None,
    });
    looked.ok().flatten()
}

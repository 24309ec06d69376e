//! What the code of a thread tells the wait around it: where it runs, what it waits for, and what could end that.
//!
//! Knows nothing of pools and executors: they meet here, because the two ends (a wait, and a handle somewhere inside
//! of what it polls) share nothing but a `Future`. A leaf that is about to be pending says what it waits for, which
//! costs a write to a thread-local, and is put into words only when asked. A job's handle offers to be run right here,
//! and the wait may ask it to. And the child of a `fork` has of its parent's threads only the one that forked: to wait
//! for another would never end. To ask for the process takes a system call, and so it is asked where a thread parks,
//! is woken or started, and nowhere else.
//!
//! What must always hold:
//!
//! 1. What is entered is left, also when a panic unwinds through; and what was said to a wait is not for the wait
//!    around it, nor for the next.
//! 2. An offer is heard by the wait that polled the future, and by no other; so is the request.
//! 3. A thread does not park in a wait that only a thread of another process could end, if what it polled since it
//!    parked last said so. What it polled before the fork, and not since, is not asked again.
//! 4. No other code runs while a thread-local is borrowed.

use std::cell::Cell;
use std::fmt;
use std::sync::Weak;

use crate::prims::{process_id, thread_local};

/// What is waited for.
#[derive(Clone)]
pub(crate) enum WaitReason {
    /// Put so that it follows "waits for".
    Words(&'static str),
    /// A task of the executor that polls, by its number.
    Task(usize),
    /// A wait that keeps one clone of its waker on this thread, as long as this is there.
    Confined(Weak<ConfinedWait>),
}

pub(crate) struct ConfinedWait {
    /// As in [`WaitReason::Words`].
    pub(crate) words: &'static str,
    /// The address of what its waker holds.
    pub(crate) held: usize,
}

struct Hints {
    /// Whether a task waits here as a thread does, and polls what it waits for.
    is_blocking: Cell<bool>,
    /// What was said last.
    reason: Cell<Option<WaitReason>>,
    /// The number of a job that this thread could run.
    run_here: Cell<Option<usize>>,
    /// Whether it is asked to.
    is_asked: Cell<bool>,
    /// Whose threads the wait that is under way is for, if it has said so.
    awaited: Cell<Option<ProcessId>>,
}

thread_local! {
    static HINTS: Hints = const {
        Hints {
            is_blocking: Cell::new(false),
            reason: Cell::new(None),
            run_here: Cell::new(None),
            is_asked: Cell::new(false),
            awaited: Cell::new(None),
        }
    };
}

/// A thread that is ending may have lost its locals, and there is no wait left to tell.
fn with<T: Default>(look: impl FnOnce(&Hints) -> T) -> T {
    HINTS.try_with(look).unwrap_or_default()
}

/// Says, from inside a poll that will be pending: this is what I wait for.
pub(crate) fn set_reason(reason: WaitReason) {
    with(|hints| hints.reason.set(Some(reason)));
}

/// Hears what was said last, since it was asked before.
pub(crate) fn take_reason() -> Option<WaitReason> {
    with(|hints| hints.reason.take())
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Confined(wait) => {
                f.write_str(wait.upgrade().map_or("something else", |it| it.words))
            }
            Self::Task(number) => write!(f, "task {number}"),
        }
    }
}

/// Says, from inside a poll: this thread could run me itself. The smaller the number, the longer it
/// has been queued.
pub(crate) fn hint_run_here(number: usize) {
    with(|hints| hints.run_here.set(Some(number)));
}

/// Whether the wait that polls asks for the job to be run here. It asks the first alone.
pub(crate) fn is_asked_to_run_here() -> bool {
    with(|hints| hints.is_asked.take())
}

/// Polls, and hears what was offered meanwhile.
pub(crate) fn take_run_here_hint<T>(poll: impl FnOnce() -> T) -> (T, Option<usize>) {
    forget_run_here_hint(); // What an earlier poll offered to another wait.
    (poll(), with(|hints| hints.run_here.take()))
}

/// Polls, and asks what is polled to run here, if it has not begun and no other thread comes for it.
pub(crate) fn ask_to_run_here<T>(poll: impl FnOnce() -> T) -> T {
    with(|hints| hints.is_asked.set(true));
    let polled = poll();
    is_asked_to_run_here();
    polled
}

/// What was offered to this wait is not for the wait around it.
pub(crate) fn forget_run_here_hint() {
    with(|hints| hints.run_here.set(None));
}

/// For as long as this lives, what is said on this thread is said to the wait, or to the executor, that entered.
#[derive(Default)]
pub(crate) struct Entered {
    was_blocking: bool,
    /// What was said to the wait around this one, and is its own again when this one is over.
    run_here: Option<usize>,
    is_asked: bool,
    awaited: Option<ProcessId>,
}

/// An executor begins to run its tasks, or a wait begins: one that blocks the thread of a task, or another.
pub(crate) fn enter(is_blocking: bool) -> Entered {
    with(|hints| Entered {
        was_blocking: hints.is_blocking.replace(is_blocking),
        run_here: hints.run_here.take(),
        is_asked: hints.is_asked.take(),
        awaited: hints.awaited.take(),
    })
}

impl Drop for Entered {
    fn drop(&mut self) {
        with(|hints| {
            hints.is_blocking.set(self.was_blocking);
            hints.run_here.set(self.run_here);
            hints.is_asked.set(self.is_asked);
            hints.awaited.set(self.awaited);
        });
    }
}

/// Whether the code that asks is polled by a wait that blocks a task's thread.
pub(crate) fn is_blocking_wait() -> bool {
    with(|hints| hints.is_blocking.get())
}

/// A process, as what it has started knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessId(u32);

impl ProcessId {
    pub(crate) fn current() -> Self {
        Self(process_id())
    }

    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }

    /// # Panics
    ///
    /// If this is another process.
    pub(crate) fn check(self) {
        assert!(
            self.is_current(),
            "the process was forked, and the threads of this pool are in the other one, {}: build \
             another pool here",
            self.0
        );
    }

    /// Says, from inside a pending poll: a thread of that process has to end the wait.
    pub(crate) fn is_awaited(self) {
        with(|hints| hints.awaited.set(Some(self)));
    }
}

/// What was polled last is nothing to the next park of this thread; unless it is said again.
pub(crate) fn take_awaited() -> Option<ProcessId> {
    with(|hints| hints.awaited.take())
}

/// The thread is about to park.
///
/// # Panics
///
/// If the wait is for a thread of another process.
pub(crate) fn check_before_park() {
    if let Some(process) = take_awaited() {
        process.check();
    }
}

//! What the code that runs on this thread is inside of: an executor, or a blocking wait.
//!
//! Knows nothing of executors; they say it here, and ask here. What must always hold: what is entered is
//! left, also when a panic unwinds through.

use std::cell::Cell;

use crate::prims::thread_local;

use super::forked;
use super::help::forget_offer;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// No executor runs here.
    Plain,
    /// An executor of ours polls its tasks.
    Executor,
    /// A task of it waits as a thread does, and polls what it waits for.
    BlockingWait,
}

thread_local! {
    static INSIDE: Cell<Place> = const { Cell::new(Place::Plain) };
    /// Whether a task has blocked the thread since somebody asked.
    static HAS_BLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// For as long as this lives, what happens on this thread happens in there.
pub(crate) struct Entered {
    before: Place,
}

/// An executor begins to run its tasks.
pub(crate) fn enter_executor() -> Entered {
    has_blocked(); // What blocked in another executor, which did not ask, is nothing to this one.
    enter(Place::Executor)
}

/// A wait begins that blocks the thread.
pub(crate) fn enter_blocking_wait() -> Entered {
    enter(match inside() {
        Place::Plain => Place::Plain,
        Place::Executor | Place::BlockingWait => Place::BlockingWait,
    })
}

/// It is left, on whatever way: what was said to it is not for the wait around it, nor for the next.
impl Drop for Entered {
    fn drop(&mut self) {
        forget_offer();
        forked::end_wait();
        let _ = INSIDE.try_with(|inside| inside.set(self.before)); // As in `enter`.
    }
}

/// Whether the code that asks is polled by a wait that blocks a task's thread.
pub(crate) fn is_blocking_wait() -> bool {
    inside() == Place::BlockingWait
}

/// Says that this thread is about to sleep in such a wait, if it is in one.
///
/// # Panics
///
/// If nothing would ever wake it: no deadline, and no clone of its waker.
pub(crate) fn will_block(is_for_ever: impl FnOnce() -> bool) {
    if is_blocking_wait() {
        assert!(
            !is_for_ever(),
            "a task blocks its thread, and nothing can ever wake it; `.await` it there instead, and the \
             report says what it waits for"
        );
        let _ = HAS_BLOCKED.try_with(|blocked| blocked.set(true)); // As in `enter`.
    }
}

/// Whether it did, since this was asked before.
pub(crate) fn has_blocked() -> bool {
    HAS_BLOCKED.try_with(Cell::take).unwrap_or(false)
}

fn enter(place: Place) -> Entered {
    // A thread that is ending may have lost its locals, and there is nobody left to ask.
    Entered { before: INSIDE.try_with(|inside| inside.replace(place)).unwrap_or(Place::Plain) }
}

fn inside() -> Place {
    INSIDE.try_with(Cell::get).unwrap_or(Place::Plain)
}

//! What a waiting thread can do besides sleep: run one of the things it waits for.
//!
//! Knows nothing of pools. A future that is polled on a thread which could run it offers that; and the
//! wait that polled it may ask it to. Both go by thread-locals, because the two ends (a wait in the
//! core and a job of a pool) meet in nothing but a `Future`.
//!
//! What must always hold: an offer is heard by the wait that polled the future, and by no other; so is
//! the request; and user code never runs while a thread-local is borrowed.

use std::cell::Cell;

use crate::prims::thread_local;

thread_local! {
    static OFFERED: Cell<Option<usize>> = const { Cell::new(None) };
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Says, from inside a poll: this thread could run me itself. The smaller the number, the longer it
/// has been queued.
pub(crate) fn offer(number: usize) {
    // Without thread-locals there is nobody to hear it.
    let _ = OFFERED.try_with(|offered| offered.set(Some(number)));
}

/// Whether the wait that polls asks for the job to be run here. It asks the first alone.
pub(crate) fn is_asked() -> bool {
    IS_ASKED.try_with(Cell::take).unwrap_or(false)
}

/// Polls, and hears what was offered meanwhile.
pub(crate) fn hear_offer<T>(poll: impl FnOnce() -> T) -> (T, Option<usize>) {
    forget_offer(); // What an earlier poll offered to another wait.
    let polled = poll();
    (polled, OFFERED.try_with(Cell::take).ok().flatten())
}

/// Polls, and asks what is polled to run here, if it has not begun and no other thread comes for it.
pub(crate) fn ask<T>(poll: impl FnOnce() -> T) -> T {
    let set = |is_asked| IS_ASKED.try_with(|asked| asked.set(is_asked));
    let _ = set(true);
    let polled = poll();
    let _ = set(false);
    polled
}

/// Says, when a wait is over: what was offered to it is not for the wait around it.
pub(crate) fn forget_offer() {
    let _ = OFFERED.try_with(Cell::take);
}

//! Threads that a fork has left behind.
//!
//! Knows nothing of pools. The child of a `fork` has the memory of its parent, and of its threads only
//! the one that forked: a wait for another would never end. To ask for the process takes a system call,
//! and so it is asked where a thread parks, is woken or started, and nowhere else.
//!
//! What must always hold: a thread does not park in a wait that only a thread of another process could
//! end, if what it polled since it parked last said so. What it polled before the fork, and not since,
//! is not asked again.

use std::cell::Cell;
use std::process;

use crate::prims::thread_local;

thread_local! {
    /// Whose threads the wait that is under way is for, if it has said so.
    static AWAITED: Cell<Option<Process>> = const { Cell::new(None) };
}

/// A process, as what it has started knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(process::id())
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
        // A thread without locals is ending, and parks where it did before.
        let _ = AWAITED.try_with(|awaited| awaited.set(Some(self)));
    }
}

/// A wait is over: what was said to it is not for the wait around it, nor for the next.
pub(crate) fn end_wait() {
    let _ = AWAITED.try_with(Cell::take);
}

/// The thread is about to park.
///
/// # Panics
///
/// If the wait is for a thread of another process.
pub(crate) fn check_before_park() {
    if let Some(process) = AWAITED.try_with(Cell::take).ok().flatten() {
        process.check();
    }
}

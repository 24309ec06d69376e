//! What a job leaves behind when it settles: one more in a count, and perhaps a panic unread.
//!
//! Knows nothing of queues and workers. What must always hold: a job is counted before its handle
//! settles, so that whoever has its result finds it in the count.

use crate::panic::Panic;
use crate::prims::{AtomicUsize, Ordering};
use crate::wait::panic_hook::PanicHook;

use Ordering::Relaxed;

/// Each worker has one, on cache lines of its own: with one for all, they would wait for each other
/// at every job.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Ledger {
    settled: AtomicUsize,
    hook: PanicHook,
}

impl Ledger {
    pub(crate) fn new(hook: PanicHook) -> Self {
        Self { settled: AtomicUsize::new(0), hook }
    }

    pub(crate) fn count_settled(&self) {
        // ORDERING: Relaxed. Nothing travels with the count. A reader that holds the pool's locks
        // sees no job settled that it does not see taken from the queue: it was taken under one of
        // them, before it was counted here.
        self.settled.fetch_add(1, Relaxed);
    }

    pub(crate) fn settled(&self) -> usize {
        self.settled.load(Relaxed) // ORDERING: Relaxed, as in `count_settled`.
    }

    /// Tells the hook of a panic that nobody will read.
    pub(crate) fn tell(&self, panic: &Panic) {
        self.hook.tell(panic);
    }
}

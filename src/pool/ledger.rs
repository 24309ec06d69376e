//! What a job leaves behind when it settles: one more in a count, and perhaps a panic unread.
//!
//! Knows nothing of queues and workers. What must always hold: a job is counted before its handle
//! settles, so that whoever has its result finds it in the count; and a panic that nobody will
//! ever read is told to the hook exactly once.

use std::fmt;
use std::sync::Arc;

use crate::error::JoinError;
use crate::panic::{self, Panic};
use crate::prims::{AtomicUsize, Ordering};

use Ordering::Relaxed;

/// Hears of panics that nobody reads.
#[derive(Clone)]
pub(crate) struct PanicHook(Arc<dyn Fn(&Panic) + Send + Sync>);

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

    /// Disposes of a result that has no reader.
    pub(crate) fn dispose<T>(&self, unread: Result<T, JoinError>) {
        self.hook.dispose(unread);
    }
}

impl PanicHook {
    pub(crate) fn new(hook: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(crate) fn dispose<T>(&self, unread: Result<T, JoinError>) {
        match unread {
            // A value may be anything, and dropping it may panic: that must not cost us a worker.
            Ok(value) => panic::contain(|| drop(value)),
            Err(JoinError::Panicked(panic)) => self.tell(&panic),
            // Whoever cancelled it knows.
            Err(JoinError::Cancelled(_)) => {}
        }
    }

    pub(crate) fn tell(&self, panic: &Panic) {
        panic::contain(|| (self.0)(panic));
    }
}

/// One line on stderr.
impl Default for PanicHook {
    fn default() -> Self {
        Self::new(|panic| eprintln!("handspun: nobody read this panic: {panic}"))
    }
}

impl fmt::Debug for PanicHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanicHook(..)")
    }
}

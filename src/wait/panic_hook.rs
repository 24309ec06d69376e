//! Who hears of panics that nobody reads.
//!
//! Knows nothing of what panicked. What must always hold: a panic that nobody will ever read is told
//! exactly once; and neither the hook nor the drop of an unread value can unwind into its caller.

use std::fmt;
use std::sync::Arc;

use crate::error::JoinError;
use crate::panic::{self, Panic};

/// What is done about a result that has no reader.
#[derive(Clone)]
pub(crate) struct PanicHook(Arc<dyn Fn(&Panic) + Send + Sync>);

impl PanicHook {
    pub(crate) fn new(hook: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(crate) fn dispose<T>(&self, unread: Result<T, JoinError>) {
        dispose(unread, |panic| self.tell(&panic));
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

/// Disposes of a result that has no reader, and tells of its panic, if it is one.
pub(crate) fn dispose<T>(unread: Result<T, JoinError>, tell: impl FnOnce(Panic)) {
    match unread {
        // A value may be anything, and dropping it may panic: that must not cost us a thread.
        Ok(value) => panic::contain(|| drop(value)),
        Err(JoinError::Panicked(panic)) => tell(panic),
        // Whoever cancelled it knows.
        Err(JoinError::Cancelled(_)) => {}
    }
}

//! What hears of panics that are not read.
//!
//! Knows nothing of what panicked. What must always hold: a panic that will never be read is told
//! exactly once; and neither the hook, nor its drop, nor that of an unread value unwinds into its caller.

use std::fmt;
use std::sync::Arc;

use crate::error::JoinError;
use crate::panic::{self, Panic, UserCallback};

/// What is done about a result that has no reader. `None` is one line on stderr.
#[derive(Clone, Debug, Default)]
pub(crate) struct PanicHook(UserCallback<dyn Fn(&Panic) + Send + Sync>);

impl PanicHook {
    pub(crate) fn new(hook: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        Self(UserCallback::new(Arc::new(hook)))
    }

    pub(crate) fn dispose<T>(&self, unread: Result<T, JoinError>) {
        dispose(unread, |panic| self.tell(&panic));
    }

    pub(crate) fn tell(&self, panic: &Panic) {
        panic::contain(|| match self.0.get() {
            Some(hook) => hook(panic),
            None => eprintln!("handspun: nobody read this panic: {panic}"),
        });
    }
}

/// Says something on stderr that a user should know now, for there may be no later.
pub(crate) fn warn(text: impl fmt::Display) {
    panic::contain(|| eprintln!("handspun: {text}")); // It panics if there is no stderr.
}

/// Disposes of a result that has no reader, and tells of its panic, if it is one.
pub(crate) fn dispose<T>(unread: Result<T, JoinError>, tell: impl FnOnce(Panic)) {
    match unread {
        // A value may be anything, and dropping it may panic: that must not cost us a thread.
        Ok(value) => panic::contain(|| drop(value)),
        Err(JoinError::Panicked(panic)) => tell(panic),
        // Its canceller knows.
        Err(JoinError::Cancelled(_)) => {}
    }
}

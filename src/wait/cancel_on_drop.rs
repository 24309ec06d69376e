//! A handle that cancels what it stands for when it is dropped.
//!
//! Knows nothing of how that is done: it is told. What must always hold: it is cancelled on every way
//! out, unless its result has been taken or the handle was taken out again.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A handle whose drop cancels what it stands for.
///
/// See [`JoinHandle::cancel_on_drop`](crate::JoinHandle::cancel_on_drop) and
/// [`Task::cancel_on_drop`](crate::Task::cancel_on_drop). It is a future, as the handle is. For all else,
/// [take the handle out](Self::into_handle) again.
#[must_use = "dropping it cancels what it stands for"]
pub struct CancelOnDrop<H> {
    /// `None` once it has been taken out.
    handle: Option<H>,
    cancel: fn(&H),
}

impl<H> CancelOnDrop<H> {
    pub(crate) fn new(handle: H, cancel: fn(&H)) -> Self {
        Self { handle: Some(handle), cancel }
    }

    /// The handle, which cancels nothing when it is dropped.
    pub fn into_handle(mut self) -> H {
        self.handle.take().expect("only this takes it, and takes `self` too")
    }
}

impl<H: Future + Unpin> Future for CancelOnDrop<H> {
    type Output = H::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<H::Output> {
        let handle = self.handle.as_mut().expect("it is there until `self` is taken");
        Pin::new(handle).poll(context)
    }
}

impl<H: fmt::Debug> fmt::Debug for CancelOnDrop<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.handle).finish()
    }
}

impl<H> Drop for CancelOnDrop<H> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            (self.cancel)(handle);
        }
    }
}

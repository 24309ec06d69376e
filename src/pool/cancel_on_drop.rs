//! A handle that cancels its job when it is dropped.
//!
//! Knows nothing of how a job is cancelled. What must always hold: the job is cancelled on every way
//! out, unless its result has been taken or the handle was taken out again.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::JoinError;

use super::handle::JoinHandle;

impl<T> JoinHandle<T> {
    /// Ties the job to its handle: dropping what this returns cancels the job.
    ///
    /// When to use it: nobody wants the result any more once you stop waiting for it, as when a task
    /// that awaits the job is dropped. A queued job never runs then; a running one is asked to stop,
    /// if it has a token.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (open, gate) = mpsc::channel();
    /// let first = pool.submit(move || gate.recv());
    /// let second = pool.submit(|| unreachable!("it was not wanted any more")).cancel_on_drop();
    /// drop(second);
    /// open.send(())?;
    /// first.join()??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop { handle: Some(self) }
    }
}

/// A handle whose drop cancels its job; see [`JoinHandle::cancel_on_drop`].
///
/// It is a future, as the handle is. For all else, [take the handle out](Self::into_handle) again.
#[must_use = "dropping it cancels the job"]
pub struct CancelOnDrop<T> {
    /// `None` once it has been taken out.
    handle: Option<JoinHandle<T>>,
}

impl<T> CancelOnDrop<T> {
    /// The handle, which cancels nothing when it is dropped.
    pub fn into_handle(mut self) -> JoinHandle<T> {
        self.handle.take().expect("only this takes it, and takes `self` too")
    }

    /// Waits for the job on this thread, and takes its result; see [`JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// Those of [`JoinHandle::join`].
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this.
    pub fn join(self) -> Result<T, JoinError> {
        self.into_handle().join()
    }
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle.as_mut().expect("it is there until `self` is taken");
        Pin::new(handle).poll(context)
    }
}

impl<T> fmt::Debug for CancelOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.handle).finish()
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.cancel();
        }
    }
}

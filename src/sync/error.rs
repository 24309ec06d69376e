//! What can go wrong where things are shared, on one page.
//!
//! Knows nothing of how it comes about. What must always hold: what could not be put is given back.

use std::error::Error;
use std::fmt;

/// A semaphore or a queue is closed: nothing more comes of waiting for it.
///
/// What could not be [put](crate::Queue::put) into a queue is inside; otherwise there is nothing.
#[doc(alias = "QueueShutDown")]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed<T = ()>(pub(crate) T);

impl<T> Closed<T> {
    /// What was not let in.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is closed")
    }
}

impl<T> Error for Closed<T> {}

/// No permit was to be had at once.
///
/// You meet it in [`Semaphore::try_acquire`](crate::Semaphore::try_acquire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// None is free, or somebody who came before waits for it.
    NoPermits,
    /// The semaphore is closed.
    Closed,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "no permit is free",
            Self::Closed => "the semaphore is closed",
        })
    }
}

impl Error for TryAcquireError {}

/// No item was to be had at once; see [`Queue::try_get`](crate::Queue::try_get).
#[doc(alias = "QueueEmpty")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryGetError {
    /// There is none, or only such as were handed to others who have waited for them.
    Empty,
    /// The queue is closed, and nothing is left in it.
    Closed,
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::Closed => "the queue is closed",
        })
    }
}

impl Error for TryGetError {}

/// An item was not let in at once, and is inside; see [`Queue::try_put`](crate::Queue::try_put).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPutError<T> {
    /// There is no room, or somebody who came before waits for it.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

impl<T> TryPutError<T> {
    /// The item that was not let in.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::Closed(_) => "the queue is closed",
        })
    }
}

impl<T> Error for TryPutError<T> {}

//! What can go wrong, on one page: one type for each way of failing.
//!
//! Knows nothing of how a failure comes about. What must always hold: an error that stands
//! between you and a value gives the value, or the handle to it, back; and every error is `Send`
//! and `Sync`, so that `?` carries it anywhere.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::panic::Panic;

/// Why a job, a task or a thread has no value for you.
///
/// A job that returns an `Err` of its own has *succeeded* in returning it: that is its value.
///
/// ```
/// use handspun::{JoinError, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// let parsed = pool.submit(|| "seven".parse::<u32>()).join();
/// assert!(matches!(parsed, Ok(Err(_))), "it ran, and its answer is an error");
/// let panicked = pool.submit(|| -> u32 { panic!("oh no") }).join();
/// assert!(matches!(panicked, Err(JoinError::Panicked(_))), "it has no answer");
/// ```
#[derive(Debug)]
pub enum JoinError {
    /// It began and panicked. The panic is here, to be looked at or resumed.
    Panicked(Panic),
    /// It never began, and this is why.
    #[doc(alias = "CancelledError")]
    Cancelled(CancelReason),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Cancelled(reason) => write!(f, "cancelled: {reason}"),
        }
    }
}

impl Error for JoinError {}

/// Why something was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// By a call of `cancel`.
    Requested,
    /// By a call of `cancel_because`, with these words.
    Because(Arc<str>),
    /// Its time was over.
    DeadlinePassed,
    /// Its pool was shut down before it began, or its executor ended before it did.
    ShutDown,
    /// There is no thread to run it on, and none to be had; the text says why.
    #[doc(alias = "BrokenThreadPool")]
    NoWorker(Arc<str>),
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("as requested"),
            Self::Because(why) => f.write_str(why),
            Self::DeadlinePassed => f.write_str("its deadline has passed"),
            Self::ShutDown => f.write_str("its pool or its executor was shut down first"),
            Self::NoWorker(why) => write!(f, "there is no thread to run it on: {why}"),
        }
    }
}

/// A token was cancelled; see [`CancellationToken::check`](crate::CancellationToken::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Why.
    pub reason: CancelReason,
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason)
    }
}

impl Error for Cancelled {}

/// A wait's time was over first. The handle is inside, as good as before.
///
/// You meet it in [`JoinHandle::join_timeout`](crate::JoinHandle::join_timeout).
///
/// ```
/// use std::{sync::mpsc, time::Duration};
/// use handspun::ThreadPool;
///
/// let pool = ThreadPool::new(1);
/// let (answer, question) = mpsc::channel();
/// let handle = pool.submit(move || question.recv());
/// let still_running = handle.join_timeout(Duration::from_millis(1)).expect_err("nobody answered");
/// answer.send(42)?;
/// assert_eq!(still_running.into_inner().join()?, Ok(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "TimeoutError")]
#[derive(Debug)]
pub struct StillRunning<H>(pub(crate) H);

impl<H> StillRunning<H> {
    /// The handle whose wait timed out.
    pub fn into_inner(self) -> H {
        self.0
    }
}

impl<H> fmt::Display for StillRunning<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not finished when the timeout was over")
    }
}

impl<H: fmt::Debug> Error for StillRunning<H> {}

/// Time was over before all of several futures were ready.
///
/// You meet it in [`AsCompleted::timeout`](crate::AsCompleted::timeout).
#[doc(alias = "TimeoutError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How many were not ready.
    pub unfinished: usize,
    /// How many there were.
    pub of: usize,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} unfinished when the timeout was over", self.unfinished, self.of)
    }
}

impl Error for Unfinished {}

/// Time was over before something was ready.
///
/// You meet it in [`timeout`](crate::timeout), of a future, and in
/// [`Map::timeout`](crate::Map::timeout).
#[doc(alias = "TimeoutError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    /// How much time it was given.
    pub timeout: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not ready after {:?}", self.timeout)
    }
}

impl Error for Elapsed {}

/// A pool cannot be built as asked.
///
/// You meet it in [`Builder::build`](crate::Builder::build).
///
/// ```
/// use handspun::{BuildError, ThreadPool};
///
/// let none = ThreadPool::builder().threads(0).build();
/// assert_eq!(none.unwrap_err(), BuildError::NoThreads);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// `threads(0)`: nothing would ever run.
    NoThreads,
    /// `queue_limit(0)`: no job would ever be let in.
    NoPlaces,
    /// A thread's name holds a nul byte, which the system takes for its end.
    NulInName,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoThreads => "a pool of 0 threads would never run a job: ask for at least 1",
            Self::NoPlaces => {
                "a queue of 0 places would never let a job in: give it at least 1, or no limit"
            }
            Self::NulInName => "the name for the threads holds a nul byte: choose one without",
        })
    }
}

impl Error for BuildError {}

/// A shutdown did not reach its end.
///
/// You meet it in [`ThreadPool::shutdown`](crate::ThreadPool::shutdown), and with it what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShutdownError {
    /// A worker of this very pool asked for it, and would have waited for itself.
    ///
    /// Nothing has happened. Shut the pool down from outside, or drop the last owner of it in the
    /// job: a drop on a worker asks the threads to stop and does not wait.
    InsideWorker,
    /// Time was over. The shutdown goes on, and may be waited for again.
    StillRunning {
        /// How many jobs were running.
        running: usize,
        /// How many jobs were queued.
        queued: usize,
    },
    /// The process was forked since the pool was built: its threads are in the parent.
    ///
    /// Nothing has happened. There is nothing to be ended here, and a drop does nothing either.
    Forked,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsideWorker => f.write_str(
                "a worker cannot wait for the end of its own pool: shut it down from outside",
            ),
            Self::Forked => f.write_str("the threads of this pool are in the parent process"),
            Self::StillRunning { running, queued } => write!(
                f,
                "{running} jobs were running and {queued} queued when the timeout was over"
            ),
        }
    }
}

impl Error for ShutdownError {}

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

/// Why a permit, an item, or room for one or for a job was not to be had at once.
///
/// You meet it in [`Semaphore::try_acquire`], [`Queue::try_get`], [`Queue::try_put`] and
/// [`ThreadPool::try_submit`]. What could not be put, or the closure, is inside; otherwise there is nothing.
///
/// [`Semaphore::try_acquire`]: crate::Semaphore::try_acquire
/// [`Queue::try_get`]: crate::Queue::try_get
/// [`Queue::try_put`]: crate::Queue::try_put
/// [`ThreadPool::try_submit`]: crate::ThreadPool::try_submit
#[doc(alias = "QueueEmpty")]
#[doc(alias = "QueueFull")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryError<T = ()> {
    /// There is none, or only what earlier waiters wait for.
    WouldBlock(T),
    /// It is closed: another try is in vain.
    Closed(T),
}

impl<T> TryError<T> {
    /// What was not let in.
    pub fn into_inner(self) -> T {
        match self {
            Self::WouldBlock(value) | Self::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for TryError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WouldBlock(_) => "WouldBlock(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TryError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WouldBlock(_) => "not without waiting for it",
            Self::Closed(_) => "it is closed",
        })
    }
}

impl<T> Error for TryError<T> {}

/// The words for a thread that the system refused.
pub(crate) fn no_thread(error: &io::Error) -> CancelReason {
    CancelReason::NoWorker(format!("the system refused a thread: {error}").into())
}

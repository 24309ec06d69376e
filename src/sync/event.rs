//! An event that can be waited for, as asyncio's.
//!
//! Knows nothing of what it announces. It is a semaphore that has no permit, or all there can be: a waiter goes on when
//! it has one, and gives it back.
//!
//! What must always hold: to set it ends every wait that had begun by then, also if it is cleared again before they
//! look.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use crate::wait::permits::Permits;

/// Something is so, or not yet; and every waiter goes on when it is.
///
/// When to use it: many wait for one thing, such as "the configuration is loaded". For one result
/// there are handles; for "please stop" there is [`CancellationToken`](crate::CancellationToken). A
/// task awaits it, on any executor; a thread calls `block_on(event.wait())`.
///
/// ```
/// use std::sync::Arc;
/// use handspun::{Event, block_on, thread};
///
/// let is_ready = Arc::new(Event::new());
/// let waiting = thread::spawn({
///     let is_ready = is_ready.clone();
///     move || block_on(is_ready.wait())
/// });
/// is_ready.set();
/// waiting.join()?;
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// It is Python's `Event`. What an observer hears is a [`TraceEvent`](crate::TraceEvent).
#[derive(Default)]
pub struct Event(Permits);

impl Event {
    /// An event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it: all waiters go on, and one that comes while it is set does not wait.
    pub fn set(&self) {
        self.0.set_limit(usize::MAX);
    }

    /// Clears it: a waiter that comes from now on waits. Those that were told go on all the same.
    pub fn clear(&self) {
        self.0.set_limit(0);
    }

    /// Whether it is set at this moment.
    pub fn is_set(&self) -> bool {
        self.0.n_free() > 0
    }

    /// Waits until it is set; not at all if it is.
    ///
    /// Dropping the future that this returns ends the wait, and changes nothing for others.
    ///
    /// ```
    /// use handspun::{Event, block_on};
    ///
    /// let event = Event::new();
    /// event.set();
    /// block_on(event.wait());
    /// ```
    pub fn wait(&self) -> impl Future<Output = ()> + Unpin {
        let mut waiting = self.0.acquire(1, "an event to be set");
        poll_fn(move |context| Pin::new(&mut waiting).poll(context).map(drop))
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({})", if self.is_set() { "set" } else { "not set" })
    }
}

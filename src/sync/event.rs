//! An event that can be waited for, which asyncio calls an event, and the wait for anything of its kind.
//!
//! Knows nothing of what it announces. What must always hold: to set it ends every wait that had
//! begun by then, also if it is cleared again before they look.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::prims::{AtomicBool, Mutex, Ordering};
use crate::wait::hints::{self, WaitReason};
use crate::wait::wait_list::{Key, WaitList, locked, poll_locked};

use Ordering::{Acquire, Relaxed, Release};

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
pub struct Event {
    is_set: AtomicBool,
    line: Mutex<WaitList>,
}

impl Event {
    /// An event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it: all waiters go on, and one that comes while it is set does not wait.
    pub fn set(&self) {
        // ORDERING: Release. Pairs with the Acquire in `is_set`. A waiter that looks before we have the lock of
        // the line, and does not see it, is in the line when we do.
        self.is_set.store(true, Release);
        locked(&self.line, |line, wakers| wakers.wake_all(line));
    }

    /// Clears it: a waiter that comes from now on waits. Those that were told go on all the same.
    pub fn clear(&self) {
        self.is_set.store(false, Relaxed); // ORDERING: Relaxed. That it is not so tells nothing.
    }

    /// Whether it is set at this moment.
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `set`: a waiter that goes on sees what was set up before.
        self.is_set.load(Acquire)
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
        let reason = WaitReason::Words("an event to be set");
        Wait { line: &self.line, is_so: || self.is_set(), reason, key: None }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({})", if self.is_set() { "set" } else { "not set" })
    }
}

/// Waits until something is so.
#[must_use = "nobody waits until this is awaited"]
pub(super) struct Wait<'w, I> {
    /// All in it are granted after it has come to be so.
    pub(super) line: &'w Mutex<WaitList>,
    pub(super) is_so: I,
    pub(super) reason: WaitReason,
    pub(super) key: Option<Key>,
}

impl<I: Fn() -> bool + Unpin> Future for Wait<'_, I> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { line, is_so, reason, key } = &mut *self;
        let polled = poll_locked(line, context, |line, wakers| match key {
            None if is_so() => Poll::Ready(()),
            _ => line.poll(key, 1, &mut wakers.waiter),
        });
        if polled.is_pending() {
            hints::set_reason(reason.clone());
        }
        polled
    }
}

impl<I> Drop for Wait<'_, I> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(self.line, |line, wakers| wakers.leave(line, key));
        }
    }
}

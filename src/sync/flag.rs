//! A flag that can be waited for: what asyncio calls an event.
//!
//! Knows nothing of what it announces. What must always hold: to set it ends every wait that had
//! begun by then, also if it is cleared again before they look.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::prims::Mutex;
use crate::wait::tag::{self, Describe, Tag};
use crate::wait::wait_list::{Key, Left, WaitList};

use super::to_wake::{ToWake, locked};

/// Something is so, or not yet; and whoever waits until it is goes on then.
///
/// When to use it: many wait for one thing, such as "the configuration is loaded". For one result
/// there are handles; for "please stop" there is [`CancellationToken`](crate::CancellationToken). A
/// task awaits it, on any executor; a thread calls `block_on(flag.wait())`.
///
/// ```
/// use std::sync::Arc;
/// use handspun::{Flag, block_on, thread};
///
/// let is_ready = Arc::new(Flag::new());
/// let waiting = thread::spawn({
///     let is_ready = is_ready.clone();
///     move || block_on(is_ready.wait())
/// });
/// is_ready.set();
/// waiting.join()?;
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// It is Python's `Event`; here an [`Event`](crate::Event) is what an observer hears.
#[doc(alias = "Event")]
#[derive(Default)]
pub struct Flag(Mutex<State>);

#[derive(Default)]
struct State {
    is_set: bool,
    line: WaitList,
}

impl Flag {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it: all who wait go on, and whoever comes while it is set does not wait.
    pub fn set(&self) {
        locked(&self.0, State::set);
    }

    /// The same under the lock of an owner, who wakes those who wait after it.
    pub(super) fn set_under_lock(&self, to_wake: &mut ToWake) {
        self.0.lock().set(to_wake);
    }

    /// Takes it back: whoever comes from now on waits. Those who were told go on all the same.
    pub fn clear(&self) {
        self.0.lock().is_set = false;
    }

    /// Whether it is set at this moment.
    pub fn is_set(&self) -> bool {
        self.0.lock().is_set
    }

    /// Waits until it is set; not at all if it is.
    ///
    /// Dropping the future that this returns ends the wait, and changes nothing for others.
    ///
    /// ```
    /// use handspun::{Flag, block_on};
    ///
    /// let flag = Flag::new();
    /// flag.set();
    /// block_on(flag.wait());
    /// ```
    pub fn wait(&self) -> impl Future<Output = ()> + Unpin {
        Wait { flag: self, key: None, what: None }
    }

    /// The same for an owner who knows better what is waited for.
    pub(super) fn wait_for(&self, what: Arc<dyn Describe + Send + Sync>) -> Wait<'_> {
        Wait { flag: self, key: None, what: Some(what) }
    }
}

impl State {
    fn set(&mut self, to_wake: &mut ToWake) {
        self.is_set = true;
        while let Some(waker) = self.line.serve_first() {
            to_wake.wake(waker);
        }
    }
}

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flag({})", if self.is_set() { "set" } else { "not set" })
    }
}

/// Waits for a flag.
#[must_use = "nobody waits until this is awaited"]
pub(super) struct Wait<'f> {
    flag: &'f Flag,
    key: Option<Key>,
    /// What is waited for, if it is more than a flag.
    what: Option<Arc<dyn Describe + Send + Sync>>,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let Self { flag, key, what } = &mut *self;
        let polled = locked(&flag.0, |state, to_wake| {
            if key.is_none() && state.is_set {
                to_wake.drop(Some(waker));
                return Poll::Ready(());
            }
            let (polled, unneeded) = state.line.poll(key, 1, waker);
            to_wake.drop(unneeded);
            polled
        });
        if polled.is_pending() {
            tag::say(match what {
                Some(what) => Tag::Ask(what.clone()),
                None => Tag::Words("a flag to be set"),
            });
        }
        polled
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(&self.flag.0, |state, to_wake| match state.line.leave(key) {
                Left::Served => {} // It was told something, and given nothing.
                Left::Unserved(waker) => to_wake.drop(Some(waker)),
            });
        }
    }
}

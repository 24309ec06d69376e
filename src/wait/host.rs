//! What the executor around a future lends it: a clock, a place for timers, and a say in how time passes.
//!
//! Knows nothing of tasks. An executor of ours enters as the host of its thread, and whoever is polled
//! there finds it: a sleep sets its timer with the host, and needs neither another thread nor a wake-up
//! across threads; a job that is submitted *holds* the host, which then knows that something is under way
//! elsewhere.
//!
//! What must always hold:
//!
//! 1. A hold is let go after the wake-up that it announces. A host that jumps over time while nothing is
//!    held would otherwise jump over the end of a job.
//! 2. Timers are set and fired by the thread that the host is on. So those that are still set fire later than
//!    `fired`, and not before `next`. Any thread may take one out, and then `next` is too early.
//! 3. When a host closes, everybody who has a timer with it is woken, and sets it elsewhere.
//! 4. Nothing is woken or dropped under the lock.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::iter;
use std::mem;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::panic;
use crate::prims::{AtomicUsize, Mutex, Ordering, thread_local};

use super::clock::Clock;
use super::parker::Parker;
use super::timers::{Key, Timers};

use Ordering::{Acquire, Relaxed, Release};

pub(crate) struct Host {
    pub(crate) clock: Clock,
    /// Where the thread of the executor sleeps.
    pub(crate) parker: Arc<Parker>,
    /// Of the real clock. A jumping one keeps its own.
    timers: Mutex<Timers>,
    n_held: AtomicUsize,
}

/// A host on its thread, and what that thread knows without a lock.
struct Here {
    host: Arc<Host>,
    /// No timer is due before that.
    next: Cell<Option<Instant>>,
    /// Until then the timers have been fired, since the host came to this thread.
    fired: Cell<Option<Instant>>,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

impl Host {
    pub(crate) fn new(clock: Clock) -> Self {
        let (parker, timers) = (Arc::new(Parker::new()), Mutex::default());
        Self { clock, parker, timers, n_held: AtomicUsize::new(0) }
    }

    /// Makes it the host of this thread, which moves its clock, and gives back the one before.
    pub(crate) fn enter(host: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let driver = host.as_ref().map(|host| (host.clock.clone(), host.parker.clone()));
        let here = host.map(|host| {
            let next = Cell::new(host.next_deadline());
            Here { host, next, fired: Cell::new(None) }
        });
        let before = HERE.try_with(|place| place.replace(here)).ok().flatten();
        if let Some(Here { host: before, .. }) = &before {
            before.clock.set_driver(None);
        }
        if let Some((clock, parker)) = driver {
            clock.set_driver(Some(parker));
        }
        before.map(|before| before.host)
    }

    /// The host of this thread, if an executor of ours runs here.
    pub(crate) fn current() -> Option<Arc<Self>> {
        let host = HERE.try_with(|here| here.borrow().as_ref().map(|here| here.host.clone()));
        host.ok().flatten()
    }

    /// Looks at what this thread knows of it; `None` if it is on no thread, or on another.
    fn here<T>(self: &Arc<Self>, look: impl FnOnce(&Here) -> T) -> Option<T> {
        let looked = HERE.try_with(|here| match &*here.borrow() {
            Some(here) if Arc::ptr_eq(&here.host, self) => Some(look(here)),
            Some(_) | None => None,
        });
        looked.ok().flatten()
    }

    /// Sets a timer, if it is not too late for it. Only on its own thread.
    pub(crate) fn set_timer(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Option<Key> {
        if self.has_fired(deadline) {
            return None;
        }
        let (key, is_first) = self.timers.lock().set(deadline, waker);
        if is_first {
            self.here(|here| here.next.set(Some(deadline)));
        }
        Some(key)
    }

    /// Leaves a newer waker with a timer; false if it has fired.
    pub(crate) fn renew_timer(&self, key: Key, mut waker: Waker) -> bool {
        self.timers.lock().renew(key, &mut waker) // The older one goes after the lock.
    }

    /// Whether it is on this thread, and has fired the timers of that deadline.
    pub(crate) fn has_fired(self: &Arc<Self>, deadline: Instant) -> bool {
        self.here(|here| here.fired.get() >= Some(deadline)).unwrap_or(false)
    }

    pub(crate) fn remove_timer(&self, key: Key) {
        let waker = self.timers.lock().remove(key); // If it was the first, `next` is too early now.
        panic::contain(|| drop(waker));
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.lock().next_deadline()
    }

    /// Moves the wakers whose time has come into `due`. On its own thread.
    pub(crate) fn take_due(self: &Arc<Self>, due: &mut Vec<Waker>) {
        let Some(next) = self.here(|here| here.next.get()).flatten() else { return };
        let now = self.clock.now();
        if now < next {
            return;
        }
        let mut timers = self.timers.lock();
        while let Some(waker) = timers.pop_due(now) {
            due.push(waker);
        }
        let next = timers.next_deadline();
        drop(timers);
        self.here(|here| {
            here.next.set(next);
            here.fired.set(Some(now));
        });
    }

    /// Something is under way elsewhere that was started here. Only on its own thread.
    pub(crate) fn add_hold(&self) {
        self.n_held.fetch_add(1, Relaxed); // ORDERING: Relaxed. Done on the thread that looks.
    }

    /// It is over, and whom it wakes has been woken.
    pub(crate) fn let_go(&self) {
        // ORDERING: Release. Pairs with the Acquire in `is_held`.
        let n_held = self.n_held.fetch_sub(1, Release);
        if n_held == 1 {
            self.parker.unpark(); // It may jump now, or has to report that it hangs.
        }
    }

    /// Whether something is.
    pub(crate) fn is_held(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `let_go`: whoever sees it let go
        // finds the wake-up before it in the inbox.
        self.n_held.load(Acquire) > 0
    }

    /// The executor has ended. Whoever sleeps here is woken, to sleep elsewhere.
    pub(crate) fn close(&self) {
        // Whoever is woken finds no host here: a sleep that was polled by its wake would be set here again, and
        // nobody would fire it. It misses nothing, for a host that keeps timers is on the real clock.
        drop(Self::enter(None));
        let mut timers = mem::take(&mut *self.timers.lock());
        panic::wake_each(iter::from_fn(|| timers.pop()));
    }
}

/// Keeps a jumping clock from jumping; see [`hold`].
#[must_use = "it holds until it is dropped"]
pub struct Hold(Mutex<Option<Arc<Host>>>);

/// Says that something was started here that goes on elsewhere, and will wake somebody here.
///
/// When to use it: code that an executor runs waits for a thread, a socket or a driver that this crate
/// did not start. A [jumping](Clock::jumping) clock would jump over its answer, or report that nothing
/// can wake any more. While there is a hold, its time passes as real time does. Jobs of a pool, children
/// and sleeps on the real clock take one by themselves.
///
/// It may be sent to where the work is. Keep it until the wake-up that it announces has been sent.
///
/// ```
/// use std::{thread, time::Duration};
/// use handspun::{Clock, Executor, Flag, hold, sleep, timeout};
/// use std::sync::Arc;
///
/// let hour = Duration::from_secs(3600);
/// let answer = Executor::builder().clock(Clock::jumping()).build().run(async {
///     let done = Arc::new(Flag::new());
///     let (holds, sets) = (hold(), done.clone());
///     thread::spawn(move || {
///         thread::sleep(Duration::from_millis(2)); // The work.
///         sets.set();
///         drop(holds); // After the wake-up.
///     });
///     timeout(hour, done.wait()).await
/// });
/// assert!(answer.is_ok(), "the clock did not jump to the end of the hour");
/// ```
///
/// Where no executor of ours runs, and where its clock is the real one, it does nothing.
///
/// **Dropping it** lets the clock jump again.
pub fn hold() -> Hold {
    Hold::take().unwrap_or(Hold(Mutex::new(None)))
}

impl Hold {
    /// Of the host of this thread, if there is one.
    pub(crate) fn take() -> Option<Self> {
        let host = Host::current()?;
        host.add_hold();
        Some(Self(Mutex::new(Some(host))))
    }

    /// What was started is over, and whom it wakes has been woken.
    pub(crate) fn let_go(&self) {
        let Some(host) = self.0.lock().take() else { return };
        host.let_go();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").finish_non_exhaustive()
    }
}

impl Clock {
    /// The clock of the executor that runs on this thread, or else the real one.
    ///
    /// Sleeps, timeouts and new tokens use it without being told.
    pub fn current() -> Self {
        let clock =
            HERE.try_with(|here| here.borrow().as_ref().map(|here| here.host.clock.clone()));
        clock.ok().flatten().unwrap_or_default()
    }
}

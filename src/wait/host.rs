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
//! 2. When a host closes, everybody who has a timer with it is woken, and sets it elsewhere.
//! 3. Nothing is woken or dropped under the lock.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::panic;
use crate::prims::{AtomicBool, AtomicUsize, Mutex, Ordering, thread_local};

use super::clock::Clock;
use super::parker::Parker;
use super::timers::{Key, Timers};

use Ordering::{Acquire, Relaxed, Release};

pub(crate) struct Host {
    pub(crate) clock: Clock,
    /// Where the thread of the executor sleeps.
    pub(crate) parker: Arc<Parker>,
    /// Of the real clock. A jumping one keeps its own.
    timers: Mutex<HostTimers>,
    /// Whether a timer may be set. It spares a host without timers the lock, turn after turn.
    has_timers: AtomicBool,
    n_held: AtomicUsize,
}

#[derive(Default)]
struct HostTimers {
    timers: Timers,
    is_closed: bool,
}

/// What becomes of a newer waker for a timer.
pub(crate) enum Renewed {
    Waits,
    Fired,
    /// The host has closed since.
    Gone,
}

thread_local! {
    static HOST: RefCell<Option<Arc<Host>>> = const { RefCell::new(None) };
}

impl Host {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            parker: Arc::new(Parker::new()),
            timers: Mutex::default(),
            has_timers: AtomicBool::new(false),
            n_held: AtomicUsize::new(0),
        }
    }

    /// Makes it the host of this thread, which moves its clock, and gives back the one before.
    pub(crate) fn enter(host: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let driver = host.as_ref().map(|host| (host.clock.clone(), host.parker.clone()));
        let before = HOST.try_with(|place| place.replace(host)).ok().flatten();
        if let Some(before) = &before {
            before.clock.set_driver(None);
        }
        if let Some((clock, parker)) = driver {
            clock.set_driver(Some(parker));
        }
        before
    }

    /// The host of this thread, if an executor of ours runs here.
    pub(crate) fn current() -> Option<Arc<Self>> {
        HOST.try_with(|place| place.borrow().clone()).ok().flatten()
    }

    pub(crate) fn is_current(self: &Arc<Self>) -> bool {
        let is_it = HOST.try_with(|place| {
            place.borrow().as_ref().is_some_and(|current| Arc::ptr_eq(current, self))
        });
        is_it.unwrap_or(false)
    }

    /// Sets a timer; gives the waker back if the host has closed.
    pub(crate) fn set_timer(&self, deadline: Instant, waker: Waker) -> Result<Key, Waker> {
        let mut state = self.timers.lock();
        if state.is_closed {
            return Err(waker);
        }
        // ORDERING: Relaxed. Timers are set on the thread that looks for them.
        self.has_timers.store(true, Relaxed);
        Ok(state.timers.set(deadline, waker).0)
    }

    /// Leaves a newer waker with a timer.
    pub(crate) fn renew_timer(&self, key: Key, waker: Waker) -> Renewed {
        let mut state = self.timers.lock();
        let (replaced, is_closed) = (state.timers.replace(key, waker), state.is_closed);
        drop(state);
        match replaced {
            Ok(_) => Renewed::Waits,
            Err(_) if is_closed => Renewed::Gone,
            Err(_) => Renewed::Fired,
        }
    }

    pub(crate) fn remove_timer(&self, key: Key) {
        let waker = self.timers.lock().timers.remove(key);
        panic::contain(|| drop(waker));
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.lock().timers.next_deadline()
    }

    /// Moves the wakers whose time has come into `due`.
    pub(crate) fn take_due(&self, due: &mut Vec<Waker>) {
        // ORDERING: Relaxed, here and below: as in `set_timer`.
        if !self.has_timers.load(Relaxed) {
            return;
        }
        let mut state = self.timers.lock();
        if state.timers.is_empty() {
            self.has_timers.store(false, Relaxed); // ORDERING: Relaxed, as above.
            return;
        }
        let now = self.clock.now();
        while let Some(waker) = state.timers.pop_due(now) {
            due.push(waker);
        }
    }

    /// Whether something is under way elsewhere that was started here.
    pub(crate) fn is_held(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `Hold::let_go`: whoever sees it let go
        // finds the wake-up before it in the inbox.
        self.n_held.load(Acquire) > 0
    }

    /// The executor has ended. Whoever sleeps here is woken, to sleep elsewhere.
    pub(crate) fn close(&self) {
        let mut state = self.timers.lock();
        state.is_closed = true;
        let mut timers = std::mem::take(&mut state.timers);
        drop(state);
        while let Some(waker) = timers.pop() {
            panic::contain(|| waker.wake());
        }
    }
}

/// Something was started here that will wake somebody here; see [`Host`].
pub(crate) struct Hold {
    host: Arc<Host>,
    is_held: AtomicBool,
}

impl Hold {
    /// Whether it is that host which is held.
    pub(crate) fn is_of(&self, host: &Arc<Host>) -> bool {
        Arc::ptr_eq(&self.host, host)
    }

    /// Of the host of this thread, if there is one.
    pub(crate) fn take() -> Option<Self> {
        let host = Host::current()?;
        // ORDERING: Relaxed. Taken on the thread that looks.
        host.n_held.fetch_add(1, Relaxed);
        Some(Self { host, is_held: AtomicBool::new(true) })
    }

    /// What was started is over, and whom it wakes has been woken.
    pub(crate) fn let_go(&self) {
        // ORDERING: Relaxed. Only whether it was let go before; the count is what others see.
        if !self.is_held.swap(false, Relaxed) {
            return;
        }
        // ORDERING: Release. Pairs with the Acquire in `Host::is_held`.
        let n_held = self.host.n_held.fetch_sub(1, Release);
        if n_held == 1 {
            self.host.parker.unpark(); // It may jump now, or has to report that it hangs.
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Clock {
    /// The clock of the executor that runs on this thread, or else the real one.
    ///
    /// Sleeps, timeouts and new tokens use it without being told.
    pub fn current() -> Self {
        let clock = HOST.try_with(|host| host.borrow().as_ref().map(|host| host.clock.clone()));
        clock.ok().flatten().unwrap_or_default()
    }
}

//! What the executor around a future lends it: a clock, a queue for timers, and a say in how time passes.
//!
//! Knows nothing of tasks. An executor of ours enters as the runtime of its thread, and everything that is polled
//! there finds it: a sleep sets its timer with the runtime, and needs neither another thread nor a wake-up
//! across threads; a job that is submitted *holds* the runtime, which then knows that something is under way
//! elsewhere.
//!
//! What must always hold:
//!
//! 1. A hold is let go after the wake-up that it announces. A runtime that jumps over time while nothing is
//!    held would otherwise jump over the end of a job.
//! 2. A sleep of the real clock that a task polls itself has its timer here: the thread that the runtime is on fires it, at
//!    each turn of its loop, and in [`park`](RuntimeContext::park), whatever it parks for. While it is on no thread,
//!    no task is polled, and none needs its timer. A sleep with another waker may be polled elsewhere, and is with the
//!    alarm. A jumping clock moves where its runtime parks, and stands still while it is on no thread.
//! 3. Nothing is woken or dropped under a lock.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use crate::prims::{self, AtomicUsize, Mutex, Ordering, thread_local};

use super::clock::{Clock, Deadline};
use super::hints::{self, WaitReason};
use super::parker::Parker;
use super::timers::TimerQueue;

use Ordering::{Acquire, Relaxed, Release};

pub(crate) struct RuntimeContext {
    pub(crate) clock: Clock,
    /// Where the thread of the executor sleeps, also while a task blocks it.
    pub(crate) parker: Arc<Parker>,
    /// Those of its clock, if that jumps; otherwise its own, of the real one.
    pub(crate) timers: Arc<TimerQueue>,
    n_held: AtomicUsize,
    /// What the waker holds of the task that is being polled; 0 if none is.
    polled: AtomicUsize,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<RuntimeContext>>> = const { RefCell::new(None) };
}

impl RuntimeContext {
    pub(crate) fn new(clock: Clock) -> Self {
        let timers = clock.timers().cloned();
        let timers = timers.unwrap_or_else(|| Arc::new(TimerQueue::new(prims::now())));
        let (parker, [n_held, polled]) = (Arc::new(Parker::new()), [0, 0].map(AtomicUsize::new));
        Self { clock, parker, timers, n_held, polled }
    }

    /// Makes it the runtime of this thread, and gives back the one before.
    pub(crate) fn enter(runtime: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let after = runtime.clone();
        // A thread that is ending may have lost its locals, and runs no executor.
        let before = CURRENT.try_with(|current| current.replace(runtime)).ok().flatten();
        if let Some(runtime) = &before {
            runtime.timers.unset_keeper(&runtime.parker.clone().into());
        }
        if let Some(runtime) = after {
            runtime.timers.set_keeper(runtime.parker.clone().into());
        }
        before
    }

    /// The runtime of this thread, if an executor of ours runs here.
    pub(crate) fn current() -> Option<Arc<Self>> {
        Self::with_current(|runtime| runtime.cloned())
    }

    pub(crate) fn with_current<T>(look: impl FnOnce(Option<&Arc<Self>>) -> Option<T>) -> Option<T> {
        CURRENT.try_with(|current| look(current.borrow().as_ref())).ok().flatten()
    }

    /// Sleeps until there is an `unpark`, a timer is due or the deadline has passed; and fires what is due. Where
    /// the clock jumps and nothing is held, it jumps to the next timer in place of the sleep.
    pub(crate) fn park(&self, deadline: Deadline) {
        let park_until = |next: Option<Instant>| {
            self.parker.park(next.map_or(deadline, |next| deadline.min(Deadline::At(next))));
        };
        if self.clock.is_real() {
            park_until(self.timers.next_deadline());
            self.fire_due();
        } else if self.is_held() {
            // What was started elsewhere knows no other time than the real one.
            let (now, began) = (self.timers.now(), prims::now());
            let next = self.timers.next_deadline();
            park_until(next.and_then(|next| began.checked_add(next - now)));
            self.timers.fire_until(now + began.elapsed());
        } else if self.parker.is_notified() || !self.timers.fire(|_, next| next) {
            // Told to look again, before the last hold was let go; or there is no time to jump to.
            self.parker.park(deadline);
        }
    }

    /// Fires the timers of the real clock that are due.
    #[inline]
    pub(crate) fn fire_due(&self) {
        if self.timers.may_be_due() && self.clock.is_real() {
            self.timers.fire(|_, next| next.map(|_| prims::now()));
        }
    }

    /// Whether a sleep on that clock, which is polled here with that waker, has its timer here.
    pub(crate) fn keeps_timer(&self, clock: &Clock, waker: &Waker) -> bool {
        let is_own = |timers: &Arc<TimerQueue>| Arc::ptr_eq(timers, &self.timers);
        clock.timers().map_or_else(|| self.clock.is_real() && self.polls_with(waker), is_own)
    }

    /// A task is polled with a waker that holds this; null when the poll is over.
    pub(crate) fn set_polled(&self, held: *const ()) {
        self.polled.store(held.addr(), Relaxed); // ORDERING: Relaxed. On the thread of the runtime alone.
    }

    /// Whether that is the waker of the task that is being polled.
    pub(crate) fn polls_with(&self, waker: &Waker) -> bool {
        let polled = self.polled.load(Relaxed); // ORDERING: Relaxed, as in `set_polled`.
        polled != 0 && polled == waker.data().addr()
    }

    /// Whether something is under way elsewhere that was started here.
    pub(crate) fn is_held(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `let_go`: once it is let go, the wake-up
        // before that is found in the inbox.
        self.n_held.load(Acquire) > 0
    }
}

/// Keeps a jumping clock from jumping; see [`hold`].
#[must_use = "it holds until it is dropped"]
pub struct Hold(Mutex<Option<Arc<RuntimeContext>>>);

/// Says that something was started here that goes on elsewhere, and will wake a task here.
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
/// use handspun::{Clock, Executor, Event, hold, sleep, timeout};
/// use std::sync::Arc;
///
/// let hour = Duration::from_secs(3600);
/// let answer = Executor::builder().clock(Clock::jumping()).build().run(async {
///     let done = Arc::new(Event::new());
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
    /// Of the runtime of this thread, if there is one.
    pub(crate) fn take() -> Option<Self> {
        RuntimeContext::current().map(Self::of)
    }

    /// Of the runtime of this thread, if its clock jumps.
    pub(crate) fn of_jumping() -> Option<Self> {
        let jumping = |runtime: Option<&Arc<RuntimeContext>>| {
            runtime.filter(|runtime| !runtime.clock.is_real()).cloned()
        };
        RuntimeContext::with_current(jumping).map(Self::of)
    }

    fn of(runtime: Arc<RuntimeContext>) -> Self {
        runtime.n_held.fetch_add(1, Relaxed); // ORDERING: Relaxed. Done on the thread that looks.
        Self(Mutex::new(Some(runtime)))
    }

    /// What was started is over, and whom it wakes has been woken.
    pub(crate) fn let_go(&self) {
        let Some(runtime) = self.0.lock().take() else { return };
        // ORDERING: Release. Pairs with the Acquire in `is_held`.
        if runtime.n_held.fetch_sub(1, Release) == 1 {
            runtime.parker.unpark(); // It may jump now, or has to report that it hangs.
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Polls something that ends elsewhere, and says what it is. While it is pending, a jumping clock waits for it,
/// whatever has started it.
pub(crate) fn poll_elsewhere<T>(
    words: &'static str,
    context: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let polled = match Hold::of_jumping() {
        None => poll(context),
        Some(hold) => {
            let holding = Holding { waker: context.waker().clone(), _hold: hold };
            poll(&mut Context::from_waker(&Waker::from(Arc::new(holding))))
        }
    };
    if polled.is_pending() {
        hints::set_reason(WaitReason::Words(words));
    }
    polled
}

/// A waker that holds the clock until it is dropped, which is after it was woken.
struct Holding {
    waker: Waker,
    _hold: Hold,
}

impl Wake for Holding {
    fn wake(self: Arc<Self>) {
        self.waker.wake_by_ref();
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
        RuntimeContext::with_current(|runtime| runtime.map(|runtime| runtime.clock.clone()))
            .unwrap_or_default()
    }
}

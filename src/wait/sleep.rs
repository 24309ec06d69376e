//! Waiting for a time.
//!
//! Knows nothing of who polls it, but for a host: under an executor of ours it is the host that keeps
//! the timer, elsewhere the clock. So it works under `block_on` and under any executor.
//!
//! What must always hold: the deadline is fixed by the call, not by the first poll; a timer is set at
//! the first poll that finds it too early, where that poll happens; and it is taken out when the future
//! is dropped, wherever that is.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::deadline::Deadline;
use super::host::Host;
use super::inside;
use super::tag::{self, Tag};
use super::timers::Key;

/// Waits until `duration` has passed, counted from this call.
///
/// It blocks nobody: a thread calls `std::thread::sleep`, or
/// [`CancellationToken::sleep`](crate::CancellationToken::sleep), which can be woken.
/// `Duration::MAX` means never. In a task of an executor that has a jumping clock, it is that clock's
/// time which has to pass; the call must be made in there, for the deadline is fixed by the call.
///
/// ```
/// use std::time::{Duration, Instant};
/// use handspun::{block_on, sleep};
///
/// let began = Instant::now();
/// block_on(sleep(Duration::from_millis(5)));
/// assert!(began.elapsed() >= Duration::from_millis(5));
/// ```
///
/// Dropping it ends the wait, and leaves nothing behind.
///
/// # Panics
///
/// In a poll, if a task whose executor has a jumping clock blocks the thread to wait for it: nobody would
/// move the clock.
pub fn sleep(duration: Duration) -> Sleep {
    let clock = Clock::current();
    let deadline = clock.now().checked_add(duration).map_or(Deadline::Never, Deadline::At);
    Sleep::on(&clock, deadline)
}

/// Waits until that time, of the [current](Clock::current) clock.
///
/// When to use it: several waits have one deadline. All else is as with [`sleep`]. A time that has passed is ready
/// at once.
///
/// ```
/// use std::time::Duration;
/// use handspun::{Clock, block_on, sleep_until};
///
/// let deadline = Clock::current().now() + Duration::from_millis(2);
/// block_on(async {
///     sleep_until(deadline).await;
///     sleep_until(deadline).await;
/// });
/// assert!(Clock::current().now() >= deadline);
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::on(&Clock::current(), Deadline::At(deadline))
}

/// A time that is waited for; see [`sleep`].
#[must_use = "nobody sleeps until this is awaited"]
pub struct Sleep {
    clock: Clock,
    deadline: Deadline,
    stage: Stage,
}

/// How far it has come.
enum Stage {
    New,
    /// It has been pending, and so has let others go first.
    HasWaited,
    /// It has, and a timer is set, with that number.
    Set(Place, u64),
}

impl Sleep {
    pub(crate) fn on(clock: &Clock, deadline: Deadline) -> Self {
        Self { clock: clock.clone(), deadline, stage: Stage::New }
    }

    /// When it is over; `None` if that is never.
    pub fn deadline(&self) -> Option<Instant> {
        match self.deadline {
            Deadline::At(instant) => Some(instant),
            Deadline::Never => None,
        }
    }

    /// Gives it another deadline, on the same clock, whether it is over or not.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::{block_on, sleep};
    ///
    /// let mut alarm = sleep(Duration::from_secs(3600));
    /// alarm.reset(std::time::Instant::now());
    /// block_on(alarm);
    /// ```
    #[doc(alias = "reschedule")]
    pub fn reset(&mut self, deadline: Instant) {
        *self = Self::on(&self.clock, Deadline::At(deadline));
    }

    /// Whether the time has come; if not, the waker is told when it has.
    fn poll_at(&mut self, deadline: Instant, waker: &Waker) -> Poll<()> {
        if self.is_known_to_have_fired(deadline) {
            self.stage = Stage::HasWaited; // Nothing is to be taken out.
            return Poll::Ready(());
        }
        let here = Place::here(&self.clock);
        if let Stage::Set(place, number) = &self.stage {
            let key = Key { deadline, number: *number };
            if *place == here && here.renew(&self.clock, key, waker.clone()) {
                return Poll::Pending;
            }
        }
        self.take_out();
        let Some(key) = here.set(&self.clock, deadline, waker.clone()) else {
            return self.yield_once(waker);
        };
        self.stage = Stage::Set(here, key.number);
        Poll::Pending
    }

    fn is_known_to_have_fired(&self, deadline: Instant) -> bool {
        match &self.stage {
            Stage::Set(Place::Host(host), _) => host.has_fired(deadline),
            Stage::Set(Place::Held(_) | Place::Clock, _) | Stage::New | Stage::HasWaited => false,
        }
    }

    fn take_out(&mut self) {
        if let (Stage::Set(place, number), Deadline::At(deadline)) = (&self.stage, self.deadline) {
            place.remove(&self.clock, Key { deadline, number: *number });
            self.stage = Stage::HasWaited;
        }
    }

    /// A task that sleeps lets the others be polled, however short it sleeps.
    fn yield_once(&mut self, waker: &Waker) -> Poll<()> {
        if matches!(self.stage, Stage::HasWaited) || host_here().is_none() {
            return Poll::Ready(());
        }
        self.stage = Stage::HasWaited;
        waker.wake_by_ref();
        Poll::Pending
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = match self.deadline {
            Deadline::At(deadline) => self.poll_at(deadline, context.waker()),
            Deadline::Never => Poll::Pending,
        };
        if polled.is_pending() {
            tag::say(Tag::Words("a time"));
        }
        polled
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.take_out();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Who keeps a timer.
#[derive(PartialEq)]
enum Place {
    /// The executor on whose thread it was set.
    Host(Arc<Host>),
    /// The clock, which is the real one. The executor there has one that jumps, and is held meanwhile.
    Held(Arc<Host>),
    /// The clock: a jumping one, or the alarm of the real one.
    Clock,
}

impl Place {
    /// Where a timer of that clock is kept that is set by the code which asks.
    fn here(clock: &Clock) -> Self {
        match if clock.is_real() { host_here() } else { None } {
            Some(host) if host.clock.is_real() => Self::Host(host),
            Some(host) => Self::Held(host),
            None => Self::Clock,
        }
    }

    /// Sets a timer, if it is not too late for it.
    fn set(&self, clock: &Clock, deadline: Instant, waker: Waker) -> Option<Key> {
        match self {
            Self::Host(host) => host.set_timer(deadline, waker),
            Self::Held(host) => {
                let key = clock.set_timer(deadline, waker)?;
                host.add_hold();
                Some(key)
            }
            Self::Clock => {
                let stands_still = inside::is_blocking_wait()
                    && Host::current().is_some_and(|host| host.clock.is(clock));
                assert!(
                    !stands_still || clock.now() >= deadline,
                    "this time will never come: a task blocks the thread that moves the clock; `.await` the \
                     sleep there instead"
                );
                clock.set_timer(deadline, waker)
            }
        }
    }

    /// Leaves a newer waker with a timer that it keeps; false if that has fired.
    fn renew(&self, clock: &Clock, key: Key, waker: Waker) -> bool {
        match self {
            Self::Host(host) => host.renew_timer(key, waker),
            Self::Held(_) | Self::Clock => clock.renew_timer(key, waker),
        }
    }

    fn remove(&self, clock: &Clock, key: Key) {
        match self {
            Self::Host(host) => host.remove_timer(key),
            Self::Held(host) => {
                clock.remove_timer(key);
                host.let_go();
            }
            Self::Clock => clock.remove_timer(key),
        }
    }
}

/// The executor of ours that polls the code which asks. None polls what a task blocks its thread to wait for:
/// nobody would fire a timer that was set there.
fn host_here() -> Option<Arc<Host>> {
    if inside::is_blocking_wait() { None } else { Host::current() }
}

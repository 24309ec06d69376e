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
use super::host::{Hold, Host, Renewed};
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
    timer: Option<Timer>,
    /// It has been pending, and so has let others go first.
    has_waited: bool,
}

impl Sleep {
    pub(crate) fn on(clock: &Clock, deadline: Deadline) -> Self {
        Self { clock: clock.clone(), deadline, timer: None, has_waited: false }
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
        if let Some(timer) = self.timer.take() {
            match timer.renew(waker) {
                Ok(timer) => self.timer = Some(timer),
                Err(Fired::InTime) => return Poll::Ready(()),
                Err(Fired::OrNot) => {}
            }
        }
        let timer = match self.timer.take() {
            Some(timer) => timer,
            None => match Timer::set(&self.clock, deadline, waker) {
                Some(timer) => timer,
                None => return self.yield_once(waker),
            },
        };
        if timer.may_be_late() && self.clock.now() >= deadline {
            return Poll::Ready(());
        }
        self.timer = Some(timer);
        self.has_waited = true;
        Poll::Pending
    }

    /// A task that sleeps lets the others be polled, however short it sleeps.
    fn yield_once(&mut self, waker: &Waker) -> Poll<()> {
        if self.has_waited || host_here().is_none() {
            return Poll::Ready(());
        }
        self.has_waited = true;
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

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// The executor of ours that polls the code which asks. None polls what a task blocks its thread to wait for:
/// nobody would fire a timer that was set there.
fn host_here() -> Option<Arc<Host>> {
    if inside::is_blocking_wait() { None } else { Host::current() }
}

/// A timer that is set, wherever. Dropping it takes it out.
struct Timer {
    keeper: Keeper,
    key: Key,
}

enum Keeper {
    /// The executor on whose thread it was set.
    Host(Arc<Host>),
    /// The clock: a jumping one, or the alarm of the real one. An executor whose own clock jumps is
    /// held by what waits for real time.
    Clock(Clock, Option<Hold>),
}

/// Whether the executor here, if its own clock jumps, is held by a timer of that clock, and no other is.
fn holds_whom_it_should(clock: &Clock, hold: Option<&Hold>) -> bool {
    let here = if clock.is_real() { host_here() } else { None };
    match here.filter(|host| !host.clock.is_real()) {
        Some(host) => hold.is_some_and(|hold| hold.is_of(&host)),
        None => hold.is_none(),
    }
}

/// A timer is no longer set.
enum Fired {
    /// Its time had come.
    InTime,
    /// Or else it has to be set anew; the clock knows.
    OrNot,
}

impl Timer {
    /// `None` if it is too late for it.
    fn set(clock: &Clock, deadline: Instant, waker: &Waker) -> Option<Self> {
        let mut waker = waker.clone();
        let host = if clock.is_real() { host_here() } else { None };
        let hold = match host {
            Some(host) if host.clock.is_real() => match host.set_timer(deadline, waker) {
                Ok(key) => return Some(Self { keeper: Keeper::Host(host), key }),
                Err(not_set) => {
                    waker = not_set;
                    None
                }
            },
            Some(_) => Hold::take(),
            None => None,
        };
        if clock.now() >= deadline {
            return None;
        }
        assert!(
            !(inside::is_blocking_wait()
                && Host::current().is_some_and(|host| host.clock.is(clock))),
            "this time will never come: a task blocks the thread that moves the clock; `.await` the sleep \
             there instead"
        );
        let key = clock.set_timer(deadline, waker);
        Some(Self { keeper: Keeper::Clock(clock.clone(), hold), key })
    }

    /// Leaves a newer waker, where the timer is still set and this is still the place for it.
    fn renew(self, waker: &Waker) -> Result<Self, Fired> {
        match &self.keeper {
            Keeper::Host(host) if host.is_current() && !inside::is_blocking_wait() => {
                match host.renew_timer(self.key, waker.clone()) {
                    Renewed::Waits => Ok(self),
                    Renewed::Fired => Err(Fired::InTime),
                    Renewed::Gone => Err(Fired::OrNot),
                }
            }
            Keeper::Clock(clock, hold) if holds_whom_it_should(clock, hold.as_ref()) => {
                match clock.replace_waker(self.key, waker.clone()) {
                    true => Ok(self),
                    false => Err(Fired::OrNot),
                }
            }
            Keeper::Host(_) | Keeper::Clock(..) => Err(Fired::OrNot),
        }
    }

    /// Whether the time may be over although the timer has not fired: a jumping clock may jump between
    /// a look and the timer, and the alarm's thread may be behind. A host fires its timers itself.
    fn may_be_late(&self) -> bool {
        match self.keeper {
            Keeper::Host(_) => false,
            Keeper::Clock(..) => true,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        match &self.keeper {
            Keeper::Host(host) => host.remove_timer(self.key),
            Keeper::Clock(clock, _) => clock.remove_timer(self.key),
        }
    }
}

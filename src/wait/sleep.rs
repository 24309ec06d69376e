//! Waiting for a time.
//!
//! Knows nothing of tasks: under an executor of ours the host keeps the timer, under others the alarm, and a
//! jumping clock its own. So it works under `block_on` and under any executor.
//!
//! What must always hold:
//!
//! 1. The deadline is fixed by the call, not by the first poll. A timer is set where the first poll happens, moves
//!    to where the next one does, and is taken out when the future is dropped, wherever that is.
//! 2. The first poll is never ready. A loop of sleeps that are too short, or too late, starves nothing: neither the
//!    other tasks nor the timeout around it.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::prims;

use super::alarm::ALARM;
use super::clock::Clock;
use super::deadline::Deadline;
use super::host::{Host, poll_elsewhere};
use super::tag::{self, Tag};
use super::timers::TimerQueue;

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
/// However short it is, the other tasks are polled first: `sleep(Duration::ZERO)` is a [`yield_now`](crate::yield_now)
/// that works under any executor.
///
/// Dropping it ends the wait, and leaves nothing behind.
pub fn sleep(duration: Duration) -> Sleep {
    let clock = Clock::current();
    let deadline = clock.now().checked_add(duration).map_or(Deadline::Never, Deadline::At);
    Sleep::on(&clock, deadline)
}

/// Waits until that time, of the [current](Clock::current) clock.
///
/// When to use it: several waits have one deadline. All else is as with [`sleep`]: where the time has passed
/// already, the other tasks are polled once.
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
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    clock: Clock,
    deadline: Deadline,
    /// Where a timer is set, and which one.
    timer: Option<(Arc<TimerQueue>, Option<u64>)>,
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

    /// Gives it another deadline, on the same clock, whether it is over or not. It is a new sleep then.
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
    fn poll_at(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        if let Some(queue) = queue_here(&self.clock) {
            return self.poll_in(queue, deadline, None, context);
        }
        // Under a jumping clock, a time of the real one is something that ends elsewhere. And the alarm may be
        // behind, for nothing is fired there before a poll.
        poll_elsewhere("a time", context, |context| {
            self.poll_in(ALARM.queue(), deadline, Some(prims::now()), context)
        })
    }

    fn poll_in(
        &mut self,
        queue: Arc<TimerQueue>,
        deadline: Instant,
        now: Option<Instant>,
        context: &Context<'_>,
    ) -> Poll<()> {
        if self.timer.as_ref().is_some_and(|(set, _)| !Arc::ptr_eq(set, &queue)) {
            self.take_out();
        }
        let (queue, number) = self.timer.get_or_insert((queue, None));
        let polled = queue.poll(deadline, now, number, context.waker());
        if polled.is_ready() {
            self.timer = None;
        }
        polled
    }

    fn take_out(&mut self) {
        let Deadline::At(deadline) = self.deadline else { return };
        if let Some((queue, Some(number))) = self.timer.take() {
            queue.remove(deadline, number);
        }
    }
}

/// The queue in which the code that asks sets timers of that clock, unless that is the alarm's.
fn queue_here(clock: &Clock) -> Option<Arc<TimerQueue>> {
    let of_host = |host: Option<&Arc<Host>>| {
        host.filter(|host| host.clock.is_real()).map(|host| host.timers.clone())
    };
    clock.timers().cloned().or_else(|| Host::with_current(of_host))
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = match self.deadline {
            Deadline::At(deadline) => self.poll_at(deadline, context),
            Deadline::Never => Poll::Pending,
        };
        let lets_others_go_first = !mem::replace(&mut self.has_waited, true);
        match polled {
            Poll::Ready(()) if lets_others_go_first => context.waker().wake_by_ref(),
            Poll::Ready(()) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        tag::say(Tag::Words("a time"));
        Poll::Pending
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

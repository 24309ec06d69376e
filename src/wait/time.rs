//! Waiting for a time: until it has come, or at most for so long.
//!
//! Knows nothing of tasks: what a task of ours polls itself has its timer with the runtime, all else with the alarm, and
//! a jumping clock keeps its own. So it works under `block_on` and under any executor.
//!
//! What must always hold:
//!
//! 1. The deadline is fixed by the call, not by the first poll. A timer is set where the first poll happens, moves
//!    to where the next one does, and is taken out when the future is dropped, wherever that is.
//! 2. The first poll is never ready. A loop of sleeps that are too short, or too late, starves nothing: neither the
//!    other tasks nor the timeout around it.
//! 3. A result that is there beats a time that is over; and a timeout that is pending will be polled when its time has
//!    come, whatever is around it.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::Elapsed;
use crate::prims;

use super::alarm::ALARM;
use super::clock::{Clock, Deadline};
use super::hints::{self, WaitReason, forget_run_here_hint};
use super::runtime::{RuntimeContext, poll_elsewhere};
use super::timers::{SetBy, TimerQueue};

/// Waits until `duration` has passed, counted from this call.
///
/// It blocks no thread: a thread calls `std::thread::sleep`, or
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
#[doc(alias = "Timer")]
#[doc(alias = "call_later")]
pub fn sleep(duration: Duration) -> Sleep {
    let clock = Clock::current();
    let deadline = clock.now().checked_add(duration).map_or(Deadline::Never, Deadline::At);
    Sleep::on(&clock, deadline)
}

/// Waits until that time, of the [current](Clock::current) clock.
///
/// When to use it: something is done again and again, at a rate that does not drift. All else is as with [`sleep`]: where
/// the time has passed already, the other tasks are polled once.
///
/// ```
/// use std::time::Duration;
/// use handspun::{Clock, block_on, sleep_until};
///
/// let (clock, period) = (Clock::current(), Duration::from_millis(1));
/// let began = clock.now();
/// block_on(async {
///     let mut next = began;
///     for _ in 0..3 {
///         sleep_until(next).await; // The work follows here.
///         next += period; // Late, it catches up; with `next = clock.now() + period` it does not.
///     }
/// });
/// assert!(clock.now() >= began + 2 * period);
/// ```
#[doc(alias = "call_at")]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::on(&Clock::current(), Deadline::At(deadline))
}

/// A time that is waited for; see [`sleep`].
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    clock: Clock,
    deadline: Deadline,
    /// Where a timer is set, and which one.
    timer: Option<(Arc<TimerQueue>, u64)>,
    /// It has been pending, and so has let others go first.
    has_waited: bool,
}

impl Sleep {
    pub(crate) fn on(clock: &Clock, deadline: Deadline) -> Self {
        Self { clock: clock.clone(), deadline, timer: None, has_waited: false }
    }

    /// Whether the time has come; if not, the waker is told when it has.
    fn poll_at(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let keeps =
            |runtime: &&Arc<RuntimeContext>| runtime.keeps_timer(&self.clock, context.waker());
        let here =
            RuntimeContext::with_current(|runtime| Some(runtime.filter(keeps)?.timers.clone()));
        let by = if here.is_some() { SetBy::Keeper } else { SetBy::Any };
        if let Some(queue) = here.or_else(|| self.clock.timers().cloned()) {
            return self.poll_in(queue, by, deadline, context);
        }
        // Under a jumping clock, a time of the real one is something that ends elsewhere.
        poll_elsewhere("a time", context, |context| {
            if prims::now() >= deadline {
                self.take_out(); // The alarm may be behind, for nothing is fired there before a poll.
                return Poll::Ready(());
            }
            let polled = self.poll_in(ALARM.queue.clone(), by, deadline, context);
            if polled.is_pending() && !ALARM.is_up() {
                context.waker().wake_by_ref();
            }
            polled
        })
    }

    fn poll_in(
        &mut self,
        queue: Arc<TimerQueue>,
        by: SetBy,
        deadline: Instant,
        context: &Context<'_>,
    ) -> Poll<()> {
        if self.timer.as_ref().is_some_and(|(set, _)| !Arc::ptr_eq(set, &queue)) {
            self.take_out();
        }
        let number = self.timer.as_ref().map(|(_, number)| *number);
        let number = queue.set(deadline, number, by, context.waker().clone());
        self.timer = number.map(|number| (queue, number));
        if self.timer.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }

    fn take_out(&mut self) {
        let Deadline::At(deadline) = self.deadline else { return };
        if let Some((queue, number)) = self.timer.take() {
            queue.remove(deadline, number);
        }
    }
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
        hints::set_reason(WaitReason::Words("a time"));
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

/// Gives a future a time to be ready in, counted from this call.
///
/// If time is over first, the future is dropped as it is. A result that is there beats a time
/// that is over, also if that time is zero: the future is polled once at least.
///
/// ```
/// use std::time::Duration;
/// use handspun::{block_on, sleep, timeout};
///
/// let quick = block_on(timeout(Duration::from_secs(60), async { "done" }));
/// assert_eq!(quick, Ok("done"));
/// let slow = block_on(timeout(Duration::from_millis(1), sleep(Duration::from_secs(60))));
/// assert!(slow.is_err());
/// ```
///
/// A future that is dropped may not be done with all that it began: a job of a pool goes on, unless its handle
/// [cancels on drop](crate::JoinHandle::cancel_on_drop).
///
/// Several steps, one after the other, that have one deadline, each have what is left: `timeout(deadline - clock.now(), step)`.
///
/// Where timeouts are nested, the result says whose time was over: each adds a `Result` of its own. If
/// both are over at the same moment, the inner one says so.
///
/// A time that is over when it is first polled lets the other tasks be polled once, as a [`sleep`] does.
///
/// **Dropping it** drops the future.
///
/// # Errors
///
/// [`Elapsed`], with the time that was given.
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    within(sleep(duration), duration, future)
}

/// A future that has as long as a sleep takes.
pub(crate) async fn within<F: Future>(
    mut sleep: Sleep,
    timeout: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        forget_run_here_hint(); // A job that is run here, by the thread that waits for it, would not mind the time.
        if sleep.deadline == Deadline::Never {
            return Poll::Pending; // And what it waits for is what the future waits for.
        }
        Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed { timeout }))
    })
    .await
}

//! A time that a future has to be ready in.
//!
//! Knows nothing of what the future does. What must always hold: a result that is there beats a time
//! that is over; and of two timeouts, one around the other, that are over at the same moment, it is the
//! outer one that says so.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::error::Elapsed;

use super::clock::Clock;
use super::deadline::Deadline;
use super::help::forget_offer;
use super::inside;
use super::sleep::{Sleep, sleep};

/// Gives a future a time to be ready in, counted from this call.
///
/// If time is over first, the future is dropped where it stands. A result that is there beats a time
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
/// Where timeouts are nested, the result says whose time was over: each adds a `Result` of its own. If
/// both are over at the same moment, the outer one says so.
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

/// Gives a future until that time, of the [current](Clock::current) clock.
///
/// When to use it: several steps, one after the other, have one deadline. All else is as with [`timeout`].
///
/// # Errors
///
/// [`Elapsed`], with the time that was left at this call.
pub fn timeout_at<F: Future>(
    deadline: Instant,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let clock = Clock::current();
    let left = deadline.saturating_duration_since(clock.now());
    within(Sleep::on(&clock, Deadline::At(deadline)), left, future)
}

/// The time that is left to the code that asks, if a [`timeout`] is around it.
///
/// It is the least of all that are around it, and zero when that is over. When to use it: to give a
/// part of it to something that is not a future.
///
/// ```
/// use std::time::Duration;
/// use handspun::{block_on, remaining, timeout};
///
/// assert_eq!(remaining(), None);
/// let left = block_on(timeout(Duration::from_secs(60), async { remaining() }));
/// assert!(left.unwrap().unwrap() <= Duration::from_secs(60));
/// ```
#[doc(alias = "current_effective_deadline")]
pub fn remaining() -> Option<Duration> {
    match inside::limit() {
        Deadline::At(instant) => Some(instant.saturating_duration_since(Clock::current().now())),
        Deadline::Never => None,
    }
}

async fn within<F: Future>(
    mut sleep: Sleep,
    timeout: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let mine = sleep.deadline().map_or(Deadline::Never, Deadline::At);
        let entered = inside::enter_limit(mine);
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        let outer = entered.limit_before();
        drop(entered);
        forget_offer(); // A job that is run by whoever waits for it would not mind the time.
        let polled = Pin::new(&mut sleep).poll(context);
        if outer <= mine {
            return Poll::Pending; // Whoever is around this will say it, and in the same poll.
        }
        polled.map(|()| Err(Elapsed { timeout }))
    })
    .await
}

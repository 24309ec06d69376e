//! A time that a future has to be ready in.
//!
//! Knows nothing of what the future does. What must always hold: a result that is there beats a time
//! that is over; and a timeout that is pending will be polled when its time has come, whatever is around it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::error::Elapsed;

use super::clock::Clock;
use super::deadline::Deadline;
use super::help::forget_offer;
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

async fn within<F: Future>(
    mut sleep: Sleep,
    timeout: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        forget_offer(); // A job that is run here, by the thread that waits for it, would not mind the time.
        if sleep.deadline().is_none() {
            return Poll::Pending; // And what it waits for is what the future waits for.
        }
        Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed { timeout }))
    })
    .await
}

//! Waiting for a time: `sleep`, and `timeout` around any future.
//!
//! Knows nothing of who polls it: the timer is the clock's, and wakes whatever waker it was given. So
//! it works under `block_on` and under any executor.
//!
//! What must always hold: the deadline is fixed by the call, not by the first poll; a timer is set at
//! the first poll that finds it too early, and taken out when the future is dropped.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::Elapsed;

use super::clock::Clock;
use super::deadline::Deadline;
use super::help::forget_offer;
use super::tag::{self, Tag};
use super::timers::Key;

/// Waits until `duration` has passed, counted from this call.
///
/// It blocks nobody: a thread calls `std::thread::sleep`, or
/// [`CancellationToken::sleep`](crate::CancellationToken::sleep), which can be woken.
/// `Duration::MAX` means never.
///
/// ```
/// use std::time::{Duration, Instant};
/// use handspun::{block_on, sleep};
///
/// let began = Instant::now();
/// block_on(sleep(Duration::from_millis(5)));
/// assert!(began.elapsed() >= Duration::from_millis(5));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::on(&Clock::real(), Deadline::after(duration))
}

/// Waits until that time, of the real clock.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::on(&Clock::real(), Deadline::At(deadline))
}

/// Gives a future a time to be ready in, counted from this call.
///
/// If time is over first, the future is dropped where it stands. A result that is there beats a time
/// that is over.
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
/// # Errors
///
/// [`Elapsed`], with the time that was given.
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let sleep = sleep(duration);
    async move {
        let (mut future, mut sleep) = (pin!(future), sleep);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            forget_offer(); // A job that is run by whoever waits for it would not mind the time.
            Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed { timeout: duration }))
        })
        .await
    }
}

/// A time that is waited for; see [`sleep`].
#[derive(Debug)]
#[must_use = "nobody sleeps until this is awaited"]
pub struct Sleep {
    clock: Clock,
    deadline: Deadline,
    timer: Option<Key>,
}

impl Sleep {
    pub(crate) fn on(clock: &Clock, deadline: Deadline) -> Self {
        Self { clock: clock.clone(), deadline, timer: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Deadline::At(deadline) = self.deadline else { return Poll::Pending };
        if self.clock.now() >= deadline {
            return Poll::Ready(());
        }
        let waker = context.waker();
        let is_set = match self.timer {
            Some(timer) => self.clock.replace_waker(timer, waker.clone()),
            None => false,
        };
        if !is_set {
            self.timer = Some(self.clock.set_timer(deadline, waker.clone()));
        }
        if self.clock.now() >= deadline {
            // A clock that jumps may have jumped between the look and the timer.
            return Poll::Ready(());
        }
        tag::say(Tag::Words("a time"));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.clock.remove_timer(timer);
        }
    }
}

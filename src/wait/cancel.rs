//! Asking to stop: a token that is handed down, and heard wherever one waits or looks; and a handle that asks.
//!
//! Knows nothing of what is asked to stop. One token bounds everything that it is handed to: the
//! code that computes asks it, the code that waits is woken by it.
//!
//! What must always hold:
//!
//! 1. A token is cancelled once, for one reason, and stays so.
//! 2. A child's deadline is no later than its parent's.
//! 3. A deadline that is seen to be past cancels the token then and there, and so everything below; a request to cancel
//!    it that comes later comes too late.
//! 4. What a handle that cancels on drop stands for is cancelled on every way out, unless its result has been taken or
//!    the handle was taken out again.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::{CancelReason, Cancelled};

use super::block_on::{block_on, block_on_elsewhere};
use super::cancel_tree::Node;
use super::clock::{Clock, Deadline};
use super::hints::{self, WaitReason};
use super::permits::{Permit, Permits};
use super::time::{Sleep, within};
use super::wait_list::Key;

/// A way to ask running code to stop, and for that code to learn that it was asked.
///
/// When to use it: give it to whatever runs for long. The code that computes calls
/// [`check`](Self::check) now and then; a thread that pauses calls [`sleep`](Self::sleep); a task
/// awaits [`cancelled`](Self::cancelled). Nothing is stopped by force.
///
/// ```
/// use handspun::{CancellationToken, Cancelled, thread};
///
/// fn count_for_ever(token: &CancellationToken) -> Result<(), Cancelled> {
///     loop {
///         token.check()?;
///     }
/// }
///
/// let token = CancellationToken::new();
/// let counting = thread::spawn({
///     let token = token.clone();
///     move || count_for_ever(&token)
/// });
/// token.cancel();
/// assert!(counting.join()?.is_err());
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// Clones are the same token. A [`child`](Self::child) is cancelled with its parent, and by itself
/// without it; it may have a deadline of its own. To look at a token without a deadline is one read
/// of memory; with one, the clock is read too. **Dropping it** cancels nothing: see
/// [`drop_guard`](Self::drop_guard).
#[derive(Clone)]
pub struct CancellationToken(Arc<Node<TimeLimit>>);

/// By when a token is cancelled at the latest.
struct TimeLimit {
    clock: Clock,
    deadline: Deadline,
}

impl CancellationToken {
    /// A token of its own, without a deadline. Its clock is the [current](Clock::current) one.
    pub fn new() -> Self {
        Self::on(&Clock::current())
    }

    /// A token whose deadlines, and whose children's, are points on this clock.
    pub fn on(clock: &Clock) -> Self {
        Self(Node::root(TimeLimit { clock: clock.clone(), deadline: Deadline::Never }))
    }

    /// A token of its own that is cancelled after `timeout`.
    #[must_use = "a token that nobody holds cancels nothing"]
    pub fn with_timeout(timeout: Duration) -> Self {
        Self::new().child_with_timeout(timeout)
    }

    /// A token that is cancelled with this one, and can be cancelled without it.
    #[must_use = "a token that nobody holds cancels nothing"]
    pub fn child(&self) -> Self {
        self.child_until(Deadline::Never)
    }

    /// A child that is also cancelled after `timeout`, unless this token's own deadline is earlier.
    #[must_use = "a token that nobody holds cancels nothing"]
    pub fn child_with_timeout(&self, timeout: Duration) -> Self {
        self.child_until(Deadline::later(self.clock().now(), timeout))
    }

    fn child_until(&self, deadline: Deadline) -> Self {
        let ours = &self.0.data;
        let (clock, deadline) = (ours.clock.clone(), deadline.min(ours.deadline));
        Self(self.0.child(TimeLimit { clock, deadline }))
    }

    /// Cancels this token and its children; false if it was cancelled already.
    ///
    /// Every waiter for it is woken before this returns.
    pub fn cancel(&self) -> bool {
        self.cancel_for(CancelReason::Requested)
    }

    /// The same, with words for a caller of [`reason`](Self::reason).
    pub fn cancel_because(&self, why: impl Into<Arc<str>>) -> bool {
        self.cancel_for(CancelReason::Because(why.into()))
    }

    fn cancel_for(&self, reason: CancelReason) -> bool {
        !self.has_run_out() && self.0.cancel(&reason)
    }

    /// Whether it has been cancelled, or its deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.0.reason().is_some() || self.has_run_out()
    }

    /// Goes on with `?` if this token is not cancelled.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], with the reason.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.reason().map_or(Ok(()), |reason| Err(Cancelled { reason }))
    }

    /// Why it has been cancelled, if it has.
    pub fn reason(&self) -> Option<CancelReason> {
        if self.is_cancelled() { self.0.reason().cloned() } else { None }
    }

    /// The time at which it is cancelled at the latest, if there is one.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.data.deadline.instant()
    }

    /// The time that is left, if there is a deadline; zero when it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline()?.saturating_duration_since(self.clock().now()))
    }

    /// Waits until it is cancelled, to be awaited; at once if it is. Gives the reason.
    ///
    /// It needs no executor of ours. Dropping it ends the wait and changes nothing.
    ///
    /// ```
    /// use handspun::{CancelReason, CancellationToken, block_on, thread};
    ///
    /// let token = CancellationToken::new();
    /// let canceller = thread::spawn({
    ///     let token = token.clone();
    ///     move || token.cancel_because("lunch")
    /// });
    /// assert_eq!(block_on(token.cancelled()), CancelReason::Because("lunch".into()));
    /// # canceller.join().unwrap();
    /// ```
    pub fn cancelled(&self) -> WaitForCancel {
        let TimeLimit { clock, deadline } = &self.0.data;
        WaitForCancel { token: self.clone(), key: None, sleep: Sleep::on(clock, *deadline) }
    }

    /// Blocks this thread for `duration`, or until the token is cancelled.
    ///
    /// # Errors
    ///
    /// [`Cancelled`], as soon as it is, with the reason.
    #[doc(alias = "Timer")]
    pub fn sleep(&self, duration: Duration) -> Result<(), Cancelled> {
        let until = Deadline::later(self.clock().now(), duration);
        let sleep = Sleep::on(self.clock(), until);
        let slept = block_on(within(sleep, duration, self.cancelled()));
        slept.map_or(Ok(()), |reason| Err(Cancelled { reason }))
    }

    /// Something whose drop cancels this token, on whatever way out of a scope.
    ///
    /// ```
    /// use handspun::CancellationToken;
    ///
    /// let token = CancellationToken::new();
    /// {
    ///     let _guard = token.drop_guard();
    ///     assert!(!token.is_cancelled());
    /// }
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(&self) -> CancelOnDrop<Self> {
        CancelOnDrop::new(self.clone(), |token| _ = token.cancel())
    }

    fn clock(&self) -> &Clock {
        &self.0.data.clock
    }

    /// Whether the time is over. Then it is cancelled, if it is not already.
    fn has_run_out(&self) -> bool {
        let TimeLimit { clock, deadline } = &self.0.data;
        let is_over = matches!(deadline, Deadline::At(deadline) if clock.now() >= *deadline);
        if is_over {
            self.0.cancel(&CancelReason::DeadlinePassed);
        }
        is_over
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            None => f.write_str("CancellationToken(not cancelled)"),
            Some(reason) => write!(f, "CancellationToken(cancelled: {reason})"),
        }
    }
}

/// A wait for a token to be cancelled; see [`CancellationToken::cancelled`].
#[derive(Debug)]
#[must_use = "nobody waits until this is awaited"]
pub struct WaitForCancel {
    token: CancellationToken,
    key: Option<Key>,
    /// Until the token's deadline.
    sleep: Sleep,
}

impl Future for WaitForCancel {
    type Output = CancelReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CancelReason> {
        if !self.token.has_run_out() && Pin::new(&mut self.sleep).poll(context).is_ready() {
            self.token.has_run_out();
        }
        let Self { token, key, sleep: _ } = &mut *self;
        let polled = token.0.poll(key, context);
        if polled.is_pending() {
            hints::set_reason(WaitReason::Words("a token to be cancelled"));
        }
        polled
    }
}

impl Drop for WaitForCancel {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.token.0.leave(key);
        }
    }
}

/// A handle whose drop cancels what it stands for.
///
/// See [`JoinHandle::cancel_on_drop`](crate::JoinHandle::cancel_on_drop),
/// [`Task::cancel_on_drop`](crate::Task::cancel_on_drop) and [`CancellationToken::drop_guard`]. It is a future, as the
/// handle of a job or a task is. For all else, [take the handle out](Self::into_handle) again.
#[must_use = "dropping it cancels what it stands for"]
pub struct CancelOnDrop<H> {
    /// `None` once it has been taken out.
    handle: Option<H>,
    cancel: fn(&H),
}

impl<H> CancelOnDrop<H> {
    pub(crate) fn new(handle: H, cancel: fn(&H)) -> Self {
        Self { handle: Some(handle), cancel }
    }

    /// The handle, which cancels nothing when it is dropped.
    pub fn into_handle(mut self) -> H {
        self.handle.take().expect("only this takes it, and takes `self` too")
    }
}

impl<H: Future + Unpin> Future for CancelOnDrop<H> {
    type Output = H::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<H::Output> {
        let handle = self.handle.as_mut().expect("it is there until `self` is taken");
        Pin::new(handle).poll(context)
    }
}

impl<H: fmt::Debug> fmt::Debug for CancelOnDrop<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.handle).finish()
    }
}

impl<H> Drop for CancelOnDrop<H> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            (self.cancel)(handle);
        }
    }
}

/// Blocks this thread until it has a permit.
///
/// # Errors
///
/// Why it has none: the token is cancelled; or, without a reason, there will be no more permits.
pub(crate) fn wait_for_permit<'p>(
    permits: &'p Permits,
    what: &'static str,
    token: Option<&CancellationToken>,
    spin_limit: Duration,
) -> Result<Permit<'p>, Option<CancelReason>> {
    let mut permit = permits.acquire(1, what);
    let mut cancelled = token.map(CancellationToken::cancelled);
    let ended = pin!(poll_fn(|context| {
        let ended = cancelled.as_mut().map(|cancelled| Pin::new(cancelled).poll(context));
        if let Some(Poll::Ready(reason)) = ended {
            return Poll::Ready(Err(Some(reason)));
        }
        Pin::new(&mut permit).poll(context).map(|permit| permit.map_err(|_| None))
    }));
    block_on_elsewhere(ended, Deadline::Never, spin_limit).expect("never has not passed")
}

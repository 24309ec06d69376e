//! A semaphore: so many at once, and the others wait their turn.
//!
//! Knows nothing of what its permits allow. The counting and the line are those of `permits`; here
//! is the lock around them, the guard, and the future that waits.
//!
//! What must always hold: every permit is free, promised to one waiter, or in one guard, unless it
//! was forgotten.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::prims::Mutex;
use crate::wait::tag::{self, Tag};
use crate::wait::wait_list::Key;

use super::error::{Closed, TryAcquireError};
use super::permits::Permits;
use super::to_wake::{locked, poll_locked};

/// Lets so many go on at once, and the others wait their turn.
///
/// When to use it: something stands only so much at once, such as a server ten connections. With one
/// permit it is a mutex that may be held across an `.await`. A task awaits it, on any executor; a
/// thread calls `block_on(semaphore.acquire())`.
///
/// **Fair**: a permit that comes back is handed to whoever has waited longest. It is not free in
/// between, so neither a newcomer nor [`try_acquire`](Self::try_acquire) overtakes those who wait.
///
/// ```
/// use std::sync::Arc;
/// use handspun::{Semaphore, ThreadPool, block_on};
///
/// let pool = ThreadPool::new(4);
/// let doors = Arc::new(Semaphore::new(2)); // four threads, and two of them inside at most
/// let jobs: Vec<_> = (0..10)
///     .map(|_| {
///         let doors = doors.clone();
///         pool.submit(move || block_on(doors.acquire()).map(|_permit| doors.available()))
///     })
///     .collect();
/// for job in jobs {
///     assert!(job.join()?? < 2);
/// }
/// assert_eq!(doors.available(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Cancelling**: a future that is dropped while it waits leaves the line. If it had been given
/// permits and did not know yet, they go to the next in line.
#[doc(alias = "BoundedSemaphore")]
#[doc(alias = "Lock")]
#[doc(alias = "Mutex")]
#[doc(alias = "CapacityLimiter")]
pub struct Semaphore(Mutex<State>);

struct State {
    permits: Permits,
    /// Free, promised or out. It says whether somebody asks for more than there are.
    n_in_all: usize,
}

impl Semaphore {
    /// A semaphore with so many permits, all free. It may be none: see [`add_permits`](Self::add_permits).
    pub fn new(permits: usize) -> Self {
        Self(Mutex::new(State { permits: Permits::new(permits), n_in_all: permits }))
    }

    /// One permit, as soon as there is one for us. Dropping the permit gives it back.
    ///
    /// # Errors
    ///
    /// [`Closed`], if the semaphore is closed, or is closed while this waits.
    pub fn acquire(&self) -> impl Future<Output = Result<Permit<'_>, Closed>> + Unpin {
        self.acquire_many(1)
    }

    /// `n` permits at once, as soon as there are so many for us. For none it does not wait.
    ///
    /// It is not starved by those who want fewer: once it is first in line, what comes back is kept
    /// for it, and nobody gets any before it. It holds none while it waits, so two of these cannot each
    /// have half of what they need.
    ///
    /// If the semaphore has fewer than `n` in all, this waits until somebody [adds](Self::add_permits)
    /// the rest, and so does everybody behind it.
    ///
    /// ```
    /// use handspun::{Semaphore, block_on};
    ///
    /// let memory = Semaphore::new(100);
    /// let most = block_on(memory.acquire_many(90))?;
    /// assert_eq!(memory.available(), 10);
    /// drop(most);
    /// assert_eq!(memory.available(), 100);
    /// # Ok::<(), handspun::Closed>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], as for [`acquire`](Self::acquire).
    pub fn acquire_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<Permit<'_>, Closed>> + Unpin {
        WaitForPermits { semaphore: Holder::Borrowed(self), n, key: None }
    }

    /// The same as [`acquire`](Self::acquire), but the permit may go anywhere: it shares the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use handspun::{Semaphore, ThreadPool, block_on};
    ///
    /// let (pool, slots) = (ThreadPool::new(2), Arc::new(Semaphore::new(1)));
    /// let permit = block_on(slots.acquire_owned())?;
    /// let job = pool.submit(move || drop(permit)); // it is taken here, and given back there
    /// job.join()?;
    /// assert_eq!(slots.available(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], as for [`acquire`](Self::acquire).
    pub fn acquire_owned(
        self: &Arc<Self>,
    ) -> impl Future<Output = Result<Permit<'static>, Closed>> + Unpin + use<> {
        WaitForPermits { semaphore: Holder::Shared(self.clone()), n: 1, key: None }
    }

    /// One permit, if one is free and nobody waits for it.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError`] says whether it is worth another try.
    #[doc(alias = "try_lock")]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_take(1).map(|()| Permit { semaphore: Holder::Borrowed(self), n: 1 })
    }

    /// The same as [`try_acquire`](Self::try_acquire), but the permit may go anywhere.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError`], as there.
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<Permit<'static>, TryAcquireError> {
        self.try_take(1).map(|()| Permit { semaphore: Holder::Shared(self.clone()), n: 1 })
    }

    /// Makes `n` new permits. Those who wait have them first.
    ///
    /// To take some away, acquire them and [forget](Permit::forget) them.
    ///
    /// # Panics
    ///
    /// If there were more than `usize::MAX` then.
    #[doc(alias = "release")]
    pub fn add_permits(&self, n: usize) {
        let is_added = locked(&self.0, |state, to_wake| {
            let n_in_all = state.n_in_all.checked_add(n)?;
            state.n_in_all = n_in_all;
            state.permits.give(n, to_wake);
            Some(())
        });
        assert!(is_added.is_some(), "a semaphore cannot have more than `usize::MAX` permits");
    }

    /// Lets nobody in any more: whoever waits, or comes later, has [`Closed`] for an answer.
    ///
    /// Permits that are out stay good, and are given back without ado.
    pub fn close(&self) {
        locked(&self.0, |state, to_wake| state.permits.close(to_wake));
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.0.lock().permits.is_closed()
    }

    /// How many permits are free. None, once the semaphore is closed.
    ///
    /// While somebody waits for many, some may be free and yet not to be had.
    #[doc(alias = "locked")]
    pub fn available(&self) -> usize {
        let state = self.0.lock();
        if state.permits.is_closed() { 0 } else { state.permits.n_free() }
    }

    fn try_take(&self, n: usize) -> Result<(), TryAcquireError> {
        let mut state = self.0.lock();
        if state.permits.is_closed() {
            Err(TryAcquireError::Closed)
        } else if state.permits.try_take(n) {
            Ok(())
        } else {
            Err(TryAcquireError::NoPermits)
        }
    }

    fn poll_take(
        &self,
        n: usize,
        key: &mut Option<Key>,
        context: &Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        let mut are_so_many = true;
        let polled = poll_locked(&self.0, context, |state, to_wake| {
            are_so_many = n <= state.n_in_all;
            state.permits.poll(n, key, to_wake)
        });
        if polled.is_pending() {
            tag::say(Tag::Words(match are_so_many {
                true => "a permit of a semaphore",
                false => "more permits than its semaphore has",
            }));
        }
        polled
    }

    fn give_back(&self, n: usize) {
        locked(&self.0, |state, to_wake| state.permits.give(n, to_wake));
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The right to go on, until it is dropped; see [`Semaphore`].
///
/// One that was acquired with `acquire_owned` is a `Permit<'static>`. A panic drops it like anything
/// else, and so gives it back.
#[must_use = "dropping it at once gives it back at once"]
pub struct Permit<'s> {
    semaphore: Holder<'s>,
    n: usize,
}

impl Permit<'_> {
    /// Ends the permit without giving it back: the semaphore has fewer for good.
    ///
    /// ```
    /// use handspun::Semaphore;
    ///
    /// let tickets = Semaphore::new(2);
    /// tickets.try_acquire()?.forget();
    /// assert_eq!(tickets.available(), 1);
    /// # Ok::<(), handspun::TryAcquireError>(())
    /// ```
    pub fn forget(mut self) {
        let n = std::mem::take(&mut self.n);
        self.semaphore.0.lock().n_in_all -= n;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.semaphore.give_back(self.n);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("n", &self.n).finish_non_exhaustive()
    }
}

/// How a permit, or a wait for one, knows its semaphore.
#[derive(Clone)]
enum Holder<'s> {
    Borrowed(&'s Semaphore),
    Shared(Arc<Semaphore>),
}

impl Deref for Holder<'_> {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        match self {
            Self::Borrowed(semaphore) => semaphore,
            Self::Shared(semaphore) => semaphore,
        }
    }
}

/// Waits for `n` permits.
#[must_use = "nobody stands in line until this is awaited"]
struct WaitForPermits<'s> {
    semaphore: Holder<'s>,
    n: usize,
    /// Our place in the line, once we stand there.
    key: Option<Key>,
}

impl<'s> Future for WaitForPermits<'s> {
    type Output = Result<Permit<'s>, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { semaphore, n, key } = &mut *self;
        let polled = semaphore.poll_take(*n, key, context);
        polled.map_ok(|()| Permit { semaphore: semaphore.clone(), n: *n })
    }
}

impl Drop for WaitForPermits<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(&self.semaphore.0, |state, to_wake| state.permits.leave(self.n, key, to_wake));
        }
    }
}

//! A semaphore: so many at once, and the others wait their turn.
//!
//! Knows nothing of what its permits allow. The count and the line are those of `wait::permits`, which
//! whatever has a limit waits in; here are the names for users of the crate.
//!
//! What must always hold: every permit is free, promised to one waiter, or in one guard, unless it
//! was forgotten.

use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::{Closed, TryError};
use crate::wait::permits::{self, Count, Permits};

/// Lets so many go on at once, and the others wait their turn.
///
/// When to use it: something can handle only so much at once, such as a server ten connections. With one
/// permit it is a mutex that may be held across an `.await`. A task awaits it, on any executor; a
/// thread calls `block_on(semaphore.acquire())`.
///
/// **Fair**: a permit that comes back is handed to the waiter that has waited longest. It is not free in
/// between, so neither a newcomer nor [`try_acquire`](Self::try_acquire) overtakes a waiter.
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
pub struct Semaphore(Permits);

impl Semaphore {
    /// A semaphore with so many permits, all free. It may be none: see [`add_permits`](Self::add_permits).
    pub fn new(permits: usize) -> Self {
        Self(Permits::new(permits))
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
    /// It is not starved by those that want fewer: once it is first in line, what comes back is kept
    /// for it, and no other gets any before it. It holds none while it waits, so two of these cannot each
    /// have half of what they need.
    ///
    /// If the semaphore has fewer than `n` in all, this waits until the rest is
    /// [added](Self::add_permits), and so does every waiter behind it.
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
        acquire(Holder::Borrowed(self), n)
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
        acquire(Holder::Shared(self.clone()), 1)
    }

    /// One permit, if one is free and no waiter is there for it.
    ///
    /// # Errors
    ///
    /// [`TryError`] says whether it is worth another try.
    #[doc(alias = "try_lock")]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryError> {
        permits::try_acquire(Holder::Borrowed(self), 1).map(Permit)
    }

    /// The same as [`try_acquire`](Self::try_acquire), but the permit may go anywhere.
    ///
    /// # Errors
    ///
    /// [`TryError`], as there.
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<Permit<'static>, TryError> {
        permits::try_acquire(Holder::Shared(self.clone()), 1).map(Permit)
    }

    /// Makes `n` new permits. The waiters have them first.
    ///
    /// To take some away, acquire them and [forget](Permit::forget) them.
    ///
    /// # Panics
    ///
    /// If there were more than `usize::MAX` then.
    #[doc(alias = "release")]
    pub fn add_permits(&self, n: usize) {
        let is_added = self.0.with(|count, wakers| count.add(n, wakers));
        assert!(is_added.is_some(), "a semaphore cannot have more than `usize::MAX` permits");
    }

    /// Gives no more permits: a waiter, and one that comes later, has [`Closed`] for an answer.
    ///
    /// Permits that are out stay good, and are given back as usual.
    pub fn close(&self) {
        self.0.with(Count::close);
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.0.with(|count, _| count.is_closed())
    }

    /// How many permits are free. None, once the semaphore is closed.
    ///
    /// While a waiter needs many, some may be free and yet not to be had.
    #[doc(alias = "locked")]
    pub fn available(&self) -> usize {
        self.0.n_free()
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
pub struct Permit<'s>(permits::Permit<Holder<'s>>);

impl Permit<'_> {
    /// Ends the permit without giving it back: the semaphore has fewer for good.
    ///
    /// ```
    /// use handspun::Semaphore;
    ///
    /// let tickets = Semaphore::new(2);
    /// tickets.try_acquire()?.forget();
    /// assert_eq!(tickets.available(), 1);
    /// # Ok::<(), handspun::TryError>(())
    /// ```
    pub fn forget(self) {
        self.0.forget();
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("n", &self.0.n()).finish_non_exhaustive()
    }
}

/// How a guard, or a wait for one, knows what it is of.
#[derive(Clone)]
enum Holder<'s> {
    Borrowed(&'s Semaphore),
    Shared(Arc<Semaphore>),
}

impl Deref for Holder<'_> {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        match self {
            Self::Borrowed(semaphore) => &semaphore.0,
            Self::Shared(semaphore) => &semaphore.0,
        }
    }
}

fn acquire<'s>(
    semaphore: Holder<'s>,
    n: usize,
) -> impl Future<Output = Result<Permit<'s>, Closed>> + Unpin {
    let mut waiting = permits::acquire(semaphore, n, "a permit of a semaphore");
    poll_fn(move |context| Pin::new(&mut waiting).poll(context).map_ok(Permit))
}

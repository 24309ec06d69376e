//! A semaphore: so many at once, and the others wait their turn.
//!
//! Knows nothing of what its permits allow. The count and the line are those of `wait::permits`, which
//! whatever has a limit waits in; here are the names for users of the crate.
//!
//! What must always hold: every permit is free, promised to one waiter, or in one guard, unless it
//! was forgotten.

use std::fmt;

use crate::error::{Closed, TryError};
use crate::wait::permits::{Count, Permit, Permits};

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
        self.0.acquire(n, "a permit of a semaphore")
    }

    /// One permit, if one is free and no waiter is there for it.
    ///
    /// # Errors
    ///
    /// [`TryError`] says whether it is worth another try.
    #[doc(alias = "try_lock")]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryError> {
        self.0.try_acquire(1)
    }

    /// Makes `n` new permits. The waiters have them first.
    ///
    /// To take some away, acquire them and [forget](Permit::forget) them. There are never more than `usize::MAX`.
    #[doc(alias = "release")]
    pub fn add_permits(&self, n: usize) {
        self.0.with(|count, wakers| count.add(n, wakers));
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

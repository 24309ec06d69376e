//! An item of a queue, which counts as unfinished until it is dropped, and the wait for the last one.
//!
//! Knows nothing of the queue, nor of what the items are. What must always hold:
//!
//! 1. An item is counted while it exists, wherever it is: queued, got and kept, or being
//!    dropped by a panic. There is no call that could be forgotten.
//! 2. A waiter for the count to be zero is told when it is, even if more is put once the drop of
//!    the last one has ended.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use crate::prims::{AtomicUsize, Ordering};
use crate::wait::permits::Permits;

use Ordering::{Acquire, Relaxed, Release};

/// What was got from a queue. **Dropping it says that it is done.**
///
/// It is there like the value itself, through `Deref`. Keep it until the work on it is finished, so
/// that [`Queue::join`](crate::Queue::join) waits for the work; a panic or a cancelled task drops it
/// too, and so no `join` waits for ever for what will not be done.
///
/// ```
/// use handspun::{Queue, block_on};
///
/// let queue = Queue::unbounded();
/// queue.try_put(String::from("a letter")).unwrap();
/// let letter = queue.try_get().unwrap();
/// assert_eq!((letter.len(), queue.len(), queue.unfinished()), (8, 0, 1));
/// drop(letter);
/// block_on(queue.join()); // Nothing is unfinished.
/// ```
/// It borrows the queue, as it was got from there by `&`. To send it elsewhere, make it an
/// [owned](Self::into_owned) one.
#[doc(alias = "task_done")]
#[must_use = "dropping it says that it is done"]
pub struct Item<'q, T> {
    value: T,
    /// Below the value: what is done is done once that is dropped.
    counted: CountedItem<'q>,
}

impl<'q, T> Item<'q, T> {
    /// An item that is counted already.
    pub(super) fn new(value: T, unfinished: &'q Arc<UnfinishedItems>) -> Self {
        Self { value, counted: CountedItem(Cow::Borrowed(unfinished)) }
    }

    /// The same item, which may go anywhere: it shares what it is counted with.
    ///
    /// ```
    /// use handspun::{Queue, ThreadPool, block_on};
    ///
    /// let (pool, queue) = (ThreadPool::new(1), Queue::unbounded());
    /// queue.try_put(String::from("a letter"))?;
    /// let letter = queue.try_get()?.into_owned();
    /// let job = pool.submit(move || letter.len());
    /// block_on(queue.join()); // until the job has dropped the letter
    /// assert_eq!(job.join()?, 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_owned(self) -> Item<'static, T> {
        let unfinished = Arc::clone(&self.counted.0);
        unfinished.add_one(); // And one fewer when `self` goes: it is never done in between.
        Item { value: self.value, counted: CountedItem(Cow::Owned(unfinished)) }
    }

    /// The value alone. From now on it counts as done, whatever is still to be done with it.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Item<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Item<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Item<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Item").field(&self.value).finish()
    }
}

/// How many items of one queue exist, and the waiters until there are none.
pub(super) struct UnfinishedItems {
    n: AtomicUsize,
    /// There is none, except for a moment when the last item is done.
    ended: Permits,
}

impl UnfinishedItems {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { n: AtomicUsize::new(0), ended: Permits::new(0) })
    }

    pub(super) fn n(&self) -> usize {
        // ORDERING: Acquire. Pairs with the Release in the drop of `Counted`: a reader that sees none
        // sees what was done with each of them.
        self.n.load(Acquire)
    }

    /// One more is put.
    #[inline]
    pub(super) fn add_one(&self) {
        self.n.fetch_add(1, Relaxed); // ORDERING: Relaxed. What is new carries no news.
    }

    /// Waits until there are none.
    pub(super) fn join(&self) -> impl Future<Output = ()> + Unpin {
        let mut ended = self.ended.acquire(1, "the items of a queue to be done");
        poll_fn(move |context| {
            // We look when we are in line: what is the last after that finds us there.
            let is_told = Pin::new(&mut ended).poll(context).is_ready();
            if is_told || self.n() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// The last item is done.
    #[cold]
    fn tell(&self) {
        self.ended.with(|count, wakers| {
            // If there are some again, a waiter may have come after them, and goes on waiting.
            if self.n() == 0 {
                count.set_limit(usize::MAX, wakers);
                count.set_limit(0, wakers);
            }
        });
    }
}

/// One of those that are counted, for as long as this exists.
struct CountedItem<'q>(Cow<'q, Arc<UnfinishedItems>>);

impl Drop for CountedItem<'_> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release. Pairs with the Acquire in `n`.
        if self.0.n.fetch_sub(1, Release) == 1 {
            self.0.tell();
        }
    }
}

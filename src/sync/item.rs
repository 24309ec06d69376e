//! An item of a queue, which counts as unfinished until it is dropped, and the wait for the last one.
//!
//! Knows nothing of the queue, nor of what the items are. What must always hold:
//!
//! 1. An item is counted while it exists, wherever it is: queued, got and kept, or being
//!    dropped by a panic. There is no call that could be forgotten.
//! 2. A waiter for the count to be zero is told when it is, even if more is put once the drop of
//!    the last one has ended.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::prims::{AtomicUsize, Mutex, Ordering};
use crate::wait::hints::WaitReason;
use crate::wait::wait_list::{WaitList, locked};

use super::event::Wait;

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
    counted: Counted<'q>,
}

impl<'q, T> Item<'q, T> {
    /// An item that is counted already.
    pub(super) fn new(value: T, unfinished: &'q Arc<Unfinished>) -> Self {
        Self { value, counted: Counted::Borrowed(unfinished) }
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
        let unfinished = self.counted.unfinished().clone();
        unfinished.add_one(); // And one fewer when `self` goes: it is never done in between.
        Item { value: self.value, counted: Counted::Owned(unfinished) }
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
pub(super) struct Unfinished {
    n: AtomicUsize,
    line: Mutex<WaitList>,
}

impl Unfinished {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { n: AtomicUsize::new(0), line: Mutex::default() })
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
    pub(super) fn join(self: &Arc<Self>) -> impl Future<Output = ()> + Unpin {
        let reason = WaitReason::Ask(self.clone());
        Wait { line: &self.line, is_so: || self.n() == 0, reason, key: None }
    }

    /// The last item is done.
    #[cold]
    fn tell(&self) {
        locked(&self.line, |line, wakers| {
            // If there are some again, a waiter may have come after them, and goes on waiting.
            if self.n() == 0 {
                wakers.wake_all(line);
            }
        });
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n() {
            1 => f.write_str("a queue with 1 item unfinished"),
            n => write!(f, "a queue with {n} items unfinished"),
        }
    }
}

/// One of those that are counted, for as long as this exists.
enum Counted<'q> {
    Borrowed(&'q Arc<Unfinished>),
    Owned(Arc<Unfinished>),
}

impl Counted<'_> {
    fn unfinished(&self) -> &Arc<Unfinished> {
        match self {
            Self::Borrowed(unfinished) => unfinished,
            Self::Owned(unfinished) => unfinished,
        }
    }
}

impl Drop for Counted<'_> {
    #[inline]
    fn drop(&mut self) {
        let unfinished = self.unfinished();
        // ORDERING: Release. Pairs with the Acquire in `n`.
        if unfinished.n.fetch_sub(1, Release) == 1 {
            unfinished.tell();
        }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_items_says_how_many_are_unfinished() {
        let unfinished = Unfinished::new();
        let tag = WaitReason::Ask(unfinished.clone());
        let mut items = Vec::from([1, 2, 3].map(|n| {
            unfinished.add_one();
            Item::new(n, &unfinished)
        }));
        assert_eq!(tag.to_string(), "a queue with 3 items unfinished");
        items.truncate(1);
        assert_eq!(tag.to_string(), "a queue with 1 item unfinished");
        drop(items);
        assert_eq!(unfinished.n(), 0);
    }
}

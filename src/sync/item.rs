//! An item of a queue, which counts as unfinished until it is dropped, and the wait for the last one.
//!
//! Knows nothing of the queue, nor of what the items are. What must always hold:
//!
//! 1. An item is counted while it exists, wherever it is: queued, in somebody's hands, or being
//!    dropped by a panic. There is no call that could be forgotten.
//! 2. Whoever waits for the count to be zero is told at the moment when it is, even if more is put
//!    right afterwards.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::prims::Mutex;
use crate::wait::tag::Describe;

use super::flag::{Flag, Wait};
use super::to_wake::locked;

/// What was got from a queue. **Dropping it says that it is done.**
///
/// It is there like the value itself, through `Deref`. Keep it until the work on it is finished, so
/// that [`Queue::join`](crate::Queue::join) waits for the work; a panic or a cancelled task drops it
/// too, and so nobody waits for ever for what will not be done.
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
#[doc(alias = "task_done")]
#[must_use = "dropping it says that it is done"]
pub struct Item<T> {
    value: T,
    /// Below the value: what is done is done once that is dropped.
    _counted: Counted,
}

impl<T> Item<T> {
    pub(super) fn new(value: T, unfinished: &Arc<Unfinished>) -> Self {
        Self { value, _counted: Counted::new(unfinished) }
    }

    /// The value alone. From now on it counts as done, whatever is still to be done with it.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Item<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Item<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Item<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Item").field(&self.value).finish()
    }
}

/// How many items of one queue exist, and whether there are none.
pub(super) struct Unfinished {
    n: Mutex<usize>,
    /// Set and cleared under the lock of the count.
    is_none: Flag,
}

impl Unfinished {
    pub(super) fn new() -> Arc<Self> {
        let is_none = Flag::new();
        is_none.set();
        Arc::new(Self { n: Mutex::new(0), is_none })
    }

    pub(super) fn n(&self) -> usize {
        *self.n.lock()
    }

    /// Waits until there are none.
    pub(super) fn join(self: &Arc<Self>) -> Wait<'_> {
        self.is_none.wait_for(self.clone())
    }
}

impl Describe for Unfinished {
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n() {
            1 => f.write_str("a queue with 1 item unfinished"),
            n => write!(f, "a queue with {n} items unfinished"),
        }
    }
}

/// One more, for as long as this exists.
struct Counted(Arc<Unfinished>);

impl Counted {
    fn new(unfinished: &Arc<Unfinished>) -> Self {
        let mut n = unfinished.n.lock();
        *n += 1;
        if *n == 1 {
            unfinished.is_none.clear();
        }
        drop(n);
        Self(unfinished.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Unfinished { n, is_none } = &*self.0;
        locked(n, |n, to_wake| {
            *n -= 1;
            if *n == 0 {
                is_none.set_under_lock(to_wake);
            }
        });
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::wait::tag::Tag;

    #[test]
    fn a_wait_for_items_says_how_many_are_unfinished() {
        let unfinished = Unfinished::new();
        let tag = Tag::Ask(unfinished.clone());
        let mut items = Vec::from([1, 2, 3].map(|n| Item::new(n, &unfinished)));
        assert_eq!(tag.to_string(), "a queue with 3 items unfinished");
        items.truncate(1);
        assert_eq!(tag.to_string(), "a queue with 1 item unfinished");
        drop(items);
        assert_eq!(unfinished.n(), 0);
    }
}

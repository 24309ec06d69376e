//! An ordered map over the workers: a line of handles, as long as the window.
//!
//! Knows nothing of how jobs are run or waited for. What must always hold: results come in the order
//! of the inputs, one for each; and no more inputs are taken than the window has room for.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Fuse;
use std::panic::Location;
use std::sync::Arc;

use crate::error::JoinError;

use super::handle::JoinHandle;
use super::thread_pool::ThreadPool;

/// How many jobs there are ahead of the reader, for each thread. Enough to keep the workers busy
/// while the reader deals with one result, and few enough to bound what is held.
const AHEAD_PER_THREAD: usize = 8;

impl ThreadPool {
    /// Calls `f` for every input on the workers, and yields the results in order.
    ///
    /// When to use it: the same work on many inputs. It is a lazy iterator: nothing happens before
    /// the first `next`, and from then on there are at most eight jobs per thread ahead of you, be
    /// the inputs as many as they may.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(2);
    /// let lengths: Result<Vec<_>, _> = pool.map(["one", "three"], str::len).collect();
    /// assert_eq!(lengths?, [3, 5]);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A call that panicked is an `Err` in its place; the results of the others follow. After a
    /// shutdown, what had not begun is an `Err` too, and nothing is left out.
    ///
    /// **Dropping it** cancels what is queued and detaches what is running.
    ///
    /// **On a worker** of this pool, a result that nobody has begun is worked out right here: see
    /// [take-back](JoinHandle).
    #[track_caller]
    pub fn map<I, F, R>(&self, inputs: I, f: F) -> Map<'_, I::IntoIter, F, R>
    where
        I: IntoIterator,
        I::Item: Send + 'static,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Map {
            pool: self,
            inputs: inputs.into_iter().fuse(),
            f: Arc::new(f),
            window: VecDeque::new(),
            submitted_at: Location::caller(),
        }
    }
}

/// The results of an ordered map; see [`ThreadPool::map`].
#[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
pub struct Map<'pool, I, F, R> {
    pool: &'pool ThreadPool,
    inputs: Fuse<I>,
    f: Arc<F>,
    /// The jobs that are ahead of the reader, in the order of their inputs.
    window: VecDeque<JoinHandle<R>>,
    submitted_at: &'static Location<'static>,
}

impl<I, F, R> Iterator for Map<'_, I, F, R>
where
    I: Iterator,
    I::Item: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
    type Item = Result<R, JoinError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.window.len() < AHEAD_PER_THREAD.saturating_mul(self.pool.threads()) {
            let Some(input) = self.inputs.next() else { break };
            let f = self.f.clone();
            self.window.push_back(self.pool.submit_from(self.submitted_at, move || f(input)));
        }
        Some(self.window.pop_front()?.join())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inputs.size_hint();
        let ahead = self.window.len();
        (least.saturating_add(ahead), most.and_then(|most| most.checked_add(ahead)))
    }
}

impl<I, F, R> Drop for Map<'_, I, F, R> {
    fn drop(&mut self) {
        for handle in &self.window {
            handle.cancel();
        }
    }
}

impl<I, F, R> fmt::Debug for Map<'_, I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("ahead", &self.window.len()).finish_non_exhaustive()
    }
}

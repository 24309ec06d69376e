//! A function over a slice, on the calling thread and on the workers that have nothing else to do.
//!
//! Knows nothing of workers. A thread takes item after item of its part, and looks now and then whether a worker has
//! nothing to do: then it forks, and lends the second half of what is left. What must always hold: every item is in
//! the part of one thread, and the results of a half that was lent go behind those of the first half.

use std::mem;
use std::panic::Location;

use crate::panic::{self, Each};
use crate::prims::{AtomicBool, Ordering};

use super::thread_pool::ThreadPool;

use Ordering::Relaxed;

/// How many items are done between two looks, at most. A look costs about a nanosecond.
const BEFORE_A_LOOK: usize = 16;

impl ThreadPool {
    /// Calls `f` for every item of a slice, on all threads, and returns the results in order.
    ///
    /// When to use it: the items and what `f` captures are borrowed, and all results are wanted
    /// before anything goes on. For results as they come, or inputs without an end, there is
    /// [`map`](Self::map). The calling thread takes part, so that a worker may call it, on a pool of
    /// any size, and one item or none is never sent anywhere. A worker that has nothing to do gets half of what
    /// is left to one of the others.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(2);
    /// let text = String::from("a borrowed text of six words");
    /// let words: Vec<&str> = text.split(' ').collect();
    /// let lengths = pool.par_map(&words, |word| word.len());
    /// assert_eq!(lengths, [1, 8, 4, 2, 3, 5]);
    /// ```
    ///
    /// # Panics
    ///
    /// If a call of `f` does. The other threads end what they are at first, some 16 items at most.
    #[track_caller]
    pub fn par_map<T, R, F>(&self, items: &[T], f: F) -> Vec<R>
    where
        T: Sync,
        R: Send,
        F: Fn(&T) -> R + Sync,
    {
        let called_at = Location::caller();
        let work = Work { pool: self, f, called_at, has_panicked: AtomicBool::new(false) };
        mem::take(&mut work.results_of(items).0)
    }
}

struct Work<'pool, F> {
    pool: &'pool ThreadPool,
    f: F,
    called_at: &'static Location<'static>,
    has_panicked: AtomicBool,
}

/// Those of a panic are dropped one by one.
type Results<R> = Each<Vec<R>>;

impl<F> Work<'_, F> {
    fn results_of<T, R>(&self, items: &[T]) -> Results<R>
    where
        T: Sync,
        R: Send,
        F: Fn(&T) -> R + Sync,
    {
        let mut results = Each(Vec::with_capacity(items.len()));
        self.put(items, &mut results.0);
        results
    }

    /// Puts the results of a part behind those that are there.
    fn put<T, R>(&self, mut items: &[T], results: &mut Vec<R>)
    where
        T: Sync,
        R: Send,
        F: Fn(&T) -> R + Sync,
    {
        // ORDERING: Relaxed. Only a hint: what has panicked is told by the end of its part.
        while !items.is_empty() && !self.has_panicked.load(Relaxed) {
            if items.len() > 1 && self.pool.shared.injector.is_work_wanted() {
                let (ours, lent) = items.split_at(items.len() / 2);
                let first = || self.put(ours, results);
                let ((), mut behind) =
                    self.pool.join_at(self.called_at, first, || self.results_of(lent));
                return results.append(&mut behind.0);
            }
            // Fewer towards the end, where a thread that finds nothing would wait for the others.
            let (chunk, rest) = items.split_at((items.len() / 4).clamp(1, BEFORE_A_LOOK));
            let put = || results.extend(chunk.iter().map(&self.f));
            if let Err(panic) = panic::catch(self.called_at, put) {
                self.has_panicked.store(true, Relaxed); // ORDERING: Relaxed, as above.
                panic.resume();
            }
            items = rest;
        }
    }
}

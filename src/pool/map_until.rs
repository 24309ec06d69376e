//! A map that ends before its inputs do: at the first error, or when time is over.
//!
//! Knows nothing of how a map hands out its jobs. What must always hold: after its end such a map
//! keeps nothing. Jobs that are queued are cancelled then and there, and jobs that run are detached.

use std::time::Duration;

use crate::error::{Elapsed, FlatError, JoinError};
use crate::wait::deadline::Deadline;

use super::map::{Map, TimeIsOver};
use super::thread_pool::ThreadPool;

impl ThreadPool {
    /// Like [`map`](Self::map), for a function that may fail: stops at the first that does.
    ///
    /// After the first `Err`, of a call that returned one or panicked, the iterator ends, and what is
    /// queued is cancelled.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(2);
    /// let parse = |text: &str| text.parse::<u32>();
    /// let numbers: Vec<_> = pool.try_map(["1", "2", "three", "4"], parse).collect();
    /// assert_eq!(numbers.len(), 3, "1, 2 and an error");
    /// assert!(numbers[2].is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`FlatError`] says whether the function returned an `Err` or the call has no result at all.
    #[track_caller]
    pub fn try_map<I, F, R, E>(&self, inputs: I, f: F) -> TryMap<'_, I::IntoIter, F, R, E>
    where
        I: IntoIterator,
        I::Item: Send + 'static,
        F: Fn(I::Item) -> Result<R, E> + Send + Sync + 'static,
        R: Send + 'static,
        E: Send + 'static,
    {
        TryMap { map: Some(self.map(inputs, f)) }
    }
}

/// The results of an ordered map up to the first error; see [`ThreadPool::try_map`].
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
pub struct TryMap<'pool, I: Iterator, F, R, E> {
    /// `None` after an error.
    map: Option<Map<'pool, I, F, Result<R, E>>>,
}

impl<I, F, R, E> Iterator for TryMap<'_, I, F, R, E>
where
    I: Iterator,
    I::Item: Send + 'static,
    F: Fn(I::Item) -> Result<R, E> + Send + Sync + 'static,
    R: Send + 'static,
    E: Send + 'static,
{
    type Item = Result<R, FlatError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = match self.map.as_mut()?.next()? {
            Ok(Ok(value)) => return Some(Ok(value)),
            Ok(Err(error)) => FlatError::Failed(error),
            Err(error) => FlatError::NoResult(error),
        };
        self.map = None; // Its drop cancels what is queued.
        Some(Err(result))
    }
}

impl<'pool, I: Iterator, F, R> Map<'pool, I, F, R> {
    /// Yields what is there within `timeout` from now, and then that time is over.
    ///
    /// When to use it: a part of the results is better than none, and later ones are of no use. To
    /// stop a call that is under way as well, give it a [token](crate::CancellationToken) that has a
    /// deadline.
    ///
    /// The results are still in the order of the inputs: what comes is all that precede the first one
    /// that was late. If anything is missing, the iterator ends with one `Err`. What is queued is
    /// cancelled then; calls that are running go on, detached, and nobody reads what they return.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::{CancellationToken, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2);
    /// let token = CancellationToken::new();
    /// let stop = token.drop_guard();
    /// let number = move |n| if n == 3 { token.sleep(Duration::MAX).map(|()| n) } else { Ok(n) };
    /// let mut numbers = pool.map(1.., number).chunk(1).timeout(Duration::from_millis(50));
    ///
    /// assert_eq!(numbers.next().unwrap()?.unwrap(), Ok(1));
    /// assert_eq!(numbers.next().unwrap()?.unwrap(), Ok(2));
    /// assert!(numbers.next().unwrap().is_err(), "time is over, and the third sleeps");
    /// assert!(numbers.next().is_none());
    /// drop(stop); // It still runs. Its token ends that.
    /// # Ok::<(), handspun::Elapsed>(())
    /// ```
    ///
    /// Results that share a job come together. So a slow call takes those before it in its job along,
    /// unless each has a job of its own: see [`chunk`](Self::chunk). And no timeout cuts short an
    /// input that blocks.
    ///
    /// **On a worker** it runs none of its jobs itself, for it could not leave one in time: on a pool
    /// of one thread, time passes in vain. A timeout that the clock cannot add, such as
    /// [`Duration::MAX`], is none, and changes nothing of the map.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] stands outside the result of a call. If `f` returns an `Elapsed` of its own, that
    /// is a result like others.
    pub fn timeout(self, timeout: Duration) -> TimedMap<'pool, I, F, R> {
        TimedMap { map: Some(self), timeout, deadline: Deadline::after(timeout) }
    }
}

/// The results of an ordered map within a time; see [`Map::timeout`].
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
pub struct TimedMap<'pool, I: Iterator, F, R> {
    /// `None` when time is over.
    map: Option<Map<'pool, I, F, R>>,
    timeout: Duration,
    deadline: Deadline,
}

impl<I, F, R> Iterator for TimedMap<'_, I, F, R>
where
    I: Iterator,
    I::Item: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
    type Item = Result<Result<R, JoinError>, Elapsed>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.map.as_mut()?.next_until(self.deadline) {
            Ok(next) => next.map(Ok),
            Err(TimeIsOver) => {
                self.map = None; // Its drop cancels what is queued.
                Some(Err(Elapsed { timeout: self.timeout }))
            }
        }
    }
}

//! A function over many inputs, of which a few are worked on at a time.
//!
//! Knows nothing of what is done with an input. Each is worked on by a task of its own, so that the work goes on while
//! the reader is away (futures that the reader polls stand still then: futures-rs #2387).
//!
//! What must always hold:
//!
//! 1. At most `limit` inputs have been taken whose results have not been fetched. So a million inputs need no more
//!    memory than that.
//! 2. Each input that was taken has a result, also if its work panics. What is not fetched is told to the hook.
//! 3. When the results are dropped, so is the work.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use crate::error::JoinError;
use crate::wait::as_completed::AsCompleted;
use crate::wait::cancel::CancelOnDrop;

use super::idle::confined;
use super::task::{Task, spawn_at};

/// Calls an asynchronous function for every input, for at most `limit` of them at a time.
///
/// When to use it: many inputs, and something that must not be asked too much at once. The inputs are taken
/// only when their turn comes, so that the iterator may be as long as it likes, and the results come in the
/// order in which they are ready; let the function give the input along if it matters.
///
/// Nothing begins before the first [`next`](MapConcurrent::next). Each `next` takes inputs until `limit` of them are
/// under way, and then waits. So what has begun goes on while the reader is away, and the next begins when it is back: a
/// result that waits to be fetched is one of the `limit`.
///
/// ```
/// use std::time::Duration;
/// use handspun::{map_concurrent, run, sleep};
///
/// let sum = run(async {
///     let mut squares = map_concurrent(0..100_u64, 8, async |n| {
///         sleep(Duration::from_micros(100)).await;
///         n * n
///     });
///     let mut sum = 0;
///     while let Some(square) = squares.next().await {
///         sum += square?; // a panic, if there was one
///     }
///     Ok::<_, handspun::JoinError>(sum)
/// })?;
/// assert_eq!(sum, 328_350);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// **Dropping it** drops the work that is not done. A panic that was not fetched is told to the panic hook.
///
/// # Panics
///
/// If `limit` is zero.
#[doc(alias = "buffer_unordered")]
#[doc(alias = "Semaphore")]
#[track_caller]
pub fn map_concurrent<I, F, T>(inputs: I, limit: usize, work: F) -> MapConcurrent<T>
where
    I: IntoIterator,
    I::IntoIter: 'static,
    I::Item: 'static,
    F: AsyncFn(I::Item) -> T + 'static,
    T: 'static,
{
    assert!(limit > 0, "a limit of 0 would let nothing begin: ask for at least 1");
    let (mut inputs, work, site) = (inputs.into_iter().fuse(), Rc::new(work), Location::caller());
    let begin_next = move || {
        let (input, work) = (inputs.next()?, work.clone());
        Some(spawn_at(None, site, async move { work(input).await }))
    };
    MapConcurrent { under_way: AsCompleted::new(), limit, begin_next: Box::new(begin_next) }
}

/// Results, as they come; see [`map_concurrent`].
#[must_use = "nothing begins before `next`"]
pub struct MapConcurrent<T> {
    under_way: AsCompleted<CancelOnDrop<Task<T>>>,
    limit: usize,
    /// `None` if there is no other input.
    begin_next: Box<dyn FnMut() -> Option<Task<T>>>,
}

impl<T> MapConcurrent<T> {
    /// The next result; `None` when there are no more. Dropping the wait loses nothing.
    ///
    /// An `Err` is a panic of the function.
    ///
    /// # Panics
    ///
    /// If the iterator of the inputs does. If no executor runs on this thread, while there are inputs.
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        while self.under_way.unfinished() < self.limit {
            let Some(task) = (self.begin_next)() else { break };
            self.under_way.add(task.cancel_on_drop());
        }
        confined("a result of map_concurrent", self.under_way.next()).await
    }
}

impl<T> fmt::Debug for MapConcurrent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapConcurrent(..)")
    }
}

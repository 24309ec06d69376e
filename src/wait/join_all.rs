//! Several futures at once, inside of one: all of them, all or the first error, or the first; each with its key.
//!
//! Knows nothing of executors: the futures are polled by what polls the whole, each only when it was
//! woken itself, so that ten thousand that finish one by one cost no more than their number. What must
//! always hold: when the whole is over or dropped, so is every part of it; and a key comes back exactly once, together
//! with the output.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::panic::Each;

use super::as_completed::as_completed;

/// Waits for all futures, and gives what they came to in the order of the futures.
///
/// When to use it: several things are to go on at the same time, and all of the results are wanted. Nothing
/// begins before it is awaited. Of tasks and jobs each slot is a `Result`, so that one which panicked or was
/// cancelled costs no other its result. To look at each as it comes, use
/// [`as_completed`](crate::as_completed); to bound how many go on at once,
/// [`map_concurrent`](crate::map_concurrent).
///
/// ```
/// use handspun::{join_all, run, spawn};
///
/// run(async {
///     let tasks = (0..4).map(|n| spawn(async move { 12 / n }));
///     let slots = join_all(tasks).await;
///     assert!(slots[0].is_err(), "it panicked: a division by zero");
///     let kept: Vec<_> = slots.into_iter().flatten().collect();
///     assert_eq!(kept, [12, 6, 4]);
/// });
/// ```
///
/// **Dropping it** drops the futures that are not ready; tasks and jobs whose handles are dropped go on, unless
/// the handles cancel on drop.
///
/// # Panics
///
/// If one of the futures does, and then the others are dropped. A task that panics is an `Err` in its slot.
#[doc(alias = "gather")]
#[doc(alias = "return_exceptions")]
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let Ok(outputs) = in_order(futures, Ok::<_, Infallible>).await;
    outputs
}

/// Waits for all futures to succeed; the first error ends it, and the others are dropped by then.
///
/// When to use it: none of the results is of use without the others.
///
/// ```
/// use handspun::{block_on, try_join_all};
///
/// let numbers = ["6", "7"].map(|text| async move { text.parse::<u32>() });
/// assert_eq!(block_on(try_join_all(numbers))?, [6, 7]);
/// let numbers = ["6", "seven"].map(|text| async move { text.parse::<u32>() });
/// assert!(block_on(try_join_all(numbers)).is_err());
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
///
/// Give it futures, rather than handles of tasks or jobs: the `Err` of a handle is a panic or a cancel, and what
/// the task itself returned is inside of its `Ok`. And to drop a handle is not to cancel the task, unless it
/// [cancels on drop](crate::Task::cancel_on_drop).
///
/// **Dropping it** drops the futures that are not ready.
///
/// # Errors
///
/// The first that one of the futures gives.
///
/// # Panics
///
/// If one of the futures does.
#[doc(alias = "gather")]
pub async fn try_join_all<F, T, E>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    in_order(futures, |result| result).await
}

/// Waits for the first of several futures, and drops the others.
///
/// When to use it: several ways lead to one result, and the quickest is enough. For futures of different types,
/// box them, or let them give one enum.
///
/// Where several are ready, the one that was so first wins, and of those that are ready at once the first in
/// the order of the futures.
///
/// ```
/// use std::time::Duration;
/// use handspun::{block_on, race, sleep};
///
/// let winner = block_on(race([50, 1].map(|ms| async move {
///     sleep(Duration::from_millis(ms)).await;
///     ms
/// })));
/// assert_eq!(winner, 1);
/// ```
///
/// **Dropping it** drops them all. A task or a job whose handle is dropped goes on, unless the handle
/// [cancels on drop](crate::Task::cancel_on_drop).
///
/// # Panics
///
/// If there is no future at all, for none would ever win; or if one of them panics.
#[doc(alias = "select")]
#[doc(alias = "FIRST_COMPLETED")]
pub async fn race<F: Future>(futures: impl IntoIterator<Item = F>) -> F::Output {
    let mut completed = as_completed(futures.into_iter().map(Box::pin));
    completed.next().await.expect("a race needs somebody who runs: give it one future at least")
}

/// Puts what each future comes to into its slot, or stops at the first that is not to be kept.
async fn in_order<F: Future, T, E>(
    futures: impl IntoIterator<Item = F>,
    keep: impl Fn(F::Output) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut kept = Each(Vec::new());
    let parts = futures.into_iter().map(Box::pin).enumerate();
    let mut completed = as_completed(parts.map(|(slot, future)| keyed(slot, future)));
    kept.0.resize_with(completed.unfinished(), || None);
    while let Some((slot, output)) = completed.next().await {
        kept.0[slot] = Some(keep(output)?);
    }
    let kept = mem::take(&mut kept.0);
    Ok(kept.into_iter().map(|kept| kept.expect("each has had its turn")).collect())
}

/// A future with something of yours attached, which comes back with its output.
///
/// When to use it: results come in whatever order, and each is to be matched to its input.
///
/// ```
/// use handspun::{block_on, keyed, thread};
///
/// let (word, length) = block_on(keyed("seven", thread::spawn(|| "seven".len())));
/// assert_eq!((word, length?), ("seven", 5));
/// # Ok::<(), handspun::JoinError>(())
/// ```
pub fn keyed<K, F: Future + Unpin>(key: K, future: F) -> Keyed<K, F> {
    Keyed { key: Each(Some(key)), future }
}

/// A future and its key; see [`keyed`].
#[derive(Debug)]
#[must_use = "futures do nothing until they are awaited"]
pub struct Keyed<K, F> {
    future: F,
    /// Below the future, and apart from it, in case both drops panic.
    key: Each<Option<K>>,
}

impl<K, F> Keyed<K, F> {
    /// The future, without its key.
    pub fn into_inner(self) -> F {
        self.future
    }
}

/// A key is carried, and never polled.
impl<K, F: Unpin> Unpin for Keyed<K, F> {}

impl<K, F: Future + Unpin> Future for Keyed<K, F> {
    type Output = (K, F::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.future).poll(context).map(|output| {
            let key = self.key.0.take().expect("a future is not polled again after it was ready");
            (key, output)
        })
    }
}

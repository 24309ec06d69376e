//! Some of many: waiting until enough of them have finished, or time is over.
//!
//! Knows nothing of what finishes, nor of how one waits for many: that is `as_completed`. What must
//! always hold: every future that was handed in comes back, as its output or as itself.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::error::Unfinished;
use crate::panic::Each;

use super::as_completed::{AsCompleted, as_completed};
use super::clock::Deadline;

impl<F: Future + Unpin> AsCompleted<F> {
    /// Yields what is there within `timeout` from now, and then how much was not.
    ///
    /// The iterator ends with one `Err` if time was over before everything was finished. It blocks the thread: in
    /// a task, await [`next`](Self::next) in a [`timeout`](crate::timeout()) instead.
    ///
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// use handspun::{ThreadPool, Unfinished, as_completed};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (_answer, question) = mpsc::channel::<u32>();
    /// let quick = pool.submit(|| Ok(7));
    /// let stuck = pool.submit(move || question.recv());
    /// let mut results = as_completed([quick, stuck]).timeout(Duration::from_millis(20));
    ///
    /// assert_eq!(results.next().unwrap()?.unwrap(), Ok(7));
    /// assert_eq!(results.next().unwrap().unwrap_err(), Unfinished { unfinished: 1, of: 2 });
    /// assert!(results.next().is_none());
    /// # drop(_answer);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timeout(self, timeout: Duration) -> TimedCompleted<F> {
        TimedCompleted { completed: self, deadline: Deadline::after(timeout), is_over: false }
    }
}

/// Results within a time; see [`AsCompleted::timeout`].
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is waited for before the first `next`"]
pub struct TimedCompleted<F: Future> {
    completed: AsCompleted<F>,
    deadline: Deadline,
    is_over: bool,
}

impl<F: Future> TimedCompleted<F> {
    /// Those that have not finished, for another try.
    pub fn into_inner(self) -> AsCompleted<F> {
        self.completed
    }
}

impl<F: Future + Unpin> Iterator for TimedCompleted<F> {
    type Item = Result<F::Output, Unfinished>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.completed.join_next_until(self.deadline).transpose();
        self.is_over = matches!(next, Some(Err(_)));
        next
    }
}

/// Waits for several futures until one of their outputs is enough, or all have finished.
///
/// When to use it: you want to go on at the first result, or at the first failure, and keep the
/// futures that have not finished. `|_| true` waits for the first, `|_| false` for all, and
/// `Result::is_err` until one panics or is cancelled. Of jobs that return a `Result` themselves,
/// `|result| !matches!(result, Ok(Ok(_)))` waits until one fails in any way. To look at every result as it
/// comes, use [`as_completed`].
///
/// The result can be awaited, or joined with [`join`](Wait::join) and
/// [`join_timeout`](Wait::join_timeout). To await some for a time and keep the others, give a loop over
/// [`as_completed`] a [`timeout`](crate::timeout), and take what is left [apart](AsCompleted::into_parts).
///
/// ```
/// use handspun::{JoinHandle, ThreadPool, wait};
///
/// let pool = ThreadPool::new(1);
/// let handles = [1, 0, 2].map(|n| pool.submit(move || 10 / n));
/// let waited = wait(handles, Result::is_err).join();
///
/// let (worked, failed): (Vec<_>, Vec<_>) = waited.done.into_iter().partition(Result::is_ok);
/// assert_eq!(failed.len(), 1, "10 / 0 panicked, and that was enough");
/// assert_eq!(worked.len() + failed.len() + waited.unfinished.len(), 3);
/// ```
///
/// **Dropping it** drops all the futures, and the results that are in: jobs go on, detached.
///
/// **On a worker**, `join` can run a member right here, as [`as_completed`] does.
#[doc(alias = "FIRST_COMPLETED")]
#[doc(alias = "FIRST_EXCEPTION")]
#[doc(alias = "ALL_COMPLETED")]
pub fn wait<F, P>(futures: impl IntoIterator<Item = F>, is_enough: P) -> Wait<F, P>
where
    F: Future + Unpin,
    P: FnMut(&F::Output) -> bool,
{
    Wait { completed: as_completed(futures), done: Each::default(), is_enough }
}

/// A wait for some of many; see [`wait`].
#[must_use = "nothing is waited for until this is joined or awaited"]
pub struct Wait<F: Future, P> {
    is_enough: P, // Above what is dropped one by one: that minds a panic which is on its way.
    completed: AsCompleted<F>,
    done: Each<Vec<F::Output>>,
}

impl<F: Future, P> fmt::Debug for Wait<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wait({} done, {:?})", self.done.0.len(), self.completed)
    }
}

/// What a [`wait`] came to.
#[derive(Debug)]
pub struct Waited<F: Future> {
    /// What had finished when the wait was over, in that order. More than one may be enough.
    pub done: Vec<F::Output>,
    /// What had not, in the order in which it was handed in.
    pub unfinished: Vec<F>,
}

impl<F, P> Wait<F, P>
where
    F: Future + Unpin,
    P: FnMut(&F::Output) -> bool,
{
    /// Waits on this thread.
    pub fn join(self) -> Waited<F> {
        self.join_until(Deadline::Never)
    }

    /// Waits on this thread for at most `timeout`; what is done by then is enough.
    pub fn join_timeout(self, timeout: Duration) -> Waited<F> {
        self.join_until(Deadline::after(timeout))
    }

    fn join_until(mut self, deadline: Deadline) -> Waited<F> {
        while let Ok(Some(output)) = self.completed.join_next_until(deadline) {
            if self.keep(output) {
                break;
            }
        }
        self.finish()
    }

    /// Whether that was enough.
    fn keep(&mut self, output: F::Output) -> bool {
        // Kept before it is asked about: a question that panics does not cost the output.
        self.done.0.push(output);
        self.done.0.last().is_some_and(|output| (self.is_enough)(output))
    }

    /// Takes along whatever else is there by now.
    fn finish(&mut self) -> Waited<F> {
        let mut done = mem::take(&mut self.done.0);
        let context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(output)) = self.completed.poll_next(&context) {
            done.push(output);
        }
        Waited { done, unfinished: mem::take(&mut self.completed).into_parts().1 }
    }
}

/// Nothing in it is polled in place but the futures, which can be moved themselves.
impl<F: Future + Unpin, P> Unpin for Wait<F, P> {}

impl<F, P> Future for Wait<F, P>
where
    F: Future + Unpin,
    P: FnMut(&F::Output) -> bool,
{
    type Output = Waited<F>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Waited<F>> {
        while let Some(output) = ready!(self.completed.poll_next(context)) {
            if self.keep(output) {
                break;
            }
        }
        Poll::Ready(self.finish())
    }
}

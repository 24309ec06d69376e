//! Many futures, in the order in which they finish: `as_completed` and `wait`.
//!
//! Knows nothing of what finishes: jobs, tasks, children and futures of other crates are all the
//! same here, and may be mixed. Each member has a waker of its own, which enqueues the member's index
//! to one queue; so a wait looks only at those that have something to say, and a hundred thousand
//! members cost no more than their number.
//!
//! What must always hold:
//!
//! 1. A member is polled when it is added and after each wake of its slot, never in between.
//! 2. An index is in the queue at most once, and the queue alone decides which comes first. It is taken
//!    out as a whole, for every member that finishes wants its lock.
//! 3. A member that is ready leaves at once; what it held is not kept until the end. One that panics
//!    in a poll leaves too, and is not waited for.
//! 4. One poll of the whole polls no more members than there are, so that one which always wakes
//!    itself can neither keep a thread from its deadline nor a task from its executor.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[cfg(feature = "stream")]
use futures_core::Stream;

use crate::error::Unfinished;
use crate::panic::{self, Each};

use super::block_on::{block_on_until, default_spin_limit};
use super::clock::Deadline;
use super::hints::{ProcessId, ask_to_run_here, take_awaited, take_run_here_hint};
use super::ready_queue::ReadyQueue;
use super::slab::Slab;

/// Yields what several futures come to, each as soon as it is there.
///
/// When to use it: the results are to be looked at as they come, in whatever order that is. For
/// the order of the inputs, use [`ThreadPool::map`](crate::ThreadPool::map). To know which input a
/// result belongs to, wrap the future in [`keyed`](crate::keyed).
///
/// All futures are taken, and polled once, before this returns. The result is an [`Iterator`],
/// which blocks the thread, and has a method [`next`](AsCompleted::next) to be awaited.
///
/// ```
/// use handspun::{ThreadPool, as_completed, keyed};
///
/// let pool = ThreadPool::new(2);
/// let words = ["one", "three", "two"];
/// let handles = words.map(|word| keyed(word, pool.submit(move || word.len())));
///
/// let mut total = 0;
/// for (word, length) in as_completed(handles) {
///     let length = length?; // a panic in a job, if there was one
///     assert_eq!(length, word.len());
///     total += length;
/// }
/// assert_eq!(total, 11);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// **Dropping it** drops the futures that have not finished: jobs go on, detached.
///
/// **On a worker** that has taken the futures itself, if all that is left are queued jobs of its own pool, which has no worker free for
/// them, the oldest runs right here, so that a pool of one thread can wait for its own jobs. Where
/// something else is among them, that may be what ends the wait, and nothing is run. Nor is it with a
/// timeout, which a job run here could not keep, or by an `.await`.
#[doc(alias = "FuturesUnordered")]
#[doc(alias = "JoinSet")]
#[must_use = "dropping it lets go of all the futures: jobs are detached"]
pub fn as_completed<F: Future + Unpin>(futures: impl IntoIterator<Item = F>) -> AsCompleted<F> {
    let mut completed = AsCompleted::new();
    futures.into_iter().for_each(|future| completed.add(future));
    completed
}

/// Futures, and what they come to in the order they finish; see [`as_completed`].
#[must_use = "dropping it lets go of all the futures: jobs are detached"]
pub struct AsCompleted<F: Future> {
    slots: Each<Slab<MemberSlot<F>>>,
    /// Which slots have something to say.
    queue: Arc<ReadyQueue>,
    /// The indices that were taken from the queue together, and have not been looked at.
    taken: VecDeque<usize>,
    /// The members that this thread could run itself, oldest first: the number of the job, and the
    /// index of the member.
    run_here: BTreeSet<(usize, usize)>,
    n_added: usize,
}

enum MemberSlot<F: Future> {
    Pending(PolledMember<F>),
    /// What was ready when it was added. Its index is in the queue, behind those that were before it.
    Ready(F::Output),
}

struct PolledMember<F> {
    future: F,
    waker: Waker,
    hint: Option<usize>,
}

impl<F: Future + Unpin> AsCompleted<F> {
    /// None yet; [`add`](Self::add) some. The same as `as_completed([])`.
    pub fn new() -> Self {
        Self {
            slots: Each::default(),
            queue: Arc::new(ReadyQueue::default()),
            taken: VecDeque::new(),
            run_here: BTreeSet::new(),
            n_added: 0,
        }
    }

    /// Takes one more, also while the results of others are coming in.
    ///
    /// ```
    /// use handspun::{AsCompleted, ThreadPool};
    ///
    /// let pool = ThreadPool::new(2);
    /// let mut collatz = AsCompleted::new();
    /// collatz.add(pool.submit(|| 27_u64));
    /// let mut steps = 0;
    /// while let Some(number) = collatz.join_next() {
    ///     let n = number?;
    ///     if n > 1 {
    ///         steps += 1;
    ///         collatz.add(pool.submit(move || if n % 2 == 0 { n / 2 } else { 3 * n + 1 }));
    ///     }
    /// }
    /// assert_eq!(steps, 111);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    pub fn add(&mut self, future: F) {
        self.n_added += 1;
        let at = self.slots.0.next_slot();
        let waker = self.queue.waker_of(at);
        self.slots.0.insert(MemberSlot::Pending(PolledMember { future, waker, hint: None }));
        if let Some(output) = self.poll_member(at) {
            self.slots.0.insert(MemberSlot::Ready(output)); // Into the slot that came free just now.
            self.queue.enqueue(at);
        }
    }

    /// The next result, to be awaited; `None` when every future has given its own.
    ///
    /// Dropping the future that this returns loses nothing: the results are kept in here.
    ///
    /// ```
    /// use handspun::{ThreadPool, as_completed, block_on};
    ///
    /// let pool = ThreadPool::new(2);
    /// let sum = block_on(async {
    ///     let mut squares = as_completed((1..=3).map(|n| pool.submit(move || n * n)));
    ///     let mut sum = 0;
    ///     while let Some(square) = squares.next().await {
    ///         sum += square?;
    ///     }
    ///     Ok::<_, handspun::JoinError>(sum)
    /// });
    /// assert_eq!(sum?, 14);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    #[expect(
        clippy::should_implement_trait,
        reason = "it does; this one is for tasks, and a thread that calls it by mistake is told so \
                  by the compiler, for a future is no `Option`"
    )]
    pub fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        NextResult { completed: self, is_waiting: false }
    }

    /// The next result, waited for on this thread; `None` when there are no more.
    pub fn join_next(&mut self) -> Option<F::Output> {
        self.join_next_until(Deadline::Never).expect("never has not passed")
    }

    /// How many have not given their result yet.
    pub fn unfinished(&self) -> usize {
        self.slots.0.len()
    }

    /// Ends it: the results that were not fetched, and the futures that are left.
    ///
    /// The futures are in the order in which [`as_completed`] took them. One that was added later
    /// may be in the slot of another that had finished by then.
    pub fn into_parts(mut self) -> (Vec<F::Output>, Vec<F>) {
        let (mut outputs, mut futures) = (Vec::new(), Vec::new());
        for slot in mem::take(&mut self.slots.0) {
            match slot {
                MemberSlot::Pending(member) => futures.push(member.future),
                MemberSlot::Ready(output) => outputs.push(output),
            }
        }
        (outputs, futures)
    }

    pub(super) fn join_next_until(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<F::Output>, Unfinished> {
        while let Some(at) = self.taken.pop_front() {
            // There is nothing to wait for yet, and so no waker to leave.
            if let Some(output) = self.look_at(at) {
                return Ok(Some(output));
            }
        }
        let can_help = deadline == Deadline::Never; // A job run here would not mind the time.
        let mut awaited = take_awaited(); // Said to the wait that begins now.
        let next = poll_fn(|context| {
            awaited.take().into_iter().for_each(ProcessId::is_awaited);
            let next = self.poll_next(context);
            if next.is_ready() || !can_help {
                return next;
            }
            self.run_one_here().map_or(Poll::Pending, |output| Poll::Ready(Some(output)))
        });
        let next = block_on_until(pin!(next), deadline, default_spin_limit());
        next.ok_or(Unfinished { unfinished: self.unfinished(), of: self.n_added })
    }

    /// Has one of those we wait for run here, if nothing else could end the wait.
    fn run_one_here(&mut self) -> Option<F::Output> {
        // Jobs are begun in the order of their numbers. So while the oldest is queued they all
        // are; and if one member is no job of this thread's pool, it may be what ends the wait.
        let all_are_offered = self.run_here.len() == self.unfinished();
        let oldest = self.run_here.first().filter(|_| all_are_offered).map(|(_, at)| *at);
        // If it does not run, its waker is woken when no other thread is free to run it any more.
        oldest.and_then(|at| ask_to_run_here(|| self.look_at(at)))
    }

    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<F::Output>> {
        if self.unfinished() == 0 {
            return Poll::Ready(None);
        }
        for _ in 0..self.unfinished() {
            if self.taken.is_empty() {
                self.queue.take_all(&mut self.taken, context);
            }
            let Some(at) = self.taken.pop_front() else { return Poll::Pending };
            if let Some(output) = self.look_at(at) {
                return Poll::Ready(Some(output));
            }
        }
        // Each had its turn, and some have been queued again already. So that others have theirs, a
        // deadline and other tasks, we do not go on: we ask to be polled again.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// What came of the member that queued this index, if anything.
    fn look_at(&mut self, at: usize) -> Option<F::Output> {
        // There may be none: a future that is ready, or has panicked, may still have been queued again.
        if let MemberSlot::Pending(member) = self.slots.0.get_mut(at)? {
            if let Some(hint) = member.hint.take() {
                self.run_here.remove(&(hint, at));
            }
            return self.poll_member(at);
        }
        let Some(MemberSlot::Ready(output)) = self.slots.0.remove(at) else {
            unreachable!("looked at above")
        };
        Some(output)
    }

    /// Polls a member, which leaves its slot if it is ready, or panics.
    fn poll_member(&mut self, at: usize) -> Option<F::Output> {
        let leaves = LeavesOnDrop { slots: &mut self.slots.0, at };
        let Some(MemberSlot::Pending(PolledMember { future, waker, hint })) =
            leaves.slots.get_mut(at)
        else {
            unreachable!("a member that is polled is in its slot")
        };
        let mut context = Context::from_waker(waker);
        let (polled, newest) = take_run_here_hint(|| Pin::new(future).poll(&mut context));
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        *hint = newest;
        mem::forget(leaves);
        self.run_here.extend(newest.map(|hint| (hint, at)));
        None
    }
}

/// Drops a member. Its drop may panic as well as its poll, and what it came to is not lost with it.
struct LeavesOnDrop<'c, F: Future> {
    slots: &'c mut Slab<MemberSlot<F>>,
    at: usize,
}

impl<F: Future> Drop for LeavesOnDrop<'_, F> {
    fn drop(&mut self) {
        panic::drop_each(self.slots.remove(self.at));
    }
}

impl<F: Future + Unpin> Default for AsCompleted<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Blocks the thread for each result. A task calls [`next`](AsCompleted::next) and awaits that.
impl<F: Future + Unpin> Iterator for AsCompleted<F> {
    type Item = F::Output;

    fn next(&mut self) -> Option<F::Output> {
        self.join_next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.unfinished(), Some(self.unfinished()))
    }
}

impl<F: Future> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unfinished = self.slots.0.len();
        f.debug_struct("AsCompleted").field("unfinished", &unfinished).finish_non_exhaustive()
    }
}

/// Waits for the next result, and takes its waker away when it is dropped.
struct NextResult<'c, F: Future> {
    completed: &'c mut AsCompleted<F>,
    is_waiting: bool,
}

impl<F: Future + Unpin> Future for NextResult<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.completed.poll_next(context);
        self.is_waiting = polled.is_pending();
        polled
    }
}

impl<F: Future> Drop for NextResult<'_, F> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.completed.queue.forget_waiter();
        }
    }
}

/// Its futures are `Unpin` themselves, and what they come to is moved and never pinned.
#[cfg(feature = "stream")]
impl<F: Future + Unpin> Unpin for AsCompleted<F> {}

/// For a task, like [`next`](AsCompleted::next).
#[cfg(feature = "stream")]
impl<F: Future + Unpin> Stream for AsCompleted<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        Self::poll_next(&mut self, context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.unfinished(), Some(self.unfinished()))
    }
}

//! Many futures, in the order in which they finish: `as_completed` and `wait`.
//!
//! Knows nothing of what finishes: jobs, tasks, children and other people's futures are all the
//! same here, and may be mixed. Each member has a waker of its own, which posts the member's index
//! to one line; so a wait looks only at those that have something to say, and a hundred thousand
//! members cost no more than their number.
//!
//! What must always hold:
//!
//! 1. A member is polled when it is added and after each post to its place, never in between.
//! 2. An index stands in the line at most once.
//! 3. A member that is ready leaves at once; what it held is not kept until the end.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::error::Unfinished;
use crate::prims::Mutex;

use super::block_on::{block_on_until, default_look_out};
use super::deadline::Deadline;
use super::help::{Helped, Offer, hear_offer, helper};

/// Yields what several futures come to, each as soon as it is there.
///
/// When to use it: the results are to be looked at as they come, in whatever order that is. For
/// the order of the inputs, use [`ThreadPool::map`](crate::ThreadPool::map). To know which input a
/// result belongs to, wrap the future in [`keyed`](crate::keyed)(crate::keyed).
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
/// **On a worker** whose pool has nobody free for the jobs it waits for, the oldest of them runs
/// right here, so that a pool of one thread can wait for its own jobs.
#[doc(alias = "FuturesUnordered")]
#[doc(alias = "JoinSet")]
pub fn as_completed<F: Future + Unpin>(futures: impl IntoIterator<Item = F>) -> AsCompleted<F> {
    let mut completed = AsCompleted::new();
    for future in futures {
        completed.add(future);
    }
    completed
}

/// Futures, and what they have come to in the order in which they did; see [`as_completed`].
pub struct AsCompleted<F: Future> {
    /// `None` where a member has left; `vacant` lists those places.
    members: Vec<Option<Member<F>>>,
    vacant: Vec<usize>,
    /// What was ready when it was added.
    ready_at_once: VecDeque<F::Output>,
    line: Arc<Line>,
    /// The members that this thread could run itself, oldest first.
    offers: BTreeSet<(Offer, usize)>,
    n_added: usize,
}

struct Member<F> {
    future: F,
    waker: Waker,
    offer: Option<Offer>,
}

impl<F: Future + Unpin> AsCompleted<F> {
    /// None yet; [`add`](Self::add) some. The same as `as_completed([])`.
    pub fn new() -> Self {
        Self {
            members: Vec::new(),
            vacant: Vec::new(),
            ready_at_once: VecDeque::new(),
            line: Arc::new(Line::default()),
            offers: BTreeSet::new(),
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
    pub fn add(&mut self, mut future: F) {
        self.n_added += 1;
        let at = self.vacant.pop().unwrap_or(self.members.len());
        let waker = Waker::from(Arc::new(Post { line: self.line.clone(), at }));
        match hear_offer(|| poll_once(&mut future, &waker)) {
            (Poll::Ready(output), _) => {
                self.ready_at_once.push_back(output);
                self.vacate(at);
            }
            (Poll::Pending, offer) => {
                self.offers.extend(offer.map(|offer| (offer, at)));
                let member = Some(Member { future, waker, offer });
                match self.members.get_mut(at) {
                    Some(place) => *place = member,
                    None => self.members.push(member),
                }
            }
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
        poll_fn(|context| self.poll_next(context))
    }

    /// The next result, waited for on this thread; `None` when every future has given its own.
    pub fn join_next(&mut self) -> Option<F::Output> {
        match self.join_next_until(Deadline::Never) {
            Ok(next) => next,
            Err(_) => unreachable!("never has not passed"),
        }
    }

    /// The next result, waited for on this thread for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`Unfinished`] says how many are not finished. They are all still here: ask again.
    pub fn join_next_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<F::Output>, Unfinished> {
        self.join_next_until(Deadline::after(timeout))
    }

    /// Yields what is there within `timeout` from now, and then how much was not.
    ///
    /// The iterator ends with one `Err` if time was over before everything was finished.
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

    /// How many have not given their result yet.
    pub fn unfinished(&self) -> usize {
        self.members.len() - self.vacant.len() + self.ready_at_once.len()
    }

    /// Ends it: the results that nobody has fetched, and the futures that are left, each in the
    /// order in which they were added as far as none was added later.
    pub fn into_parts(self) -> (Vec<F::Output>, Vec<F>) {
        let futures = self.members.into_iter().flatten().map(|member| member.future).collect();
        (self.ready_at_once.into(), futures)
    }

    pub(super) fn join_next_until(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<F::Output>, Unfinished> {
        let can_help = deadline == Deadline::Never; // A job run here would not mind the time.
        let next = poll_fn(|context| {
            loop {
                let next = self.poll_next(context);
                if next.is_ready() || !(can_help && self.is_helped(context.waker())) {
                    return next;
                }
            }
        });
        let next = block_on_until(pin!(next), deadline, default_look_out());
        next.ok_or(Unfinished { unfinished: self.unfinished(), of: self.n_added })
    }

    /// Whether one of those we wait for has just been run here.
    fn is_helped(&self, waker: &Waker) -> bool {
        // Jobs are begun in the order of their tickets. So while the oldest is queued they all
        // are; and if somebody is not a job of this thread's pool, it may be what ends the wait.
        let all_are_offered = self.offers.len() == self.members.len() - self.vacant.len();
        let (Some((oldest, _)), true) = (self.offers.first(), all_are_offered) else {
            return false;
        };
        match helper().map(|helper| helper.help(*oldest, waker)) {
            Some(Helped::Ran) => true,
            Some(Helped::NotNeeded) | None => false,
        }
    }

    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<F::Output>> {
        if let Some(output) = self.ready_at_once.pop_front() {
            return Poll::Ready(Some(output));
        }
        while self.vacant.len() < self.members.len() {
            let Some(at) = self.line.first(context.waker()) else {
                return Poll::Pending;
            };
            // The place may be vacant: a future that is ready may still have been posted again.
            let Some(member) = &mut self.members[at] else { continue };
            if let Poll::Ready(output) = poll_once(&mut member.future, &member.waker) {
                self.leave(at);
                return Poll::Ready(Some(output));
            }
        }
        Poll::Ready(None)
    }

    fn leave(&mut self, at: usize) {
        let member = self.members[at].take();
        if let Some(offer) = member.and_then(|member| member.offer) {
            self.offers.remove(&(offer, at));
        }
        self.vacate(at);
    }

    /// Nobody stands at this place, which may be one that has never been used.
    fn vacate(&mut self, at: usize) {
        if at == self.members.len() {
            self.members.push(None);
        }
        self.vacant.push(at);
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
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
        let unfinished = self.members.len() - self.vacant.len() + self.ready_at_once.len();
        f.debug_struct("AsCompleted").field("unfinished", &unfinished).finish_non_exhaustive()
    }
}

/// The indices of those who have something to say, in the order in which they said so.
#[derive(Default)]
struct Line(Mutex<LineState>);

#[derive(Default)]
struct LineState {
    posted: VecDeque<usize>,
    is_posted: Vec<bool>,
    /// Who waits for the next post.
    waiter: Option<Waker>,
}

impl Line {
    fn post(&self, at: usize) {
        let mut line = self.0.lock();
        if line.is_posted.len() <= at {
            line.is_posted.resize(at + 1, false);
        }
        if mem::replace(&mut line.is_posted[at], true) {
            return; // It is in the line, and will be looked at after what it has to say now.
        }
        line.posted.push_back(at);
        let waiter = line.waiter.take();
        drop(line);
        if let Some(waker) = waiter {
            waker.wake();
        }
    }

    /// Takes the first in line, or leaves the waker to be woken when there is one.
    fn first(&self, waker: &Waker) -> Option<usize> {
        let mut waker = Some(waker.clone());
        let mut line = self.0.lock();
        let first = line.posted.pop_front();
        match first {
            // Let go of before the member is polled: a post from within that poll must count.
            Some(at) => line.is_posted[at] = false,
            None => mem::swap(&mut line.waiter, &mut waker),
        }
        drop(line);
        drop(waker); // Ours or the stale one: a waker is other people's code, its drop too.
        first
    }
}

/// The waker of one member.
struct Post {
    line: Arc<Line>,
    at: usize,
}

impl Wake for Post {
    fn wake(self: Arc<Self>) {
        self.line.post(self.at);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.line.post(self.at);
    }
}

/// Results within a time; see [`AsCompleted::timeout`].
#[derive(Debug)]
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

//! An ordered map over the workers: a row of jobs, as long as the window.
//!
//! Knows nothing of how jobs are run or waited for. What must always hold:
//!
//! 1. Results come in the order of the inputs, one for each, whatever becomes of their neighbours.
//! 2. No more inputs are taken than the window has room for.
//! 3. A map that ends before its inputs do, at the first error or when time is over, keeps nothing. Jobs
//!    that are queued are cancelled then and there, and jobs that run are detached.

use std::collections::VecDeque;
use std::fmt;
use std::iter::{Fuse, from_fn};
use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Elapsed, JoinError, StillRunning};
use crate::panic::{self, Each};
use crate::prims;
use crate::wait::clock::Deadline;
use crate::wait::panic_hook::PanicHook;

use super::handle::JoinHandle;
use super::job;
use super::thread_pool::ThreadPool;
use super::worker::on_worker;

/// How many jobs there are ahead of the reader, for each thread. Enough to keep the workers busy
/// while the reader deals with one result, and few enough to bound what is held.
const AHEAD_PER_THREAD: usize = 8;
/// How long a job should take. To submit it, and to wake the reader when it is done, takes some 10
/// µs where all cores are busy, which is little beside that.
const WORTH_A_JOB: Duration = Duration::from_micros(200);
/// The most inputs of one job.
const MOST_PER_JOB: usize = 256;
/// How long the first result is waited for, before another input is asked for that may not come.
const FIRST_RESULT: Duration = Duration::from_millis(100);

impl ThreadPool {
    /// Calls `f` for every input, on the workers; yields the results in the order of the inputs.
    ///
    /// When to use it: the same work on many inputs. It is a lazy iterator: nothing happens before
    /// the first `next`, and from then on there are at most eight jobs per thread ahead of you,
    /// however many inputs there are. Where a call takes a few microseconds, a job makes several of
    /// them, up to 256: so many that it takes some 200 µs. See [`Map::chunk`] and [`Map::window`] to
    /// choose yourself.
    ///
    /// An input may have to be waited for: the lines of a terminal, what a channel receives. Then a
    /// result that is there is handed out before the next input is asked for, and one that is not is
    /// waited for first, for as long as the last input took. What takes longer waits behind the next
    /// input; with `chunk(1)` and `window(1)` none is asked for before the result is out.
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
    /// To end at the first error, stop reading: dropping the map cancels what is queued.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// fn sum(pool: &ThreadPool, texts: &'static [&str]) -> Result<u32, Box<dyn std::error::Error>> {
    ///     let mut sum = 0;
    ///     for number in pool.map(texts, |text| text.parse::<u32>()) {
    ///         sum += number??;
    ///     }
    ///     Ok(sum)
    /// }
    ///
    /// let pool = ThreadPool::new(2);
    /// assert_eq!(sum(&pool, &["1", "2"]).unwrap(), 3);
    /// assert!(sum(&pool, &["1", "two", "3"]).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A call that panicked is an `Err` in its place; the results of the others follow. After a
    /// shutdown, what had not begun is an `Err` too, and nothing is left out.
    ///
    /// **Dropping it** cancels what is queued and detaches what is running. A panic among the results
    /// that was not taken is told to the pool's [panic hook](crate::Builder::panic_hook).
    #[track_caller]
    pub fn map<I, F, R>(&self, inputs: I, f: F) -> Map<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        let (f, submitted_at) = (Arc::new(f), Location::caller());
        let submit = move |mut inputs: Each<Vec<I::Item>>| {
            let (f, n_inputs, hook) = (f.clone(), inputs.0.len(), self.panic_hook().clone());
            let job = move || {
                let began = prims::now();
                let call =
                    |input| panic::catch(submitted_at, || f(input)).map_err(JoinError::Panicked);
                let unread = mem::take(&mut inputs.0).into_iter().map(call).collect();
                (Results { unread, hook }, began.elapsed())
            };
            let job = job::maker()(job, submitted_at, None);
            MapJob { handle: self.submit_job(submitted_at, job), n_inputs }
        };
        Map {
            pool: self,
            inputs: inputs.into_iter().fuse(),
            gathered: Each::default(),
            submit: Box::new(submit),
            at_hand: Results { unread: VecDeque::new(), hook: self.panic_hook().clone() },
            jobs: VecDeque::new(),
            window: AHEAD_PER_THREAD.saturating_mul(self.threads()),
            chunk: 1,
            learns_chunk: true,
            worth_waiting: None,
        }
    }
}

/// The results of an ordered map; see [`ThreadPool::map`].
#[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
pub struct Map<'pool, I: Iterator, R> {
    pool: &'pool ThreadPool,
    inputs: Fuse<I>,
    /// The inputs of the next job. Kept here, so that an input that panics costs no other.
    gathered: Each<Vec<I::Item>>,
    submit: Box<Submit<'pool, I::Item, R>>,
    /// Results that are next, in order.
    at_hand: Results<R>,
    /// The jobs that are ahead of the reader, in the order of their inputs.
    jobs: VecDeque<MapJob<R>>,
    /// How many jobs there may be ahead.
    window: usize,
    /// How many inputs go into one job.
    chunk: usize,
    /// That is as many as seemed right lately, and not as a setting said.
    learns_chunk: bool,
    /// How long a result is worth waiting for: as long as the last input took to come.
    worth_waiting: Option<Duration>,
}

/// Hands out one job.
type Submit<'pool, T, R> = dyn Fn(Each<Vec<T>>) -> MapJob<R> + Send + Sync + 'pool;

struct MapJob<R> {
    handle: JoinHandle<(Results<R>, Duration)>,
    n_inputs: usize,
}

/// What one job of a map returns: a result for each of its inputs. (And how long they took.)
struct Results<R> {
    unread: VecDeque<Result<R, JoinError>>,
    /// Hears of the panics among those that are not taken.
    hook: PanicHook,
}

impl<R> Drop for Results<R> {
    fn drop(&mut self) {
        self.unread.drain(..).for_each(|unread| self.hook.dispose(unread));
    }
}

impl<I: Iterator, R> Map<'_, I, R> {
    /// Puts this many inputs into each job, instead of as many as seem right.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[doc(alias = "chunksize")]
    pub fn chunk(mut self, inputs_per_job: usize) -> Self {
        assert!(inputs_per_job > 0, "a job of 0 inputs would never come to an end of them");
        (self.chunk, self.learns_chunk) = (inputs_per_job, false);
        self
    }

    /// Lets this many jobs be ahead of the reader, instead of eight per thread.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[doc(alias = "buffersize")]
    pub fn window(mut self, jobs: usize) -> Self {
        assert!(jobs > 0, "a window of 0 jobs would let none begin");
        self.window = jobs;
        self
    }

    /// Yields what is there within `timeout` from now, and then that time is over.
    ///
    /// When to use it: a part of the results is better than none, and later ones are of no use. To
    /// stop a call that is under way as well, give it a [token](crate::CancellationToken) that has a
    /// deadline.
    ///
    /// The results are still in the order of the inputs: what comes is all that precede the first one
    /// that was late. If anything is missing, the iterator ends with one `Err`. What is queued is
    /// cancelled then; calls that are running go on, detached, and what they return is not read.
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
    /// [`Elapsed`] is outside the result of a call. If `f` returns an `Elapsed` of its own, that
    /// is a result like others.
    #[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
    pub fn timeout(
        self,
        timeout: Duration,
    ) -> impl Iterator<Item = Result<Result<R, JoinError>, Elapsed>> {
        let (mut map, deadline) = (Some(self), Deadline::after(timeout));
        from_fn(move || match map.as_mut()?.next_until(deadline) {
            Ok(next) => next.map(Ok),
            Err(TimeIsOver) => {
                map = None; // Its drop cancels what is queued.
                Some(Err(Elapsed { timeout }))
            }
        })
    }

    /// Submits until the window is full. Once the next result is there it is two jobs at most, and none
    /// if an input may have to be waited for. When time is over it is none.
    fn fill_window(&mut self, deadline: Deadline) {
        let mut n_submitted = 0;
        while self.jobs.len() < self.window && !deadline.has_passed() {
            let most_ahead = if self.is_input_known() { 2 } else { 0 };
            let is_next_due = n_submitted >= most_ahead && self.is_next_ready(deadline);
            if is_next_due || !self.submit_next() {
                return;
            }
            n_submitted += 1;
        }
    }

    /// Whether there is another input, as far as its iterator says. Then it is not waited for.
    fn is_input_known(&self) -> bool {
        self.inputs.size_hint().0 > 0
    }

    /// Whether the next result is there, or comes before an input is likely to.
    fn is_next_ready(&mut self, deadline: Deadline) -> bool {
        let Some(next) = self.jobs.front() else { return false };
        if next.handle.is_finished() {
            return true;
        }
        // On a worker the next job may be up to this very thread.
        let can_wait = !self.is_input_known() && !on_worker(&self.pool.shared);
        let worth_waiting =
            self.worth_waiting.filter(|worth_waiting| can_wait && *worth_waiting >= WORTH_A_JOB);
        let Some(worth_waiting) = worth_waiting else { return false };
        matches!(self.join_next(deadline.min(Deadline::after(worth_waiting))), Ok(true))
    }

    /// Hands out the next inputs; false if there are none.
    fn submit_next(&mut self) -> bool {
        let began = prims::now();
        let mut last = began;
        while self.gathered.0.len() < self.chunk {
            let Some(input) = self.inputs.next() else { break };
            self.gathered.0.push(input);
            let now = prims::now();
            self.worth_waiting = Some(self.worth_waiting.map_or(FIRST_RESULT, |_| now - last));
            last = now;
            // A slow input is a reason to let those before it go, unless the caller has said otherwise.
            if self.learns_chunk && now - began >= WORTH_A_JOB {
                break;
            }
        }
        if self.gathered.0.is_empty() {
            return false;
        }
        let job = (self.submit)(mem::take(&mut self.gathered));
        self.jobs.push_back(job);
        true
    }

    /// Waits for the next job, and takes its results; false if there is none, nor an input.
    fn join_next(&mut self, deadline: Deadline) -> Result<bool, TimeIsOver> {
        let Some(MapJob { handle, n_inputs }) = self.jobs.pop_front() else {
            // If there is another input, it is kept for the next job.
            self.gathered.0.extend(self.inputs.next());
            return if self.gathered.0.is_empty() { Ok(false) } else { Err(TimeIsOver) };
        };
        // Without a deadline it is taken back, on a worker.
        let joined = handle.join_until(deadline).map_err(|StillRunning(handle)| {
            self.jobs.push_front(MapJob { handle, n_inputs });
            TimeIsOver
        })?;
        match joined {
            Ok((results, took)) => {
                self.learn(n_inputs, took);
                self.at_hand = results;
            }
            Err(JoinError::Cancelled(reason)) => {
                let cancelled = |_| Err(JoinError::Cancelled(reason.clone()));
                self.at_hand.unread = (0..n_inputs).map(cancelled).collect();
            }
            Err(JoinError::Panicked(panic)) => panic.resume(), // Ours: theirs are caught one by one.
        }
        Ok(true)
    }

    /// Twice as many as last time at most, so that one quick input does not decide for all.
    fn learn(&mut self, n_inputs: usize, took: Duration) {
        if self.learns_chunk {
            let one = took.as_nanos().max(1) / n_inputs as u128;
            let worth = (WORTH_A_JOB.as_nanos() / one.max(1)) as usize;
            self.chunk = worth.clamp(1, MOST_PER_JOB).min(2 * self.chunk);
        }
    }

    /// The next result, if it is there by the deadline. What was there before it comes after it, too.
    fn next_until(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<Result<R, JoinError>>, TimeIsOver> {
        loop {
            if let Some(result) = self.at_hand.unread.pop_front() {
                return Ok(Some(result));
            }
            self.fill_window(deadline);
            if self.at_hand.unread.is_empty() && !self.join_next(deadline)? {
                return Ok(None);
            }
        }
    }
}

/// There is more to come, and the deadline has passed.
#[derive(Debug)]
struct TimeIsOver;

impl<I: Iterator, R> Iterator for Map<'_, I, R> {
    type Item = Result<R, JoinError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(Deadline::Never).expect("never has not passed")
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inputs.size_hint();
        let in_jobs = self.jobs.iter().map(|job| job.n_inputs).sum::<usize>();
        let ahead = in_jobs + self.at_hand.unread.len() + self.gathered.0.len();
        (least.saturating_add(ahead), most.and_then(|most| most.checked_add(ahead)))
    }
}

impl<I: Iterator, R> Drop for Map<'_, I, R> {
    fn drop(&mut self) {
        self.jobs.iter().for_each(|job| _ = job.handle.cancel());
        panic::drop_each(mem::take(&mut self.gathered.0));
    }
}

impl<I: Iterator, R> fmt::Debug for Map<'_, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("jobs_ahead", &self.jobs.len()).finish_non_exhaustive()
    }
}

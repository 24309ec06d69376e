//! An ordered map over the workers: a line of jobs, as long as the window.
//!
//! Knows nothing of how jobs are run or waited for. What must always hold: results come in the order
//! of the inputs, one for each, whatever becomes of their neighbours; and no more inputs are taken
//! than the window has room for.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Fuse;
use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use crate::error::{JoinError, StillRunning};
use crate::panic::{self, DropEach};
use crate::prims;
use crate::wait::deadline::Deadline;
use crate::wait::panic_hook::PanicHook;

use super::handle::JoinHandle;
use super::job;
use super::thread_pool::ThreadPool;
use super::worker::on_worker;

/// How many jobs there are ahead of the reader, for each thread. Enough to keep the workers busy
/// while the reader deals with one result, and few enough to bound what is held.
const AHEAD_PER_THREAD: usize = 8;
/// How long a job should take. To hand it out, and to wake the reader when it is done, takes some 10
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
    /// the first `next`, and from then on there are at most eight jobs per thread ahead of you, be
    /// the inputs as many as they may. Where a call takes a few microseconds, a job makes several of
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
    /// # Errors
    ///
    /// A call that panicked is an `Err` in its place; the results of the others follow. After a
    /// shutdown, what had not begun is an `Err` too, and nothing is left out.
    ///
    /// **Dropping it** cancels what is queued and detaches what is running. A panic among the results
    /// that nobody has taken is told to the pool's [panic hook](crate::Builder::panic_hook).
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
            gathered: DropEach(Vec::new()),
            f: Arc::new(f),
            at_hand: Vec::new().into_iter(),
            jobs: VecDeque::new(),
            window: AHEAD_PER_THREAD.saturating_mul(self.threads()),
            chunk: Chunk::Learnt(1),
            patience: None,
            submitted_at: Location::caller(),
        }
    }
}

/// The results of an ordered map; see [`ThreadPool::map`].
#[must_use = "iterators are lazy: nothing is submitted before the first `next`"]
pub struct Map<'pool, I: Iterator, F, R> {
    pool: &'pool ThreadPool,
    inputs: Fuse<I>,
    /// The inputs of the next job. Kept here, so that an input that panics costs no other.
    gathered: DropEach<I::Item>,
    f: Arc<F>,
    /// Results that are next, in order.
    at_hand: vec::IntoIter<Result<R, JoinError>>,
    /// The jobs that are ahead of the reader, in the order of their inputs.
    jobs: VecDeque<Job<R>>,
    /// How many jobs there may be ahead.
    window: usize,
    chunk: Chunk,
    /// How long a result is worth waiting for: as long as the last input took to come.
    patience: Option<Duration>,
    submitted_at: &'static Location<'static>,
}

struct Job<R> {
    handle: JoinHandle<Done<R>>,
    n_inputs: usize,
}

/// What one job of a map returns: a result for each of its inputs, and how long they took.
struct Done<R> {
    results: Vec<Result<R, JoinError>>,
    took: Duration,
    /// Hears of the panics among results that nobody takes.
    panic_hook: PanicHook,
}

impl<R> Drop for Done<R> {
    fn drop(&mut self) {
        for unread in mem::take(&mut self.results) {
            self.panic_hook.dispose(unread);
        }
    }
}

/// How many inputs go into one job.
enum Chunk {
    /// As somebody said.
    Set(usize),
    /// As many as seemed right lately.
    Learnt(usize),
}

impl<I: Iterator, F, R> Map<'_, I, F, R> {
    /// Puts this many inputs into each job, instead of as many as seem right.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[doc(alias = "chunksize")]
    pub fn chunk(mut self, inputs_per_job: usize) -> Self {
        assert!(inputs_per_job > 0, "a job of 0 inputs would never come to an end of them");
        self.chunk = Chunk::Set(inputs_per_job);
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
}

impl<I, F, R> Map<'_, I, F, R>
where
    I: Iterator,
    I::Item: Send + 'static,
    F: Fn(I::Item) -> R + Send + Sync + 'static,
    R: Send + 'static,
{
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
        if self.jobs.front().is_some_and(|job| job.handle.is_finished()) {
            return true;
        }
        // On a worker the next job may be up to this very thread.
        let can_wait = !self.is_input_known() && !on_worker(&self.pool.shared);
        match self.patience {
            Some(patience) if can_wait && patience >= WORTH_A_JOB && !self.jobs.is_empty() => {
                let deadline = deadline.min(Deadline::after(patience));
                matches!(self.join_next(deadline), Ok(true))
            }
            Some(_) | None => false,
        }
    }

    /// Hands out the next inputs; false if there are none.
    fn submit_next(&mut self) -> bool {
        let most = match self.chunk {
            Chunk::Set(inputs) | Chunk::Learnt(inputs) => inputs,
        };
        let began = prims::now();
        let mut last = began;
        while self.gathered.0.len() < most {
            let Some(input) = self.inputs.next() else { break };
            self.gathered.0.push(input);
            let now = prims::now();
            self.patience = Some(self.patience.map_or(FIRST_RESULT, |_| now - last));
            last = now;
            // A slow input is a reason to let those before it go, unless the caller has said otherwise.
            if matches!(self.chunk, Chunk::Learnt(_)) && now - began >= WORTH_A_JOB {
                break;
            }
        }
        if self.gathered.0.is_empty() {
            return false;
        }
        let mut inputs = DropEach(mem::take(&mut self.gathered.0));
        let (f, submitted_at, n_inputs) = (self.f.clone(), self.submitted_at, inputs.0.len());
        let panic_hook = self.pool.panic_hook().clone();
        let job = move || {
            let began = prims::now();
            let call = |input| panic::catch(submitted_at, || f(input)).map_err(JoinError::Panicked);
            let results = mem::take(&mut inputs.0).into_iter().map(call).collect();
            Done { results, took: began.elapsed(), panic_hook }
        };
        let job = job::maker()(job, submitted_at, None);
        let handle = self.pool.submit_job(submitted_at, job);
        self.jobs.push_back(Job { handle, n_inputs });
        true
    }

    /// Waits for the next job, and takes its results in hand; false if there is none, nor an input.
    fn join_next(&mut self, deadline: Deadline) -> Result<bool, TimeIsOver> {
        let Some(Job { handle, n_inputs }) = self.jobs.pop_front() else {
            return if self.is_at_its_end() { Ok(false) } else { Err(TimeIsOver) };
        };
        let joined = match deadline {
            Deadline::Never => handle.join(), // Taken back, on a worker.
            Deadline::At(_) => match handle.join_until(deadline) {
                Ok(joined) => joined,
                Err(StillRunning(handle)) => {
                    self.jobs.push_front(Job { handle, n_inputs });
                    return Err(TimeIsOver);
                }
            },
        };
        let results = match joined {
            Ok(mut done) => {
                self.chunk.learn(n_inputs, done.took);
                mem::take(&mut done.results)
            }
            Err(JoinError::Cancelled(reason)) => {
                (0..n_inputs).map(|_| Err(JoinError::Cancelled(reason.clone()))).collect()
            }
            Err(JoinError::Panicked(panic)) => panic.resume(), // Ours: theirs are caught one by one.
        };
        self.at_hand = results.into_iter();
        Ok(true)
    }

    /// Whether there are no more inputs. If there is one, it is kept for the next job.
    fn is_at_its_end(&mut self) -> bool {
        self.gathered.0.extend(self.inputs.next());
        self.gathered.0.is_empty()
    }

    /// The next result, if it is there by the deadline. What was there before it comes after it, too.
    pub(super) fn next_until(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<Result<R, JoinError>>, TimeIsOver> {
        loop {
            if let Some(result) = self.at_hand.next() {
                return Ok(Some(result));
            }
            self.fill_window(deadline);
            if self.at_hand.len() == 0 && !self.join_next(deadline)? {
                return Ok(None);
            }
        }
    }
}

/// There is more to come, and the deadline has passed.
pub(super) struct TimeIsOver;

impl Chunk {
    /// Twice as many as last time at most, so that one quick input does not decide for all.
    fn learn(&mut self, n_inputs: usize, took: Duration) {
        if let Self::Learnt(chunk) = self {
            let one = took.as_nanos().max(1) / n_inputs as u128;
            let worth = (WORTH_A_JOB.as_nanos() / one.max(1)) as usize;
            *chunk = worth.clamp(1, MOST_PER_JOB).min(2 * *chunk);
        }
    }
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
        match self.next_until(Deadline::Never) {
            Ok(next) => next,
            Err(TimeIsOver) => unreachable!("never has not passed"),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (least, most) = self.inputs.size_hint();
        let in_jobs = self.jobs.iter().map(|job| job.n_inputs).sum::<usize>();
        let ahead = in_jobs + self.at_hand.len() + self.gathered.0.len();
        (least.saturating_add(ahead), most.and_then(|most| most.checked_add(ahead)))
    }
}

impl<I: Iterator, F, R> Drop for Map<'_, I, F, R> {
    fn drop(&mut self) {
        for job in &self.jobs {
            job.handle.cancel();
        }
        for unread in self.at_hand.by_ref() {
            self.pool.panic_hook().dispose(unread);
        }
    }
}

impl<I: Iterator, F, R> fmt::Debug for Map<'_, I, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("jobs_ahead", &self.jobs.len()).finish_non_exhaustive()
    }
}

//! Forking: what is borrowed for the length of one call, done by the caller and by the workers that have
//! nothing else to do. Two closures, or a function over a slice.
//!
//! Knows nothing of workers. What must always hold:
//!
//! 1. `join`: both closures have ended when it does, whichever way it does; and a thread that waits for the
//!    second waits for one that has begun. The second is a job on the stack, lent on demand. As long as
//!    all workers are busy that costs a push and a pop; when one is not, the oldest fork of the thread goes
//!    into the queue, for it has the most below it.
//! 2. `par_map`: every item is in one chunk, and a chunk is taken by one thread. The caller takes from the
//!    front, and its results go straight into the vector that is returned; workers take from the back,
//!    and theirs are put behind them in the end.

use std::iter::once;
use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Ending;
use crate::panic::{self, Panic};
use crate::prims::{self, Mutex};

use super::borrow::{BorrowedJob, lend_on_demand, put_behind_a_gate};
use super::job::Runner;
use super::thread_pool::{ThreadPool, has_room, queue};

/// How long a chunk should take. To take one costs two looks at the clock and a lock, which is little
/// beside that; and a thread is at most so much longer at work than the others.
const WORTH_A_CHUNK: Duration = Duration::from_micros(100);

impl ThreadPool {
    /// Runs two closures, at the same time if a worker is free, and returns what both return.
    ///
    /// When to use it: work that falls in two, again and again (a tree, a sort). Both may borrow. The
    /// first runs on the calling thread, in the pool or outside. The second is lent to the pool while
    /// the first runs: if no worker has nothing to do, it costs some nanoseconds to ask, and it runs
    /// here afterwards. So you need not work out where a fork pays.
    ///
    /// ```
    /// use handspun::ThreadPool;
    ///
    /// fn sum(pool: &ThreadPool, numbers: &[u64]) -> u64 {
    ///     if numbers.len() < 2 {
    ///         return numbers.iter().sum();
    ///     }
    ///     let (left, right) = numbers.split_at(numbers.len() / 2);
    ///     let (left, right) = pool.join(|| sum(pool, left), || sum(pool, right));
    ///     left + right
    /// }
    ///
    /// let pool = ThreadPool::new(2);
    /// let numbers: Vec<u64> = (1..=1000).collect();
    /// assert_eq!(sum(&pool, &numbers), 500_500);
    /// ```
    ///
    /// It cannot deadlock, however deep it goes: the wait for the second closure is one for a thread
    /// that has begun it, and runs nothing else meanwhile. After a [`shutdown`](Self::shutdown) both
    /// run here. They must not wait for each other, since they may run one after the other.
    ///
    /// # Panics
    ///
    /// If one of the closures does; both have ended then. If both do, the panic of the first goes on,
    /// and that of the second is told to the [panic hook](crate::Builder::panic_hook).
    #[track_caller]
    pub fn join<A, B, RA, RB>(&self, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA,
        B: FnOnce() -> RB + Send,
        RB: Send,
    {
        let forked_at = Location::caller();
        let fork = Fork { stage: Mutex::new(Stage::Waiting(b)), forked_at };
        let pool = Arc::as_ptr(&*self.shared).addr();
        let a_ended = lend_on_demand(pool, &fork, || {
            if self.shared.injector.is_work_wanted() {
                self.hand_out(pool, forked_at);
            }
            panic::catch(forked_at, a)
        });
        // No other thread has it now: it has settled, or never began and runs here.
        match (fork.stage.into_inner(), a_ended) {
            (Stage::Waiting(b), a_ended) => self.both(a_ended, panic::catch(forked_at, b)),
            (Stage::Ended(b_ended), a_ended) => self.both(a_ended, b_ended),
            (Stage::Begun, _) => unreachable!("the worker that begins it ends it before it leaves"),
        }
    }

    /// Queues the oldest fork of this thread: a worker has nothing to do.
    #[cold]
    fn hand_out(&self, pool: usize, forked_at: &'static Location<'static>) {
        let shared = &self.shared;
        shared.injector.want_work(false);
        if let Some(job) = put_behind_a_gate(pool, shared.settings.spin_limit, shared.process) {
            if has_room(shared) {
                queue(shared, once(job), forked_at);
            }
        }
    }

    /// Calls `f` for every item of a slice, on all threads, and returns the results in order.
    ///
    /// When to use it: the items and what `f` captures are borrowed, and all results are wanted
    /// before anything goes on. For results as they come, or inputs without an end, there is
    /// [`map`](Self::map). The calling thread takes part, so that a worker may call it, on a pool of
    /// any size, and one item or none is never sent anywhere. A thread that is free takes the next chunk; chunks
    /// grow while items turn out to be quick, and shrink towards the end.
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
    /// If a call of `f` does. What was begun is ended first; no other chunk is begun.
    #[track_caller]
    pub fn par_map<T, R, F>(&self, items: &[T], f: F) -> Vec<R>
    where
        T: Sync,
        R: Send,
        F: Fn(&T) -> R + Sync,
    {
        let called_at = Location::caller();
        // The calling thread is one of them: a worker of the pool, or instead of one.
        let n_helpers = (self.threads() - 1).min(items.len().saturating_sub(1));
        if n_helpers == 0 {
            return items.iter().map(f).collect();
        }
        let (rest, pieces) =
            (Mutex::new(Rest { items, n_before: 0, panic: None }), Mutex::new(Vec::new()));
        let work = Work { rest, pieces, f, n_threads: n_helpers + 1, called_at };
        let mut results = Vec::with_capacity(items.len());
        self.scope(|s| {
            let help = || {
                work.chunks(Rest::last, |at, chunk| {
                    let piece: Vec<R> = chunk.iter().map(&work.f).collect();
                    work.pieces.lock().push((at, piece));
                });
            };
            let queue = |_| s.try_submit(called_at, help);
            let helpers: Vec<_> = (0..n_helpers).map_while(queue).collect();
            work.chunks(Rest::first, |_, chunk| results.extend(chunk.iter().map(&work.f)));
            for helper in helpers {
                helper.cancel(); // If it has not begun, it comes too late.
            }
        });
        let mut pieces = work.pieces.into_inner();
        if let Some(panic) = work.rest.into_inner().panic {
            // Each by itself, before the panic goes on: two at once would be the end.
            panic::drop_each(results);
            panic::drop_each(pieces.into_iter().flat_map(|(_, piece)| piece));
            panic.resume();
        }
        pieces.sort_unstable_by_key(|(at, _)| *at);
        for (_, mut piece) in pieces {
            results.append(&mut piece);
        }
        results
    }
}

/// The second closure. If it is not run by a worker, it is run by the thread that forked.
struct Fork<B, RB> {
    stage: Mutex<Stage<B, RB>>,
    forked_at: &'static Location<'static>,
}

enum Stage<B, RB> {
    Waiting(B),
    Begun,
    Ended(Result<RB, Panic>),
}

impl<B, RB> BorrowedJob for Fork<B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    fn run(&self, _number: usize, runner: &dyn Runner) {
        let before = mem::replace(&mut *self.stage.lock(), Stage::Begun);
        let Stage::Waiting(b) = before else {
            unreachable!("a fork is one job, which is run once")
        };
        runner.before_running();
        let ended = panic::catch(self.forked_at, b);
        let ending = if ended.is_ok() { Ending::Returned } else { Ending::Panicked };
        runner.before_settling(ending);
        *self.stage.lock() = Stage::Ended(ended);
    }
}

struct Work<'items, T, R, F> {
    rest: Mutex<Rest<'items, T>>,
    /// What helpers have done, each with the index of its first item.
    pieces: Mutex<Vec<(usize, Vec<R>)>>,
    f: F,
    n_threads: usize,
    called_at: &'static Location<'static>,
}

/// The items that are not taken yet: those in the middle.
struct Rest<'items, T> {
    items: &'items [T],
    /// How many were taken from the front.
    n_before: usize,
    /// The first panic. Nothing is left to be taken after it.
    panic: Option<Panic>,
}

impl<'items, T> Rest<'items, T> {
    /// So many items, and the index of the first of them.
    fn first(&mut self, n_items: usize) -> (usize, &'items [T]) {
        let (chunk, rest) = self.items.split_at(n_items);
        let at = self.n_before;
        (self.items, self.n_before) = (rest, at + n_items);
        (at, chunk)
    }

    fn last(&mut self, n_items: usize) -> (usize, &'items [T]) {
        let (rest, chunk) = self.items.split_at(self.items.len() - n_items);
        self.items = rest;
        (self.n_before + rest.len(), chunk)
    }
}

impl<'items, T, R, F> Work<'items, T, R, F> {
    /// Takes and does chunks until there are no more, or one panics.
    fn chunks(
        &self,
        take: impl Fn(&mut Rest<'items, T>, usize) -> (usize, &'items [T]),
        mut work: impl FnMut(usize, &'items [T]),
    ) {
        let mut most = 1;
        let mut began = prims::now();
        loop {
            let mut rest = self.rest.lock();
            // Each thread may come twice more, for a chunk is often slower than the one before.
            let share = rest.items.len().div_ceil(2 * self.n_threads);
            let (at, chunk) = take(&mut rest, share.min(most));
            drop(rest);
            if chunk.is_empty() {
                return;
            }
            if let Err(panic) = panic::catch(self.called_at, || work(at, chunk)) {
                let mut rest = self.rest.lock();
                rest.items = &[];
                rest.panic.get_or_insert(panic);
                return;
            }
            let now = prims::now();
            most = worth(chunk.len(), now - began);
            began = now;
        }
    }
}

/// How many items the next chunk is worth, if one of so many took so long. Four times as many at most.
fn worth(n_items: usize, took: Duration) -> usize {
    let one = took.as_nanos().max(1) / n_items as u128;
    let worth = WORTH_A_CHUNK.as_nanos() / one.max(1);
    (worth as usize).clamp(1, 4 * n_items)
}

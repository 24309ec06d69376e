//! A function over a slice, on the calling thread and on the workers that have nothing else to do.
//!
//! Knows nothing of workers. What must always hold: every item is in one chunk, and a chunk is taken by one
//! thread. The caller takes from the front, and its results go straight into the vector that is returned;
//! workers take from the back, and theirs are put behind them in the end.

use std::iter::once;
use std::mem;
use std::panic::Location;
use std::time::Duration;

use crate::error::CancelReason;
use crate::panic::{self, Each, Panic};
use crate::prims::{self, Mutex};
use crate::trace_event::Ending;

use super::borrow::{Borrowed, Loans};
use super::job::{Claim, Run, Runner, Unrun};
use super::thread_pool::{ThreadPool, has_room, queue};

/// How long a chunk should take. To take one costs two looks at the clock and a lock, which is little
/// beside that; and a thread is at most so much longer at work than the others.
const WORTH_A_CHUNK: Duration = Duration::from_micros(100);

impl ThreadPool {
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
        let rest = Mutex::new(Rest { items, n_before: 0, panic: None });
        let (claim, pieces) = (Claim::default(), Mutex::new(Vec::new()));
        let work = SliceWork { claim, rest, pieces, f: &f, n_threads: n_helpers + 1, called_at };
        let mut results = Vec::with_capacity(items.len());
        let loans = Loans::new(self.share());
        loans.lend_while(|| {
            let helper = |_| {
                let helper =
                    has_room(&self.shared).then(|| loans.lend(Borrowed::OnStack(&work)))?;
                queue(&self.shared, once(helper.clone()), called_at);
                Some(helper)
            };
            let helpers: Vec<_> = (0..n_helpers).map_while(helper).collect();
            work.chunks(Rest::first, |_, chunk| results.extend(chunk.iter().map(&f)));
            for helper in helpers {
                self.shared.cancel(helper, CancelReason::Requested); // If it has not begun, it comes too late.
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

struct SliceWork<'items, T, R, F> {
    /// Of no use: what is in the queue has a claim of its own.
    claim: Claim,
    rest: Mutex<Rest<'items, T>>,
    /// What helpers have done, each with the index of its first item.
    pieces: Mutex<Vec<(usize, Vec<R>)>>,
    f: &'items F,
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

/// What a worker does.
impl<'a, T, R, F> Run<'a> for SliceWork<'_, T, R, F>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> R + Sync,
{
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        runner.before_running();
        self.chunks(Rest::last, |at, chunk| {
            // Each may panic when it is dropped, and is if a later call panics.
            let mut piece = Each(Vec::with_capacity(chunk.len()));
            piece.0.extend(chunk.iter().map(self.f));
            self.pieces.lock().push((at, mem::take(&mut piece.0)));
        });
        runner.before_settling(Ending::Returned);
        None
    }

    fn refuse(&self, _: CancelReason) -> Unrun<'a> {
        Box::new(())
    }
}

impl<'items, T, R, F> SliceWork<'items, T, R, F> {
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

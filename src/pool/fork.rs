//! Forking: two closures, run by the caller and by a worker that has nothing else to do, both of which may
//! borrow.
//!
//! Knows nothing of workers. What must always hold: both closures have ended when `join` does, whichever way
//! it does; and a thread that waits for the second waits for one that has begun. The second is a job on
//! the stack, lent on demand. As long as all workers are busy that costs a push and a pop; when one is not, the
//! oldest fork of the thread goes into the queue, for it has the most below it.

use std::iter::once;
use std::mem;
use std::panic::Location;

use crate::error::CancelReason;
use crate::panic::{self, Panic};
use crate::prims::Mutex;
use crate::trace_event::Ending;

use super::borrow::{lend_oldest, lend_on_demand};
use super::job::{Claim, Run, Runner, Unrun};
use super::thread_pool::{ThreadPool, has_room, queue};

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
        let stage = Mutex::new(Stage::Waiting(b));
        let fork = Fork { stage, forked_at, claim: Claim::default() };
        let a_ended = lend_on_demand(&self.shared, &fork, || {
            if self.shared.injector.is_work_wanted() {
                self.hand_out(forked_at);
            }
            panic::catch(forked_at, a)
        });
        // No other thread has it now: it has ended, or never began and runs here.
        let b_ended = match fork.stage.into_inner() {
            // Where `a` has left nothing that is to be dropped, a panic may go straight on.
            Stage::Waiting(b) if a_ended.is_ok() && !mem::needs_drop::<RA>() => Ok(b()),
            Stage::Waiting(b) => panic::catch(forked_at, b),
            Stage::Ended(ended) => ended,
            Stage::Begun => unreachable!("the worker that begins it ends it"),
        };
        self.both(a_ended, b_ended)
    }

    /// Queues the oldest fork of this thread: a worker has nothing to do.
    #[cold]
    fn hand_out(&self, forked_at: &'static Location<'static>) {
        let shared = &self.shared;
        shared.injector.want_work(false);
        if has_room(shared) {
            match lend_oldest(&self.share()) {
                Some(job) => queue(shared, once(job), forked_at),
                None => shared.give_back_room(1),
            }
        }
    }
}

/// The second closure. If it is not run by a worker, it is run by the thread that forked.
struct Fork<B, RB> {
    stage: Mutex<Stage<B, RB>>,
    forked_at: &'static Location<'static>,
    /// Of no use: what is in the queue has a claim of its own.
    claim: Claim,
}

enum Stage<B, RB> {
    Waiting(B),
    Begun,
    Ended(Result<RB, Panic>),
}

impl<'a, B, RB> Run<'a> for Fork<B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    fn claim(&self) -> &Claim {
        &self.claim
    }

    fn run(&self, runner: &dyn Runner) -> Option<Panic> {
        let Stage::Waiting(b) = mem::replace(&mut *self.stage.lock(), Stage::Begun) else {
            unreachable!("a fork is one job, which is run once")
        };
        runner.before_running();
        let ended = panic::catch(self.forked_at, b);
        let ending = if ended.is_ok() { Ending::Returned } else { Ending::Panicked };
        runner.before_settling(ending);
        *self.stage.lock() = Stage::Ended(ended);
        None
    }

    /// It stays: the thread that forked runs it.
    fn refuse(&self, _: CancelReason) -> Unrun<'a> {
        Box::new(())
    }
}

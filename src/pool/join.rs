//! Forking: two closures, of which the second may run elsewhere, if anybody has nothing to do.
//!
//! Knows nothing of workers. A fork is a job on the stack, lent on demand. As long as all workers are
//! busy it costs a push and a pop; when one is not, the oldest fork of the thread goes into the queue,
//! for it has the most below it. What must always hold: both closures have ended when `join` does,
//! whichever way it does; and a thread that waits for the second waits for one that has begun.

use std::mem;
use std::panic::Location;
use std::sync::Arc;

use crate::error::CancelReason;
use crate::event::Ending;
use crate::panic::{self, Panic};
use crate::prims::Mutex;

use super::borrow::{Errand, lend_on_demand, put_behind_a_door};
use super::job::Runner;
use super::submit;
use super::thread_pool::ThreadPool;

impl ThreadPool {
    /// Runs two closures, at the same time if a worker is free, and returns what both return.
    ///
    /// When to use it: work that falls in two, again and again (a tree, a sort). Both may borrow. The
    /// first runs on the calling thread, in the pool or outside. The second is lent to the pool while
    /// the first runs: if no worker has nothing to do, it costs some nanoseconds to ask, and it runs
    /// here afterwards. So it is not worth much to fork only where it pays.
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
    /// It cannot deadlock, however deep it goes: who waits for the second closure waits for a thread
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
        let line = Arc::as_ptr(&self.shared).addr();
        let a_ended = lend_on_demand(line, &fork, || {
            if self.shared.inbox.is_work_wanted() {
                self.hand_out(line, forked_at);
            }
            panic::catch(forked_at, a)
        });
        // Nobody else has it now: it has settled, or never began and runs here.
        let b_ended = match fork.stage.into_inner() {
            Stage::Waiting(b) => panic::catch(forked_at, b),
            Stage::Ended(ended) => ended,
            Stage::Begun => unreachable!("the worker that begins it ends it before it leaves"),
        };
        match (a_ended, b_ended) {
            (Ok(a), Ok(b)) => (a, b),
            // A value that nobody gets is dropped before the panic goes on: two at once would be the end.
            (Ok(unread), Err(panic)) => {
                panic::contain(|| drop(unread));
                panic.resume()
            }
            (Err(panic), Ok(unread)) => {
                panic::contain(|| drop(unread));
                panic.resume()
            }
            (Err(panic), Err(other)) => {
                self.panic_hook().tell(&other);
                panic.resume()
            }
        }
    }

    /// Queues the oldest fork of this thread: a worker has nothing to do.
    #[cold]
    fn hand_out(&self, line: usize, forked_at: &'static Location<'static>) {
        let shared = &self.shared;
        shared.inbox.want_work(false);
        if let Some(job) = put_behind_a_door(line, shared.settings.look_out, shared.process) {
            submit::try_queue(shared, job, forked_at);
        }
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

impl<B, RB> Errand for Fork<B, RB>
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

    fn refuse(&self, _number: usize, _reason: CancelReason, runner: &dyn Runner) {
        runner.before_settling(Ending::Cancelled);
    }
}

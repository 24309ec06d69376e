//! What a pool's workers and its users share: the injector and another lock, and behind them all that the pool
//! knows.
//!
//! Knows nothing of threads: which worker is to be woken, `worker` asks and does. Submitters lock a shard of
//! the injector, and take the other lock only when a wake is needed; workers take the other one, and one shard
//! after another inside it when their own queue is empty.
//!
//! What must always hold, whenever all locks are free:
//!
//! 1. While a job is queued and a worker is free (it is idle, or may be started), a worker searches, or
//!    the submitter that was told so is about to wake one. A system that refuses threads breaks this
//!    until the next job is submitted or taken.
//! 2. At most one worker searches, until the pool is closed and all are woken. It wakes the next before
//!    it runs its first job, so that a flood of submits pays for one wake-up and not for one each.
//! 3. A wake is needed only while nothing is queued and no worker searches, or when a worker has been
//!    lost and the next submit is to try again.
//! 4. Every job is queued, or claimed by exactly one thread, which runs or refuses it. The claim is on
//!    the job itself, and not where it is in the queue.
//! 5. The injector is closed under the other lock, and a worker ends when it has found it closed, and then nothing
//!    queued, under that lock. So no job comes after the last worker has gone.
//! 6. A worker on the list of the idle is asleep or about to be, and is unparked when it is taken off.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::CancelReason;
use crate::prims::{AtomicUsize, Mutex, MutexGuard, Ordering, ThreadHandle};
use crate::trace_event::{Ending, Step};
use crate::wait::deferred;
use crate::wait::hints::ProcessId;
use crate::wait::parker::Parker;
use crate::wait::permits::Permits;

use super::builder::Builder;
use super::injector::{Apart, Injector, JobQueue};
use super::job::{Claim, Queued};

use Ordering::{Acquire, Relaxed, Release};

/// A pool, as its handles know it. Each of its workers has one of its own to make handles of, and other threads have
/// several between them: for every handle is counted, and with one count they would wait for each other at every job.
pub(crate) type PoolRef = Arc<Apart<Arc<Shared>>>;

pub(crate) struct Shared {
    pub(crate) injector: Apart<Injector>,
    state: Apart<Mutex<State>>,
    /// One permit for each job that may be queued, if the queue has a limit. It is taken before the job
    /// is let in, and given back when the job leaves the queue, whichever way it does.
    pub(crate) room: Option<Permits>,
    /// Jobs that were refused. What workers settle they count themselves.
    n_refused: Apart<AtomicUsize>,
    pub(crate) settings: Builder,
    /// Where the threads are.
    pub(crate) process: ProcessId,
    /// Held by the thread that joins the others.
    pub(crate) joining: Mutex<()>,
}

/// What the workers know of each other.
pub(crate) struct State {
    /// Emptied before the injector, which then takes its place.
    pub(crate) queue: JobQueue,
    /// How many jobs there had ever been when the injector was looked through.
    n_seen: usize,
    /// Some worker is bound to look at the queue before it sleeps: it was woken or started, it spins,
    /// or it is about to settle its job. No other need be woken meanwhile.
    pub(crate) is_one_searching: bool,
    /// The workers that sleep, or are about to; the last one first, for its caches are warm.
    pub(crate) idle: Vec<Arc<Parker>>,
    /// Threads that are up, one that is being started included.
    pub(crate) n_threads: usize,
    /// How many there may be: as the settings say, or fewer since `on_start` panicked.
    pub(crate) most_threads: usize,
    /// All there have ever been, by number, until they are joined.
    pub(crate) threads: Vec<ThreadHandle<()>>,
    /// What each worker has done. It counts for itself, on cache lines of its own: with one count for
    /// all, they would wait for each other at every job.
    pub(crate) counts: Vec<Arc<Apart<Counts>>>,
    /// Workers that wait for any of several jobs and could run one, by their number.
    pub(crate) waiting_workers: Vec<(usize, Waker)>,
    /// Wakers of the waits for the end of the pool.
    end_waiters: Vec<Waker>,
}

/// What a worker has done. A job is counted as begun when it is claimed, by the worker whose turn it is under the
/// workers' lock.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) begun: AtomicUsize,
    pub(crate) settled: AtomicUsize,
}

/// What a worker is to do next.
pub(crate) enum Next {
    /// Run this job, which is claimed.
    Run(Queued),
    /// Spin for news since there were so many jobs. A worker that does so searches.
    Spin(usize),
    /// Park, until it is taken off the list of the idle and unparked.
    Sleep,
    End,
}

/// What is going on in a pool; see [`ThreadPool::stats`](crate::ThreadPool::stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs there have ever been. At any moment, `submitted == queued + running + settled`.
    pub submitted: usize,
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that have been taken from the queue and have not settled.
    pub running: usize,
    /// Jobs that have returned, panicked or been cancelled.
    pub settled: usize,
    /// Worker threads that are up.
    pub threads: usize,
    /// Worker threads that have nothing to do.
    pub idle: usize,
}

/// To a count that only this thread changes. To read and to write costs a fraction of what both at once would.
pub(crate) fn add_one(count: &AtomicUsize) {
    // ORDERING: Release. Pairs with the Acquire in `stats`. Relaxed for what we have written ourselves.
    count.store(count.load(Relaxed) + 1, Release);
}

impl Shared {
    pub(crate) fn new(settings: Builder) -> Self {
        let state = State {
            queue: JobQueue::new(),
            n_seen: 0,
            is_one_searching: false,
            idle: Vec::new(),
            n_threads: 0,
            most_threads: settings.threads,
            threads: Vec::new(),
            counts: Vec::new(),
            waiting_workers: Vec::new(),
            end_waiters: Vec::new(),
        };
        Self {
            injector: Apart(Injector::new(settings.threads)),
            state: Apart(Mutex::new(state)),
            room: settings.queue_limit.map(Permits::new),
            n_refused: Apart(AtomicUsize::new(0)),
            settings,
            process: ProcessId::current(),
            joining: Mutex::new(()),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Claims a queued job out of turn, for a worker or another thread; false if another was faster. The caller has
    /// to run or to refuse it.
    pub(crate) fn claim(&self, claim: &Claim, worker: Option<usize>) -> bool {
        let is_claimed = claim.take();
        if is_claimed {
            if self.injector.bury(worker) {
                self.injector.compact(worker, &mut self.lock().queue);
            }
            self.give_back_room(1);
        }
        is_claimed
    }

    /// Claims a queued job and refuses it; false if it was too late for that.
    pub(crate) fn cancel(&self, job: Queued, reason: CancelReason) -> bool {
        let is_claimed = self.claim(job.claim(), None);
        if is_claimed {
            self.refuse(job, reason);
        }
        is_claimed
    }

    /// So many jobs have left the queue.
    pub(crate) fn give_back_room(&self, n: usize) {
        if let Some(room) = &self.room {
            room.give(n);
        }
    }

    /// Settles a job that was claimed, or was not let in, to the reason why it is not run; and drops
    /// its closure.
    pub(crate) fn refuse(&self, job: Queued, reason: CancelReason) {
        self.n_refused.fetch_add(1, Release); // ORDERING: Release. Pairs with the Acquire in `stats`.
        self.settings.observer.tell(job.claim().number(), Step::Settled(Ending::Cancelled));
        let closure = job.refuse(reason);
        // What the closure owns may be the next job, which is cancelled with it, and so on.
        let _ = deferred::run(move || drop(closure));
    }

    /// Refuses jobs that were drained.
    pub(crate) fn refuse_all(&self, drained: Vec<Queued>, reason: &CancelReason) {
        self.give_back_room(drained.len());
        for job in drained {
            self.refuse(job, reason.clone());
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        // ORDERING: Acquire, in this sequence. Pairs with the Release in `add_one` and in
        // `refuse`: what has settled is seen to have begun, and what has begun to have been submitted.
        let settled_there: usize = state.counts.iter().map(|of| of.settled.load(Acquire)).sum();
        let refused = self.n_refused.load(Acquire);
        let begun: usize = state.counts.iter().map(|of| of.begun.load(Acquire)).sum();
        let submitted = self.injector.n_submitted();
        let (queued, running) = (submitted - begun - refused, begun - settled_there);
        let settled = settled_there + refused;
        let (threads, idle) = (state.n_threads, state.idle.len());
        Stats { submitted, queued, running, settled, threads, idle }
    }

    /// Of a pool that is closed: ready when all threads have left their loops.
    pub(crate) fn poll_end(&self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        if state.n_threads == 0 {
            return Poll::Ready(());
        }
        self.process.is_awaited();
        if !state.end_waiters.iter().any(|kept| kept.will_wake(&waker)) {
            state.end_waiters.push(waker);
        }
        Poll::Pending
    }

    /// Whether the first of the queue is a job that may be claimed. If nothing is queued, the next submit is to wake
    /// a worker, if that is said.
    pub(crate) fn has_queued(&self, state: &mut State, needs_wake: bool) -> bool {
        loop {
            match state.queue.front() {
                Some(job) if !job.claim().is_taken() => return true,
                Some(_) => drop(state.queue.pop_front()),
                None if needs_wake && self.injector.needs_wake() => return false, // No job has come since it was said.
                None => {
                    state.n_seen = self.injector.n_submitted(); // Not at every job: each submit writes it.
                    if !self.injector.move_to(&mut state.queue, needs_wake) {
                        return false;
                    }
                }
            }
        }
    }

    /// The caller says that it searches from now on; false if another does.
    pub(crate) fn begin_to_search(&self) -> bool {
        let mut state = self.lock();
        let is_first = self.injector.needs_wake() && !state.is_one_searching;
        if is_first {
            state.is_one_searching = true;
            self.injector.set_needs_wake(false);
        }
        is_first
    }

    /// The job that has waited longest, claimed; or what to do instead.
    pub(crate) fn next(&self, state: &mut State, parker: &Arc<Parker>, may_spin: bool) -> Next {
        let is_first = !state.is_one_searching;
        // If there is no job: one that spins looks by itself, and one that sleeps is to be woken.
        let needs_wake = is_first && !may_spin;
        while self.has_queued(state, needs_wake) {
            let first = state.queue.pop_front().expect("it was there, under this lock");
            if first.claim().take() {
                return Next::Run(first);
            }
        }
        if self.injector.is_closed() {
            Next::End
        } else if may_spin && is_first {
            state.is_one_searching = true;
            Next::Spin(state.n_seen)
        } else {
            state.idle.push(parker.clone());
            Next::Sleep
        }
    }

    /// Lets no more jobs in. Every idle worker is to be unparked, to see for itself.
    pub(crate) fn close(&self, state: &mut State) -> Vec<Arc<Parker>> {
        self.injector.close(&CancelReason::ShutDown);
        mem::take(&mut state.idle)
    }
}

impl State {
    /// Whether a worker could be woken, if none searched: one that is idle, or a new one.
    pub(crate) fn has_free_worker(&self) -> bool {
        !self.idle.is_empty() || self.n_threads < self.most_threads
    }

    /// Keeps the waker of a worker that could run a job while it waits, instead of its last one;
    /// unless no worker comes for the first job of the queue. A thread that may be started does not
    /// count: the system may have refused it.
    pub(crate) fn wait_for_worker(&mut self, number: usize, waker: &mut Option<Waker>) -> bool {
        let is_one_coming = self.is_one_searching || !self.idle.is_empty();
        if let (true, Some(newest)) = (is_one_coming, waker.take()) {
            let last = self.waiting_workers.iter().position(|(waiting, _)| *waiting == number);
            *waker = last.map(|at| self.waiting_workers.swap_remove(at).1);
            self.waiting_workers.push((number, newest));
        }
        is_one_coming
    }

    /// Claims all that is in the workers' queue. The caller has to refuse it.
    pub(crate) fn drain(&mut self) -> Vec<Queued> {
        mem::take(&mut self.queue).into_iter().filter(|job| job.claim().take()).collect()
    }

    /// A thread is gone. If it was the last, the waits for the end are to be woken.
    pub(crate) fn lose_thread(&mut self) -> Vec<Waker> {
        self.n_threads -= 1;
        if self.n_threads == 0 { mem::take(&mut self.end_waiters) } else { Vec::new() }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_falls_asleep_while_another_searches_leaves_no_wake_needed() {
        let settings = Builder::new().threads(2).checked().expect("two are not too many");
        let (shared, parker) = (Shared::new(settings), Arc::new(Parker::new()));
        let mut state = shared.lock();
        for is_one_searching in [true, false] {
            state.is_one_searching = is_one_searching;
            assert!(matches!(shared.next(&mut state, &parker, false), Next::Sleep));
            assert_eq!(shared.injector.needs_wake(), !is_one_searching);
        }
    }
}

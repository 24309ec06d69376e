//! What a pool's workers and its users share: one lock, and behind it all that the pool knows.
//!
//! Knows nothing of threads: it says which hand is wanted, and `worker` fetches it.
//!
//! What must always hold, whenever the lock is free:
//!
//! 1. While a job is queued and a worker is idle or may be started, one is on its way. (A system
//!    that refuses threads breaks this until the next job is submitted or taken.)
//! 2. At most one worker is on its way. It sends for the next before it runs its first job, so that
//!    a flood of submits pays for one wake-up and not for one each.
//! 3. Every job is in the queue, or claimed by exactly one thread, which runs or refuses it.
//! 4. Counts change under the lock. Only `settled` does not: see `Ledger::count_settled`.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::error::CancelReason;
use crate::prims::{Mutex, MutexGuard, ThreadHandle};
use crate::wait::help::Ticket;
use crate::wait::parker::Parker;

use super::builder::Settings;
use super::job::Run;
use super::ledger::Ledger;
use super::queue::Queue;

/// Aligned, so that the reference count before it, which every submit moves, and the lock, which
/// everybody waits for, are not on the same line of the processor's cache.
#[repr(align(128))]
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) ledger: Ledger,
    pub(crate) settings: Settings,
}

pub(crate) struct State {
    pub(crate) queue: Queue<Arc<dyn Run>>,
    phase: Phase,
    /// Why there will never be a worker, if that is so.
    broken: Option<CancelReason>,
    /// Jobs that were not let in.
    n_refused: usize,
    /// The workers that look for nothing, the last to lie down first: its caches are warm.
    idle: Vec<Arc<Parker>>,
    /// A worker was woken or started, and has not arrived yet.
    is_one_on_its_way: bool,
    /// Threads that are up, one that is on its way included.
    n_threads: usize,
    /// How many there may be: as the settings say, or fewer since `on_start` panicked.
    most_threads: usize,
    /// Threads there have ever been, which numbers them.
    n_started: usize,
    threads: Vec<ThreadHandle<()>>,
    /// Workers that wait for any of several jobs and could run one, by their number.
    bystanders: Vec<(usize, Waker)>,
    /// Who waits for the end of the pool.
    end_waiters: Vec<Waker>,
}

/// | phase     | a submit | a worker that finds no job | next                            |
/// |-----------|----------|----------------------------|---------------------------------|
/// | `Open`    | queues   | lies down                  | `Closing`, by `close`           |
/// | `Closing` | refuses  | ends                       | `Joining`, with no thread left  |
/// | `Joining` | refuses  | —                          | `Ended`, with every one joined  |
/// | `Ended`   | refuses  | —                          | —                               |
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    /// The threads have left their loops; somebody joins them.
    Joining,
    Ended,
}

/// Who is to come for what is queued.
pub(crate) enum Hand {
    /// Nobody: nothing is queued, or somebody is on the way, or everybody is at work.
    NotWanted,
    Idle(Arc<Parker>),
    /// A thread that is yet to be started, with its number.
    New(usize),
    /// All are at work, but these wait for jobs and may find that they had better run one.
    Bystanders(Vec<(usize, Waker)>),
}

/// A job that was not let in. Its submitter has to refuse it, with the lock let go.
pub(crate) struct Refused {
    pub(crate) job: Arc<dyn Run>,
    pub(crate) reason: CancelReason,
}

/// What somebody who waits for the end of the pool is told.
pub(crate) enum End {
    /// The caller is the first to know that all threads have left: it has to join them.
    JoinThreads(Vec<ThreadHandle<()>>),
    /// All is over.
    Reached,
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

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State {
            queue: Queue::new(),
            phase: Phase::Open,
            broken: None,
            n_refused: 0,
            idle: Vec::new(),
            is_one_on_its_way: false,
            n_threads: 0,
            most_threads: settings.threads,
            n_started: 0,
            threads: Vec::new(),
            bystanders: Vec::new(),
            end_waiters: Vec::new(),
        };
        let ledger = Ledger::new(settings.panic_hook.clone());
        Self { state: Mutex::new(state), ledger, settings }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Takes a queued job out of turn. The caller has to run or to refuse it.
    pub(crate) fn claim(&self, ticket: Ticket) -> Option<Arc<dyn Run>> {
        self.lock().queue.claim(ticket)
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        // All of it is of one moment: the lock holds everything still but `settled`, and that is
        // read once.
        let submitted = state.n_submitted();
        let (queued, settled) = (state.queue.len(), self.ledger.settled());
        let running = submitted - queued - settled;
        let (threads, idle) = (state.n_threads, state.idle.len());
        Stats { submitted, queued, running, settled, threads, idle }
    }

    /// Ready when all threads have left their loops, and again when they have been joined.
    pub(crate) fn poll_end(&self, context: &Context<'_>) -> Poll<End> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        match state.phase {
            Phase::Ended => Poll::Ready(End::Reached),
            Phase::Closing if state.n_threads == 0 => {
                state.phase = Phase::Joining;
                Poll::Ready(End::JoinThreads(mem::take(&mut state.threads)))
            }
            Phase::Open | Phase::Closing | Phase::Joining => {
                state.end_waiters.push(waker);
                Poll::Pending
            }
        }
    }
}

impl State {
    fn n_submitted(&self) -> usize {
        self.queue.n_pushed() + self.n_refused
    }

    /// Takes a job in, or says why not.
    pub(crate) fn admit(&mut self, job: Arc<dyn Run>) -> Result<Ticket, Refused> {
        let reason = match (self.phase, &self.broken) {
            (Phase::Open, None) => return Ok(self.queue.push(job)),
            (Phase::Open, Some(reason)) => reason.clone(),
            (Phase::Closing | Phase::Joining | Phase::Ended, _) => CancelReason::ShutDown,
        };
        self.n_refused += 1;
        Err(Refused { job, reason })
    }

    /// Who is to come for what is queued. The caller has to fetch that hand.
    pub(crate) fn next_hand(&mut self) -> Hand {
        if self.queue.len() == 0 || self.is_one_on_its_way {
            return Hand::NotWanted;
        }
        if let Some(parker) = self.idle.pop() {
            self.is_one_on_its_way = true;
            return Hand::Idle(parker);
        }
        if self.n_threads < self.most_threads {
            self.is_one_on_its_way = true;
            self.n_threads += 1;
            self.n_started += 1;
            return Hand::New(self.n_started - 1);
        }
        if self.bystanders.is_empty() {
            return Hand::NotWanted;
        }
        Hand::Bystanders(self.take_bystanders())
    }

    /// Those who counted on a hand that is not free after all. The caller has to wake them.
    pub(crate) fn take_bystanders(&mut self) -> Vec<(usize, Waker)> {
        mem::take(&mut self.bystanders)
    }

    /// Whether somebody comes for the first job in line.
    ///
    /// It is tempting to count those who are idle, or may be started, too. But by invariant 1 one of
    /// them is on its way already, unless the system refuses threads, and then nobody comes.
    pub(crate) fn is_one_on_its_way(&self) -> bool {
        self.is_one_on_its_way
    }

    /// Keeps the waker of a worker that could run a job while it waits, in place of its last one.
    pub(crate) fn stand_by(&mut self, worker: usize, waker: Waker) -> Option<(usize, Waker)> {
        let last = self.bystanders.iter().position(|(number, _)| *number == worker);
        let last = last.map(|at| self.bystanders.swap_remove(at));
        self.bystanders.push((worker, waker));
        last
    }

    /// The worker that was on its way is here.
    pub(crate) fn arrive(&mut self) {
        self.is_one_on_its_way = false;
    }

    /// A worker found nothing to do. Whoever takes its parker off the list unparks it.
    pub(crate) fn lie_down(&mut self, parker: Arc<Parker>) {
        self.idle.push(parker);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.phase != Phase::Open
    }

    /// Lets no more jobs in. Every idle worker is to be unparked, to see for itself.
    pub(crate) fn close(&mut self) -> Vec<Arc<Parker>> {
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
        mem::take(&mut self.idle)
    }

    pub(crate) fn keep_thread(&mut self, thread: ThreadHandle<()>) {
        self.threads.push(thread);
    }

    /// A thread is gone. If it was the last of a closed pool, those who wait for its end are to be woken.
    pub(crate) fn lose_thread(&mut self) -> Vec<Waker> {
        self.n_threads -= 1;
        let is_last = self.n_threads == 0 && self.is_closing();
        if is_last { mem::take(&mut self.end_waiters) } else { Vec::new() }
    }

    /// The threads have been joined; those who wait for the end are to be woken.
    pub(crate) fn all_joined(&mut self) -> Vec<Waker> {
        self.phase = Phase::Ended;
        mem::take(&mut self.end_waiters)
    }

    /// No thread is started any more after the one that fails now. If it was the only one, the
    /// pool is broken, and this is why.
    pub(crate) fn start_no_more(&mut self, reason: &CancelReason) {
        self.most_threads = self.n_threads - 1;
        if self.most_threads == 0 {
            self.broken = Some(reason.clone());
        }
    }

    pub(crate) fn has_threads(&self) -> bool {
        self.n_threads > 0
    }
}

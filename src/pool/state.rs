//! What a pool knows of its workers, under the lock that they share.
//!
//! Knows nothing of the inbox, and so cannot say whether a job is queued: `shared` sees both. What
//! must always hold: at most one worker is on its way, and a worker on the list of the idle is asleep
//! or about to be, and is unparked by whoever takes it off.

use std::mem;
use std::sync::Arc;
use std::task::Waker;

use crate::prims::ThreadHandle;
use crate::wait::help::Ticket;
use crate::wait::parker::Parker;

use super::job::Run;
use super::ledger::Ledger;
use super::queue::Queue;

pub(crate) struct State {
    /// Emptied before the inbox, which then takes its place.
    pub(crate) queue: Queue<Arc<dyn Run>>,
    /// Some worker is bound to look at the queue before it sleeps: it was woken or started, it looks
    /// out for news, or it is about to settle its job. Nobody else need be called meanwhile.
    pub(crate) is_one_on_its_way: bool,
    pub(crate) phase: Phase,
    /// The workers that look for nothing, the last to lie down first: its caches are warm.
    pub(crate) idle: Vec<Arc<Parker>>,
    /// Threads that are up, one that is on its way included.
    pub(crate) n_threads: usize,
    /// How many there may be: as the settings say, or fewer since `on_start` panicked.
    pub(crate) most_threads: usize,
    /// Threads there have ever been, which numbers them.
    pub(crate) n_started: usize,
    pub(crate) threads: Vec<ThreadHandle<()>>,
    /// Where each worker counts.
    pub(crate) ledgers: Vec<Arc<Ledger>>,
    /// Workers that wait for any of several jobs and could run one, by their number.
    pub(crate) bystanders: Vec<(usize, Waker)>,
    /// Who waits for the end of the pool.
    pub(crate) end_waiters: Vec<Waker>,
}

/// A step from `Open` is taken with the inbox closed under both locks, and a worker ends when it
/// has found both queues empty under both locks. So no job comes after the last worker has gone.
///
/// | phase     | a submit | a worker that finds no job | next                            |
/// |-----------|----------|----------------------------|---------------------------------|
/// | `Open`    | queues   | lies down                  | `Closing`, by `close`           |
/// | `Closing` | refuses  | ends                       | `Joining`, with no thread left  |
/// | `Joining` | refuses  | —                          | `Ended`, with every one joined  |
/// | `Ended`   | refuses  | —                          | —                               |
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
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

/// What a worker is to do next.
pub(crate) enum Next {
    Job(Ticket, Arc<dyn Run>),
    /// Look out for news. Whoever does so counts as on its way: nobody need call anybody.
    LookOut(usize),
    /// Park, until whoever takes its parker off the list unparks it.
    Sleep,
    End,
}

/// What is left to do when a worker is lost, with the locks let go.
pub(crate) struct Loss {
    /// Waits that counted on it, to be woken.
    pub(crate) bystanders: Vec<(usize, Waker)>,
    /// Jobs that nobody will come for, to be refused.
    pub(crate) orphans: Vec<(Ticket, Arc<dyn Run>)>,
    /// Who waited for the end of the pool and is to be woken.
    pub(crate) end_waiters: Vec<Waker>,
}

/// What somebody who waits for the end of the pool is told.
pub(crate) enum End {
    /// The caller is the first to know that all threads have left: it has to join them.
    JoinThreads(Vec<ThreadHandle<()>>),
    /// All is over.
    Reached,
}

impl State {
    pub(crate) fn new(most_threads: usize) -> Self {
        Self {
            queue: Queue::new(),
            is_one_on_its_way: false,
            phase: Phase::Open,
            idle: Vec::new(),
            n_threads: 0,
            most_threads,
            n_started: 0,
            threads: Vec::new(),
            ledgers: Vec::new(),
            bystanders: Vec::new(),
            end_waiters: Vec::new(),
        }
    }

    /// Whether a hand could be called, if nobody were on the way: one that is idle, or a new one.
    pub(crate) fn has_free_hand(&self) -> bool {
        !self.idle.is_empty() || self.n_threads < self.most_threads
    }

    /// Whether somebody comes for the first job in line. A thread that may be started does not
    /// count: the system may have refused it.
    pub(crate) fn is_somebody_coming(&self) -> bool {
        self.is_one_on_its_way || !self.idle.is_empty()
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

    pub(crate) fn keep_thread(&mut self, thread: ThreadHandle<()>, ledger: Arc<Ledger>) {
        self.threads.push(thread);
        self.ledgers.push(ledger);
    }

    /// A thread is gone. If it was the last of a closed pool, those who wait for the end are to be
    /// woken.
    pub(crate) fn lose_thread(&mut self) -> Vec<Waker> {
        self.n_threads -= 1;
        let is_last = self.n_threads == 0 && self.phase != Phase::Open;
        if is_last { mem::take(&mut self.end_waiters) } else { Vec::new() }
    }

    /// The threads have been joined; those who wait for the end are to be woken.
    pub(crate) fn all_joined(&mut self) -> Vec<Waker> {
        self.phase = Phase::Ended;
        mem::take(&mut self.end_waiters)
    }
}

//! What the workers of a pool know of each other, under the lock that they share.
//!
//! Knows nothing of the inbox, and so cannot say whether a job is queued: `shared` sees both. What
//! must always hold: at most one worker searches while the pool is open, and a worker on the list of
//! the idle is asleep or about to be, and is unparked when it is taken off.

use std::mem;
use std::sync::Arc;
use std::task::Waker;

use crate::prims::ThreadHandle;
use crate::wait::parker::Parker;

use super::inbox::Queue;
use super::job::{Run, WorkerStats};

/// What the workers know of each other.
pub(crate) struct State {
    /// Emptied before the inbox, which then takes its place.
    pub(crate) queue: Queue,
    /// Some worker is bound to look at the queue before it sleeps: it was woken or started, it spins,
    /// or it is about to settle its job. No other need be woken meanwhile.
    pub(crate) is_one_searching: bool,
    pub(crate) phase: Phase,
    /// The workers that sleep, or are about to; the last one first, for its caches are warm. One that
    /// is taken off the list is unparked.
    pub(crate) idle: Vec<Arc<Parker>>,
    /// Threads that are up, one that is being started included.
    pub(crate) n_threads: usize,
    /// How many there may be: as the settings say, or fewer since `on_start` panicked.
    pub(crate) most_threads: usize,
    /// Threads there have ever been, which numbers them.
    pub(crate) n_started: usize,
    pub(crate) threads: Vec<ThreadHandle<()>>,
    /// Where each worker counts.
    pub(crate) stats: Vec<Arc<WorkerStats>>,
    /// Workers that wait for any of several jobs and could run one, by their number.
    pub(crate) waiting_workers: Vec<(usize, Waker)>,
    /// Wakers of those who wait for the end of the pool.
    pub(crate) end_waiters: Vec<Waker>,
}

/// A step from `Open` is taken with the inbox closed under both locks, and a worker ends when it
/// has found both queues empty under both locks. So no job comes after the last worker has gone.
///
/// | phase     | a submit | a worker that finds no job | next                            |
/// |-----------|----------|----------------------------|---------------------------------|
/// | `Open`    | queues   | sleeps                     | `Closing`, by `close`           |
/// | `Closing` | refuses  | ends                       | `Joining`, with no thread left  |
/// | `Joining` | refuses  | —                          | `Ended`, with every one joined  |
/// | `Ended`   | refuses  | —                          | —                               |
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    Closing,
    /// The threads have left their loops, and are being joined.
    Joining,
    Ended,
}

/// Which worker is to be woken for what is queued.
pub(crate) enum WakeTarget {
    /// None: nothing is queued, or a worker searches, or all are at work.
    None,
    Idle(Arc<Parker>),
    /// A thread that is yet to be started, with its number.
    New(usize),
    /// All are at work, but these wait for jobs and may find that they had better run one.
    Waiting(Vec<(usize, Waker)>),
}

/// What a worker is to do next.
pub(crate) enum Next {
    /// Run this job, which is claimed.
    Run(Arc<dyn Run>),
    /// Drop this job, which was claimed by another, after the lock.
    Drop(Arc<dyn Run>),
    /// Spin for news since there were so many jobs. A worker that does so searches.
    Spin(usize),
    /// Park, until it is taken off the list of the idle and unparked.
    Sleep,
    End,
}

/// What leaves the line at once, to be dealt with after the lock.
#[derive(Default)]
pub(crate) struct Drained {
    /// Claimed, and to be refused.
    pub(crate) unrun: Vec<Arc<dyn Run>>,
    /// Claimed by others, and to be dropped.
    pub(crate) tombstones: Vec<Arc<dyn Run>>,
}

/// What is left to do when a worker could not start, with the locks let go.
pub(crate) struct StartupFailure {
    /// Waits that counted on it, and waits for the end of the pool.
    pub(crate) to_wake: Vec<Waker>,
    /// Jobs that no worker will come for.
    pub(crate) stranded: Drained,
}

/// What a wait for the end of the pool comes to.
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
            is_one_searching: false,
            phase: Phase::Open,
            idle: Vec::new(),
            n_threads: 0,
            most_threads,
            n_started: 0,
            threads: Vec::new(),
            stats: Vec::new(),
            waiting_workers: Vec::new(),
            end_waiters: Vec::new(),
        }
    }

    /// Whether a worker could be woken, if none searched: one that is idle, or a new one.
    pub(crate) fn has_free_worker(&self) -> bool {
        !self.idle.is_empty() || self.n_threads < self.most_threads
    }

    /// Keeps the waker of a worker that could run a job while it waits, in place of its last one;
    /// unless no worker comes for the first job in line. A thread that may be started does not
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

//! Where jobs are submitted, under a lock of its own, and the queue that they are in.
//!
//! Knows nothing of workers. It keeps submitters and workers apart: a worker swaps the
//! whole injector against its empty queue, and until then neither side waits for the other's lock. With
//! one lock for both, a flood of jobs took almost three times as long.
//!
//! What must always hold:
//!
//! 1. Jobs move from the injector to the workers' queue and never back, so that the order in which they
//!    came is the order in which they begin.
//! 2. A job that was claimed out of turn, by a joiner or a canceller, stays behind as a tombstone.
//!    There are never many more of these than of the jobs that they are between.

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::CancelReason;
use crate::prims::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering};

use super::job::Run;

use Ordering::Relaxed;

/// First in, first out. A job that is popped has to be claimed: it may be a tombstone.
pub(crate) type Queue = VecDeque<Arc<dyn Run>>;

pub(crate) struct Injector {
    state: Mutex<InjectorState>,
    /// How many jobs there have ever been, and so the next one's number. Changes under the lock, and
    /// is read without it by workers that spin.
    n_submitted: AtomicUsize,
    /// Whether the pool has been closed. Changes under the lock, and is read without it by workers
    /// that spin: they are to hear of the end at once.
    is_closed: AtomicBool,
    /// Nothing is queued and a worker is free: the next submit has to wake it. Changes under the
    /// lock, and is read without it by workers, at every job: therefore apart.
    needs_wake: Apart<AtomicBool>,
    /// A worker spins: work that could be split may as well be. Only a hint, and apart too: workers
    /// write it, and a submit does not care.
    is_work_wanted: Apart<AtomicBool>,
}

/// Begins and ends on cache lines of its own. Two cores that write to one line, each to its own
/// part of it, wait for each other all the same.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What the injector's lock guards.
pub(crate) struct InjectorState {
    pub(crate) queue: Queue,
    /// Tombstones here and in the workers' queue. One that is taken out of the queue before the claim
    /// has been reported counts less than nothing for that moment.
    pub(crate) n_tombstones: isize,
    /// How long the workers' queue was when it was last filled from here. It has only shrunk since.
    pub(crate) n_moved: usize,
    /// Why no more jobs are let in, once that is so.
    closed: Option<CancelReason>,
}

/// What became of jobs that were submitted.
pub(crate) enum Pushed<J> {
    /// They are queued, and will be found.
    Queued,
    /// They are queued, and the submitter has to wake a worker.
    NeedsWake,
    /// They are not let in; the submitter has to refuse them.
    Refused(J, CancelReason),
}

impl Injector {
    pub(crate) fn new() -> Self {
        let state =
            InjectorState { queue: Queue::new(), n_tombstones: 0, n_moved: 0, closed: None };
        Self {
            state: Mutex::new(state),
            n_submitted: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            needs_wake: Apart(AtomicBool::new(true)),
            is_work_wanted: Apart(AtomicBool::new(false)),
        }
    }

    /// Takes in one job or many: one lock, and one wake at most. Their numbers follow one another,
    /// from the one that is returned.
    pub(crate) fn push<J>(&self, jobs: J) -> (usize, Pushed<J>)
    where
        J: ExactSizeIterator<Item = Arc<dyn Run>>,
    {
        let mut state = self.state.lock();
        let first = self.n_submitted();
        // ORDERING: Relaxed. Under the lock, which orders it for all threads that take the lock. A worker that
        // looks without it takes it afterwards, to see what the news is.
        self.n_submitted.store(first + jobs.len(), Relaxed);
        if let Some(reason) = &state.closed {
            return (first, Pushed::Refused(jobs, reason.clone()));
        }
        for (number, job) in (first..).zip(jobs) {
            job.claim().set_number(number);
            state.queue.push_back(job);
        }
        if self.needs_wake() {
            self.set_needs_wake(&mut state, false);
            (first, Pushed::NeedsWake)
        } else {
            (first, Pushed::Queued)
        }
    }

    /// Lets no more jobs in.
    pub(crate) fn close(&self, state: &mut InjectorState, reason: CancelReason) {
        state.closed = Some(reason);
        self.is_closed.store(true, Relaxed); // ORDERING: Relaxed, as in `push`.
    }

    /// Whether there is a reason to end a spin that began when there were `n_seen` jobs. Only a hint.
    pub(crate) fn has_news(&self, n_seen: usize) -> bool {
        // ORDERING: Relaxed, as in `push`.
        self.n_submitted() != n_seen || self.is_closed.load(Relaxed)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, InjectorState> {
        self.state.lock()
    }

    /// The guard is asked for as a proof that the lock is held.
    pub(crate) fn set_needs_wake(&self, _: &mut InjectorState, needs_wake: bool) {
        self.needs_wake.store(needs_wake, Relaxed); // ORDERING: Relaxed, as in `push`.
    }

    /// Whether the next submit would wake a worker. Without the lock, only a hint.
    #[inline] // At every fork, in the crate that forks.
    pub(crate) fn needs_wake(&self) -> bool {
        self.needs_wake.load(Relaxed) // ORDERING: Relaxed, as in `push`.
    }

    /// A worker begins to spin, or has ended; or it is being given work.
    pub(crate) fn want_work(&self, is_wanted: bool) {
        // ORDERING: Relaxed. A hint, from which nothing is concluded but that a job may be welcome.
        self.is_work_wanted.store(is_wanted, Relaxed);
    }

    /// Whether a worker has nothing to do, and would take what another might do later.
    #[inline] // As `needs_wake`.
    pub(crate) fn is_work_wanted(&self) -> bool {
        self.needs_wake() || self.is_work_wanted.load(Relaxed) // ORDERING: as in `want_work`.
    }

    pub(crate) fn n_submitted(&self) -> usize {
        self.n_submitted.load(Relaxed) // ORDERING: Relaxed, as in `push`.
    }
}

impl InjectorState {
    /// A queued job was claimed out of turn. A worker that forks and joins claims what it pushed last:
    /// so tombstones at the end go at once, two for each that comes. They are to be dropped after the lock,
    /// which others want meanwhile.
    pub(crate) fn bury(&mut self) -> [Option<Arc<dyn Run>>; 2] {
        self.n_tombstones += 1;
        [self.pop_tombstone(), self.pop_tombstone()]
    }

    fn pop_tombstone(&mut self) -> Option<Arc<dyn Run>> {
        self.queue.back().filter(|job| job.claim().is_taken())?;
        self.n_tombstones -= 1;
        self.queue.pop_back()
    }

    /// Whether it is time to take out the others, too: each was paid for by its own claim.
    pub(crate) fn is_crowded(&self) -> bool {
        self.n_tombstones > 32.max((self.queue.len() + self.n_moved) / 2) as isize
    }

    /// Whether no more jobs are let in.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Takes out the tombstones, here and in the workers' queue.
    #[cold]
    pub(crate) fn compact(&mut self, workers_queue: &mut Queue) {
        for queue in [&mut *workers_queue, &mut self.queue] {
            let n_before = queue.len();
            queue.retain(|job| !job.claim().is_taken());
            self.n_tombstones -= (n_before - queue.len()) as isize;
        }
        self.n_moved = workers_queue.len();
    }

    /// Moves everything to the workers' queue, which is empty, in exchange for that.
    pub(crate) fn move_to(&mut self, workers_queue: &mut Queue) {
        // The memory of a flood that is over is given back, a half at a time.
        if workers_queue.capacity() > 1024.max(4 * self.n_moved) {
            workers_queue.shrink_to(workers_queue.capacity() / 2);
        }
        mem::swap(workers_queue, &mut self.queue);
        self.n_moved = workers_queue.len();
    }
}

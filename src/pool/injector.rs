//! Where jobs are submitted, under locks of its own, and the queues that they are in.
//!
//! Knows nothing of workers. It keeps submitters and workers apart: a worker moves all that was
//! submitted to its empty queue, and until then neither side waits for the other's lock. With one lock for both,
//! a flood of jobs took almost three times as long. And it keeps workers apart that submit to their own pool: each
//! has a shard. What a worker submits it often joins at once, and then no other thread has seen the job.
//!
//! What must always hold:
//!
//! 1. Jobs move from the shards to the workers' queue, all at once and in the order of their numbers, and never
//!    back: so the order in which they came is the order in which they begin.
//! 2. A job that was claimed out of turn, by a joiner or a canceller, stays behind as a tombstone.
//!    For each shard there are at most about half as many of these as jobs, or 32.
//! 3. A wake becomes needed with every shard locked and empty, or when a worker has been lost; and a submitter looks whether it is with its own
//!    shard locked.

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
    /// The first is for threads that are no workers. The others are the workers', who share them if they are many.
    shards: Vec<Apart<Mutex<Shard>>>,
    /// How many jobs there have ever been, and so the next one's number. Changes under the lock of a shard, and
    /// is read without it by workers that spin.
    n_submitted: AtomicUsize,
    /// Whether the pool has been closed. Changes under all locks, and is read without it by workers
    /// that spin: they are to hear of the end at once.
    is_closed: AtomicBool,
    /// Nothing is queued and a worker is free: the next submit has to wake it. Read without a lock by workers, at
    /// every job: therefore apart.
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

/// How many shards there are for workers, at most.
const MOST_SHARDS: usize = 8;

/// What was submitted by some of the threads.
#[derive(Default)]
pub(crate) struct Shard {
    pub(crate) queue: Queue,
    /// How many tombstones these threads have made, less those that were taken out of this queue. With those of
    /// the workers' queue the sum is right, but for claims that have not been reported.
    n_tombstones: isize,
    /// How many jobs were queued when last all of them were moved or looked through.
    n_moved: usize,
    /// Why no more jobs are let in, once that is so.
    closed: Option<CancelReason>,
}

/// Every shard, locked.
pub(crate) struct Locked<'i>(Vec<MutexGuard<'i, Shard>>);

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
    pub(crate) fn new(most_workers: usize) -> Self {
        let shards = (0..1 + most_workers.min(MOST_SHARDS)).map(|_| Apart(Mutex::default()));
        Self {
            shards: shards.collect(),
            n_submitted: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            needs_wake: Apart(AtomicBool::new(true)),
            is_work_wanted: Apart(AtomicBool::new(false)),
        }
    }

    /// The shard of a worker, or of any other thread.
    pub(crate) fn shard(&self, worker: Option<usize>) -> MutexGuard<'_, Shard> {
        let at = worker.map_or(0, |number| 1 + number % (self.shards.len() - 1));
        self.shards[at].lock()
    }

    /// Takes in one job or many: one lock, and one wake at most. Their numbers follow one another,
    /// from the one that is returned.
    pub(crate) fn push<J>(&self, worker: Option<usize>, jobs: J) -> (usize, Pushed<J>)
    where
        J: ExactSizeIterator<Item = Arc<dyn Run>>,
    {
        let mut shard = self.shard(worker);
        // ORDERING: Relaxed. Numbers differ, and rise with each lock of a shard. A worker that looks without a
        // lock takes all of them afterwards, to see what the news is.
        let first = self.n_submitted.fetch_add(jobs.len(), Relaxed);
        if let Some(reason) = &shard.closed {
            return (first, Pushed::Refused(jobs, reason.clone()));
        }
        for (number, job) in (first..).zip(jobs) {
            job.claim().set_number(number);
            shard.queue.push_back(job);
        }
        if self.needs_wake() {
            self.set_needs_wake(false);
            (first, Pushed::NeedsWake)
        } else {
            (first, Pushed::Queued)
        }
    }

    /// Lets no more jobs in.
    pub(crate) fn close(&self, reason: &CancelReason) {
        let mut all = self.lock();
        all.0.iter_mut().for_each(|shard| shard.closed = Some(reason.clone()));
        self.is_closed.store(true, Relaxed); // ORDERING: Relaxed, as in `push`.
    }

    /// Whether there is a reason to end a spin that began when there were `n_seen` jobs. Only a hint.
    pub(crate) fn has_news(&self, n_seen: usize) -> bool {
        // ORDERING: Relaxed, as in `push`.
        self.n_submitted() != n_seen || self.is_closed.load(Relaxed)
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked(self.shards.iter().map(|shard| shard.lock()).collect())
    }

    /// With all shards locked, if it is needed for a job that has not come yet.
    pub(crate) fn set_needs_wake(&self, needs_wake: bool) {
        // ORDERING: Relaxed. To those that look with a shard locked, its lock publishes that a wake is needed. That none is,
        // may be seen late: then there is one too many.
        self.needs_wake.store(needs_wake, Relaxed);
    }

    /// Whether the next submit would wake a worker. Without the lock, only a hint.
    #[inline] // At every fork, in the crate that forks.
    pub(crate) fn needs_wake(&self) -> bool {
        self.needs_wake.load(Relaxed) // ORDERING: Relaxed, as in `set_needs_wake`.
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

impl Shard {
    /// A queued job was claimed out of turn by one of these threads. A worker claims what it submitted lately:
    /// so tombstones at the ends go at once, and true says that it is time to take out the others, too. Each is paid for
    /// by its own claim.
    pub(crate) fn bury(&mut self) -> bool {
        self.n_tombstones += 1;
        let is_tombstone =
            |job: Option<&Arc<dyn Run>>| job.is_some_and(|job| job.claim().is_taken());
        while is_tombstone(self.queue.back()) {
            self.queue.pop_back();
            self.n_tombstones -= 1;
        }
        while is_tombstone(self.queue.front()) {
            self.queue.pop_front();
            self.n_tombstones -= 1;
        }
        self.n_tombstones > 32.max((self.queue.len() + self.n_moved) / 2) as isize
    }
}

impl Locked<'_> {
    /// Whether no more jobs are let in.
    pub(crate) fn is_closed(&self) -> bool {
        self.0[0].closed.is_some()
    }

    /// How many jobs are queued here, less the tombstones in the workers' queue that were not counted there.
    pub(crate) fn n_queued(&self) -> isize {
        self.0.iter().map(|shard| shard.queue.len() as isize - shard.n_tombstones).sum()
    }

    /// Takes out the tombstones, here and in the workers' queue.
    #[cold]
    pub(crate) fn compact(&mut self, workers_queue: &mut Queue, n_tombstones: &mut isize) {
        let n_queued = workers_queue.len() as isize - *n_tombstones + self.n_queued();
        workers_queue.retain(|job| !job.claim().is_taken());
        for shard in &mut self.0 {
            shard.queue.retain(|job| !job.claim().is_taken());
            shard.n_tombstones = 0;
        }
        let n_left = workers_queue.len() as isize + self.n_queued();
        *n_tombstones = n_left - n_queued; // None, but for claims that have not been reported.
        self.0.iter_mut().for_each(|shard| shard.n_moved = n_left as usize);
    }

    /// Moves everything to the workers' queue, which is empty.
    pub(crate) fn move_to(&mut self, workers_queue: &mut Queue) {
        let [outside, workers @ ..] = &mut self.0[..] else { unreachable!("there is always one") };
        // The memory of a flood that is over is given back, a half at a time.
        if workers_queue.capacity() > 1024.max(4 * outside.n_moved) {
            workers_queue.shrink_to(workers_queue.capacity() / 2);
        }
        mem::swap(workers_queue, &mut outside.queue);
        let n_outside = workers_queue.len();
        for shard in workers {
            workers_queue.append(&mut shard.queue);
            shard.queue.shrink_to(1024);
        }
        if workers_queue.len() > n_outside {
            workers_queue.make_contiguous().sort_by_key(|job| job.claim().number());
        }
        self.0.iter_mut().for_each(|shard| shard.n_moved = workers_queue.len());
    }
}

//! Where jobs are submitted, under locks of its own, and the queues that they are in.
//!
//! Knows nothing of workers. It keeps submitters and workers apart: a worker moves all that was
//! submitted to its empty queue, and until then neither side waits for the other's lock. With one lock for both,
//! a flood of jobs took almost three times as long. And it keeps workers apart that submit to their own pool: each
//! has a shard. What a worker submits it often joins at once, and then no other thread has seen the job.
//!
//! What must always hold:
//!
//! 1. Jobs move from the shards to the workers' queue, a whole shard at a time, and never back: so those of one
//!    shard begin in the order in which they came. Threads that are no workers share one.
//! 2. A job that was claimed out of turn, by a joiner or a canceller, may stay behind as a tombstone. Each shard's
//!    threads leave at most about half as many of these as there were jobs when they last looked for them, or 32.
//! 3. A worker says that a wake is needed before it looks through the shards, and a submitter looks whether it is
//!    with its shard locked: so the one hears of it, or the other finds the job. While it is still said, no job has
//!    come since that look.

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;

use crate::error::CancelReason;
use crate::prims::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, SetOnce};

use super::job::Queued;

use Ordering::Relaxed;

/// First in, first out. A job that is popped has to be claimed: it may be a tombstone.
pub(crate) type JobQueue = VecDeque<Queued>;

pub(crate) struct Injector {
    /// The first is for threads that are no workers. The others are the workers', who share them if they are many.
    shards: Vec<Apart<Mutex<Shard>>>,
    /// How many jobs there have ever been, and so the next one's number. Changes under the lock of a shard, and
    /// is read without it by workers that spin.
    n_submitted: AtomicUsize,
    /// Why no more jobs are let in, once that is so. It is set under the workers' lock, and so a worker that has found
    /// it there, and nothing queued, has seen the last job.
    closed: SetOnce<CancelReason>,
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
struct Shard {
    queue: JobQueue,
    /// How many tombstones these threads have made since they were last looked for, less those that were found here.
    n_tombstones: usize,
    /// With how many more it is time to look again.
    most_tombstones: usize,
}

const FEW_TOMBSTONES: usize = 32;

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
        let shard = |_| {
            let most_tombstones = FEW_TOMBSTONES;
            Apart(Mutex::new(Shard { queue: JobQueue::new(), n_tombstones: 0, most_tombstones }))
        };
        Self {
            shards: (0..1 + most_workers.min(MOST_SHARDS)).map(shard).collect(),
            n_submitted: AtomicUsize::new(0),
            closed: SetOnce::new(),
            needs_wake: Apart(AtomicBool::new(true)),
            is_work_wanted: Apart(AtomicBool::new(false)),
        }
    }

    /// The shard of a worker, or of any other thread.
    fn shard(&self, worker: Option<usize>) -> MutexGuard<'_, Shard> {
        let at = worker.map_or(0, |number| 1 + number % (self.shards.len() - 1));
        self.shards[at].lock()
    }

    /// Takes in one job or many: one lock, and one wake at most. Their numbers follow one another,
    /// from the one that is returned.
    pub(crate) fn push<J>(&self, worker: Option<usize>, jobs: J) -> (usize, Pushed<J>)
    where
        J: ExactSizeIterator<Item = Queued>,
    {
        let mut shard = self.shard(worker);
        let needs_wake = self.needs_wake(); // Before the count: a worker that spins for that says it next.
        // ORDERING: Relaxed. Numbers differ, and rise with each lock of a shard. A worker that looks without a
        // lock takes all of them afterwards, to see what the news is.
        let first = self.n_submitted.fetch_add(jobs.len(), Relaxed);
        if let Some(reason) = self.closed.get() {
            return (first, Pushed::Refused(jobs, reason.clone()));
        }
        for (number, job) in (first..).zip(jobs) {
            job.claim().set_number(number);
            shard.queue.push_back(job);
        }
        if needs_wake {
            self.set_needs_wake(false);
            (first, Pushed::NeedsWake)
        } else {
            (first, Pushed::Queued)
        }
    }

    /// Moves everything to the end of the workers' queue, and says whether that holds any then. A submit that comes too
    /// late to be found has to wake a worker, if that is said. To be called with the workers' lock held.
    pub(crate) fn move_to(&self, workers_queue: &mut JobQueue, needs_wake: bool) -> bool {
        self.set_needs_wake(needs_wake);
        // The memory of a flood that is over is given back, a half at a time.
        if workers_queue.capacity() > 1024 {
            workers_queue.shrink_to(workers_queue.capacity() / 2);
        }
        for shard in &self.shards {
            let submitted = &mut shard.lock().queue;
            if workers_queue.is_empty() {
                mem::swap(workers_queue, submitted);
            } else {
                workers_queue.append(submitted);
            }
        }
        !workers_queue.is_empty()
    }

    /// A queued job was claimed out of turn by one of these threads. A worker claims what it submitted lately: so
    /// tombstones at that end go at once, and true says that it is time to look for the others, too.
    pub(crate) fn bury(&self, worker: Option<usize>) -> bool {
        let Shard { queue, n_tombstones, most_tombstones } = &mut *self.shard(worker);
        *n_tombstones += 1;
        while queue.back().is_some_and(|job| job.claim().is_taken()) {
            queue.pop_back();
            *n_tombstones = n_tombstones.saturating_sub(1);
        }
        n_tombstones > most_tombstones
    }

    /// Takes out the tombstones, here and in the workers' queue. It is paid for by the claims before it.
    #[cold]
    pub(crate) fn compact(&self, worker: Option<usize>, workers_queue: &mut JobQueue) {
        let compact = |queue: &mut JobQueue| {
            queue.retain(|job| !job.claim().is_taken());
            queue.len()
        };
        let submitted = self.shards.iter().map(|shard| compact(&mut shard.lock().queue));
        let n_left = submitted.sum::<usize>() + compact(workers_queue);
        let mut shard = self.shard(worker);
        (shard.n_tombstones, shard.most_tombstones) = (0, FEW_TOMBSTONES.max(n_left / 2));
    }

    /// Lets no more jobs in. To be called with the workers' lock held.
    pub(crate) fn close(&self, reason: &CancelReason) {
        let _ = self.closed.set(reason.clone()); // The first reason stays.
        // A submit that was too early to see it is over then, and so is what it says of a wake.
        self.shards.iter().for_each(|shard| drop(shard.lock()));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// Whether there is a reason to end a spin that began when there were `n_seen` jobs. Only a hint.
    pub(crate) fn has_news(&self, n_seen: usize) -> bool {
        self.n_submitted() != n_seen || self.is_closed()
    }

    /// A wake is needed no more: one is awake or being woken already, or there is none. That it is needed is said by
    /// `move_to` alone.
    pub(crate) fn set_needs_wake(&self, needs_wake: bool) {
        // To write what is there would take the cache line from all who read it at every job.
        if needs_wake != self.needs_wake() {
            // ORDERING: Relaxed. A shard's lock publishes it to a submitter that comes there after the worker has
            // looked. That no wake is needed, may be seen late: then there is one too many.
            self.needs_wake.store(needs_wake, Relaxed);
        }
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

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::super::job;
    use super::*;
    use std::iter::once;
    use std::panic::Location;

    #[test]
    fn of_several_submits_the_first_alone_has_to_wake_a_worker() {
        let injector = Injector::new(1);
        let submit = |worker| {
            let job = job::maker()(|| (), Location::caller(), None).as_run();
            matches!(injector.push(worker, once(job)).1, Pushed::NeedsWake)
        };
        assert_eq!([submit(None), submit(None), submit(Some(0))], [true, false, false]);
        injector.move_to(&mut JobQueue::new(), true);
        assert_eq!([submit(Some(0)), submit(None)], [true, false]);
    }
}

//! Where jobs are handed in, under a lock of its own.
//!
//! Knows nothing of workers. It keeps those who submit apart from those who work: a worker swaps the
//! whole inbox against its empty queue, and until then neither side waits for the other's lock. With
//! one lock for both, a flood of jobs took almost three times as long.
//!
//! What must always hold: jobs move from the inbox to the workers' queue and never back, so that
//! whoever looks for a job here first, and there afterwards, does not miss it.

use std::ops::Deref;
use std::sync::Arc;

use crate::error::CancelReason;
use crate::prims::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::wait::help::Ticket;

use super::job::Run;
use super::queue::Queue;

use Ordering::Relaxed;

pub(crate) struct Inbox {
    tray: Mutex<Tray>,
    /// How many jobs there have ever been, and so the next one's ticket. Changes under the lock, and
    /// is read without it by workers that look out for news.
    n_submitted: AtomicUsize,
    /// Whether the pool has been closed. Changes under the lock, and is read without it by workers
    /// that look out: they are to hear of the end at once.
    is_closed: AtomicBool,
    /// Nothing is queued and a hand is free: whoever brings the next job has to call it. Changes
    /// under the lock, and is read without it by workers, at every job: therefore apart.
    bell: Apart<AtomicBool>,
    /// A worker looks out for news: whoever could split its work may as well do so. Only a hint, and
    /// apart too: workers write it, and whoever brings a job does not care.
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

/// What the inbox's lock guards.
pub(crate) struct Tray {
    pub(crate) queue: Queue<Arc<dyn Run>>,
    /// Why no more jobs are let in, once that is so.
    closed: Option<CancelReason>,
}

/// What somebody who brings jobs is told.
pub(crate) enum Admission<J> {
    /// They are queued, and will be found.
    Queued,
    /// They are queued, and the bringer has to call a worker.
    Ring,
    /// They are not let in; the bringer has to refuse them.
    Refused(J, CancelReason),
}

impl Inbox {
    pub(crate) fn new() -> Self {
        let tray = Tray { queue: Queue::new(), closed: None };
        let (n_submitted, bell) = (AtomicUsize::new(0), Apart(AtomicBool::new(true)));
        let is_work_wanted = Apart(AtomicBool::new(false));
        Self {
            tray: Mutex::new(tray),
            n_submitted,
            is_closed: AtomicBool::new(false),
            bell,
            is_work_wanted,
        }
    }

    /// Takes in one job or many: one lock, and one call at most. Their tickets follow one another,
    /// from the one that is returned.
    pub(crate) fn admit<J>(&self, jobs: J) -> (Ticket, Admission<J>)
    where
        J: ExactSizeIterator<Item = Arc<dyn Run>>,
    {
        let mut tray = self.tray.lock();
        let first = self.n_submitted();
        // ORDERING: Relaxed. Under the lock, which orders it for all who take the lock. Who looks
        // without it takes it afterwards, to see what the news is.
        self.n_submitted.store(first + jobs.len(), Relaxed);
        if let Some(reason) = &tray.closed {
            return (Ticket(first), Admission::Refused(jobs, reason.clone()));
        }
        for (ticket, job) in (first..).zip(jobs) {
            tray.queue.push(Ticket(ticket), job);
        }
        if self.is_bell_set() {
            self.set_bell(&mut tray, false);
            (Ticket(first), Admission::Ring)
        } else {
            (Ticket(first), Admission::Queued)
        }
    }

    /// Lets no more jobs in.
    pub(crate) fn close(&self, tray: &mut Tray, reason: CancelReason) {
        tray.closed = Some(reason);
        self.is_closed.store(true, Relaxed); // ORDERING: Relaxed, as in `admit`.
    }

    /// Whether there is a reason to end a look-out that began when there were `n_seen` jobs. Only a hint.
    pub(crate) fn has_news(&self, n_seen: usize) -> bool {
        // ORDERING: Relaxed, as in `admit`.
        self.n_submitted() != n_seen || self.is_closed.load(Relaxed)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock()
    }

    /// The guard is asked for as a proof that the lock is held.
    pub(crate) fn set_bell(&self, _: &mut Tray, is_set: bool) {
        self.bell.store(is_set, Relaxed); // ORDERING: Relaxed, as in `admit`.
    }

    /// Whether the next submit would call somebody. Without the lock, only a hint.
    #[inline] // At every fork, in the crate that forks.
    pub(crate) fn is_bell_set(&self) -> bool {
        self.bell.load(Relaxed) // ORDERING: Relaxed, as in `admit`.
    }

    /// A worker begins to look out, or has ended; or somebody brings it work.
    pub(crate) fn want_work(&self, is_wanted: bool) {
        // ORDERING: Relaxed. A hint, from which nothing is concluded but that a job may be welcome.
        self.is_work_wanted.store(is_wanted, Relaxed);
    }

    /// Whether a worker has nothing to do, and would take what somebody else might do later.
    #[inline] // As `is_bell_set`.
    pub(crate) fn is_work_wanted(&self) -> bool {
        self.is_bell_set() || self.is_work_wanted.load(Relaxed) // ORDERING: as in `want_work`.
    }

    pub(crate) fn n_submitted(&self) -> usize {
        self.n_submitted.load(Relaxed) // ORDERING: Relaxed, as in `admit`.
    }
}

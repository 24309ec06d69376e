//! Lending: nobody is with what is lent when the loan has ended, and no loan waits for ever.
//!
//! The checker does not see a reference that dangles. So the borrower says when the borrow is over, and
//! whatever is called or dropped through the pool afterwards is counted as late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use shuttle::thread;

use super::{Tally, every_schedule, random_schedules};
use crate::ThreadPool;
use crate::error::CancelReason;
use crate::panic::Panic;
use crate::pool::borrow::{Borrowed, Loans, lend_oldest, lend_on_demand};
use crate::pool::job::{Claim, Run, Runner, Unrun};

/// A borrow, as far as the checker can see one.
#[derive(Clone, Default)]
struct Borrow {
    is_over: Arc<AtomicBool>,
    n_late: Tally,
}

impl Borrow {
    fn look(&self) {
        thread::yield_now(); // Somebody who is too early has time for it here.
        // ORDERING: Relaxed. The model's threads take turns.
        if self.is_over.load(Relaxed) {
            self.n_late.add_one();
        }
    }

    fn end(&self) {
        self.is_over.store(true, Relaxed); // ORDERING: Relaxed, as in `look`.
    }
}

/// A job that looks at what it borrows when it runs, and when it goes.
struct Lent(Claim, Looks);

impl Lent {
    fn new(borrow: &Borrow) -> Self {
        Self(Claim::default(), Looks(borrow.clone()))
    }
}

impl<'a> Run<'a> for Lent {
    fn claim(&self) -> &Claim {
        &self.0
    }

    fn run(&self, _: &dyn Runner) -> Option<Panic> {
        self.1.0.look();
        None
    }

    fn refuse(&self, _: CancelReason) -> Unrun<'a> {
        Box::new(Looks(self.1.0.clone()))
    }
}

/// Looks at the borrow when it is dropped.
struct Looks(Borrow);

impl Drop for Looks {
    fn drop(&mut self) {
        self.0.look();
    }
}

#[test]
fn nobody_is_inside_when_a_loan_has_ended() {
    every_schedule("borrow: a guest against the end", 100_000, || {
        let (borrow, pool) = (Borrow::default(), ThreadPool::new(1));
        let loans = Loans::new(pool.share());
        let guest = loans.lend_while(|| {
            let job = loans.lend(Borrowed::Shared(Arc::new(Lent::new(&borrow))));
            thread::spawn(move || drop(job.run(&())))
        });
        borrow.end();
        guest.join().unwrap();
        assert_eq!(borrow.n_late.get(), 0);
    });
}

#[test]
fn a_job_that_is_refused_is_gone_when_its_loan_has_ended() {
    every_schedule("borrow: a refusal against the end", 100_000, || {
        let (borrow, pool) = (Borrow::default(), ThreadPool::new(1));
        let loans = Loans::new(pool.share());
        let canceller = loans.lend_while(|| {
            let job = loans.lend(Borrowed::Shared(Arc::new(Lent::new(&borrow))));
            thread::spawn(move || drop(job.refuse(CancelReason::Requested)))
        });
        borrow.end();
        canceller.join().unwrap();
        assert_eq!(borrow.n_late.get(), 0);
    });
}

#[test]
fn nobody_is_inside_when_a_loan_on_demand_has_ended() {
    every_schedule("borrow: a guest on demand against the end", 100_000, || {
        let (borrow, pool) = (Borrow::default(), ThreadPool::new(1).share());
        // It stays where it is, so that a mistake is counted, and does nothing worse.
        let job: &'static Lent = Box::leak(Box::new(Lent::new(&borrow)));
        let guest = lend_on_demand(&pool, job, || {
            let queued = lend_oldest(&pool).unwrap();
            thread::spawn(move || drop(queued.claim().take().then(|| queued.run(&()))))
        });
        borrow.end();
        guest.join().unwrap();
        assert_eq!(borrow.n_late.get(), 0);
    });
}

#[test]
fn a_fork_has_ended_when_its_join_has() {
    random_schedules("borrow: a fork against its end", 100_000, || {
        let (pool, borrow, n_run) = (ThreadPool::new(1), Borrow::default(), Tally::default());
        pool.join(thread::yield_now, || {
            borrow.look();
            n_run.add_one();
        });
        borrow.end();
        drop(pool);
        assert_eq!((n_run.get(), borrow.n_late.get()), (1, 0));
    });
}

#[test]
fn forks_in_forks_run_once_each() {
    random_schedules("borrow: forks in forks", 50_000, || {
        let (pool, n_run) = (ThreadPool::new(2), Tally::default());
        let two = || {
            pool.join(|| n_run.add_one(), || n_run.add_one());
        };
        pool.join(two, two);
        assert_eq!(n_run.get(), 4);
    });
}

#[test]
fn what_nobody_reads_is_dropped_before_the_scope_ends() {
    random_schedules("borrow: an unread result", 100_000, || {
        let (pool, borrow) = (ThreadPool::new(1), Borrow::default());
        pool.scope(|s| {
            let looks = Looks(borrow.clone());
            drop(s.submit(move || looks));
        });
        borrow.end();
        drop(pool);
        assert_eq!(borrow.n_late.get(), 0);
    });
}

#[test]
fn a_scope_ends_after_the_jobs_of_its_jobs() {
    random_schedules("borrow: a scope and a job's job", 100_000, || {
        let (pool, n_run) = (ThreadPool::new(2), Tally::default());
        pool.scope(|s| {
            s.submit(|| {
                n_run.add_one();
                s.submit(|| n_run.add_one());
            });
        });
        assert_eq!(n_run.get(), 2);
    });
}

/// The other worker goes from the first job of the scope to one that waits for the scope's owner. So
/// the second job is up to the owner, who may be asleep when it comes.
#[test]
fn a_worker_that_waits_for_a_scope_runs_what_comes_late() {
    random_schedules("borrow: a late job of a scope", 100_000, || {
        let pool = Arc::new(ThreadPool::new(2));
        let of_the_job = pool.clone();
        let owner = pool.submit(move || {
            of_the_job.scope(|s| {
                s.submit(|| drop(s.submit(|| ())));
            });
        });
        let stranger = pool.submit(move || owner.join().unwrap());
        stranger.join().unwrap();
    });
}

#[test]
fn a_map_calls_for_every_item_once() {
    random_schedules("borrow: a map over three items", 50_000, || {
        let (pool, borrow) = (ThreadPool::new(2), Borrow::default());
        let mapped = pool.par_map(&[1, 2, 3], |item| {
            borrow.look();
            item * 2
        });
        borrow.end();
        drop(pool);
        assert_eq!((mapped, borrow.n_late.get()), (vec![2, 4, 6], 0));
    });
}

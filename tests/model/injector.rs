//! The injector: a worker is woken when one must be, and a job is claimed wherever it stands.

use std::pin::Pin;
use std::sync::{Arc, Mutex}; // This mutex is none of the model's: it only watches.
use std::task::{Context, Wake, Waker};

use shuttle::sync::Barrier;
use shuttle::thread;

use super::random_schedules;
use crate::pool::injector::Apart;
use crate::pool::job;
use crate::pool::shared::Shared;
use crate::pool::thread_pool;
use crate::{Cancel, JoinHandle, Shutdown, ThreadPool};

/// Looked at from inside, while nothing is queued: all that was handed in has settled.
#[test]
fn a_wake_is_needed_exactly_while_a_worker_must_be_woken() {
    random_schedules("injector: needed or not, as it should be", 100_000, || {
        let settings = ThreadPool::builder().threads(2).checked().unwrap();
        let shared = Arc::new(Shared::new(settings));
        for _ in 0..2 {
            let at = std::panic::Location::caller();
            let job = job::maker()(|| (), at, None);
            thread_pool::submit(&shared, job.clone().as_run(), None, at);
            JoinHandle::new(job, Some(Arc::new(Apart(shared.clone())))).join().unwrap();
            let state = shared.lock();
            let must_be_woken = !state.is_one_searching && state.has_free_worker();
            assert_eq!(shared.injector.needs_wake(), must_be_woken);
        }
        let idle = shared.close(&mut shared.lock());
        idle.into_iter().for_each(|parker| parker.unpark());
    });
}

/// Waits for another, in a way that the pool knows nothing of.
struct Waits(Arc<Barrier>);

impl Wake for Waits {
    fn wake(self: Arc<Self>) {
        self.0.wait();
    }
}

/// The waker waits for the other job. The worker that wakes must not be thought to search for that job.
#[test]
fn a_worker_in_foreign_code_does_not_search() {
    random_schedules("injector: a waker against a submit", 100_000, || {
        let both_run = Arc::new(Barrier::new(2));
        let pool = Arc::new(ThreadPool::new(2));
        let submitter = thread::spawn({
            let (both_run, pool) = (both_run.clone(), pool.clone());
            move || {
                pool.submit(move || {
                    both_run.wait();
                })
            }
        });
        let (mut job, waker) = (pool.submit(|| ()), Waker::from(Arc::new(Waits(both_run.clone()))));
        if Pin::new(&mut job).poll(&mut Context::from_waker(&waker)).is_ready() {
            both_run.wait(); // There is nothing to wake any more.
        }
        submitter.join().unwrap().join().unwrap();
    });
}

/// Four, so that two can stand in the workers' queue and another in the injector.
#[test]
fn jobs_begin_in_the_order_in_which_they_came() {
    random_schedules("injector: four jobs in their order", 100_000, || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let pool = ThreadPool::new(1);
        let jobs = [0, 1, 2, 3].map(|n| {
            let order = order.clone();
            pool.submit(move || order.lock().unwrap().push(n))
        });
        jobs.into_iter().for_each(|job| job.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
    });
}

/// The only worker is at the first job, or not even there, so that nobody can have taken the second
/// one; but it may just have moved from the injector to the worker's queue.
#[test]
fn what_is_queued_is_found_wherever_it_stands() {
    random_schedules("injector: cancel against a move", 100_000, || {
        let gate = Arc::new(Barrier::new(2));
        let pool = ThreadPool::new(1);
        let first = pool.submit({
            let gate = gate.clone();
            move || {
                gate.wait();
            }
        });
        let second = pool.submit(|| unreachable!("it is cancelled before"));
        assert_eq!(second.cancel(), Cancel::Dequeued);
        gate.wait();
        first.join().unwrap();
    });
}

/// Both halves of the line are refused, and not when the running job has ended, but at once.
#[test]
fn a_shutdown_cancels_at_once_wherever_a_job_stands() {
    random_schedules("injector: a cancelling shutdown against a move", 100_000, || {
        let [begun, gate] = [(); 2].map(|()| Arc::new(Barrier::new(2)));
        let pool = Arc::new(ThreadPool::new(1));
        let first = pool.submit({
            let (begun, gate) = (begun.clone(), gate.clone());
            move || {
                begun.wait();
                gate.wait();
            }
        });
        let second = pool.submit(|| unreachable!("the worker is at the first"));
        begun.wait();
        let third = pool.submit(|| unreachable!("the worker is at the first"));
        let closer = thread::spawn({
            let pool = pool.clone();
            move || pool.shutdown(Shutdown::Cancel).unwrap()
        });
        assert!(second.join().is_err() && third.join().is_err());
        gate.wait();
        closer.join().unwrap();
        first.join().unwrap();
    });
}

#[test]
fn a_worker_takes_back_no_job_of_another_pool() {
    random_schedules("injector: two pools, one ticket", 20_000, || {
        let outers_thread = Arc::new(Mutex::new(None));
        let [ours, theirs] = [(); 2].map(|()| Arc::new(ThreadPool::new(1)));
        theirs.submit(|| ()).join().unwrap();
        let outer = ours.submit({
            let (outers_thread, ours) = (outers_thread.clone(), ours.clone());
            move || {
                *outers_thread.lock().unwrap() = Some(thread::current().id());
                let stranger = ours.submit({
                    let outers_thread = outers_thread.clone();
                    move || assert_eq!(*outers_thread.lock().unwrap(), None)
                });
                theirs.submit(|| ()).join().unwrap();
                *outers_thread.lock().unwrap() = None;
                stranger
            }
        });
        outer.join().unwrap().join().unwrap();
    });
}

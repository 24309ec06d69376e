//! Step 5: the end of the pool joins its workers.
//!
//! The idea: to drop the pool drops the sender, so that each worker's loop ends once the queue is empty, and then
//! joins the threads. This is the complete pool.
//!
//! Without it: `main` returns while jobs are queued, or half-way through a file, and the process ends with them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

type Job = Box<dyn FnOnce() + Send>;

/// A job that is submitted; empty as soon as a thread has claimed it.
type JobCell = Mutex<Option<Job>>;

struct ThreadPool {
    jobs: Option<Sender<Arc<JobCell>>>, // `None` once the pool is being dropped.
    workers: Vec<thread::JoinHandle<()>>,
}

struct Handle<T> {
    cell: Arc<JobCell>,
    result: Receiver<thread::Result<T>>,
}

/// Claims the job and runs it, unless another thread was first.
fn claim_and_run(cell: &JobCell) {
    // The lock is released at the end of this line, before the job runs.
    let Some(job) = cell.lock().expect("no job runs under the lock").take() else { return };
    job();
}

impl ThreadPool {
    fn new(n_threads: usize) -> Self {
        let (jobs, receiver) = unbounded::<Arc<JobCell>>();
        let workers = (0..n_threads).map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || {
                for cell in receiver {
                    claim_and_run(&cell);
                }
            })
        });
        Self { jobs: Some(jobs), workers: workers.collect() }
    }

    fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        let (sender, result) = bounded(1);
        // The handle may be gone: then nothing needs the result, and that is no error.
        // The closure is used up by a panic as well, so nothing half-done in it is seen again.
        let job = move || drop(sender.send(catch_unwind(AssertUnwindSafe(job))));
        let cell = Arc::new(Mutex::new(Some(Box::new(job) as Job)));
        let jobs = self.jobs.as_ref().expect("the pool is not being dropped");
        jobs.send(cell.clone()).expect("a worker has a receiver");
        Handle { cell, result }
    }
}

impl<T> Handle<T> {
    /// Runs the job if it is still queued, and otherwise waits until it has ended.
    fn join(self) -> thread::Result<T> {
        claim_and_run(&self.cell);
        self.result.recv().expect("a job sends its result, also when it panics")
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A job may be the last to have the pool. Its worker cannot join itself, and ends by itself.
            if worker.thread().id() != thread::current().id() {
                let _ = worker.join();
            }
        }
    }
}

/// How many jobs have ended when the pool has.
pub(crate) fn run_to_the_end(n_jobs: usize) -> usize {
    let pool = ThreadPool::new(2);
    let handles: Vec<_> = (0..n_jobs).map(|number| pool.submit(move || number)).collect();
    drop(pool);
    handles.into_iter().filter_map(|handle| handle.join().ok()).count()
}

pub(crate) fn show() -> String {
    let n_ended = run_to_the_end(1000);
    format!("pool 5: the pool has ended, and before it the jobs that were queued: {n_ended}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn a_drop_runs_what_is_queued_and_joins() {
        watched(|| {
            let (done, results) = unbounded();
            let pool = ThreadPool::new(2);
            for n in 0..1000 {
                let done = done.clone();
                pool.submit(move || done.send(n));
            }
            drop(pool);
            assert_eq!(results.len(), 1000);
        });
    }

    #[test]
    fn a_job_may_be_the_last_to_have_the_pool() {
        watched(|| {
            let ((give, take), (done, is_done)) = (bounded::<ThreadPool>(1), bounded(1));
            let pool = ThreadPool::new(2);
            pool.submit(move || {
                drop(take.recv()); // The pool; and this thread does not wait for itself.
                done.send(()).unwrap();
            });
            give.send(pool).unwrap();
            assert_eq!(is_done.recv(), Ok(()));
        });
    }
}

//! Step 4: a join cannot deadlock.
//!
//! The idea: the closure is in a cell that the queue and the handle share. Taking it out of the cell is the claim
//! on the job. A thread that joins a job which no worker has claimed takes it back, and runs it itself.
//!
//! Without it: in a pool of one, a job submits another and joins it. The only worker waits in the join, and the
//! job that it waits for is behind it in the queue. The same happens to four workers and four such jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

type Job = Box<dyn FnOnce() + Send>;

/// A job that is submitted; empty as soon as a thread has claimed it.
type JobCell = Mutex<Option<Job>>;

struct ThreadPool {
    jobs: Sender<Arc<JobCell>>,
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
        for _ in 0..n_threads {
            let receiver = receiver.clone();
            thread::spawn(move || {
                for cell in receiver {
                    claim_and_run(&cell);
                }
            });
        }
        Self { jobs }
    }

    fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        let (sender, result) = bounded(1);
        // The handle may be gone: then nothing needs the result, and that is no error.
        // The closure is used up by a panic as well, so nothing half-done in it is seen again.
        let job = move || drop(sender.send(catch_unwind(AssertUnwindSafe(job))));
        let cell = Arc::new(Mutex::new(Some(Box::new(job) as Job)));
        self.jobs.send(cell.clone()).expect("a worker has a receiver");
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

fn fibonacci(pool: &Arc<ThreadPool>, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let same_pool = pool.clone();
    let other = pool.submit(move || fibonacci(&same_pool, n - 2));
    fibonacci(pool, n - 1) + other.join().expect("no job panics here")
}

pub(crate) fn show() -> String {
    let pool = Arc::new(ThreadPool::new(1));
    let same_pool = pool.clone();
    let outer = pool.submit(move || fibonacci(&same_pool, 15));
    let answer = outer.join().expect("no job panics here");
    format!("pool 4: jobs joined jobs on a single worker: {answer}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn jobs_that_join_jobs_need_one_worker() {
        watched(|| {
            let pool = Arc::new(ThreadPool::new(1));
            let (same_pool, (done, answer)) = (pool.clone(), bounded(1));
            // The test does not join the outer job, which would take it back from the worker.
            pool.submit(move || done.send(fibonacci(&same_pool, 10)));
            assert_eq!(answer.recv(), Ok(55));
        });
    }
}

//! Step 2: `submit` returns a handle.
//!
//! The idea: each job gets a channel of its own, with room for one result. The job has the sender, and the handle
//! has the receiver, so a thread that joins the handle waits for this job and no other.
//!
//! Without it: each program makes its own way back. With one channel for all the results, they come in the order
//! in which the jobs end, and nothing says which is whose.

use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

type Job = Box<dyn FnOnce() + Send>;

struct ThreadPool {
    jobs: Sender<Job>,
}

struct Handle<T> {
    result: Receiver<T>,
}

impl ThreadPool {
    fn new(n_threads: usize) -> Self {
        let (jobs, receiver) = unbounded::<Job>();
        for _ in 0..n_threads {
            let receiver = receiver.clone();
            thread::spawn(move || {
                for job in receiver {
                    job();
                }
            });
        }
        Self { jobs }
    }

    fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        let (sender, result) = bounded(1);
        // The handle may be gone: then nothing needs the result, and that is no error.
        let job = move || drop(sender.send(job()));
        self.jobs.send(Box::new(job)).expect("a worker has a receiver");
        Handle { result }
    }
}

impl<T> Handle<T> {
    /// Waits until the job has ended.
    fn join(self) -> T {
        self.result.recv().expect("the job did not panic")
    }
}

pub(crate) fn show() -> String {
    let pool = ThreadPool::new(2);
    let handles = [1, 2, 3].map(|n| pool.submit(move || n * n));
    let squares = handles.map(Handle::join);
    format!("pool 2: with a handle each, the squares are in order: {squares:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn each_handle_has_the_result_of_its_own_job() {
        watched(|| {
            let pool = ThreadPool::new(2);
            let (open, gate) = bounded::<()>(1);
            let slow = pool.submit(move || {
                gate.recv().unwrap();
                "slow"
            });
            let quick = pool.submit(|| "quick");
            assert_eq!(quick.join(), "quick", "it ended first, and was submitted last");
            open.send(()).unwrap();
            assert_eq!(slow.join(), "slow");
        });
    }

    #[test]
    fn a_dropped_handle_harms_neither_job_nor_worker() {
        watched(|| {
            let pool = ThreadPool::new(1);
            drop(pool.submit(|| 1));
            assert_eq!(pool.submit(|| 2).join(), 2);
        });
    }
}

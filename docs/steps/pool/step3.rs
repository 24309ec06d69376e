//! Step 3: a panic is a value.
//!
//! The idea: the job runs in `catch_unwind`, and the handle gets a `Result`. The type is the one that
//! `std::thread::JoinHandle` has: the error is what the job panicked with.
//!
//! Without it: a panic unwinds the worker's loop and ends its thread. A pool of one never runs a job again, and a
//! thread that joins one waits for ever. The join of the job that panicked only hears that the sender is gone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

type Job = Box<dyn FnOnce() + Send>;

struct ThreadPool {
    jobs: Sender<Job>,
}

struct Handle<T> {
    result: Receiver<thread::Result<T>>,
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
        // The closure is used up by a panic as well, so nothing half-done in it is seen again.
        let job = move || drop(sender.send(catch_unwind(AssertUnwindSafe(job))));
        self.jobs.send(Box::new(job)).expect("a worker has a receiver");
        Handle { result }
    }
}

impl<T> Handle<T> {
    /// Waits until the job has ended.
    fn join(self) -> thread::Result<T> {
        self.result.recv().expect("a job sends its result, also when it panics")
    }
}

pub(crate) fn show() -> String {
    let pool = ThreadPool::new(1);
    // Not `panic!`, which would print its message here as well.
    let panicking = pool.submit(|| std::panic::resume_unwind(Box::new("no such file")));
    let next = pool.submit(|| 6 * 7);
    let panic = panicking.join().map(|()| "nothing").expect_err("the job panicked");
    let message = panic.downcast_ref::<&str>().copied().unwrap_or("no text");
    let answer = next.join().expect("this one did not panic");
    format!("pool 3: one job panicked ({message}), and its worker ran the next one: {answer}")
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::*;
    use crate::support::watched;

    #[test]
    fn a_panic_is_in_the_handle() {
        watched(|| {
            let pool = ThreadPool::new(1);
            let handle = pool.submit(|| -> i32 { resume_unwind(Box::new("no such file")) });
            let panic = handle.join().unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"no such file"));
        });
    }

    #[test]
    fn a_panicking_job_leaves_its_worker_alive() {
        watched(|| {
            let pool = ThreadPool::new(1);
            drop(pool.submit(|| -> i32 { resume_unwind(Box::new("no such file")) }));
            assert_eq!(pool.submit(|| 2).join().unwrap(), 2, "by the only worker");
        });
    }
}

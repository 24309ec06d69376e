//! Step 1: the workers share one receiver.
//!
//! The idea: a job is a boxed closure, the queue is a channel, and each worker has a clone of its receiver.
//!
//! Without it: the receiver of `std::sync::mpsc` has no clones, and a lock around it does too much. In
//! `while let Ok(job) = receiver.lock().unwrap().recv() { job() }` the guard lives until the end of the body, so
//! the lock is held while the job runs, and the other workers wait for the lock. It is a pool of one.

use std::thread;

use crossbeam_channel::{Sender, unbounded};

type Job = Box<dyn FnOnce() + Send>;

struct ThreadPool {
    jobs: Sender<Job>,
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

    fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.jobs.send(Box::new(job)).expect("a worker has a receiver");
    }
}

pub(crate) fn show() -> String {
    let pool = ThreadPool::new(2);
    // The results need a way back. Here, each program makes its own.
    let (results, receiver) = unbounded();
    for n in 1..=3 {
        let results = results.clone();
        pool.submit(move || results.send(n * n).expect("the receiver is still there"));
    }
    let sum: i32 = receiver.iter().take(3).sum();
    format!("pool 1: two workers share a receiver; the squares of 1 to 3 add up to {sum}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier, Mutex, mpsc};

    use super::*;
    use crate::support::watched;

    #[test]
    fn two_jobs_run_at_once() {
        watched(|| {
            let pool = ThreadPool::new(2);
            let barrier = Arc::new(Barrier::new(3));
            for _ in 0..2 {
                let barrier = barrier.clone();
                pool.submit(move || {
                    barrier.wait();
                });
            }
            barrier.wait();
        });
    }

    #[test]
    fn a_lock_around_a_receiver_is_held_while_the_job_runs() {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let (is_locked, answer) = mpsc::channel();
        let same_receiver = receiver.clone();
        jobs.send(Box::new(move || is_locked.send(same_receiver.try_lock().is_err()).unwrap()))
            .unwrap();
        drop(jobs);

        while let Ok(job) = receiver.lock().unwrap().recv() {
            job();
        }
        assert_eq!(answer.recv(), Ok(true), "a second worker could not take a second job");
    }
}

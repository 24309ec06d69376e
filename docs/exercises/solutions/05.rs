//! A job is in a cell that both the queue and the handle have. Taking it out of the cell is the claim. A handle also knows
//! which threads may claim.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

type Job = Box<dyn FnOnce() + Send>;
type JobCell = Arc<Mutex<Option<Job>>>;

#[derive(Clone)]
pub(crate) struct Pool {
    jobs: Sender<JobCell>,
    workers: Arc<[ThreadId]>,
}

pub(crate) struct Handle<T> {
    cell: JobCell,
    workers: Arc<[ThreadId]>,
    result: Receiver<T>,
}

fn claim_and_run(cell: &JobCell) {
    // The lock is released at the end of this line, before the job runs.
    let job = cell.lock().expect("no job runs under the lock").take();
    if let Some(job) = job {
        job();
    }
}

impl Pool {
    pub(crate) fn new(n_threads: usize) -> Self {
        let (jobs, queue) = channel::<JobCell>();
        let queue = Arc::new(Mutex::new(queue));
        let start = |_| {
            let queue = queue.clone();
            let worker = thread::spawn(move || {
                loop {
                    let cell = queue.lock().expect("no job runs under the lock").recv();
                    let Ok(cell) = cell else { return };
                    claim_and_run(&cell);
                }
            });
            worker.thread().id()
        };
        Self { jobs, workers: (0..n_threads).map(start).collect() }
    }

    pub(crate) fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Handle<T> {
        let (sender, result) = channel();
        let job: Job = Box::new(move || drop(sender.send(job())));
        let cell = Arc::new(Mutex::new(Some(job)));
        self.jobs.send(cell.clone()).expect("the workers live as long as the pool");
        Handle { cell, workers: self.workers.clone(), result }
    }
}

impl<T> Handle<T> {
    pub(crate) fn join(self) -> T {
        if self.workers.contains(&thread::current().id()) {
            claim_and_run(&self.cell);
        }
        self.result.recv().expect("the job sends its result")
    }
}

//! # 5. Take it back
//!
//! ★★ · 45 minutes · [Take-back](../guide/07-take-back.md)
//!
//! A job that joins another job of the same pool waits for ever here, if no other worker is free. Let `join` run the job
//! itself if it is still queued. Exactly one thread may run it.
//!
//! And only a worker of its own pool may: a job counts on the thread-locals of its pool's threads, and on there being no
//! more than so many. So on any other thread `join` waits. (The small pool's fourth step runs the job on whatever thread
//! joins it.)

pub(crate) mod yours {
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    type Job = Box<dyn FnOnce() + Send>;

    #[derive(Clone)]
    pub(crate) struct Pool {
        jobs: Sender<Job>,
    }

    pub(crate) struct Handle<T> {
        result: Receiver<T>,
    }

    impl Pool {
        pub(crate) fn new(n_threads: usize) -> Self {
            let (jobs, queue) = channel::<Job>();
            let queue = Arc::new(Mutex::new(queue));
            for _ in 0..n_threads {
                let queue = queue.clone();
                thread::spawn(move || {
                    loop {
                        let job = queue.lock().expect("no job runs under the lock").recv();
                        let Ok(job) = job else { return };
                        job();
                    }
                });
            }
            Self { jobs }
        }

        pub(crate) fn submit<T: Send + 'static>(
            &self,
            job: impl FnOnce() -> T + Send + 'static,
        ) -> Handle<T> {
            let (sender, result) = channel();
            let job = move || drop(sender.send(job()));
            self.jobs.send(Box::new(job)).expect("the workers live as long as the pool");
            Handle { result }
        }
    }

    impl<T> Handle<T> {
        pub(crate) fn join(self) -> T {
            self.result.recv().expect("the job sends its result")
        }
    }
}

mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::mpsc::channel;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use crate::answers::a05::{Handle, Pool};

    #[test]
    fn a_job_joins_another_on_a_pool_of_one() {
        let (pool, (send, answer)) = (Pool::new(1), channel());
        let inner = pool.clone();
        pool.submit(move || send.send(inner.submit(|| 6).join() * 7).is_ok());
        assert_eq!(answer.recv_timeout(Duration::from_secs(2)), Ok(42), "it hangs");
    }

    #[test]
    fn a_tree_of_jobs_is_run_by_one_worker() {
        fn leaves(pool: &Pool, depth: u32) -> u32 {
            if depth == 0 {
                return 1;
            }
            let branches = [(); 2].map(|()| {
                let below = pool.clone();
                pool.submit(move || leaves(&below, depth - 1))
            });
            branches.into_iter().map(|branch| branch.join()).sum()
        }
        let (pool, (send, answer)) = (Pool::new(1), channel());
        let root = pool.clone();
        pool.submit(move || send.send(leaves(&root, 6)).is_ok());
        assert_eq!(answer.recv_timeout(Duration::from_secs(2)), Ok(64), "it hangs");
    }

    #[test]
    fn each_job_runs_once() {
        let (pool, n_runs) = (Pool::new(2), Arc::new(AtomicUsize::new(0)));
        let handles: Vec<_> = (0..1_000)
            .map(|_| {
                let n_runs = n_runs.clone();
                // ORDERING: Relaxed. The results carry the rest.
                pool.submit(move || n_runs.fetch_add(1, Relaxed))
            })
            .collect();
        for handle in handles.into_iter().rev() {
            handle.join();
        }
        assert_eq!(n_runs.load(Relaxed), 1_000); // ORDERING: Relaxed, as above.
    }

    /// Where a job runs that is joined while its pool has no free worker, and which thread has joined it. A join that
    /// runs the job does so at once; any other goes on when the worker is free again.
    fn runs_and_is_joined_on(
        join_elsewhere: impl FnOnce(Box<dyn FnOnce() + Send>),
    ) -> [ThreadId; 2] {
        let (pool, (open, gate), (send, ids)) = (Pool::new(1), channel::<()>(), channel());
        pool.submit(move || gate.recv().is_ok());
        let job: Handle<ThreadId> = pool.submit(|| thread::current().id());
        let join = move || [job.join(), thread::current().id()];
        join_elsewhere(Box::new(move || send.send(join()).expect("the test waits for it")));
        let at_once = ids.recv_timeout(Duration::from_millis(50));
        open.send(()).expect("the first job waits for it");
        at_once.or_else(|_| ids.recv_timeout(Duration::from_secs(2))).expect("it hangs")
    }

    #[test]
    fn a_thread_outside_the_pool_runs_none_of_its_jobs() {
        let [runs, joins] = runs_and_is_joined_on(|join| drop(thread::spawn(join)));
        assert_ne!(runs, joins);
    }

    #[test]
    fn a_worker_of_another_pool_runs_none_of_its_jobs() {
        let other = Pool::new(1);
        let [runs, joins] = runs_and_is_joined_on(|join| drop(other.submit(join)));
        assert_ne!(runs, joins);
    }
}

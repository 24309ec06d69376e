//! # 5. Take it back
//!
//! ★★ · 45 minutes · [Take-back](../guide/07-take-back.md)
//!
//! A job that joins another job of the same pool waits for ever here, if no other worker is free. Let `join` run the job
//! itself if it is still queued. Exactly one thread may run it.

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
    use std::time::Duration;

    use crate::answers::a05::Pool;

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
}

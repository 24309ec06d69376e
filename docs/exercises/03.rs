//! # 3. Which worker to wake
//!
//! ★★ · 40 minutes · [Which worker to wake](../guide/04-which-worker-to-wake.md)
//!
//! The pool of chapter 4 as a state machine, without locks and threads. A worker that has been woken corrects the count
//! of idle workers when it gets up, which is too late: between the wake and the correction, a second submit wakes no
//! other worker. Let the *submit* do the counting. Then see to it that at most one worker is being woken at any time, and
//! that it sends for the next one when it has found a job.

pub(crate) mod yours {
    use std::collections::VecDeque;

    #[derive(Debug, PartialEq)]
    pub(crate) enum Fetch {
        /// An idle worker is to be woken.
        Wake,
        /// A thread is to be started.
        Start,
        Nobody,
    }

    pub(crate) struct Pool {
        pub(crate) queue: VecDeque<u32>,
        pub(crate) n_idle: usize,
        pub(crate) n_threads: usize,
        pub(crate) max_threads: usize,
    }

    impl Pool {
        pub(crate) fn new(n_idle: usize, max_threads: usize) -> Self {
            Self { queue: VecDeque::new(), n_idle, n_threads: n_idle, max_threads }
        }

        /// Queues a job. Which worker is to come for it?
        pub(crate) fn submit(&mut self, job: u32) -> Fetch {
            self.queue.push_back(job);
            if self.n_idle > 0 {
                return Fetch::Wake;
            }
            if self.n_threads < self.max_threads {
                self.n_threads += 1;
                return Fetch::Start;
            }
            Fetch::Nobody
        }

        /// A worker that was woken or started looks for its first job. Which worker is to come for the next one?
        pub(crate) fn get_up(&mut self) -> (Option<u32>, Fetch) {
            self.n_idle -= 1;
            (self.queue.pop_front(), Fetch::Nobody)
        }
    }
}

mod tests {
    use crate::answers::a03::{Fetch, Pool};

    #[test]
    fn a_second_job_does_not_wake_the_same_worker() {
        let mut pool = Pool::new(1, 2);
        assert_eq!(pool.submit(1), Fetch::Wake);
        let second = pool.submit(2);
        let (first_job, next) = pool.get_up();
        assert_eq!(first_job, Some(1));
        let threads = [second, next].into_iter().filter(|fetch| *fetch == Fetch::Start).count();
        assert_eq!(threads, 1, "a second thread may be started, and is needed once");
        assert_eq!(pool.get_up().0, Some(2));
    }

    #[test]
    fn a_flood_wakes_one_worker_at_a_time() {
        let mut pool = Pool::new(2, 2);
        let fetched = (0..1_000).filter(|job| pool.submit(*job) != Fetch::Nobody).count();
        assert_eq!(fetched, 1, "each wake-up costs as much as a thousand allocations");
    }

    #[test]
    fn a_flood_gets_every_thread_that_may_be_started() {
        let mut pool = Pool::new(1, 4);
        let mut fetched: Vec<_> = (0..10).map(|job| pool.submit(job)).collect();
        let mut n_up = 0;
        while let Some(at) = fetched.iter().position(|fetch| *fetch != Fetch::Nobody) {
            fetched.remove(at);
            let (job, next) = pool.get_up();
            assert_eq!(job, Some(n_up));
            n_up += 1;
            fetched.push(next);
        }
        assert_eq!((n_up, pool.n_threads), (4, 4));
    }

    #[test]
    fn a_worker_that_finds_one_job_sends_for_nobody() {
        let mut pool = Pool::new(2, 2);
        assert_eq!(pool.submit(1), Fetch::Wake);
        assert_eq!(pool.get_up(), (Some(1), Fetch::Nobody));
        assert_eq!(
            pool.submit(2),
            Fetch::Wake,
            "the second worker is idle, and nobody is being woken"
        );
    }
}

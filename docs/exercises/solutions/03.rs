//! The step that decides to wake does the counting, and one flag says that a worker is being woken.

use std::collections::VecDeque;

#[derive(Debug, PartialEq)]
pub(crate) enum Fetch {
    Wake,
    Start,
    Nobody,
}

pub(crate) struct Pool {
    pub(crate) queue: VecDeque<u32>,
    pub(crate) n_idle: usize,
    pub(crate) n_threads: usize,
    pub(crate) max_threads: usize,
    is_one_waking: bool,
}

impl Pool {
    pub(crate) fn new(n_idle: usize, max_threads: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            n_idle,
            n_threads: n_idle,
            max_threads,
            is_one_waking: false,
        }
    }

    pub(crate) fn submit(&mut self, job: u32) -> Fetch {
        self.queue.push_back(job);
        self.fetch()
    }

    pub(crate) fn get_up(&mut self) -> (Option<u32>, Fetch) {
        self.is_one_waking = false;
        let job = self.queue.pop_front();
        (job, self.fetch())
    }

    fn fetch(&mut self) -> Fetch {
        if self.queue.is_empty() || self.is_one_waking {
            return Fetch::Nobody;
        }
        let fetch = if self.n_idle > 0 {
            self.n_idle -= 1;
            Fetch::Wake
        } else if self.n_threads < self.max_threads {
            self.n_threads += 1;
            Fetch::Start
        } else {
            return Fetch::Nobody;
        };
        self.is_one_waking = true;
        fetch
    }
}

//! Add a little while all is well, and take away much when it is not: whoever is too slow to leave makes it worse for all.

use std::time::Duration;

const ANSWERS: u32 = 100;

pub(crate) struct Limit {
    n_permits: usize,
    n_answers: u32,
    sum: Duration,
    best: Duration,
}

impl Limit {
    pub(crate) fn new(n_permits: usize) -> Self {
        Self { n_permits, n_answers: 0, sum: Duration::ZERO, best: Duration::MAX }
    }

    pub(crate) fn answered(&mut self, took: Duration) {
        self.sum += took;
        self.n_answers += 1;
        if self.n_answers < ANSWERS {
            return;
        }
        let mean = self.sum / ANSWERS;
        (self.n_answers, self.sum) = (0, Duration::ZERO);
        self.best = self.best.min(mean);
        if mean <= self.best * 3 / 2 {
            self.n_permits += 1;
        } else {
            self.n_permits -= (self.n_permits / 4).max(1).min(self.n_permits - 1);
        }
    }

    pub(crate) fn n_permits(&self) -> usize {
        self.n_permits
    }
}

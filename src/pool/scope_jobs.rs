//! The jobs of a scope: a slab of those that have not begun, and what their owner waits for.
//!
//! Knows nothing of borrowing and of the pool. What must always hold: a number is one job's from when
//! it is added until it begins; then the next job may have it.

use std::sync::Arc;
use std::task::Waker;

use crate::panic::Panic;

use super::job::Run;

#[derive(Default)]
pub(crate) struct Jobs<'scope> {
    /// Those that have not begun, by their number.
    waiting: Vec<Option<Waiting<'scope>>>,
    /// Which numbers are free.
    vacant: Vec<usize>,
    /// No job with a smaller number is there to be taken back.
    n_looked_at: usize,
    /// Those that have not ended.
    pub(crate) n_left: usize,
    /// The waker of the owner, while it waits for the end.
    pub(crate) waiter: Option<Waker>,
    /// Whether that is a worker, which runs what is queued meanwhile.
    pub(crate) is_waiter_helping: bool,
    /// Jobs that were refused, whose closures are the owner's to drop.
    pub(crate) refused: Vec<Arc<dyn Run + 'scope>>,
    /// The first that is not read.
    pub(crate) panic: Option<Panic>,
}

struct Waiting<'scope> {
    job: Arc<dyn Run + 'scope>,
    /// What stands in the queue for it, once that is so and until its owner has looked at it.
    queued: Option<Arc<dyn Run>>,
}

impl<'scope> Jobs<'scope> {
    pub(crate) fn add(&mut self, job: Arc<dyn Run + 'scope>) -> usize {
        self.n_left += 1;
        let waiting = Some(Waiting { job, queued: None });
        match self.vacant.pop() {
            Some(number) => {
                self.waiting[number] = waiting;
                number
            }
            None => {
                self.waiting.push(waiting);
                self.waiting.len() - 1
            }
        }
    }

    /// Keeps what was queued for a job, unless that has begun; whether it has not.
    pub(crate) fn set_queued(&mut self, number: usize, queued: &Arc<dyn Run>) -> bool {
        // A job is claimed before it begins, and begins under our lock. Afterwards its number may be
        // another job's.
        let waiting = self.waiting[number].as_mut().filter(|_| !queued.claim().is_taken());
        let Some(waiting) = waiting else { return false };
        waiting.queued = Some(queued.clone());
        self.n_looked_at = self.n_looked_at.min(number);
        true
    }

    /// What the owner could take back next.
    pub(crate) fn next_queued(&mut self) -> Option<Arc<dyn Run>> {
        while let Some(place) = self.waiting.get_mut(self.n_looked_at) {
            if let Some(queued) = place.as_mut().and_then(|waiting| waiting.queued.take()) {
                return Some(queued);
            }
            self.n_looked_at += 1;
        }
        None
    }

    pub(crate) fn begin(&mut self, number: usize) -> Arc<dyn Run + 'scope> {
        let waiting = self.waiting[number].take().expect("the pool runs or refuses a job once");
        self.vacant.push(number);
        waiting.job
    }

    /// Keeps the first panic, and gives back any other.
    pub(crate) fn keep_panic(&mut self, panic: Panic) -> Option<Panic> {
        if self.panic.is_some() {
            return Some(panic);
        }
        self.panic = Some(panic);
        None
    }
}

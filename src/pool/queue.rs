//! The line of jobs: first in, first out, and any of them can be claimed out of turn.
//!
//! Knows nothing of jobs and has no lock: there is one of these in the inbox and one with the
//! workers, each under its own. That lock is what decides who gets a job: the worker whose turn it
//! is, a joiner that takes it back, or somebody who cancels it. A job is claimed by exactly one of
//! them, and no cell need be touched to tell by whom.
//!
//! What must always hold:
//!
//! 1. Tickets rise from front to back, so that a job is found by halving.
//! 2. A claimed job leaves a gap. Gaps at the ends are closed at once, and those between as soon
//!    as they outnumber the jobs: a million cancelled jobs take no more room than the living ones.

use std::collections::VecDeque;

use crate::wait::help::Ticket;

pub(crate) struct Queue<J> {
    /// The first and the last place hold a job, if there are places at all.
    places: VecDeque<(Ticket, Option<J>)>,
    n_jobs: usize,
}

impl<J> Queue<J> {
    pub(crate) const fn new() -> Self {
        Self { places: VecDeque::new(), n_jobs: 0 }
    }

    /// How many jobs there are.
    pub(crate) fn len(&self) -> usize {
        self.n_jobs
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n_jobs == 0
    }

    /// The ticket is greater than all that came before.
    pub(crate) fn push(&mut self, ticket: Ticket, job: J) {
        self.n_jobs += 1;
        self.places.push_back((ticket, Some(job)));
    }

    /// Takes the job that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<(Ticket, J)> {
        let (ticket, job) = self.places.pop_front()?;
        self.n_jobs -= 1;
        self.close_gaps();
        Some((ticket, job.expect("the first place holds a job")))
    }

    /// Takes the job with this ticket, unless somebody was faster.
    pub(crate) fn claim(&mut self, ticket: Ticket) -> Option<J> {
        // Who forks and joins claims what it pushed last.
        let at = match self.places.back() {
            Some((last, _)) if *last == ticket => self.places.len() - 1,
            _ => self.places.binary_search_by_key(&ticket, |(ticket, _)| *ticket).ok()?,
        };
        let job = self.places[at].1.take()?;
        self.n_jobs -= 1;
        self.close_gaps();
        Some(job)
    }

    /// Takes all of them.
    pub(crate) fn drain(&mut self) -> Vec<(Ticket, J)> {
        self.n_jobs = 0;
        let jobs = self.places.drain(..).map(|(ticket, job)| Some((ticket, job?)));
        jobs.flatten().collect()
    }

    fn close_gaps(&mut self) {
        while let Some((_, None)) = self.places.front() {
            self.places.pop_front();
        }
        while let Some((_, None)) = self.places.back() {
            self.places.pop_back();
        }
        if self.places.len() > 2 * self.n_jobs {
            self.places.retain(|(_, job)| job.is_some());
        }
        if self.places.len() < self.places.capacity() / 4 && self.places.capacity() > 1024 {
            // A flood is over: its room is given back, a half at a time.
            self.places.shrink_to(self.places.capacity() / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue_of(jobs: u32) -> (Queue<u32>, Vec<Ticket>) {
        let mut queue = Queue::new();
        let tickets: Vec<_> = (0..jobs).map(|job| Ticket(job as usize)).collect();
        for (ticket, job) in tickets.iter().zip(0..) {
            queue.push(*ticket, job);
        }
        (queue, tickets)
    }

    #[test]
    fn jobs_leave_in_the_order_they_came() {
        let (mut queue, _) = queue_of(3);
        let popped = std::iter::from_fn(|| queue.pop()).map(|(_, job)| job);
        assert_eq!(popped.collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_claimed_job_is_gone() {
        let (mut queue, tickets) = queue_of(4);
        assert_eq!(queue.claim(tickets[1]), Some(1));
        assert_eq!(queue.claim(tickets[1]), None);
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.drain(), [(tickets[0], 0), (tickets[2], 2), (tickets[3], 3)]);
    }

    #[test]
    fn a_job_that_was_popped_cannot_be_claimed() {
        let (mut queue, tickets) = queue_of(2);
        queue.pop();
        assert_eq!(queue.claim(tickets[0]), None);
        assert_eq!(queue.claim(tickets[1]), Some(1));
    }

    #[test]
    fn gaps_never_outnumber_jobs() {
        let (mut queue, tickets) = queue_of(10_000);
        for ticket in &tickets[1..9_999] {
            queue.claim(*ticket);
            assert!(queue.places.len() <= 2 * queue.len());
        }
        assert_eq!(queue.claim(tickets[9_999]), Some(9_999));
        assert_eq!(queue.claim(tickets[0]), Some(0));
        assert!(queue.places.capacity() < 1_100, "the room of the flood is given back");
    }
}

//! Bringing a job: a place in the queue if that has a limit, a ticket, and a worker that comes for it.
//!
//! Knows nothing of how workers live. What must always hold: a job that is brought is queued or
//! settles as cancelled before this returns; and an observer is told of it with no lock held.

use std::future::pending;
use std::panic::Location;
use std::sync::Arc;

use crate::event::Step;
use crate::wait::cancel::CancellationToken;
use crate::wait::help::Ticket;

use super::inbox::{Admission, RefusedJobs};
use super::job::Run;
use super::places::Places;
use super::shared::Shared;
use super::worker::{is_aboard, summon, take_back};

/// Queues a job and sees to it that a worker comes for it, or refuses it. Where the queue is full,
/// waits for a place. A job whose token is cancelled needs none: it will not stay.
pub(crate) fn submit(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    token: Option<&CancellationToken>,
    submitted_at: &'static Location<'static>,
) -> Ticket {
    let Some(places) = &shared.places else { return queue(shared, job, submitted_at) };
    if places.try_take() {
        return queue(shared, job, submitted_at);
    }
    if !is_aboard(shared) {
        let look_out = shared.settings.look_out;
        match token {
            Some(token) => places.take(look_out, token.cancelled()),
            None => places.take(look_out, pending::<()>()),
        }
        return queue(shared, job, submitted_at);
    }
    // A worker would wait for itself. It lets the job in beyond the limit, and runs it at once.
    places.take_anyway();
    let ticket = queue(shared, job, submitted_at);
    take_back(shared, ticket);
    ticket
}

/// The same for a job that has its place already, or needs none.
pub(crate) fn queue(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    submitted_at: &'static Location<'static>,
) -> Ticket {
    let observer = &shared.settings.observer;
    // Told of when its number is known, and as of now: a worker may begin it before we get there.
    let when = observer.now();
    let tell = |ticket: Ticket| observer.tell_of(when, ticket.0, Step::Submitted(submitted_at));
    match shared.inbox.admit(job) {
        Admission::Queued(ticket) => {
            tell(ticket);
            ticket
        }
        Admission::Ring(ticket) => {
            summon(shared, shared.lock());
            tell(ticket);
            ticket
        }
        Admission::Refused(ticket, job, reason) => {
            tell(ticket);
            shared.give_back_places(1);
            shared.refuse(ticket, job, reason);
            ticket
        }
    }
}

/// Queues a job that nobody depends on, if the queue has room for it.
pub(crate) fn bring(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    submitted_at: &'static Location<'static>,
) -> Option<Ticket> {
    let has_room = shared.places.as_ref().is_none_or(Places::try_take);
    has_room.then(|| queue(shared, job, submitted_at))
}

/// Queues many jobs, which have tickets that follow one another from the one that is returned.
pub(crate) fn submit_all(
    shared: &Arc<Shared>,
    jobs: Vec<Arc<dyn Run>>,
    submitted_at: &'static Location<'static>,
) -> Ticket {
    let observer = &shared.settings.observer;
    let (when, n_jobs) = (observer.now(), jobs.len());
    let tell = |first: Ticket| {
        for job in first.0..first.0 + n_jobs {
            observer.tell_of(when, job, Step::Submitted(submitted_at));
        }
    };
    match shared.inbox.admit_all(jobs) {
        Ok((first, rings)) => {
            if rings {
                summon(shared, shared.lock());
            }
            tell(first);
            first
        }
        Err(RefusedJobs { first, jobs, reason }) => {
            tell(first);
            for (ticket, job) in (first.0..).zip(jobs) {
                shared.refuse(Ticket(ticket), job, reason.clone());
            }
            first
        }
    }
}

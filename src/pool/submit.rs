//! Bringing a job: a place in the queue if that has a limit, a ticket, and a worker that comes for it.
//!
//! Knows nothing of how workers live. What must always hold: a job that is brought is queued or
//! settles as cancelled before this returns; and an observer is told of it with no lock held.

use std::future::pending;
use std::iter::once;
use std::panic::Location;
use std::sync::Arc;

use crate::event::Step;
use crate::wait::cancel::CancellationToken;
use crate::wait::help::Ticket;

use super::inbox::Admission;
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
    let Some(places) = &shared.places else { return queue(shared, once(job), submitted_at) };
    if places.try_take() {
        return queue(shared, once(job), submitted_at);
    }
    if !is_aboard(shared) {
        let look_out = shared.settings.look_out;
        match token {
            Some(token) => places.take(look_out, token.cancelled()),
            None => places.take(look_out, pending::<()>()),
        }
        return queue(shared, once(job), submitted_at);
    }
    // A worker would wait for itself. It lets the job in beyond the limit, and runs it at once.
    places.take_anyway();
    let ticket = queue(shared, once(job), submitted_at);
    take_back(shared, ticket);
    ticket
}

/// The same for jobs that have their places already, or need none. They have tickets that follow one
/// another from the one that is returned.
pub(crate) fn queue<J>(
    shared: &Arc<Shared>,
    jobs: J,
    submitted_at: &'static Location<'static>,
) -> Ticket
where
    J: IntoIterator<Item = Arc<dyn Run>, IntoIter: ExactSizeIterator>,
{
    let jobs = jobs.into_iter();
    let observer = &shared.settings.observer;
    // Told of when their numbers are known, and as of now: a worker may begin one before we get there.
    let (when, n_jobs) = (observer.now(), jobs.len());
    let tell = |first: Ticket| {
        for job in first.0..first.0 + n_jobs {
            observer.tell_of(when, job, Step::Submitted(submitted_at));
        }
    };
    let (first, admission) = shared.inbox.admit(jobs);
    match admission {
        Admission::Queued => tell(first),
        Admission::Ring => {
            summon(shared, shared.lock());
            tell(first);
        }
        Admission::Refused(jobs, reason) => {
            tell(first);
            shared.give_back_places(n_jobs);
            for (ticket, job) in (first.0..).zip(jobs) {
                shared.refuse(Ticket(ticket), job, reason.clone());
            }
        }
    }
    first
}

/// Queues a job that nobody depends on, if the queue has room for it.
pub(crate) fn bring(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    submitted_at: &'static Location<'static>,
) -> Option<Ticket> {
    let has_room = shared.places.as_ref().is_none_or(Places::try_take);
    has_room.then(|| queue(shared, once(job), submitted_at))
}

//! Handing a job in: a place in the queue if that has a limit, a number, and a worker that comes for it.
//!
//! Knows nothing of how workers live. What must always hold: a job that is handed in is queued or
//! settles as cancelled before this returns; and an observer is told of it with no lock held.

use std::cell::Cell;
use std::future::pending;
use std::iter::once;
use std::panic::Location;
use std::sync::Arc;

use crate::event::Step;
use crate::prims::thread_local;
use crate::wait::cancel::CancellationToken;

use super::inbox::Pushed;
use super::job::Run;
use super::places::Places;
use super::shared::Shared;
use super::worker::{on_worker, take_back, wake_worker};

/// How deep the jobs nest that a worker runs inside `submit`. A job that submits its successor would
/// otherwise take the whole stack.
const MOST_INLINE: usize = 16;

thread_local! {
    /// How many jobs this thread is running inside `submit`.
    static N_INLINE: Cell<usize> = const { Cell::new(0) };
}

/// Queues a job and sees to it that a worker comes for it, or refuses it. Where the queue is full,
/// waits for a place. A job whose token is cancelled needs none: it will not stay.
pub(crate) fn submit(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    token: Option<&CancellationToken>,
    submitted_at: &'static Location<'static>,
) {
    let Some(places) = &shared.places else { return queue(shared, once(job), submitted_at) };
    if places.try_take() {
        return queue(shared, once(job), submitted_at);
    }
    if !on_worker(shared) {
        shared.process.check();
        let look_out = shared.settings.look_out;
        match token {
            Some(token) => places.take(look_out, token.cancelled()),
            None => places.take(look_out, pending::<()>()),
        }
        return queue(shared, once(job), submitted_at);
    }
    // A worker would wait for itself. It lets the job in beyond the limit, and runs it at once; or
    // leaves it there, if it is deep in such jobs.
    places.take_anyway();
    queue(shared, once(job.clone()), submitted_at);
    let n_inline = N_INLINE.with(Cell::get);
    if n_inline < MOST_INLINE {
        N_INLINE.with(|inline| inline.set(n_inline + 1));
        take_back(shared, &job); // Its panic is its own, so that nothing unwinds through here.
        N_INLINE.with(|inline| inline.set(n_inline));
    }
}

/// The same for jobs that have their places already, or need none.
pub(crate) fn queue<J>(shared: &Arc<Shared>, jobs: J, submitted_at: &'static Location<'static>)
where
    J: IntoIterator<Item = Arc<dyn Run>, IntoIter: ExactSizeIterator>,
{
    let jobs = jobs.into_iter();
    let observer = &shared.settings.observer;
    // Told of when their numbers are known, and as of now: a worker may begin one before we get there.
    let (when, n_jobs) = (observer.now(), jobs.len());
    let tell = |first: usize| {
        for job in first..first + n_jobs {
            observer.tell_of(when, job, Step::Submitted(submitted_at));
        }
    };
    let (first, pushed) = shared.inbox.push(jobs);
    match pushed {
        Pushed::Queued => tell(first),
        Pushed::NeedsWake => {
            wake_worker(shared, shared.lock());
            tell(first);
        }
        Pushed::Refused(jobs, reason) => {
            tell(first);
            shared.give_back_places(n_jobs);
            for (number, job) in (first..).zip(jobs) {
                job.claim().set_number(number);
                job.claim().take();
                shared.refuse(job, reason.clone());
            }
        }
    }
}

/// Queues a job that nobody depends on, if the queue has room for it; false if it has not.
pub(crate) fn try_queue(
    shared: &Arc<Shared>,
    job: Arc<dyn Run>,
    submitted_at: &'static Location<'static>,
) -> bool {
    let has_room = shared.places.as_ref().is_none_or(Places::try_take);
    if has_room {
        queue(shared, once(job), submitted_at);
    }
    has_room
}

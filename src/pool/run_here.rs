//! Running a job on a worker that waits for it, or that submits it to a full queue: right there, out of turn.
//!
//! Knows nothing of the loop. What must always hold:
//!
//! 1. A job is run here only by a worker of its pool, and only if no other worker comes for it.
//! 2. Jobs that run inside one another this way are at most so deep as the stack has room for.

use std::sync::Arc;
use std::task::Waker;

use crate::wait::{deferred, hints};

use super::job::Run;
use super::shared::Shared;
use super::worker::{in_context, take_back, worker_number};

/// What a pending poll of a job does for the wait that polls it, on a worker of its pool: it says that
/// the job could run here; and if it is asked to, runs it, unless another worker comes for it.
pub(crate) fn ran_here<R: Run + ?Sized>(shared: &Arc<Shared>, job: &R, waker: &Waker) -> bool {
    shared.process.is_awaited();
    let Some(number) = worker_number(shared) else { return false };
    if hints::is_asked_to_run_here() {
        let mut waker = Some(waker.clone());
        let mut state = shared.lock();
        // To run it here would be a shortcut then, and a risk: what it waits for may be up to this
        // very thread. But the free worker may come to wait as we do, so we want to hear of it.
        let is_one_coming = state.wait_for_worker(number, &mut waker);
        drop(state);
        drop(waker);
        if !is_one_coming && take_back(shared, job) {
            return true;
        }
    }
    hints::hint_run_here(job.claim().number());
    false
}

/// Runs a job that is queued beyond the limit by the thread that submits it, unless that is deep in such jobs:
/// then it stays queued. They have a depth of their own, for what is deferred in a job must not wait for its end.
pub(crate) fn run_inline(shared: &Arc<Shared>, job: &dyn Run) {
    let n_inline = in_context(shared, |context| context.n_inline.get());
    if n_inline.is_some_and(|n| n < deferred::DEPTH) {
        let add = |n: isize| {
            in_context(shared, |context| {
                context.n_inline.set(context.n_inline.get().wrapping_add_signed(n));
            });
        };
        add(1);
        take_back(shared, job);
        add(-1);
    }
}

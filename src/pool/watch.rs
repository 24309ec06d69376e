//! A queued job that is cancelled with its token, the moment the token is.
//!
//! Knows nothing of who cancels. It is a waker that waits for the token, and claims the job when it
//! is woken, as any canceller does.
//!
//! What must always hold:
//!
//! 1. The wait ends when the job begins, is refused or is dropped, by whichever comes first. A token
//!    may live much longer than the jobs that it was given to, and must not keep them.
//! 2. No lock is held while the token is asked: to ask may be what cancels it, and then everybody
//!    who waits for it is woken, this very watch too.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use crate::prims::Mutex;
use crate::wait::cancel::{CancellationToken, WaitForCancel};
use crate::wait::elsewhere;
use crate::wait::host;

use super::job::Run;
use super::shared::Shared;

pub(crate) struct Watch(Mutex<State>);

enum State {
    /// The job is not in the queue yet.
    NotYet,
    Watching {
        token: CancellationToken,
        /// Never polled again, only kept: we stand in the token's line as long as it lives.
        _place_in_line: WaitForCancel,
        /// Not a reason for a pool to live, nor for a job, which has us in its closure.
        pool: Weak<Shared>,
        job: Weak<dyn Run>,
    },
    /// The job has left the queue, or soon will.
    Over,
}

/// Ends the watch when it is dropped. The closure of the job holds it, and lets it go first of all.
pub(crate) struct EndOfWatch(Arc<Watch>);

impl Watch {
    pub(crate) fn new() -> (Arc<Self>, EndOfWatch) {
        let watch = Arc::new(Self(Mutex::new(State::NotYet)));
        (watch.clone(), EndOfWatch(watch))
    }

    /// Begins to watch, unless the job has left the queue already.
    pub(crate) fn begin(
        self: Arc<Self>,
        token: &CancellationToken,
        pool: &Arc<Shared>,
        job: Weak<dyn Run>,
    ) {
        let waker = Waker::from(self.clone());
        let mut place_in_line = token.cancelled();
        // If it is ready already, `look` finds that too. A timer of the real clock is kept by the alarm, and never by
        // an executor, on whose thread the closure would be dropped.
        let poll = || Pin::new(&mut place_in_line).poll(&mut Context::from_waker(&waker));
        let _ = host::outside(poll);
        let watching = State::Watching {
            token: token.clone(),
            _place_in_line: place_in_line,
            pool: Arc::downgrade(pool),
            job,
        };
        if self.watch(watching) {
            self.look(); // A wake that came before has found nothing to cancel.
        }
    }

    /// False if the job has left the queue already.
    fn watch(&self, watching: State) -> bool {
        let mut state = self.0.lock();
        let not_needed = match *state {
            State::NotYet => std::mem::replace(&mut *state, watching),
            State::Watching { .. } | State::Over => watching,
        };
        drop(state);
        matches!(not_needed, State::NotYet)
    }

    /// Cancels the job if the token is cancelled.
    ///
    /// There is no need to wait again if it is not. We are woken when the token has been cancelled
    /// or its time is over, and to ask for the reason tells us of both.
    fn look(&self) {
        let state = self.0.lock();
        let State::Watching { token, pool, job, .. } = &*state else { return };
        let (token, pool, job) = (token.clone(), pool.upgrade(), job.upgrade());
        drop(state);
        if let (Some(reason), Some(pool), Some(job)) = (token.reason(), pool, job) {
            pool.cancel(&job, reason);
        }
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        elsewhere::run(move || self.look());
    }
}

impl Drop for EndOfWatch {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        let before = std::mem::replace(&mut *state, State::Over);
        drop(state);
        drop(before); // It leaves the token's line, and drops our own waker there.
    }
}

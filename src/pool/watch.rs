//! A queued job that is cancelled with its token, the moment the token is.
//!
//! Knows nothing of who cancels. It is a waker that waits for the token, and claims the job from the
//! queue when it is woken, like anybody else who cancels.
//!
//! What must always hold: the wait ends when the job begins, is refused or is dropped, by whichever
//! comes first. A token may live much longer than the jobs that it was given to, and must not keep
//! them.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::prims::Mutex;
use crate::wait::cancel::{CancellationToken, WaitForCancel};
use crate::wait::help::Ticket;

use super::shared::Shared;

pub(crate) struct Watch(Mutex<State>);

enum State {
    /// The job is not in the queue yet, and has no ticket.
    NotYet,
    Watching {
        token: WaitForCancel,
        /// Not a reason for a pool to live.
        pool: Weak<Shared>,
        ticket: Ticket,
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
        ticket: Ticket,
    ) {
        let watching =
            State::Watching { token: token.cancelled(), pool: Arc::downgrade(pool), ticket };
        let mut state = self.0.lock();
        match *state {
            State::NotYet => *state = watching,
            State::Watching { .. } | State::Over => return,
        }
        drop(state);
        self.look();
    }

    /// Cancels the job if the token is cancelled, and otherwise sees to it that we look again.
    fn look(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut state = self.0.lock();
        let State::Watching { token, pool, ticket } = &mut *state else { return };
        let Poll::Ready(reason) = Pin::new(token).poll(&mut Context::from_waker(&waker)) else {
            return;
        };
        let (pool, ticket) = (pool.upgrade(), *ticket);
        drop(state);
        if let Some(pool) = pool {
            if let Some(job) = pool.claim(ticket) {
                pool.refuse(ticket, job, reason);
            }
        }
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.look();
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

//! A queued job that is cancelled with its token, the moment the token is.
//!
//! Knows nothing of who cancels. It is a waker that waits for the token, and claims the job from the
//! queue when it is woken, like anybody else who cancels.
//!
//! What must always hold:
//!
//! 1. The wait ends when the job begins, is refused or is dropped, by whichever comes first. A token
//!    may live much longer than the jobs that it was given to, and must not keep them.
//! 2. The token is polled with no lock held. The poll that finds its deadline past cancels it, and so
//!    wakes everybody who waits for it: us too, on this very thread.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::error::CancelReason;
use crate::prims::Mutex;
use crate::wait::cancel::{CancellationToken, WaitForCancel};
use crate::wait::help::Ticket;

use super::shared::Shared;

pub(crate) struct Watch(Mutex<State>);

enum State {
    /// The job is not in the queue yet, and has no ticket.
    NotYet,
    Watching(Watched),
    /// Somebody has taken out what is watched, and looks; once more if we were woken since.
    Looking {
        again: bool,
    },
    /// The job has left the queue, or soon will.
    Over,
}

struct Watched {
    token: WaitForCancel,
    /// Not a reason for a pool to live.
    pool: Weak<Shared>,
    ticket: Ticket,
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
        let (token, pool) = (token.cancelled(), Arc::downgrade(pool));
        let watching = State::Watching(Watched { token, pool, ticket });
        let mut state = self.0.lock();
        match *state {
            State::NotYet => *state = watching,
            State::Watching(_) | State::Looking { .. } | State::Over => return,
        }
        drop(state);
        self.look();
    }

    /// Cancels the job if the token is cancelled, and otherwise sees to it that we look again.
    fn look(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        while let Some(mut watched) = self.take_out() {
            match Pin::new(&mut watched.token).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(reason) => {
                    *self.0.lock() = State::Over;
                    return watched.cancel(reason);
                }
                Poll::Pending => {
                    if !self.put_back(watched) {
                        return;
                    }
                }
            }
        }
    }

    /// What is watched, to be looked at with the lock let go; `None` if that is not our business.
    fn take_out(&self) -> Option<Watched> {
        let mut state = self.0.lock();
        match mem::replace(&mut *state, State::Looking { again: false }) {
            State::Watching(watched) => return Some(watched),
            State::Looking { .. } => *state = State::Looking { again: true },
            State::NotYet => *state = State::NotYet,
            State::Over => *state = State::Over,
        }
        None
    }

    /// True if it is to be looked at again.
    fn put_back(&self, watched: Watched) -> bool {
        let mut state = self.0.lock();
        if let State::Looking { again } = *state {
            *state = State::Watching(watched);
            return again;
        }
        drop(state);
        drop(watched); // The job has left the queue meanwhile.
        false
    }
}

impl Watched {
    fn cancel(self, reason: CancelReason) {
        if let Some(pool) = self.pool.upgrade() {
            if let Some(job) = pool.claim(self.ticket) {
                pool.refuse(self.ticket, job, reason);
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
        let before = mem::replace(&mut *state, State::Over);
        drop(state);
        drop(before); // It leaves the token's line, and drops our own waker there.
    }
}

//! What the handle and the driver share of one child.
//!
//! Knows nothing of the driver but how to tell it something. What must always hold: each part has a lock
//! of its own, and nobody takes two of them at once.

use std::fmt;
use std::sync::Arc;
use std::task::Wake;

use crate::event::{Observer, Step, What};
use crate::prims::{AtomicBool, Ordering};
use crate::wait::host::Hold;
use crate::wait::settle::Settle;

use super::buffers::{Input, Lines};
use super::outcome::Outcome;
use super::signals::{RealProcess, Signals};

use Ordering::{Acquire, Release};

/// What is said where nothing can be done.
pub(crate) const FORKED: &str =
    "this process was forked from one that runs children, and has no thread that would see to any";

pub(crate) struct ChildState {
    pub(crate) pid: u32,
    /// The program, for an observer.
    pub(crate) program: String,
    /// Which child of this process it is.
    pub(crate) number: usize,
    pub(crate) observer: Observer,
    pub(crate) signals: Signals<RealProcess>,
    /// Whether what it leaves behind in its group is killed when it has exited.
    pub(crate) sweeps: bool,
    pub(crate) input: Input,
    pub(crate) lines: Lines,
    pub(crate) outcome: Settle<(), Outcome>,
    /// Whether the token is to be looked at again.
    pub(crate) token_has_news: AtomicBool,
    /// On the executor on whose thread it was started, if it was: its clock is not to jump over a
    /// child's life.
    pub(crate) hold: Option<Hold>,
    /// Tells the driver that there is news of the child of this number.
    pub(crate) tell_driver: fn(usize),
    /// Whether this process started it, and not the one of which this is a fork.
    pub(crate) is_ours: fn() -> bool,
}

impl ChildState {
    /// There is something for the driver to do.
    pub(crate) fn ring(&self) {
        (self.tell_driver)(self.number);
    }

    pub(crate) fn tell(&self, step: Step) {
        let when = self.observer.now();
        self.observer.tell_about(when, What::Child, self.number, Some(&self.program), step);
    }

    /// Nobody waits for it any more, or has been woken.
    pub(crate) fn let_go(&self) {
        if let Some(hold) = &self.hold {
            hold.let_go();
        }
    }

    /// Whether the token has woken us since the last call.
    pub(crate) fn takes_news(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `wake`: what was written to the token before
        // the wake is seen by the poll that follows.
        self.token_has_news.swap(false, Acquire)
    }
}

impl fmt::Debug for ChildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = if self.outcome.is_settled() { "finished" } else { "running" };
        write!(f, "{}, {}, {progress}", self.program, self.pid)
    }
}

/// The waker for the child's token.
impl Wake for ChildState {
    fn wake(self: Arc<Self>) {
        // ORDERING: Release. Pairs with the Acquire in `takes_news`. The driver is told after it.
        self.token_has_news.store(true, Release);
        self.ring();
    }
}

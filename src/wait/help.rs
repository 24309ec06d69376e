//! What a waiting thread can do besides sleep: run one of the things it waits for.
//!
//! Knows nothing of pools: a thread may have a [`Helper`], and a future that is polled on it may
//! offer itself to be run there. Both are thread-locals, because the two ends (a wait in the hall
//! and a job of a pool) meet in nothing but a `Future`.
//!
//! What must always hold: an offer is heard by the wait that polled the future, and by no other;
//! and user code never runs while a thread-local is borrowed.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::Waker;

use crate::prims::thread_local;

/// Where a job stands in the line of its pool: the smaller, the longer it has been waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) usize);

/// What a future says of itself when a thread could run it. In one line, the oldest is smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    /// The address of what keeps the line. A wait may move to a thread with another helper, where
    /// the same ticket is a stranger's. No other line has the address while the future exists.
    pub(crate) line: usize,
    pub(crate) ticket: Ticket,
}

/// Who can run queued jobs on this thread.
pub(crate) trait Helper {
    /// Runs the job on offer here, if it stands in our line, is still queued and no worker is free
    /// to come for it. If one is, keeps the waker and wakes it when that is no longer so.
    fn help(&self, offer: Offer, waker: &Waker) -> Helped;
}

/// Whether a wait has been helped along.
pub(crate) enum Helped {
    /// The job ran here, and has settled.
    Ran,
    /// Somebody else runs it, or will.
    NotNeeded,
}

thread_local! {
    static HELPER: RefCell<Option<Arc<dyn Helper>>> = const { RefCell::new(None) };
    static OFFERED: Cell<Option<Offer>> = const { Cell::new(None) };
}

/// Gives this thread a helper, for as long as it lives.
pub(crate) fn set_helper(helper: Arc<dyn Helper>) {
    HELPER.with(|place| *place.borrow_mut() = Some(helper));
}

/// This thread's helper. A thread that is ending may have lost it already.
pub(crate) fn helper() -> Option<Arc<dyn Helper>> {
    HELPER.try_with(|place| place.borrow().clone()).ok().flatten()
}

/// Says, from inside a poll: this thread could run me itself.
pub(crate) fn offer(offer: Offer) {
    // Without thread-locals there is no helper either, and nobody to hear it.
    let _ = OFFERED.try_with(|offered| offered.set(Some(offer)));
}

/// Polls, and hears what was offered meanwhile.
pub(crate) fn hear_offer<T>(poll: impl FnOnce() -> T) -> (T, Option<Offer>) {
    let take = || OFFERED.try_with(Cell::take).ok().flatten();
    take(); // What an earlier poll offered to somebody else.
    let polled = poll();
    (polled, take())
}

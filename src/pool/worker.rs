//! A worker: the loop that runs jobs, and how a worker is fetched for a job that waits.
//!
//! Knows nothing of handles and results. What must always hold:
//!
//! 1. No lock is held while code that is not ours runs: a job, a hook, a waker.
//! 2. Nothing that such code does ends the loop: a panic is a value by the time it gets here.
//! 3. A worker runs what it took from the front of the queue, or a job that it waits for itself,
//!    and never anything else.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::task::Waker;

use crate::error::{CancelReason, no_thread};
use crate::event::{Ending, Step};
use crate::prims::{MutexGuard, ThreadSpec, spawn_thread, thread_local};
use crate::wait::deadline::Deadline;
use crate::wait::help::{self, Helper, Offer, Ticket};
use crate::wait::parker::{Parker, Patience};

use super::job::Runner;
use super::ledger::Ledger;
use super::shared::Shared;
use super::state::{Hand, Next, State};

thread_local! {
    /// The pool that this thread works for. Only its address, which has no destructor: it tells one
    /// pool from another even while the thread's other locals are being destroyed.
    static WORKS_FOR: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// Whether the calling thread is a worker of this pool.
pub(crate) fn is_aboard(shared: &Arc<Shared>) -> bool {
    WORKS_FOR.try_with(|works_for| works_for.get() == Arc::as_ptr(shared)).unwrap_or(false)
}

/// What the handle of a queued job can say to a worker of this pool that waits for it.
pub(crate) fn offer_of(shared: &Arc<Shared>, ticket: Ticket) -> Offer {
    Offer { line: Arc::as_ptr(shared).addr(), ticket }
}

/// Runs a job right here if it is queued, and this thread a worker of its pool.
///
/// A worker that is about to begin or to end has no helper, and runs none.
pub(crate) fn take_back(shared: &Arc<Shared>, ticket: Ticket) {
    if let Some(helper) = help::helper() {
        helper.take_back(offer_of(shared, ticket));
    }
}

/// Lets go of the lock and fetches the hand that is wanted, if one is.
pub(crate) fn summon(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
    match shared.next_hand(&mut state) {
        Hand::NotWanted => {}
        Hand::Idle(parker) => {
            drop(state);
            parker.unpark();
        }
        Hand::New(number) => start(shared, state, number),
        Hand::Bystanders(bystanders) => {
            drop(state);
            bystanders.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

/// Starts a thread, under the lock: a shutdown finds the thread up and to be joined, or not there.
fn start(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>, number: usize) {
    let settings = &shared.settings;
    let name = format!("{}-{number}", settings.name);
    let spec = ThreadSpec { name: Some(name), stack_size: settings.stack_size };
    let ledger = Arc::new(Ledger::new(settings.panic_hook.clone()));
    let aboard = Arc::new(Aboard { shared: shared.clone(), number, ledger: ledger.clone() });
    match spawn_thread(spec, move || live(aboard)) {
        Ok(thread) => state.keep_thread(thread, ledger),
        Err(error) => lose(shared, state, &no_thread(&error), false),
    }
}

/// Lets go of the lock and tells those who counted on a worker that is lost: waits that could run a
/// job themselves, and, if there is no other thread, the jobs.
fn lose(
    shared: &Shared,
    mut state: MutexGuard<'_, State>,
    reason: &CancelReason,
    was_the_last_try: bool,
) {
    let loss = shared.lose_one_on_its_way(&mut state, reason, was_the_last_try);
    drop(state);
    loss.bystanders.into_iter().for_each(|(_, waker)| waker.wake());
    shared.give_back_places(loss.orphans.len());
    for (ticket, job) in loss.orphans {
        shared.refuse(ticket, job, reason.clone());
    }
    loss.end_waiters.into_iter().for_each(Waker::wake);
}

/// The life of a worker's thread.
fn live(aboard: Arc<Aboard>) {
    let (shared, number) = (&aboard.shared, aboard.number);
    // From the first hook to the last thread-local: a shutdown in any of them is refused.
    WORKS_FOR.with(|works_for| works_for.set(Arc::as_ptr(shared)));
    if let Err(panic) = shared.settings.on_start.call(number) {
        // What the thread was to be given at its start it does not have; nor would the next.
        let why = format!("`on_start` panicked: {}", panic.message());
        lose(shared, shared.lock(), &CancelReason::NoWorker(why.into()), true);
        // A worker may have lain down, or a job have come, while this one was thought to be coming.
        summon(shared, shared.lock());
        return;
    }
    help::set_helper(aboard.clone());

    work(&aboard);

    if let Err(panic) = shared.settings.on_exit.call(number) {
        shared.settings.panic_hook.tell(&panic);
    }
    let end_waiters = shared.lock().lose_thread();
    end_waiters.into_iter().for_each(Waker::wake);
}

/// Runs jobs until the pool is closed and none is left.
fn work(aboard: &Aboard) {
    let shared = &aboard.shared;
    let parker = Arc::new(Parker::new());
    let mut patience = Patience::default();
    let look_out = shared.settings.look_out;
    let mut may_look_out = true;
    let mut state = shared.lock();
    state.arrive();
    loop {
        match shared.next_job(&mut state, &parker, may_look_out) {
            Next::Job(ticket, job) => {
                // Before the job, which may take for ever: the next one in line has its own hand.
                summon(shared, state);
                shared.give_back_places(1);
                let at_work = AtWork::new(aboard, ticket, true);
                job.run(&at_work);
                state = shared.lock();
                if at_work.is_announced.get() {
                    state.arrive();
                }
                may_look_out = !look_out.is_zero();
            }
            Next::LookOut(n_seen) => {
                drop(state);
                shared.inbox.want_work(true);
                patience.look_out(look_out, || shared.inbox.has_news(n_seen));
                state = shared.lock();
                state.arrive();
                shared.inbox.want_work(false);
                may_look_out = false;
            }
            Next::Sleep => {
                drop(state);
                parker.park(Deadline::Never);
                state = shared.lock();
                state.arrive();
            }
            Next::End => return,
        }
    }
}

/// A worker, as a wait on its thread sees it.
struct Aboard {
    shared: Arc<Shared>,
    number: usize,
    ledger: Arc<Ledger>,
}

/// A worker while it runs a job.
///
/// A job that settles is often followed by the next one at once: somebody submits, joins, and
/// submits again. So before it settles the job, a worker that sees the bell set says that it is on
/// its way to the next. Otherwise the next submit would wake another worker, for 10 to 40 µs, only
/// to find that this one was faster.
struct AtWork<'worker> {
    aboard: &'worker Aboard,
    ticket: Ticket,
    /// Whether it looks at the queue next. From a job that was taken back it does not: it goes on
    /// with the one that waited for it.
    returns_to_queue: bool,
    is_announced: Cell<bool>,
}

impl<'worker> AtWork<'worker> {
    fn new(aboard: &'worker Aboard, ticket: Ticket, returns_to_queue: bool) -> Self {
        Self { aboard, ticket, returns_to_queue, is_announced: Cell::new(false) }
    }

    fn tell(&self, step: Step) {
        self.aboard.shared.settings.observer.tell(self.ticket.0, step);
    }
}

impl Runner for AtWork<'_> {
    fn ledger(&self) -> &Ledger {
        &self.aboard.ledger
    }

    fn before_running(&self) {
        self.tell(Step::Began { worker: self.aboard.number });
    }

    fn before_settling(&self, ending: Ending) {
        self.aboard.ledger.count_settled();
        self.tell(Step::Settled(ending));
        if self.returns_to_queue && self.aboard.shared.inbox.is_bell_set() {
            self.is_announced.set(self.aboard.shared.announce());
        }
    }

    fn before_foreign_code(&self) {
        if self.is_announced.take() {
            let mut state = self.aboard.shared.lock();
            state.arrive();
            summon(&self.aboard.shared, state);
        }
    }
}

impl Helper for Aboard {
    fn take_back(&self, offer: Offer) -> bool {
        // The job of another pool has workers of its own.
        let is_ours = offer == offer_of(&self.shared, offer.ticket);
        let Some(job) = is_ours.then(|| self.shared.claim(offer.ticket)).flatten() else {
            return false;
        };
        job.run(&AtWork::new(self, offer.ticket, false));
        true
    }

    fn help(&self, offer: Offer, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.shared.lock();
        if state.is_somebody_coming() {
            // To run it here would be a shortcut, and a risk: what it waits for may be up to this
            // very thread. But the free hand may come to wait as we do, so we want to hear of it.
            let stale = state.stand_by(self.number, waker);
            drop(state);
            drop(stale);
            return false;
        }
        drop(state);
        self.take_back(offer)
    }
}

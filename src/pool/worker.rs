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
use crate::panic::Panic;
use crate::prims::{MutexGuard, ThreadSpec, spawn_thread, thread_local};
use crate::wait::deadline::Deadline;
use crate::wait::help::{self, Helped, Helper, Ticket};
use crate::wait::parker::{Parker, Patience};

use super::job::Run;
use super::shared::{Hand, Refused, Shared, State};

thread_local! {
    /// The pool that this thread works for. Only its address: it tells one pool from another
    /// while the worker, which keeps the pool's `Shared` alive, is there to ask.
    static WORKS_FOR: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// Whether the calling thread is a worker of this pool.
pub(crate) fn is_aboard(shared: &Arc<Shared>) -> bool {
    // A thread that has lost its locals is past its loop, and no worker any more.
    WORKS_FOR.try_with(|works_for| works_for.get() == Arc::as_ptr(shared)).unwrap_or(false)
}

/// Queues a job and sees to it that a worker comes for it.
///
/// A closed pool refuses it, and the ticket is then for a job that is not in the queue.
pub(crate) fn submit(shared: &Arc<Shared>, job: Arc<dyn Run>) -> Ticket {
    let mut state = shared.lock();
    match state.admit(job) {
        Ok(ticket) => {
            summon(shared, state);
            ticket
        }
        Err(Refused { job, reason }) => {
            drop(state);
            job.refuse(reason, &shared.ledger);
            Ticket(usize::MAX)
        }
    }
}

/// Lets go of the lock and fetches the hand that is wanted, if one is.
fn summon(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
    match state.next_hand() {
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
    let worker = Worker { shared: shared.clone(), number };
    match spawn_thread(spec, move || worker.live()) {
        Ok(thread) => state.keep_thread(thread),
        Err(error) => lose(shared, state, &no_thread(&error)),
    }
}

/// A worker that was on its way is lost. If there is no other, nobody comes: the jobs are told.
/// Otherwise those who are at work come when they are done; but who counted on the lost one is told.
fn lose(shared: &Shared, mut state: MutexGuard<'_, State>, reason: &CancelReason) {
    state.arrive();
    let end_waiters = state.lose_thread();
    let bystanders = state.take_bystanders();
    let orphans = if state.has_threads() { Vec::new() } else { state.queue.drain() };
    drop(state);
    for job in orphans {
        job.refuse(reason.clone(), &shared.ledger);
    }
    bystanders.into_iter().for_each(|(_, waker)| waker.wake());
    end_waiters.into_iter().for_each(Waker::wake);
}

struct Worker {
    shared: Arc<Shared>,
    number: usize,
}

impl Worker {
    fn live(self) {
        let settings = &self.shared.settings;
        if let Err(panic) = settings.on_start.call(self.number) {
            self.give_up(&panic);
            return;
        }
        WORKS_FOR.with(|works_for| works_for.set(Arc::as_ptr(&self.shared)));
        help::set_helper(Arc::new(Aboard { shared: self.shared.clone(), number: self.number }));

        self.work();

        if let Err(panic) = settings.on_exit.call(self.number) {
            settings.panic_hook.tell(&panic);
        }
        let end_waiters = self.shared.lock().lose_thread();
        end_waiters.into_iter().for_each(Waker::wake);
    }

    /// What this thread was to be given at its start, it does not have; nor would the next.
    fn give_up(&self, panic: &Panic) {
        let why = format!("`on_start` panicked: {}", panic.message());
        let reason = CancelReason::NoWorker(why.into());
        let mut state = self.shared.lock();
        state.start_no_more(&reason);
        lose(&self.shared, state, &reason);
        // While it was on its way no other was sent for, and one may have lain down since.
        summon(&self.shared, self.shared.lock());
    }

    fn work(&self) {
        let parker = Arc::new(Parker::new());
        let mut patience = Patience::default();
        let mut state = self.shared.lock();
        state.arrive();
        loop {
            if let Some(job) = state.queue.pop() {
                // Before the job, which may take for ever: the next one in line has its own hand.
                summon(&self.shared, state);
                job.run(&self.shared.ledger);
                state = self.shared.lock();
            } else if state.is_closing() {
                return;
            } else {
                state.lie_down(parker.clone());
                drop(state);
                patience.park(&parker, self.shared.settings.look_out, Deadline::Never);
                state = self.shared.lock();
                state.arrive();
            }
        }
    }
}

/// A worker, as a wait on its thread sees it.
struct Aboard {
    shared: Arc<Shared>,
    number: usize,
}

impl Helper for Aboard {
    fn help(&self, ticket: Ticket, waker: &Waker) -> Helped {
        let waker = waker.clone();
        let mut state = self.shared.lock();
        if state.is_one_on_its_way() {
            // To run it here would be a shortcut, and a risk: what it waits for may be up to this
            // very thread. But that worker may take another job, or be lost: we want to hear of it.
            let stale = state.stand_by(self.number, waker);
            drop(state);
            drop(stale);
            return Helped::NotNeeded;
        }
        let claimed = state.queue.claim(ticket);
        drop(state);
        match claimed {
            Some(job) => {
                job.run(&self.shared.ledger);
                Helped::Ran
            }
            None => Helped::NotNeeded,
        }
    }
}

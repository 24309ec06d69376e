//! What a pool's workers and its users share: two locks, and behind them all that the pool knows.
//!
//! Knows nothing of threads: it says which hand is wanted, and `worker` fetches it. Those who submit
//! take the inbox's lock, and the other one only when the bell is set; workers take the other one,
//! and the inbox's inside it when their own queue is empty.
//!
//! What must always hold, whenever both locks are free:
//!
//! 1. While a job is queued and a hand is free (a worker is idle, or may be started), a worker is on
//!    its way, or somebody who found the bell set is about to call one. A system that refuses
//!    threads breaks this until the next job is submitted or taken.
//! 2. At most one worker is on its way, until the pool is closed and all are called. It sends for the next before it runs its first job, so that
//!    a flood of submits pays for one wake-up and not for one each.
//! 3. The bell is set only while nothing is queued and nobody is on the way, or when a worker has been
//!    lost and the next bringer is to try again.
//! 4. Every job is queued, or claimed by exactly one thread, which runs or refuses it.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::event::{Ending, Step};
use crate::prims::{Mutex, MutexGuard};
use crate::wait::help::Ticket;
use crate::wait::parker::Parker;

use super::builder::Settings;
use super::inbox::{Apart, Inbox, Tray};
use super::job::{Run, Runner};
use super::ledger::Ledger;
use super::places::Places;
use super::state::{End, Hand, Loss, Next, Phase, State};

pub(crate) struct Shared {
    pub(crate) inbox: Apart<Inbox>,
    state: Apart<Mutex<State>>,
    /// The places of a queue that has a limit.
    pub(crate) places: Option<Places>,
    /// What is counted by those who are not workers.
    pub(crate) ledger: Ledger,
    pub(crate) settings: Settings,
}

/// What is going on in a pool; see [`ThreadPool::stats`](crate::ThreadPool::stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs there have ever been. At any moment, `submitted == queued + running + settled`.
    pub submitted: usize,
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that have been taken from the queue and have not settled.
    pub running: usize,
    /// Jobs that have returned, panicked or been cancelled.
    pub settled: usize,
    /// Worker threads that are up.
    pub threads: usize,
    /// Worker threads that have nothing to do.
    pub idle: usize,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State::new(settings.threads);
        Self {
            inbox: Apart(Inbox::new()),
            state: Apart(Mutex::new(state)),
            places: settings.queue_limit.map(Places::new),
            ledger: Ledger::new(settings.panic_hook.clone()),
            settings,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Takes a queued job out of turn. The caller has to run or to refuse it.
    pub(crate) fn claim(&self, ticket: Ticket) -> Option<Arc<dyn Run>> {
        // First here, then there: between the two looks it may have moved, but only that way.
        let claimed = self.inbox.lock().queue.claim(ticket);
        let claimed = claimed.or_else(|| self.lock().queue.claim(ticket));
        if claimed.is_some() {
            self.give_back_places(1);
        }
        claimed
    }

    /// Takes a queued job out of turn and refuses it; false if it was too late for that.
    pub(crate) fn cancel(&self, ticket: Ticket, reason: CancelReason) -> bool {
        let Some(job) = self.claim(ticket) else { return false };
        self.refuse(ticket, job, reason);
        true
    }

    /// So many jobs have left the queue.
    pub(crate) fn give_back_places(&self, n: usize) {
        if let Some(places) = &self.places {
            places.give_back(n);
        }
    }

    /// Settles a job that was claimed, or was not let in, to the reason why it is not run.
    pub(crate) fn refuse(&self, ticket: Ticket, job: Arc<dyn Run>, reason: CancelReason) {
        job.refuse(reason, &Refusal { shared: self, ticket });
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        let tray = self.inbox.lock();
        // All of it is of one moment. The locks hold everything still but what is counted as
        // settled; that only grows, by ones, and so its sum was true at some moment meanwhile.
        let in_ledgers: usize = state.ledgers.iter().map(|ledger| ledger.settled()).sum();
        let settled = in_ledgers + self.ledger.settled();
        let (submitted, queued) = (self.inbox.n_submitted(), state.queue.len() + tray.queue.len());
        let running = submitted - queued - settled;
        let (threads, idle) = (state.n_threads, state.idle.len());
        Stats { submitted, queued, running, settled, threads, idle }
    }

    /// Ready when all threads have left their loops, and again when they have been joined.
    pub(crate) fn poll_end(&self, context: &Context<'_>) -> Poll<End> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        match state.phase {
            Phase::Ended => Poll::Ready(End::Reached),
            Phase::Closing if state.n_threads == 0 => {
                state.phase = Phase::Joining;
                Poll::Ready(End::JoinThreads(mem::take(&mut state.threads)))
            }
            Phase::Open | Phase::Closing | Phase::Joining => {
                if !state.end_waiters.iter().any(|kept| kept.will_wake(&waker)) {
                    state.end_waiters.push(waker);
                }
                Poll::Pending
            }
        }
    }

    /// Who is to come for what is queued. To be asked whenever a job was taken from the queue, or
    /// brought and the bell was set. The caller has to fetch that hand.
    pub(crate) fn next_hand(&self, state: &mut State) -> Hand {
        if state.is_one_on_its_way {
            return Hand::NotWanted; // It asks too, when it is here.
        }
        if state.queue.is_empty() {
            let mut tray = self.refill(state);
            if state.queue.is_empty() {
                self.inbox.set_bell(&mut tray, state.has_free_hand());
                return Hand::NotWanted;
            }
        }
        if let Some(parker) = state.idle.pop() {
            state.is_one_on_its_way = true;
            return Hand::Idle(parker);
        }
        if state.n_threads < state.most_threads {
            state.is_one_on_its_way = true;
            state.n_threads += 1;
            state.n_started += 1;
            return Hand::New(state.n_started - 1);
        }
        if state.bystanders.is_empty() {
            return Hand::NotWanted;
        }
        Hand::Bystanders(mem::take(&mut state.bystanders))
    }

    /// The caller says that it is on its way to the next job; false if somebody else is.
    pub(crate) fn announce(&self) -> bool {
        let mut state = self.lock();
        let mut tray = self.inbox.lock();
        let is_first = self.inbox.is_bell_set() && !state.is_one_on_its_way;
        if is_first {
            state.is_one_on_its_way = true;
            self.inbox.set_bell(&mut tray, false);
        }
        is_first
    }

    /// The job that has waited longest, or what to do instead.
    pub(crate) fn next_job(
        &self,
        state: &mut State,
        parker: &Arc<Parker>,
        may_look_out: bool,
    ) -> Next {
        if let Some((ticket, job)) = state.queue.pop() {
            return Next::Job(ticket, job);
        }
        let mut tray = self.refill(state);
        match state.queue.pop() {
            Some((ticket, job)) => Next::Job(ticket, job),
            None if state.phase != Phase::Open => Next::End,
            None if may_look_out && !state.is_one_on_its_way => {
                state.is_one_on_its_way = true;
                self.inbox.set_bell(&mut tray, false);
                Next::LookOut(self.inbox.n_submitted())
            }
            None => {
                state.idle.push(parker.clone());
                self.inbox.set_bell(&mut tray, !state.is_one_on_its_way);
                Next::Sleep
            }
        }
    }

    /// Takes over what has been handed in, in exchange for the empty queue. The guard is for the
    /// bell, which can only be right if nothing is handed in before it is set.
    fn refill(&self, state: &mut State) -> MutexGuard<'_, Tray> {
        let mut tray = self.inbox.lock();
        mem::swap(&mut state.queue, &mut tray.queue);
        tray
    }

    /// Takes all that is queued. The caller has to refuse it.
    pub(crate) fn drain(&self, state: &mut State) -> Vec<(Ticket, Arc<dyn Run>)> {
        let mut unrun = state.queue.drain();
        unrun.extend(self.inbox.lock().queue.drain());
        unrun
    }

    /// Lets no more jobs in. Every idle worker is to be unparked, to see for itself.
    pub(crate) fn close(&self, state: &mut State) -> Vec<Arc<Parker>> {
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        let mut tray = self.inbox.lock();
        self.inbox.close(&mut tray, CancelReason::ShutDown);
        drop(tray);
        mem::take(&mut state.idle)
    }

    /// The worker that was on its way will not come. If it `was_the_last_try`, no other is started.
    pub(crate) fn lose_one_on_its_way(
        &self,
        state: &mut State,
        reason: &CancelReason,
        was_the_last_try: bool,
    ) -> Loss {
        state.is_one_on_its_way = false;
        let end_waiters = state.lose_thread();
        if was_the_last_try {
            state.most_threads = state.n_threads;
        }
        let mut tray = self.inbox.lock();
        if state.most_threads == 0 {
            self.inbox.close(&mut tray, reason.clone());
        }
        self.inbox.set_bell(&mut tray, state.has_free_hand()); // The next job is to try again.
        drop(tray);
        let orphans = if state.n_threads == 0 { self.drain(state) } else { Vec::new() };
        Loss { bystanders: mem::take(&mut state.bystanders), orphans, end_waiters }
    }
}

/// Who refuses a job, on any thread.
struct Refusal<'pool> {
    shared: &'pool Shared,
    ticket: Ticket,
}

impl Runner for Refusal<'_> {
    fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    fn before_settling(&self, ending: Ending) {
        self.shared.ledger.count_settled();
        self.shared.settings.observer.tell(self.ticket.0, Step::Settled(ending));
    }
}

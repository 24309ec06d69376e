//! What a pool's workers and its users share: two locks, and behind them all that the pool knows.
//!
//! Knows nothing of threads: it says which worker is wanted, and `worker` wakes or starts it. Those
//! who submit take the inbox's lock, and the other one only when a wake is needed; workers take the
//! other one, and the inbox's inside it when their own queue is empty.
//!
//! What must always hold, whenever both locks are free:
//!
//! 1. While a job is queued and a worker is free (it is idle, or may be started), a worker searches, or
//!    the submitter that was told so is about to wake one. A system that refuses threads breaks this
//!    until the next job is submitted or taken.
//! 2. At most one worker searches, until the pool is closed and all are woken. It wakes the next before
//!    it runs its first job, so that a flood of submits pays for one wake-up and not for one each.
//! 3. A wake is needed only while nothing is queued and no worker searches, or when a worker has been
//!    lost and the next submit is to try again.
//! 4. Every job is queued, or claimed by exactly one thread, which runs or refuses it. The claim is on
//!    the job itself, and not the place where it stands.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::event::{Ending, Step};
use crate::prims::{Mutex, MutexGuard};
use crate::wait::deferred;
use crate::wait::forked::Process;
use crate::wait::parker::Parker;

use super::builder::Settings;
use super::inbox::{Apart, Inbox, InboxState, compact, shrink};
use super::job::{Run, Runner, WorkerStats};
use super::places::Places;
use super::state::{Drained, End, Next, Phase, StartupFailure, State, WakeTarget};

pub(crate) struct Shared {
    pub(crate) inbox: Apart<Inbox>,
    state: Apart<Mutex<State>>,
    /// The places of a queue that has a limit.
    pub(crate) places: Option<Places>,
    /// What is counted by those who are not workers.
    pub(crate) stats: WorkerStats,
    pub(crate) settings: Settings,
    /// Where the threads are.
    pub(crate) process: Process,
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
        Self {
            inbox: Apart(Inbox::new()),
            state: Apart(Mutex::new(State::new(settings.threads))),
            places: settings.queue_limit.map(Places::new),
            stats: WorkerStats::new(settings.panic_hook.clone()),
            settings,
            process: Process::current(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Claims a queued job out of turn; false if another was faster. The caller has to run or to
    /// refuse it.
    pub(crate) fn claim(&self, job: &Arc<dyn Run>) -> bool {
        if !job.claim().take() {
            return false;
        }
        let mut inbox = self.inbox.lock();
        let buried = inbox.bury();
        let is_crowded = inbox.is_crowded();
        drop(inbox);
        drop(buried);
        if is_crowded {
            drop(self.compact());
        }
        self.give_back_places(1);
        true
    }

    #[cold]
    fn compact(&self) -> [Vec<Arc<dyn Run>>; 2] {
        let mut state = self.lock();
        let mut inbox = self.inbox.lock();
        let tombstones = [compact(&mut state.queue), compact(&mut inbox.queue)];
        inbox.n_tombstones -= tombstones.iter().map(|some| some.len() as isize).sum::<isize>();
        inbox.n_moved = state.queue.len();
        tombstones
    }

    /// Claims a queued job and refuses it; false if it was too late for that.
    pub(crate) fn cancel(&self, job: &Arc<dyn Run>, reason: CancelReason) -> bool {
        let is_claimed = self.claim(job);
        if is_claimed {
            self.refuse(job.clone(), reason);
        }
        is_claimed
    }

    /// So many jobs have left the queue.
    pub(crate) fn give_back_places(&self, n: usize) {
        if let Some(places) = &self.places {
            places.give_back(n);
        }
    }

    /// Settles a job that was claimed, or was not let in, to the reason why it is not run; and drops
    /// its closure.
    pub(crate) fn refuse(&self, job: Arc<dyn Run>, reason: CancelReason) {
        job.refuse(reason, &Refusal { shared: self, number: job.claim().number() });
        // What the closure owns may be the next job, which is cancelled with it, and so on.
        let _ = deferred::run(move || job.discard());
    }

    /// Refuses all of them.
    pub(crate) fn refuse_all(&self, drained: Drained, reason: &CancelReason) {
        drop(drained.tombstones);
        self.give_back_places(drained.unrun.len());
        for job in drained.unrun {
            self.refuse(job, reason.clone());
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        let inbox = self.inbox.lock();
        // All of it is of one moment. The locks hold everything still but what is counted as
        // settled; that only grows, by ones, and so its sum was true at some moment meanwhile.
        let of_workers: usize = state.stats.iter().map(|stats| stats.settled()).sum();
        let settled = of_workers + self.stats.settled();
        let in_line = (state.queue.len() + inbox.queue.len()) as isize;
        let queued = (in_line - inbox.n_tombstones) as usize;
        let submitted = self.inbox.n_submitted();
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
                self.process.is_awaited();
                if !state.end_waiters.iter().any(|kept| kept.will_wake(&waker)) {
                    state.end_waiters.push(waker);
                }
                Poll::Pending
            }
        }
    }

    /// Which worker is to be woken for what is queued. To be asked whenever a job was taken from the
    /// queue, or handed in when a wake was needed. The caller has to wake that worker.
    pub(crate) fn next_to_wake(&self, state: &mut State) -> WakeTarget {
        if state.is_one_searching {
            return WakeTarget::None; // It asks too, when it has found something.
        }
        if state.queue.is_empty() {
            let mut inbox = self.refill(state);
            if state.queue.is_empty() {
                self.inbox.set_needs_wake(&mut inbox, state.has_free_worker());
                return WakeTarget::None;
            }
        }
        if let Some(parker) = state.idle.pop() {
            state.is_one_searching = true;
            return WakeTarget::Idle(parker);
        }
        if state.n_threads < state.most_threads {
            state.is_one_searching = true;
            state.n_threads += 1;
            state.n_started += 1;
            return WakeTarget::New(state.n_started - 1);
        }
        if state.waiting_workers.is_empty() {
            return WakeTarget::None;
        }
        WakeTarget::Waiting(mem::take(&mut state.waiting_workers))
    }

    /// The caller says that it searches from now on; false if another does.
    pub(crate) fn begin_to_search(&self) -> bool {
        let mut state = self.lock();
        let mut inbox = self.inbox.lock();
        let is_first = self.inbox.needs_wake() && !state.is_one_searching;
        if is_first {
            state.is_one_searching = true;
            self.inbox.set_needs_wake(&mut inbox, false);
        }
        is_first
    }

    /// The job that has waited longest, claimed; or what to do instead.
    pub(crate) fn next(&self, state: &mut State, parker: &Arc<Parker>, may_spin: bool) -> Next {
        if let Some(job) = state.queue.pop_front() {
            return self.claim_first(job);
        }
        let mut inbox = self.refill(state);
        match state.queue.pop_front() {
            Some(job) => {
                drop(inbox);
                self.claim_first(job)
            }
            None if state.phase != Phase::Open => Next::End,
            None if may_spin && !state.is_one_searching => {
                state.is_one_searching = true;
                self.inbox.set_needs_wake(&mut inbox, false);
                Next::Spin(self.inbox.n_submitted())
            }
            None => {
                state.idle.push(parker.clone());
                self.inbox.set_needs_wake(&mut inbox, !state.is_one_searching);
                Next::Sleep
            }
        }
    }

    fn claim_first(&self, job: Arc<dyn Run>) -> Next {
        if job.claim().take() {
            return Next::Run(job);
        }
        self.inbox.lock().n_tombstones -= 1;
        Next::Drop(job)
    }

    /// Takes over what has been handed in, in exchange for the empty queue. The guard is for
    /// `needs_wake`, which can only be right if nothing is handed in before it is set.
    fn refill(&self, state: &mut State) -> MutexGuard<'_, InboxState> {
        let mut inbox = self.inbox.lock();
        shrink(&mut state.queue);
        mem::swap(&mut state.queue, &mut inbox.queue);
        inbox.n_moved = state.queue.len();
        inbox
    }

    /// Claims all that is queued. The caller has to refuse it.
    pub(crate) fn drain(&self, state: &mut State) -> Drained {
        let mut inbox = self.inbox.lock();
        let all = mem::take(&mut state.queue).into_iter().chain(mem::take(&mut inbox.queue));
        let (unrun, tombstones) = all.partition::<Vec<_>, _>(|job| job.claim().take());
        inbox.n_tombstones -= tombstones.len() as isize;
        Drained { unrun, tombstones }
    }

    /// Lets no more jobs in. Every idle worker is to be unparked, to see for itself.
    pub(crate) fn close(&self, state: &mut State) -> Vec<Arc<Parker>> {
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        let mut inbox = self.inbox.lock();
        self.inbox.close(&mut inbox, CancelReason::ShutDown);
        drop(inbox);
        mem::take(&mut state.idle)
    }

    /// The worker that was being started will not come. After `the_last_try` no other is started.
    pub(crate) fn fail_to_start(
        &self,
        state: &mut State,
        reason: &CancelReason,
        was_the_last_try: bool,
    ) -> StartupFailure {
        state.is_one_searching = false;
        let mut to_wake = state.lose_thread();
        to_wake.extend(mem::take(&mut state.waiting_workers).into_iter().map(|(_, waker)| waker));
        if was_the_last_try {
            state.most_threads = state.n_threads;
        }
        let mut inbox = self.inbox.lock();
        if state.most_threads == 0 {
            self.inbox.close(&mut inbox, reason.clone());
        }
        self.inbox.set_needs_wake(&mut inbox, state.has_free_worker()); // The next job is to try again.
        drop(inbox);
        let stranded = if state.n_threads == 0 { self.drain(state) } else { Drained::default() };
        StartupFailure { to_wake, stranded }
    }
}

/// A refusal of a job, on any thread.
struct Refusal<'pool> {
    shared: &'pool Shared,
    number: usize,
}

impl Runner for Refusal<'_> {
    fn stats(&self) -> &WorkerStats {
        &self.shared.stats
    }

    fn before_settling(&self, ending: Ending) {
        self.shared.stats.count_settled();
        self.shared.settings.observer.tell(self.number, Step::Settled(ending));
    }
}

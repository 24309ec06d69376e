//! A worker: the loop that runs jobs, and how a worker is woken for a job that waits.
//!
//! Knows nothing of handles and results. What must always hold:
//!
//! 1. No lock is held while code that is not ours runs: a job, a hook, a waker.
//! 2. Nothing that such code does ends the loop: a panic is a value by the time it gets here.
//! 3. A worker runs what it took from the front of the queue, or a job that it waits for itself,
//!    and never anything else.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::task::Waker;
use std::{mem, ptr};

use crate::error::{CancelReason, no_thread};
use crate::panic;
use crate::prims::{MutexGuard, ThreadSpec, spawn_thread, thread_local};
use crate::trace_event::{Ending, Step};
use crate::wait::clock::Deadline;
use crate::wait::hints;
use crate::wait::parker::{AdaptiveSpin, Parker};

use super::injector::Apart;
use super::job::{Run, Runner};
use super::shared::{Counts, Next, PoolRef, Shared, State, add_one};

thread_local! {
    /// The pool that this thread works for. Only its address, which has no destructor: it tells one
    /// pool from another even while the thread's other locals are being destroyed.
    static WORKS_FOR: Cell<*const Shared> = const { Cell::new(ptr::null()) };
    /// From after `on_start` until the thread's locals are destroyed.
    static CONTEXT: OnceCell<WorkerContext> = const { OnceCell::new() };
}

/// Whether the calling thread is a worker of this pool.
pub(crate) fn on_worker(shared: &Arc<Shared>) -> bool {
    WORKS_FOR.try_with(|works_for| works_for.get() == Arc::as_ptr(shared)).unwrap_or(false)
}

/// Runs a job right here if it has not begun, and this thread is a worker of its pool.
///
/// A worker that is about to begin or to end has no context, and runs none.
pub(crate) fn take_back<'a, R: Run<'a> + ?Sized>(shared: &Arc<Shared>, job: &R) -> bool {
    let take_back = |context: &WorkerContext| {
        let is_claimed = shared.claim(job.claim(), Some(context.number));
        if is_claimed {
            add_one(&context.counts.begun);
            context.run(job, false);
        }
        is_claimed
    };
    in_context(shared, take_back).unwrap_or(false)
}

/// What a pending poll of a job does for the wait that polls it, on a worker of its pool: it says that
/// the job could run here; and if it is asked to, runs it, unless another worker comes for it.
pub(crate) fn ran_here<'a, R: Run<'a> + ?Sized>(
    shared: &Arc<Shared>,
    job: &R,
    waker: &Waker,
) -> bool {
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

/// The number of the worker of this pool that calls.
pub(crate) fn worker_number(shared: &Arc<Shared>) -> Option<usize> {
    in_context(shared, |context| context.number)
}

/// Which page this thread's locals are on: a number that two threads, as a rule, do not share. It chooses one of several
/// counts, so that they do not wait for each other at one.
pub(crate) fn page_of_locals() -> usize {
    WORKS_FOR.try_with(|local| ptr::from_ref(local).addr() / 4096).unwrap_or_default()
}

/// Looks at the context of the worker that calls, if it is one of this pool.
pub(super) fn in_context<T>(
    shared: &Arc<Shared>,
    look: impl FnOnce(&WorkerContext) -> T,
) -> Option<T> {
    if !on_worker(shared) {
        return None;
    }
    CONTEXT.try_with(|context| context.get().map(look)).ok().flatten()
}

/// Lets go of the lock and wakes the worker that is wanted for what is queued, if one is. To be called
/// whenever a job was taken from the queue, or submitted when a wake was needed.
pub(crate) fn wake_worker(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
    if state.is_one_searching {
        return; // It asks too, when it has found something.
    }
    let has_free_worker = state.has_free_worker();
    if !has_free_worker && state.waiting_workers.is_empty() {
        shared.injector.set_needs_wake(false); // There is none to be woken.
        return;
    }
    if !shared.has_queued(&mut state, has_free_worker) {
        return;
    }
    shared.injector.set_needs_wake(false);
    if let Some(parker) = state.idle.pop() {
        state.is_one_searching = true;
        drop(state);
        shared.process.check();
        parker.unpark();
    } else if state.n_threads < state.most_threads {
        state.is_one_searching = true;
        state.n_threads += 1;
        start(shared, state);
    } else {
        // All are at work, but these wait for jobs and may find that they had better run one.
        let waiting = mem::take(&mut state.waiting_workers);
        drop(state);
        panic::wake_each(waiting.into_iter().map(|(_, waker)| waker));
    }
}

/// Starts a thread, under the lock: a shutdown finds the thread up and to be joined, or not there.
fn start(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
    shared.process.check();
    let (settings, number) = (&shared.settings, state.threads.len());
    let name = format!("{}-{number}", settings.name);
    let spec = ThreadSpec { name: Some(name), stack_size: settings.stack_size };
    let counts = Arc::new(Apart(Counts::default()));
    let context =
        WorkerContext { shared: Arc::new(Apart(shared.clone())), number, counts: counts.clone() };
    match spawn_thread(spec, move || live(context)) {
        Ok(thread) => {
            state.threads.push(thread);
            state.counts.push(counts);
        }
        Err(error) => fail_to_start(shared, state, &no_thread(&error)),
    }
}

/// The worker that was being started does not come. Lets go of the lock and tells those that counted
/// on it: waits that could run a job themselves, and, if there is no other thread, the jobs.
fn fail_to_start(shared: &Shared, mut state: MutexGuard<'_, State>, reason: &CancelReason) {
    state.is_one_searching = false;
    let mut to_wake = state.lose_thread();
    to_wake.extend(mem::take(&mut state.waiting_workers).into_iter().map(|(_, waker)| waker));
    if state.most_threads == 0 {
        shared.injector.close(reason);
    }
    let has_free_worker = state.has_free_worker();
    shared.injector.move_to(&mut state.queue, has_free_worker); // The next job is to try again.
    let stranded = if state.n_threads == 0 { state.drain() } else { Vec::new() };
    drop(state);
    shared.refuse_all(stranded, reason);
    panic::wake_each(to_wake);
}

/// The life of a worker's thread.
fn live(context: WorkerContext) {
    let (shared, number) = (Arc::clone(&context.shared), context.number);
    // From the first hook to the last thread-local: a shutdown in any of them is refused.
    WORKS_FOR.with(|works_for| works_for.set(Arc::as_ptr(&shared)));
    if let Err(panic) = shared.settings.on_start.call(number) {
        // What the thread was to be given at its start it does not have; nor would the next.
        let why = format!("`on_start` panicked: {}", panic.message());
        let mut state = shared.lock();
        state.most_threads = state.n_threads - 1;
        fail_to_start(&shared, state, &CancelReason::NoWorker(why.into()));
        // A worker may have gone to sleep, or a job have come, while this one was to come for it.
        wake_worker(&shared, shared.lock());
        return;
    }
    CONTEXT.with(|place| work(place.get_or_init(|| context)));
    let end_waiters = shared.lock().lose_thread();
    panic::wake_each(end_waiters);
}

/// Runs jobs until the pool is closed and none is left.
fn work(context: &WorkerContext) {
    let shared = &*context.shared;
    let parker = Arc::new(Parker::new());
    let mut adaptive_spin = AdaptiveSpin::default();
    let spin_limit = shared.settings.spin_limit;
    let mut may_spin = true;
    let mut state = shared.lock();
    state.is_one_searching = false;
    loop {
        match shared.next(&mut state, &parker, may_spin) {
            Next::Run(job) => {
                add_one(&context.counts.begun);
                // Before the job, which may take for ever: another worker comes for the next one.
                wake_worker(shared, state);
                shared.give_back_room(1);
                let is_searching = context.run(&*job, true);
                drop(job);
                state = shared.lock();
                if is_searching {
                    state.is_one_searching = false;
                }
                may_spin = !spin_limit.is_zero();
            }
            Next::Spin(n_seen) => {
                drop(state);
                shared.injector.want_work(true);
                adaptive_spin.spin(spin_limit, || shared.injector.has_news(n_seen));
                state = shared.lock();
                state.is_one_searching = false;
                shared.injector.want_work(false);
                may_spin = false;
            }
            Next::Sleep => {
                drop(state);
                hints::take_awaited(); // A job may have polled anything.
                parker.park(Deadline::Never);
                state = shared.lock();
                state.is_one_searching = false;
            }
            Next::End => return,
        }
    }
}

/// What a worker's thread knows of itself.
pub(super) struct WorkerContext {
    pub(super) shared: PoolRef,
    number: usize,
    counts: Arc<Apart<Counts>>,
}

impl WorkerContext {
    /// Runs a job that is claimed. If the worker returns to the queue afterwards, it may have said that it
    /// searches: then this is true.
    fn run<'a, R: Run<'a> + ?Sized>(&self, job: &R, returns_to_queue: bool) -> bool {
        let (number, is_searching) = (job.claim().number(), Cell::new(false));
        let running = RunningJob { context: self, number, returns_to_queue, is_searching };
        if let Some(panic) = job.run(&running) {
            self.shared.settings.panic_hook.tell(&panic);
        }
        running.is_searching.get()
    }
}

/// A worker while it runs a job.
///
/// A job that settles is often followed by the next one at once: a thread submits, joins, and
/// submits again. So before it settles the job, a worker that sees that a submit would wake another
/// says that it searches itself. Otherwise the next submit would do so, for tens of microseconds, only to find
/// that this one was faster.
struct RunningJob<'worker> {
    context: &'worker WorkerContext,
    number: usize,
    /// Whether it looks at the queue next. From a job that was taken back it does not: it goes on
    /// with the one that waited for it.
    returns_to_queue: bool,
    is_searching: Cell<bool>,
}

impl RunningJob<'_> {
    fn tell(&self, step: Step) {
        self.context.shared.settings.observer.tell(self.number, step);
    }
}

impl Runner for RunningJob<'_> {
    fn before_running(&self) {
        self.tell(Step::Began { worker: self.context.number });
    }

    fn before_settling(&self, ending: Ending) {
        add_one(&self.context.counts.settled);
        self.tell(Step::Settled(ending));
        if self.returns_to_queue && self.context.shared.injector.needs_wake() {
            self.is_searching.set(self.context.shared.begin_to_search());
        }
    }

    fn before_foreign_code(&self) {
        if self.is_searching.take() {
            let mut state = self.context.shared.lock();
            state.is_one_searching = false;
            wake_worker(&self.context.shared, state);
        }
    }
}

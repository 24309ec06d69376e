//! A worker: the loop that runs jobs, and how a worker is woken for a job that waits.
//!
//! Knows nothing of handles and results. What must always hold:
//!
//! 1. No lock is held while code that is not ours runs: a job, a hook, a waker.
//! 2. Nothing that such code does ends the loop: a panic is a value by the time it gets here.
//! 3. A worker runs what it took from the front of the queue, or a job that it waits for itself,
//!    and never anything else.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;
use std::task::Waker;

use crate::error::{CancelReason, no_thread};
use crate::event::{Ending, Step};
use crate::panic;
use crate::prims::{MutexGuard, ThreadSpec, spawn_thread, thread_local};
use crate::wait::deadline::Deadline;
use crate::wait::help;
use crate::wait::parker::{Parker, Patience};

use super::job::{Run, Runner, WorkerStats};
use super::shared::Shared;
use super::state::{Next, State, WakeTarget};

thread_local! {
    /// The pool that this thread works for. Only its address, which has no destructor: it tells one
    /// pool from another even while the thread's other locals are being destroyed.
    static WORKS_FOR: Cell<*const Shared> = const { Cell::new(ptr::null()) };
    /// From after `on_start` until the thread's locals are destroyed.
    static CONTEXT: RefCell<Option<Arc<WorkerContext>>> = const { RefCell::new(None) };
}

/// Whether the calling thread is a worker of this pool.
pub(crate) fn on_worker(shared: &Arc<Shared>) -> bool {
    WORKS_FOR.try_with(|works_for| works_for.get() == Arc::as_ptr(shared)).unwrap_or(false)
}

/// Runs a job right here if it has not begun, and this thread is a worker of its pool.
///
/// A worker that is about to begin or to end has no context, and runs none.
pub(crate) fn take_back(shared: &Arc<Shared>, job: &Arc<dyn Run>) -> bool {
    let Some(context) = context_in(shared) else { return false };
    let is_claimed = shared.claim(job);
    if is_claimed {
        job.clone().run(&RunningJob::new(&context, job, false));
    }
    is_claimed
}

/// What a pending poll of a job does for the wait that polls it, on a worker of its pool: it says that
/// the job could run here; and if it is asked to, runs it, unless another worker comes for it.
pub(crate) fn ran_here(
    shared: &Arc<Shared>,
    job: impl FnOnce() -> Arc<dyn Run>,
    waker: &Waker,
) -> bool {
    shared.process.is_awaited();
    let Some(context) = context_in(shared) else { return false };
    let job = job();
    if help::is_asked() {
        let mut waker = Some(waker.clone());
        let mut state = shared.lock();
        // To run it here would be a shortcut then, and a risk: what it waits for may be up to this
        // very thread. But the free worker may come to wait as we do, so we want to hear of it.
        let is_one_coming = state.wait_for_worker(context.number, &mut waker);
        drop(state);
        drop(waker);
        if !is_one_coming && take_back(shared, &job) {
            return true;
        }
    }
    help::offer(job.claim().number());
    false
}

fn context_in(shared: &Arc<Shared>) -> Option<Arc<WorkerContext>> {
    if !on_worker(shared) {
        return None;
    }
    CONTEXT.try_with(|context| context.borrow().clone()).ok().flatten()
}

/// Lets go of the lock and wakes the worker that is wanted, if one is.
pub(crate) fn wake_worker(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
    match shared.next_to_wake(&mut state) {
        WakeTarget::None => {}
        WakeTarget::Idle(parker) => {
            drop(state);
            shared.process.check();
            parker.unpark();
        }
        WakeTarget::New(number) => start(shared, state, number),
        WakeTarget::Waiting(workers) => {
            drop(state);
            panic::wake_each(workers.into_iter().map(|(_, waker)| waker));
        }
    }
}

/// Starts a thread, under the lock: a shutdown finds the thread up and to be joined, or not there.
fn start(shared: &Arc<Shared>, mut state: MutexGuard<'_, State>, number: usize) {
    shared.process.check();
    let settings = &shared.settings;
    let name = format!("{}-{number}", settings.name);
    let spec = ThreadSpec { name: Some(name), stack_size: settings.stack_size };
    let stats = Arc::new(WorkerStats::new(settings.panic_hook.clone()));
    let context = Arc::new(WorkerContext { shared: shared.clone(), number, stats: stats.clone() });
    match spawn_thread(spec, move || live(context)) {
        Ok(thread) => {
            state.threads.push(thread);
            state.stats.push(stats);
        }
        Err(error) => fail_to_start(shared, state, &no_thread(&error), false),
    }
}

/// Lets go of the lock and tells those who counted on a worker that does not come: waits that could
/// run a job themselves, and, if there is no other thread, the jobs.
fn fail_to_start(
    shared: &Shared,
    mut state: MutexGuard<'_, State>,
    reason: &CancelReason,
    was_the_last_try: bool,
) {
    let failure = shared.fail_to_start(&mut state, reason, was_the_last_try);
    drop(state);
    shared.refuse_all(failure.stranded, reason);
    panic::wake_each(failure.to_wake);
}

/// The life of a worker's thread.
fn live(context: Arc<WorkerContext>) {
    let (shared, number) = (&context.shared, context.number);
    // From the first hook to the last thread-local: a shutdown in any of them is refused.
    WORKS_FOR.with(|works_for| works_for.set(Arc::as_ptr(shared)));
    if let Err(panic) = shared.settings.on_start.call(number) {
        // What the thread was to be given at its start it does not have; nor would the next.
        let why = format!("`on_start` panicked: {}", panic.message());
        fail_to_start(shared, shared.lock(), &CancelReason::NoWorker(why.into()), true);
        // A worker may have gone to sleep, or a job have come, while this one was to come for it.
        wake_worker(shared, shared.lock());
        return;
    }
    CONTEXT.with(|place| *place.borrow_mut() = Some(context.clone()));

    work(&context);

    if let Err(panic) = shared.settings.on_exit.call(number) {
        shared.settings.panic_hook.tell(&panic);
    }
    let end_waiters = shared.lock().lose_thread();
    panic::wake_each(end_waiters);
}

/// Runs jobs until the pool is closed and none is left.
fn work(context: &WorkerContext) {
    let shared = &context.shared;
    let parker = Arc::new(Parker::new());
    let mut patience = Patience::default();
    let look_out = shared.settings.look_out;
    let mut may_spin = true;
    let mut state = shared.lock();
    state.is_one_searching = false;
    loop {
        match shared.next(&mut state, &parker, may_spin) {
            Next::Run(job) => {
                // Before the job, which may take for ever: another worker comes for the next one.
                wake_worker(shared, state);
                shared.give_back_places(1);
                let running = RunningJob::new(context, &job, true);
                job.run(&running);
                state = shared.lock();
                if running.is_searching.get() {
                    state.is_one_searching = false;
                }
                may_spin = !look_out.is_zero();
            }
            Next::Drop(job) => {
                drop(state);
                drop(job);
                state = shared.lock();
            }
            Next::Spin(n_seen) => {
                drop(state);
                shared.inbox.want_work(true);
                patience.look_out(look_out, || shared.inbox.has_news(n_seen));
                state = shared.lock();
                state.is_one_searching = false;
                shared.inbox.want_work(false);
                may_spin = false;
            }
            Next::Sleep => {
                drop(state);
                parker.park(Deadline::Never);
                state = shared.lock();
                state.is_one_searching = false;
            }
            Next::End => return,
        }
    }
}

/// What a worker's thread knows of itself.
struct WorkerContext {
    shared: Arc<Shared>,
    number: usize,
    stats: Arc<WorkerStats>,
}

/// A worker while it runs a job.
///
/// A job that settles is often followed by the next one at once: somebody submits, joins, and
/// submits again. So before it settles the job, a worker that sees that a submit would wake another
/// says that it searches itself. Otherwise the next submit would do so, for 10 to 40 µs, only to find
/// that this one was faster.
struct RunningJob<'worker> {
    context: &'worker WorkerContext,
    number: usize,
    /// Whether it looks at the queue next. From a job that was taken back it does not: it goes on
    /// with the one that waited for it.
    returns_to_queue: bool,
    is_searching: Cell<bool>,
}

impl<'worker> RunningJob<'worker> {
    fn new(context: &'worker WorkerContext, job: &Arc<dyn Run>, returns_to_queue: bool) -> Self {
        let (number, is_searching) = (job.claim().number(), Cell::new(false));
        Self { context, number, returns_to_queue, is_searching }
    }

    fn tell(&self, step: Step) {
        self.context.shared.settings.observer.tell(self.number, step);
    }
}

impl Runner for RunningJob<'_> {
    fn stats(&self) -> &WorkerStats {
        &self.context.stats
    }

    fn before_running(&self) {
        self.tell(Step::Began { worker: self.context.number });
    }

    fn before_settling(&self, ending: Ending) {
        self.context.stats.count_settled();
        self.tell(Step::Settled(ending));
        if self.returns_to_queue && self.context.shared.inbox.needs_wake() {
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

//! One future on one thread: how a thread waits for anything.
//!
//! Knows nothing of what the future is. What must always hold: a wake that is meant for one wait
//! never ends up with another. Each wait under way has a parker of its own; the thread keeps a
//! spare one only between waits. In a task the executor's own parker is used, for the thread goes on to fire the
//! timers of all tasks while one of them blocks it; so each wait there ends with an `unpark`, for the loop and
//! the waits around it to look again.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::prims::{self, Ordering, fence, thread_local};

use super::clock::Deadline;
use super::hints::{self, WaitReason};
use super::panic_hook::warn;
use super::parker::{AdaptiveSpin, Parker};
use super::runtime::{Hold, RuntimeContext};

use Ordering::Acquire;

/// Runs a future to its end on this thread, which sleeps meanwhile.
///
/// When to use it: to wait, in plain code, for one thing that is asynchronous. It drives this
/// future alone; what is spawned onto an executor needs that executor. Inside a task it blocks
/// every other task of the thread: `.await` there instead. Timers of that executor fire all the same; a wait which
/// can be proved to hang panics, and one that has lasted for a second is told on stderr.
///
/// ```
/// use handspun::{ThreadPool, block_on};
///
/// let pool = ThreadPool::new(2);
/// let sum = block_on(async {
///     let (left, right) = (pool.submit(|| 20), pool.submit(|| 22));
///     Ok::<_, handspun::JoinError>(left.await? + right.await?)
/// })?;
/// assert_eq!(sum, 42);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// # Panics
///
/// If the future does. It is dropped on the way out.
#[doc(alias = "run_until_complete")]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let ended = block_on_until(pin!(future), Deadline::Never, default_spin_limit());
    ended.expect("never has not passed")
}

/// Polls until the future is ready or the deadline has passed: then `None`, and it is as it was.
///
/// The future is polled at least once, and once more after the deadline: a value that is there
/// beats a deadline that is over.
pub(crate) fn block_on_until<F: Future>(
    mut future: Pin<&mut F>,
    deadline: Deadline,
    spin_limit: Duration,
) -> Option<F::Output> {
    let mut parker_here = CachedParker::take();
    let _entered = hints::enter(parker_here.in_task.is_some());
    // A future that panics unwinds through here, and the parker is dropped: there will be another.
    let output = loop {
        let mut context = Context::from_waker(&parker_here.waker);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            break Some(output);
        }
        if deadline.has_passed() {
            break None;
        }
        assert!(
            deadline != Deadline::Never || !parker_here.is_forgotten(),
            "a task blocks its thread, and nothing can ever wake it; `.await` it there instead, and the \
             report says what it waits for"
        );
        // Spun or not, it is the park that takes notice.
        parker_here.adaptive_spin.spin(spin_limit, || parker_here.parker.is_notified());
        match &mut parker_here.in_task {
            Some(in_task) => in_task.park(deadline),
            None => parker_here.parker.park(deadline),
        }
    };
    parker_here.put_back();
    output
}

/// The same for what goes on on other threads: a jumping clock waits for it, as it does for a job.
pub(crate) fn block_on_elsewhere<F: Future>(
    future: Pin<&mut F>,
    deadline: Deadline,
    spin_limit: Duration,
) -> Option<F::Output> {
    let _hold = Hold::of_jumping();
    block_on_until(future, deadline, spin_limit)
}

/// Looks for up to `limit` without leaving a waker, if that has been worthwhile on this thread.
pub(crate) fn spin_until(limit: Duration, look: impl FnMut() -> bool) {
    let mut parker_here = CachedParker::take();
    parker_here.adaptive_spin.spin(limit, look);
    parker_here.put_back();
}

/// Where a thread waits. Kept from one wait to the next, so that a wait allocates nothing.
struct CachedParker {
    parker: Arc<Parker>,
    /// Unparks `parker`. It may outlive the wait, in something that never settled; then a later wait
    /// with this parker looks once more than it need have.
    waker: Waker,
    adaptive_spin: AdaptiveSpin,
    in_task: Option<InTask>,
}

/// A wait that blocks the thread of an executor. The parker is that executor's.
struct InTask {
    runtime: Arc<RuntimeContext>,
    /// What the waker is made of, to count its clones.
    unparks: Arc<Unparks>,
    has_warned: bool,
}

struct Unparks(Arc<Parker>);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// Empty while the thread waits: a wait inside a poll takes a new one.
    static SPARE: Cell<Option<CachedParker>> = const { Cell::new(None) };
}

impl CachedParker {
    fn take() -> Self {
        if let Some(runtime) = RuntimeContext::current() {
            let (parker, unparks) =
                (runtime.parker.clone(), Arc::new(Unparks(runtime.parker.clone())));
            let waker = Waker::from(unparks.clone());
            let in_task = Some(InTask { runtime, unparks, has_warned: false });
            return Self { parker, waker, adaptive_spin: AdaptiveSpin::default(), in_task };
        }
        // A thread that is ending may have lost its locals, and may wait all the same.
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
            let parker = Arc::new(Parker::new());
            let waker = Waker::from(parker.clone());
            Self { parker, waker, adaptive_spin: AdaptiveSpin::default(), in_task: None }
        })
    }

    /// Whether there is no other clone of the waker, and it was not woken.
    fn is_forgotten(&self) -> bool {
        let Some(InTask { unparks, .. }) = &self.in_task else { return false };
        let has_clones = Arc::strong_count(unparks) > 2; // The two here.
        // ORDERING: Acquire. Pairs with the Release with which an `Arc` counts down: a clone that is gone
        // has woken by now, if it did.
        fence(Acquire);
        !has_clones && !self.parker.is_notified()
    }

    fn put_back(self) {
        if self.in_task.is_none() {
            // The error is that of `take`: then there is nowhere to keep it.
            let _ = SPARE.try_with(|spare| spare.set(Some(self)));
        }
    }
}

impl Drop for CachedParker {
    fn drop(&mut self) {
        if let Some(InTask { runtime, .. }) = &self.in_task {
            hints::take_reason(); // The task waits for something else from now on.
            runtime.parker.unpark();
        }
    }
}

/// How long a task may block its thread before that is told.
const QUIET: Duration = Duration::from_secs(1);

impl InTask {
    /// Parks, and says so once if nothing happens for a second. It may be a hang that cannot be proved: another
    /// thread may have what ends the wait, but as a rule it is another task of this very thread.
    fn park(&mut self, deadline: Deadline) {
        let quiet_until = Deadline::after(QUIET);
        if self.has_warned || deadline <= quiet_until {
            return self.runtime.park(deadline);
        }
        self.runtime.park(quiet_until);
        if quiet_until.has_passed() && !self.runtime.parker.is_notified() {
            self.has_warned = true;
            let reason = hints::take_reason();
            let what = reason.as_ref().map_or("something else".to_owned(), WaitReason::to_string);
            warn(format_args!(
                "a task blocks its executor's thread, and has waited there for a second for {what}. If another \
                 task of this executor is to end the wait, it never will: `.await` it there instead."
            ));
            reason.into_iter().for_each(hints::set_reason);
        }
    }
}

/// How long a waiting thread spins before it sleeps, where no setting says so.
///
/// About as long as half a wake-up takes. On a single core there is no thread to spin for: the
/// other thread would need the very core that we spin on.
pub(crate) fn default_spin_limit() -> Duration {
    if prims::cores() > 1 { Duration::from_micros(5) } else { Duration::ZERO }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::panic;
    use crate::wait::hints::{hint_run_here, take_run_here_hint};

    #[test]
    fn a_wait_that_unwinds_leaves_no_offer_to_the_wait_around_it() {
        let offers = std::future::poll_fn(|_| -> Poll<()> {
            hint_run_here(7);
            std::panic::resume_unwind(Box::new("and then it panics"))
        });
        let wait = || panic::catch(std::panic::Location::caller(), || block_on(offers));
        let (ended, offered) = take_run_here_hint(wait);
        assert!(ended.is_err());
        assert_eq!(offered, None);
    }
}

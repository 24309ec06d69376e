//! The one state machine: something that finishes once, and one waiter that is woken.
//!
//! Knows nothing of what finishes. A pool's job, a raw thread, a task and a child process are all
//! in one of these. The reader either finds the value or leaves a waker; what that waker does
//! (unpark a thread, queue a task, queue a member) is the reader's business.
//!
//! What must always hold:
//!
//! 1. It settles at most once, and what it settled to is read at most once.
//! 2. Looking and leaving a waker are one step under the lock, so no wake-up falls between them.
//! 3. A waker is woken, and values of the user are dropped, with the lock let go.

use std::mem;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::{AtomicBool, Mutex, Ordering};

use super::deferred;

use Ordering::Relaxed;

/// A cell in which `W`, work that has not begun, turns into a `T`.
///
/// | stage              | `begin`              | `settle`    | `poll`                          |
/// |--------------------|----------------------|-------------|---------------------------------|
/// | `Queued`           | → `Running`, gives W | panics      | stays; keeps the newest waker   |
/// | `Running`          | panics               | → `Settled` | stays; keeps the newest waker   |
/// | `Settled`          | panics               | panics      | gives T, once; then it panics   |
///
/// User code that is to run when it has settled, `settle` gives back as [`DeferredEffects`]: the reader to be
/// woken. Work that is cancelled is begun by its canceller, which settles the cell and drops the work: that may
/// be long, and is the caller's to put where it does no harm.
///
/// When the reader has gone, `settle` hands the value back instead of keeping it: a value that
/// will never be read is disposed of by the thread that made it, and a lost panic is noticed.
pub(crate) struct Settle<W, T> {
    state: Mutex<State<W, T>>,
    /// Set once it has settled. For a reader that spins before it leaves a waker: it neither
    /// takes the lock, which the worker wants, nor has to be woken.
    is_settled: AtomicBool,
    /// Set under the lock once the reader has dropped its handle, and will never look. It is out here, where there is
    /// room left beside the other flag.
    is_abandoned: AtomicBool,
}

struct State<W, T> {
    stage: Stage<W, T>,
    /// Of a reader that looked, found nothing, and is owed one wake-up.
    reader: Option<Waker>,
}

/// The work and the value are never there both, and need the room of one.
enum Stage<W, T> {
    Queued(W),
    Running,
    /// `None` once it was read.
    Settled(Option<T>),
}

impl<W, T> State<W, T> {
    fn take_value(&mut self) -> Option<T> {
        match &mut self.stage {
            Stage::Settled(value @ Some(_)) => value.take(),
            Stage::Queued(_) | Stage::Running | Stage::Settled(None) => None,
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Queued,
    Running,
    Finished,
}

/// What is left when something has settled: nothing, as a rule.
pub(crate) struct DeferredEffects<T> {
    /// The value, if it will never be read.
    unread: Option<T>,
    /// The reader, if it is waiting.
    waker: Option<Waker>,
}

impl<T> DeferredEffects<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.unread.is_none() && self.waker.is_none()
    }

    /// Wakes the reader. Gives the value back if there is no reader.
    pub(crate) fn run(self) -> Option<T> {
        if let Some(waker) = self.waker {
            panic::contain(|| waker.wake());
        }
        self.unread
    }
}

impl<W, T> Settle<W, T> {
    pub(crate) fn queued(work: W) -> Self {
        Self::new(Stage::Queued(work))
    }

    /// A cell of something that has begun already.
    pub(crate) fn running() -> Self {
        Self::new(Stage::Running)
    }

    fn new(stage: Stage<W, T>) -> Self {
        let (is_settled, is_abandoned) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { state: Mutex::new(State { stage, reader: None }), is_settled, is_abandoned }
    }

    /// Takes the work out, to run it or to drop it.
    pub(crate) fn begin(&self) -> W {
        let mut state = self.state.lock();
        let Stage::Queued(work) = mem::replace(&mut state.stage, Stage::Running) else {
            unreachable!("only its claimant begins it, and once")
        };
        work
    }

    /// Settles. What it returns is user code, and the caller's to run.
    #[must_use = "somebody may be waiting to be woken"]
    pub(crate) fn settle(&self, value: T) -> DeferredEffects<T> {
        let mut state = self.state.lock();
        assert!(matches!(state.stage, Stage::Running), "it settles once");
        let waker = state.reader.take();
        // ORDERING: Relaxed. It changes under the lock.
        let (kept, unread) =
            if self.is_abandoned.load(Relaxed) { (None, Some(value)) } else { (Some(value), None) };
        state.stage = Stage::Settled(kept);
        // ORDERING: Relaxed. A hint: a reader that sees it takes the lock to get the value.
        self.is_settled.store(true, Relaxed);
        drop(state);
        DeferredEffects { unread, waker }
    }

    /// Takes the value, or leaves the waker to be woken when there is one.
    ///
    /// # Panics
    ///
    /// If the value was taken before, as any future polled again after it was ready.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<T> {
        if !self.is_settled() {
            return self.leave_waker(context.waker().clone());
        }
        // Nothing is cloned for a value that is there already.
        let value = self.state.lock().take_value();
        Poll::Ready(value.expect("polled again after it was ready"))
    }

    /// The reader goes. Gives it the value that it never read, if there is one.
    pub(crate) fn abandon(&self) -> Option<T> {
        let mut state = self.state.lock();
        let unread = state.take_value();
        let reader = state.reader.take();
        self.is_abandoned.store(true, Relaxed); // ORDERING: Relaxed, as in `settle`.
        drop(state);
        // A waker's drop is user code, and we are in a drop ourselves: were it to unwind
        // from here while another panic does, it would end the process.
        if let Some(waker) = reader {
            let _ = deferred::run(move || drop(waker)); // It may own the next handle of a chain.
        }
        unread
    }

    pub(crate) fn progress(&self) -> Progress {
        match self.state.lock().stage {
            Stage::Queued(_) => Progress::Queued,
            Stage::Running => Progress::Running,
            Stage::Settled(_) => Progress::Finished,
        }
    }

    /// What the waker of the reader holds, if the reader waits.
    pub(crate) fn waits(&self) -> Option<*const ()> {
        self.state.lock().reader.as_ref().map(Waker::data)
    }

    /// Whether there is a value, unread, of which that holds. The question is asked under the lock.
    pub(crate) fn is_settled_and(&self, holds: impl FnOnce(&T) -> bool) -> bool {
        matches!(&self.state.lock().stage, Stage::Settled(Some(value)) if holds(value))
    }

    /// Whether `poll` will be ready. Only a hint: it may be a little behind, but never ahead.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Relaxed) // ORDERING: Relaxed, as in `settle`.
    }

    /// The slow half of `poll`. It looks again, under the lock: the value may have come since.
    ///
    /// It is tempting to keep a waker that would wake the same task. But to find out takes the lock
    /// once more, before the waker is cloned, and nearly every poll that finds nothing is the first.
    fn leave_waker(&self, waker: Waker) -> Poll<T> {
        let mut state = self.state.lock();
        let value = state.take_value();
        let not_needed = match value {
            Some(_) => Some(waker),
            None => state.reader.replace(waker),
        };
        drop(state);
        panic::contain(|| drop(not_needed)); // After the lock: it is user code, its drop too.
        value.map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;

    #[derive(Default)]
    struct WakeCounter(AtomicUsize);

    impl Wake for WakeCounter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed. One thread counts and reads.
        }
    }

    fn running<T>() -> Settle<(), T> {
        Settle::running()
    }

    fn poll_with<W, T>(cell: &Settle<W, T>, waker: &Waker) -> Poll<T> {
        cell.poll(&Context::from_waker(waker))
    }

    #[test]
    fn a_value_that_came_before_the_first_poll_needs_no_wake() {
        let counter = Arc::new(WakeCounter::default());
        let cell = running();
        assert!(cell.settle(7).is_empty());
        assert_eq!(poll_with(&cell, &counter.clone().into()), Poll::Ready(7));
        assert_eq!(counter.0.load(Relaxed), 0); // ORDERING: Relaxed, as above.
    }

    #[test]
    fn only_the_newest_waker_is_woken() {
        let old = Arc::new(WakeCounter::default());
        let new = Arc::new(WakeCounter::default());
        let cell = running();
        assert_eq!(poll_with(&cell, &old.clone().into()), Poll::Pending);
        assert_eq!(poll_with(&cell, &new.clone().into()), Poll::Pending);
        assert_eq!(Arc::strong_count(&old), 1, "the stale waker is let go at once");
        cell.settle(7).run();
        // ORDERING: Relaxed, as above.
        assert_eq!((old.0.load(Relaxed), new.0.load(Relaxed)), (0, 1));
    }

    #[test]
    fn a_value_that_nobody_will_read_comes_back() {
        let cell: Settle<(), u8> = running();
        assert_eq!(cell.abandon(), None);
        assert_eq!(cell.settle(7).run(), Some(7));
    }

    #[test]
    fn a_reader_that_goes_takes_the_value_along() {
        let cell: Settle<(), u8> = running();
        cell.settle(7).run();
        assert_eq!(cell.abandon(), Some(7));
    }

    #[test]
    fn what_is_cancelled_gives_its_work_back_and_is_read() {
        let cell: Settle<&str, u8> = Settle::queued("work");
        assert_eq!(cell.progress(), Progress::Queued);
        assert_eq!(cell.begin(), "work");
        cell.settle(7).run();
        assert_eq!(cell.progress(), Progress::Finished);
        assert_eq!(poll_with(&cell, Waker::noop()), Poll::Ready(7));
    }

    #[test]
    fn the_work_and_the_value_share_their_room() {
        assert_eq!(size_of::<Settle<[u64; 8], [u64; 8]>>(), size_of::<Settle<[u64; 8], u64>>());
    }

    #[test]
    #[should_panic(expected = "polled again")]
    fn a_poll_after_ready_panics() {
        let cell = running();
        cell.settle(7).run();
        let _ = poll_with(&cell, Waker::noop());
        let _ = poll_with(&cell, Waker::noop());
    }
}

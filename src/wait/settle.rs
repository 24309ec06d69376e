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
/// | progress   | `begin`              | `settle`     | `poll`                          |
/// |------------|----------------------|--------------|---------------------------------|
/// | `Queued`   | → `Running`, gives W | → `Finished` | stays; keeps the newest waker   |
/// | `Running`  | nothing              | → `Finished` | stays; keeps the newest waker   |
/// | `Finished` | nothing              | panics       | gives T, once; then it panics   |
///
/// User code that is to run when it has settled, `settle` gives back as
/// [`DeferredEffects`]: the reader to be woken. Work that was never begun stays until it is taken by
/// `take_refused`: its drop may be long, and is the caller's to put where it does no harm.
///
/// When the reader has gone, `settle` hands the value back instead of keeping it: a value that
/// will never be read is disposed of by the thread that made it, and a lost panic is noticed.
pub(crate) struct Settle<W, T> {
    state: Mutex<State<W, T>>,
    /// Set once it has settled. For a reader that spins before it leaves a waker: it neither
    /// takes the lock, which the worker wants, nor has to be woken.
    is_settled: AtomicBool,
}

struct State<W, T> {
    progress: Progress,
    /// Until it begins; or, if it settles before that, until it is taken out to be dropped.
    work: Option<W>,
    /// From when it settles until it is read.
    value: Option<T>,
    reader: Reader,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Queued,
    Running,
    Finished,
}

enum Reader {
    /// May come, and has not looked yet.
    Away,
    /// Looked, found nothing, and is owed one wake-up.
    Waiting(Waker),
    /// Dropped its handle, and will never look.
    Gone,
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
        Self::new(Progress::Queued, Some(work))
    }

    /// A cell of something that has begun already.
    pub(crate) fn running() -> Self {
        Self::new(Progress::Running, None)
    }

    fn new(progress: Progress, work: Option<W>) -> Self {
        let state = State { progress, work, value: None, reader: Reader::Away };
        Self { state: Mutex::new(state), is_settled: AtomicBool::new(false) }
    }

    /// Takes the work out to run it; `None` if it was cancelled, or begun, before.
    pub(crate) fn begin(&self) -> Option<W> {
        let mut state = self.state.lock();
        if state.progress != Progress::Queued {
            return None;
        }
        state.progress = Progress::Running;
        state.work.take()
    }

    /// Takes the work that was never begun, to drop it, once it has settled.
    pub(crate) fn take_refused(&self) -> Option<W> {
        let mut state = self.state.lock();
        if state.progress == Progress::Finished { state.work.take() } else { None }
    }

    /// Settles. What it returns is user code, and the caller's to run.
    #[must_use = "somebody may be waiting to be woken"]
    pub(crate) fn settle(&self, value: T) -> DeferredEffects<T> {
        let mut effects = DeferredEffects { unread: None, waker: None };
        let mut state = self.state.lock();
        assert!(state.progress != Progress::Finished, "it settles once");
        state.progress = Progress::Finished;
        match mem::replace(&mut state.reader, Reader::Away) {
            Reader::Away => state.value = Some(value),
            Reader::Waiting(reader) => {
                state.value = Some(value);
                effects.waker = Some(reader);
            }
            Reader::Gone => effects.unread = Some(value),
        }
        // ORDERING: Relaxed. A hint: a reader that sees it takes the lock to get the value.
        self.is_settled.store(true, Relaxed);
        drop(state);
        effects
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
        let value = self.state.lock().value.take();
        Poll::Ready(value.expect("polled again after it was ready"))
    }

    /// The reader goes. Gives it the value that it never read, if there is one.
    pub(crate) fn abandon(&self) -> Option<T> {
        let mut state = self.state.lock();
        let unread = state.value.take();
        let reader = mem::replace(&mut state.reader, Reader::Gone);
        drop(state);
        // A waker's drop is user code, and we are in a drop ourselves: were it to unwind
        // from here while another panic does, it would end the process.
        if let Reader::Waiting(waker) = reader {
            let _ = deferred::run(move || drop(waker)); // It may own the next handle of a chain.
        }
        unread
    }

    pub(crate) fn progress(&self) -> Progress {
        self.state.lock().progress
    }

    /// What the waker of the reader holds, if the reader waits.
    pub(crate) fn waits(&self) -> Option<*const ()> {
        match &self.state.lock().reader {
            Reader::Waiting(waker) => Some(waker.data()),
            Reader::Away | Reader::Gone => None,
        }
    }

    /// Whether there is a value, unread, of which that holds. The question is asked under the lock.
    pub(crate) fn is_settled_and(&self, holds: impl FnOnce(&T) -> bool) -> bool {
        self.state.lock().value.as_ref().is_some_and(holds)
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
        let value = state.value.take();
        let not_needed = match value {
            Some(_) => Reader::Waiting(waker),
            None => mem::replace(&mut state.reader, Reader::Waiting(waker)),
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
    fn what_was_cancelled_never_begins() {
        let cell: Settle<&str, u8> = Settle::queued("work");
        cell.settle(0).run();
        assert_eq!(cell.begin(), None);
        assert_eq!(cell.progress(), Progress::Finished);
        assert_eq!(poll_with(&cell, Waker::noop()), Poll::Ready(0));
        assert_eq!((cell.take_refused(), cell.take_refused()), (Some("work"), None));
    }

    #[test]
    fn a_value_can_be_read_after_its_refused_work_was_taken() {
        let cell: Settle<&str, u8> = Settle::queued("work");
        cell.settle(7).run();
        assert_eq!(cell.take_refused(), Some("work"));
        assert_eq!(poll_with(&cell, Waker::noop()), Poll::Ready(7));
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

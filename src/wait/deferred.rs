//! Code that leads to more of its kind, run one after another instead of one inside another.
//!
//! Knows nothing of what is run. The drop of a cancelled closure may cancel the next job, whose
//! closure owns the job after that; a callback may set the next callback. A chain of them may be a
//! hundred thousand long, and a stack is not.
//!
//! What must always hold:
//!
//! 1. Code nests [`DEPTH`] deep at most. What is deeper is queued on its thread, and run by the
//!    deepest call before it returns: on the same thread, and in the order in which it came.
//! 2. A panic of one neither keeps the next from running nor unwinds through another.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;

use crate::panic::{self, Panic};
use crate::prims::thread_local;

/// How deep such code nests: deeper than a program that has no chain, and far less than a stack.
pub(crate) const DEPTH: usize = 16;

type Code = Box<dyn FnOnce()>;

thread_local! {
    /// How many calls of [`run`] this thread is inside of.
    static DEPTH_NOW: Cell<usize> = const { Cell::new(0) };
    static QUEUED: RefCell<VecDeque<Code>> = const { RefCell::new(VecDeque::new()) };
}

/// Runs code that may come here again: a drop, a callback, a waker.
///
/// It has run when this returns, unless the caller is [`DEPTH`] deep in such code: then it runs when
/// the call around it is over. Call it with no lock held.
///
/// # Errors
///
/// The first panic of what ran here, which was printed when it began, and is reported nowhere else.
#[track_caller]
pub(crate) fn run(code: impl FnOnce() + 'static) -> Result<(), Panic> {
    if depth() < DEPTH {
        return run_now(code);
    }
    // A thread that is ending may have lost its queue. It runs the code at once.
    let mut code = Some(code);
    let queue = |queued: &RefCell<VecDeque<Code>>| {
        queued.borrow_mut().extend(code.take().map(|code| Box::new(code) as Code));
    };
    let _ = QUEUED.try_with(queue);
    code.map_or(Ok(()), run_now)
}

/// The same as [`run`], and never queues.
#[track_caller]
pub(crate) fn run_now(code: impl FnOnce()) -> Result<(), Panic> {
    let (here, depth) = (Location::caller(), depth());
    let set_depth = |depth| {
        let _ = DEPTH_NOW.try_with(|now| now.set(depth)); // As above.
    };
    set_depth(depth + 1);
    let mut ended = panic::catch(here, code);
    if depth + 1 == DEPTH {
        while let Some(code) = next() {
            ended = ended.and(panic::catch(here, code));
        }
    }
    set_depth(depth);
    ended
}

/// Runs what is queued on this thread, and says whether there was anything: for a caller that waits for it.
#[track_caller]
pub(crate) fn run_queued() -> bool {
    let mut has_run = false;
    while let Some(code) = next() {
        let _ = panic::catch(Location::caller(), code); // It was printed, as every panic.
        has_run = true;
    }
    has_run
}

fn next() -> Option<Code> {
    QUEUED.try_with(|queued| queued.borrow_mut().pop_front()).ok().flatten()
}

fn depth() -> usize {
    DEPTH_NOW.try_with(Cell::get).unwrap_or(0)
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// A chain: each link drops the next through `run`.
    struct Link(Option<Box<Link>>, Rc<Cell<usize>>);

    impl Drop for Link {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            if let Some(next) = self.0.take() {
                run(move || drop(next)).expect("nothing panics");
            }
        }
    }

    #[test]
    fn a_chain_of_any_length_is_over_when_the_outermost_call_is() {
        let n_dropped = Rc::new(Cell::new(0));
        let chain =
            (0..100_000).fold(None, |next, _| Some(Box::new(Link(next, n_dropped.clone()))));
        run(move || drop(chain)).unwrap();
        assert_eq!(n_dropped.get(), 100_000);
    }

    #[test]
    fn what_is_not_deep_has_run_when_its_call_returns() {
        let n_ran = Rc::new(Cell::new(0));
        let counted = n_ran.clone();
        let outer = move || {
            let inner = counted.clone();
            run(move || inner.set(1)).unwrap();
            assert_eq!(counted.get(), 1);
        };
        run(outer).unwrap();
        assert_eq!(n_ran.get(), 1);
    }

    /// Panics when it is dropped, and has others dropped before that.
    struct Panics(usize);

    impl Drop for Panics {
        fn drop(&mut self) {
            if let Some(fewer) = self.0.checked_sub(1) {
                // Two at a time: neither may keep the other from its drop.
                let _ = run(move || drop(Panics(fewer)));
                let _ = run(move || drop(Panics(0)));
            }
            std::panic::resume_unwind(Box::new(format!("link {}", self.0)));
        }
    }

    #[test]
    fn drops_that_panic_are_run_to_the_last_and_the_first_panic_is_given_back() {
        let panic = run(|| drop(Panics(1000))).unwrap_err();
        assert_eq!(panic.message(), "link 1000");
        run(|| ()).unwrap();
    }
}

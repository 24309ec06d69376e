//! Threads of ours that many wait for, and code that must not keep them.
//!
//! Knows nothing of what they serve. The alarm's thread fires the timers of a whole process, and the driver of
//! the children keeps their timeouts. When a deadline cancels a queued job there, the job's closure is dropped and
//! its callback runs: code of the user, which may block, even for a sleep. It runs on a thread of its own.
//!
//! What must always hold: what is handed in on a serving thread never runs there, unless the system refuses a
//! thread; on any other thread it runs at once.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use crate::panic;
use crate::prims::{Mutex, ThreadSpec, spawn_thread, thread_local};

type Work = Box<dyn FnOnce() + Send>;

thread_local! {
    /// What is to run elsewhere; `None` on a thread that serves nobody.
    static WORK: RefCell<Option<Vec<Work>>> = const { RefCell::new(None) };
}

/// This thread serves, for as long as this lives.
pub(crate) struct Elsewhere(());

impl Elsewhere {
    pub(crate) fn serve() -> Self {
        WORK.with(|list| *list.borrow_mut() = Some(Vec::new()));
        Self(())
    }

    /// Starts what has been handed in since the last call, all of it on one thread.
    pub(crate) fn start(&mut self) {
        let work = WORK.with(|list| list.borrow_mut().as_mut().map(mem::take).unwrap_or_default());
        if work.is_empty() {
            return;
        }
        let work = Arc::new(Mutex::new(work));
        let theirs = work.clone();
        let spec = ThreadSpec { name: Some("handspun-elsewhere".to_owned()), stack_size: None };
        if spawn_thread(spec, move || run_all(&theirs)).is_err() {
            run_all(&work);
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.start();
        WORK.with(|list| *list.borrow_mut() = None);
    }
}

/// Runs code that may block: elsewhere if this thread serves, and at once if it does not.
pub(crate) fn run(work: impl FnOnce() + Send + 'static) {
    let serves = WORK.try_with(|list| list.borrow().is_some()).unwrap_or(false);
    if serves {
        WORK.with(|list| list.borrow_mut().get_or_insert_default().push(Box::new(work)));
    } else {
        work();
    }
}

fn run_all(work: &Mutex<Vec<Work>>) {
    let work = mem::take(&mut *work.lock());
    work.into_iter().for_each(panic::contain);
}

//! The executor of this thread, for the code that it polls.
//!
//! Knows nothing of handles and settings. What must always hold: one executor runs on a thread at a time,
//! though another may end inside of it; each is found from the first poll to the last drop of what it
//! polls; and however it ends, the thread is as it was before.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::prims::thread_local;
use crate::wait::host::Host;
use crate::wait::inside;

use super::core::Core;
use super::ready::{self, Mail, Shared, TaskId};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
}

/// This thread runs an executor, for as long as this lives.
pub(crate) struct Running {
    /// What ran here before: only something that drops another executor has that.
    before: Option<Rc<Core>>,
    host_before: Option<Arc<Host>>,
    _inside: inside::Entered,
}

/// Begins to run an executor on this thread.
///
/// # Panics
///
/// If one runs here already.
pub(crate) fn enter(core: &Rc<Core>) -> Running {
    assert!(
        current().is_none(),
        "an executor runs on this thread already, and what calls this is polled by it: `.await` the \
         future or `spawn` it, or run the other executor on a thread of its own"
    );
    enter_to_end(core)
}

/// Makes it the executor of this thread, also inside of another one, for the drops of what it has polled.
///
/// They may ask for their executor, and must not spawn into the other one.
pub(crate) fn enter_to_end(core: &Rc<Core>) -> Running {
    let before = replace_current(Some(core.clone()));
    ready::settle_down(Some((&core.shared, core.queue())));
    let host_before = Host::enter(Some(core.shared.host.clone()));
    Running { before, host_before, _inside: inside::enter_executor() }
}

/// The executor that runs on this thread.
pub(crate) fn current() -> Option<Rc<Core>> {
    // A thread that is ending may have lost its locals, and runs no executor.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

fn replace_current(core: Option<Rc<Core>>) -> Option<Rc<Core>> {
    // As in `current`. An executor that a thread-local keeps ends without being found.
    CURRENT.try_with(|current| current.replace(core)).ok().flatten()
}

/// Cancels a task, here if its executor runs here, and by mail otherwise. False if it is over.
pub(crate) fn cancel(executor: &Arc<Shared>, task: TaskId) -> bool {
    match current() {
        Some(core) if Arc::ptr_eq(&core.shared, executor) => core.cancel(task),
        Some(_) | None => executor.post(Mail::Cancel(task)),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Host::enter(self.host_before.take());
        let before = self.before.take();
        ready::settle_down(before.as_ref().map(|core| (&core.shared, core.queue())));
        let ended = replace_current(before);
        drop(ended);
    }
}

//! What the code in a task calls: `spawn` and `yield_now`.
//!
//! Knows nothing of the loop. What must always hold: called outside of an executor, it says so and what to
//! do about it.

use std::future::poll_fn;
use std::panic::Location;
use std::task::Poll;

use super::current;
use super::task::{Task, Unborn};

/// Begins to run a future beside the one that spawns it, on the executor of this thread.
///
/// When to use it: something is to go on while the code here waits for something else. It is polled for the
/// first time in the next turn of the executor. Futures of an executor need not be `Send`.
///
/// ```
/// use std::time::Duration;
/// use handspun::{run, sleep, spawn};
///
/// run(async {
///     let slow = spawn(async {
///         sleep(Duration::from_millis(5)).await;
///         "slow"
///     });
///     let quick = spawn(async { "quick" });
///     assert_eq!(quick.await?, "quick");
///     assert_eq!(slow.await?, "slow");
///     Ok::<(), handspun::JoinError>(())
/// })?;
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// # Panics
///
/// If no executor runs on this thread; from other threads, use a [`Remote`](crate::Remote).
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(None, Location::caller(), future)
}

/// The same, with a name for observers and for reports on programs that hang.
///
/// # Panics
///
/// As [`spawn`] does.
#[doc(alias = "create_task")]
#[doc(alias = "set_name")]
#[track_caller]
pub fn spawn_named<F>(name: impl Into<String>, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(Some(name.into().into_boxed_str()), Location::caller(), future)
}

/// The same, for what spawns in the name of another line.
pub(super) fn spawn_at<F>(
    name: Option<Box<str>>,
    site: &'static Location<'static>,
    future: F,
) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let Some(core) = current::current() else {
        panic!(
            "`spawn` at {site} is not called by a task: no executor runs on this thread. Call it inside \
             of `handspun::run`, or use `Executor::spawn` or a `Remote`"
        );
    };
    let (task, unborn) = Unborn::new(&core.shared, name, site);
    unborn.be_born(&core, future);
    task
}

/// Lets every other task that is ready be polled first, and then goes on.
///
/// When to use it: in a loop that computes for long, so that the others get their turn. It works in any
/// executor.
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use handspun::{run, spawn, yield_now};
///
/// let order = Rc::new(RefCell::new(Vec::new()));
/// run({
///     let order = order.clone();
///     async move {
///         let other = spawn({
///             let order = order.clone();
///             async move { order.borrow_mut().push("other") }
///         });
///         yield_now().await;
///         order.borrow_mut().push("main");
///         drop(other);
///     }
/// });
/// assert_eq!(*order.borrow(), ["other", "main"]);
/// ```
pub fn yield_now() -> impl Future<Output = ()> {
    let mut has_yielded = false;
    poll_fn(move |context| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

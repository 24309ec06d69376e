//! A function that has the result, in place of somebody who waits for it.
//!
//! Knows nothing of how jobs settle: it is a waker like others, and what it wakes is a function. What
//! must always hold: the function is called once, with no lock held, and its panic is told to the hook.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::error::JoinError;
use crate::panic;
use crate::prims::Mutex;
use crate::wait::deferred;
use crate::wait::panic_hook::PanicHook;

use super::handle::JoinHandle;
use super::job::Queued;

impl<T: Send + 'static> JoinHandle<T> {
    /// Lets a callback have the result, on the thread that finishes the job.
    ///
    /// If the job has finished already, the callback runs here, before this returns; or, 16 callbacks
    /// deep, when the callback around it has returned. It runs once in any case, with no lock held, and should be quick: it keeps a worker from the
    /// next job. Where a token's deadline has settled a queued job, it runs on a thread that is started for it.
    /// If it panics, the panic hook hears of it.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::new(1);
    /// let (sender, results) = mpsc::channel();
    /// pool.submit(|| 6 * 7).on_complete(move |result| sender.send(result.unwrap()).unwrap());
    /// assert_eq!(results.recv()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the result has been taken, by awaiting `&mut` this handle.
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_complete(mut self, callback: impl FnOnce(Result<T, JoinError>) + Send + 'static) {
        let (hook, set_at) = (self.panic_hook(), Location::caller());
        let outcome = self.take_outcome();
        Arc::new(Callback { outcome, callback: Mutex::new(Some(callback)), hook, set_at }).look();
    }
}

/// The waker of a job whose handle nobody holds: what it wakes is a function.
struct Callback<T, C> {
    outcome: Arc<dyn Queued<T>>,
    /// `None` when it has been called. The lock is not held while the outcome is polled: that may
    /// drop the waker which was there before us, and that is other people's code.
    callback: Mutex<Option<C>>,
    hook: PanicHook,
    set_at: &'static Location<'static>,
}

impl<T, C> Callback<T, C>
where
    T: Send + 'static,
    C: FnOnce(Result<T, JoinError>) + Send + 'static,
{
    /// Calls the callback if there is a result, and otherwise sees to it that we look again.
    ///
    /// It finds the result once: a poll either gives it or leaves the waker, never both.
    fn look(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let Poll::Ready(result) = self.outcome.poll(&Context::from_waker(&waker)) else { return };
        let callback = self.callback.lock().take().expect("the result comes once");
        // It may set the next callback, on a job that has finished, which sets the next.
        let _ = deferred::run(move || {
            if let Err(panic) = panic::catch(self.set_at, || callback(result)) {
                self.hook.tell(&panic);
            }
        });
    }
}

impl<T, C> Wake for Callback<T, C>
where
    T: Send + 'static,
    C: FnOnce(Result<T, JoinError>) + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.look();
    }
}

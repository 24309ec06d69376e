//! A queued job that is cancelled with its token, the moment the token is.
//!
//! Knows nothing of the token's owner. It is a waker that waits for the token, and claims the job when it is
//! woken, as any canceller does.
//!
//! What must always hold:
//!
//! 1. The wait ends when the job begins, is refused or is dropped, by whichever comes first: the closure of
//!    the job owns it, and lets it go first of all. A token may live much longer than the jobs that it
//!    was given to, and must not keep them.
//! 2. No lock is held while the token is asked: to ask may be what cancels it, and then every waiter is
//!    woken, this very watch too.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use crate::prims::Mutex;
use crate::wait::alarm;
use crate::wait::cancel::{CancellationToken, WaitForCancel};
use crate::wait::runtime;

use super::job::Run;
use super::shared::Shared;

pub(crate) struct Watch {
    token: CancellationToken,
    /// Not a reason for a pool to live, nor for a job.
    pool: Weak<Shared>,
    /// `None` until it is queued.
    job: Mutex<Option<Weak<dyn Run<'static>>>>,
}

impl Watch {
    /// A watch, and its wait for the token, which is never polled again, only kept: the watch is the waker
    /// of that as long as it lives.
    pub(crate) fn new(token: &CancellationToken, pool: &Arc<Shared>) -> (Arc<Self>, WaitForCancel) {
        let (token, pool) = (token.clone(), Arc::downgrade(pool));
        let mut wait = token.cancelled();
        let watch = Arc::new(Self { token, pool, job: Mutex::new(None) });
        let waker = Waker::from(watch.clone());
        // If it is ready already, `look` finds that too. A timer of the real clock is kept by the alarm, and never by
        // an executor, on whose thread the closure would be dropped.
        let _ = runtime::outside(|| Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)));
        (watch, wait)
    }

    /// Begins to watch, now that the job is queued; it may have left the queue already.
    pub(crate) fn begin(&self, job: Weak<dyn Run<'static>>) {
        *self.job.lock() = Some(job);
        self.look(); // A wake that came before has found nothing to cancel.
    }

    /// Cancels the job if the token is cancelled.
    ///
    /// There is no need to wait again if it is not. We are woken when the token has been cancelled
    /// or its time is over, and to ask for the reason tells us of both.
    fn look(&self) {
        let job = self.job.lock().as_ref().and_then(Weak::upgrade);
        let Some((job, pool)) = job.zip(self.pool.upgrade()) else { return };
        if let Some(reason) = self.token.reason() {
            pool.cancel(job, reason);
        }
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        alarm::run_elsewhere(move || self.look());
    }
}

//! How a pool ends: what is queued runs or is cancelled, and every thread is joined.
//!
//! Knows nothing of how jobs are submitted and run. What must always hold: when a pool has been dropped
//! or shut down from outside, its threads are gone, thread-locals and all; and every job that was ever
//! handed in has settled, unless some other thread is in the middle of cancelling it.

use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::time::Duration;

use crate::error::{CancelReason, ShutdownError};
use crate::wait::block_on::block_on_elsewhere;
use crate::wait::clock::Deadline;
use crate::wait::hints::{self, WaitReason};
use crate::wait::permits::Count;

use super::shared::Stats;
use super::thread_pool::ThreadPool;
use super::worker;

/// What becomes of the jobs that are queued when a pool is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// They run.
    Drain,
    /// They settle as cancelled, at once. Running jobs run to their end: a thread cannot be stopped.
    #[doc(alias = "cancel_futures")]
    Cancel,
}

impl ThreadPool {
    /// Lets no more jobs in, waits for those that are in, and joins every thread.
    ///
    /// When to use it: to see the errors that a drop could not return, to cancel what is queued, or
    /// to end a pool that others still hold. It may be called twice, and from several threads at
    /// once; each call returns when all is over.
    ///
    /// ```
    /// use handspun::{JoinError, Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let queued = pool.submit(|| 6 * 7);
    /// pool.shutdown(Shutdown::Drain)?;
    /// assert!(queued.is_finished());
    /// assert!(matches!(pool.submit(|| 7).join(), Err(JoinError::Cancelled(_))), "it came too late");
    /// # Ok::<(), handspun::ShutdownError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ShutdownError::InsideWorker`] on a worker of this pool, and [`ShutdownError::Forked`] in the
    /// child of a fork; then nothing has happened.
    #[doc(alias = "close")]
    pub fn shutdown(&self, queued: Shutdown) -> Result<(), ShutdownError> {
        self.shutdown_until(queued, Deadline::Never)
    }

    /// Like [`shutdown`](Self::shutdown), but waits for at most `timeout`.
    ///
    /// A duration of zero begins the shutdown and does not wait. What a thread-local does when it
    /// is destroyed, at the very end of its thread, is waited for in any case, however long, and also
    /// where another call waits for it already.
    ///
    /// ```
    /// use std::{sync::mpsc, time::Duration};
    /// use handspun::{Shutdown, ShutdownError, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (answer, question) = mpsc::channel();
    /// let stuck = pool.submit(move || question.recv());
    ///
    /// let timed_out = pool.shutdown_timeout(Shutdown::Drain, Duration::from_millis(1));
    /// assert!(matches!(timed_out, Err(ShutdownError::StillRunning { .. })));
    /// answer.send(7)?;
    /// pool.shutdown(Shutdown::Drain)?;
    /// assert_eq!(stuck.join()?, Ok(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ShutdownError::StillRunning`] says how much was left to do. The shutdown goes on, and may
    /// be waited for by calling this again, or by dropping the pool.
    #[doc(alias = "awaitTermination")]
    pub fn shutdown_timeout(
        &self,
        queued: Shutdown,
        timeout: Duration,
    ) -> Result<(), ShutdownError> {
        self.shutdown_until(queued, Deadline::after(timeout))
    }

    fn shutdown_until(&self, queued: Shutdown, deadline: Deadline) -> Result<(), ShutdownError> {
        if worker::on_worker(&self.shared) {
            return Err(ShutdownError::InsideWorker);
        }
        if !self.shared.process.is_current() {
            return Err(ShutdownError::Forked);
        }
        self.close(queued);
        let end = poll_fn(|context| {
            hints::set_reason(WaitReason::Words("a pool to end"));
            self.shared.poll_end(context)
        });
        if block_on_elsewhere(pin!(end), deadline, Duration::ZERO).is_none() {
            let Stats { running, queued, .. } = self.stats();
            return Err(ShutdownError::StillRunning { running, queued });
        }
        let _joining = self.shared.joining.lock(); // The threads have left: what is waited for is their locals.
        let threads = mem::take(&mut self.shared.lock().threads);
        for thread in threads {
            // An error would be a panic of a thread-local's destructor. It has been printed, and there is
            // nothing more to be done about it.
            let _ = thread.join();
        }
        Ok(())
    }

    fn close(&self, queued: Shutdown) {
        let mut state = self.shared.lock();
        let idle = self.shared.close(&mut state);
        let drained = match queued {
            Shutdown::Drain => Vec::new(),
            Shutdown::Cancel => {
                self.shared.injector.move_to(&mut state.queue, false);
                state.drain()
            }
        };
        if state.n_threads == 0 {
            // A job may have been let in whose submitter has not woken a worker yet. We wait for the
            // end, and must not take a pool without threads for it.
            worker::wake_worker(&self.shared, state);
        } else {
            drop(state);
        }
        idle.into_iter().for_each(|parker| parker.unpark());
        if let Some(room) = &self.shared.room {
            room.with(Count::close);
        }
        self.shared.refuse_all(drained, &CancelReason::ShutDown);
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        match self.shutdown(Shutdown::Drain) {
            // On a worker, which will come to its own end.
            Err(ShutdownError::InsideWorker) => self.close(Shutdown::Drain),
            // In the child of a fork there is nothing that could be ended.
            Ok(()) | Err(ShutdownError::Forked | ShutdownError::StillRunning { .. }) => {}
        }
    }
}

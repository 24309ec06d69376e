//! What the tests arrange their schedules with: gates, a watchdog, and things that count.
//!
//! Knows nothing of what is tested. What must always hold: nothing here waits for a while and
//! hopes. A test says what must have happened, and a watchdog says so if it never does.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

/// Far longer than any test takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test, and ends the whole process with its name if it hangs.
///
/// A hang cannot be unwound: the thread that hangs is not ours to stop.
pub(crate) fn watched(test: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let watchdog = thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln!`: the harness would keep that for the report that will not come.
            let _ = writeln!(io::stderr(), "`{name}` has hung for {PATIENCE:?}");
            std::process::abort();
        }
    });
    test();
    drop(done);
    watchdog.join().unwrap();
}

/// A door that is shut until somebody opens it, for everyone and for good.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self::default()
    }

    pub(crate) fn open(&self) {
        let (is_open, opened) = &*self.0;
        *is_open.lock().unwrap() = true;
        opened.notify_all();
    }

    /// Blocks until the gate is open.
    pub(crate) fn pass(&self) {
        let (is_open, opened) = &*self.0;
        drop(opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
    }
}

/// A number that threads add to, and may wait for.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<(Mutex<usize>, Condvar)>);

impl Count {
    pub(crate) fn add_one(&self) {
        let (count, changed) = &*self.0;
        *count.lock().unwrap() += 1;
        changed.notify_all();
    }

    pub(crate) fn get(&self) -> usize {
        *self.0.0.lock().unwrap()
    }

    /// Blocks until the count is `n` or more.
    pub(crate) fn reach(&self, n: usize) {
        let (count, changed) = &*self.0;
        drop(changed.wait_while(count.lock().unwrap(), |count| *count < n).unwrap());
    }
}

/// Adds one to a count when it is dropped.
pub(crate) struct CountsDrop(pub(crate) Count);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.add_one();
    }
}

/// A waker that counts how often it was woken.
#[derive(Default)]
pub(crate) struct WakeCounter(AtomicUsize);

impl WakeCounter {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        (counter.clone(), counter.into())
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Relaxed) // ORDERING: Relaxed. Whoever asks has been told of the wake in another way.
    }
}

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed, as in `wakes`.
    }
}

//! Situations that the tests of the pool begin with: a worker at work, a job at a gate.
//!
//! Knows nothing of what a test claims. What must always hold: a test that fails unwinds and is
//! reported. Nothing here keeps a pool from its end once the test is over.

use std::env;
use std::pin::Pin;
use std::process::Command;
use std::task::{Context, Poll};

use handspun::{JoinError, JoinHandle, ThreadPool};

use crate::support::{Count, Gate, watched};

/// A gate that opens when the test is over, however it ends.
pub(crate) struct Held(pub(crate) Gate);

impl Held {
    pub(crate) fn open(&self) {
        self.0.open();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A worker of the pool is at work from now on until the gate is opened.
pub(crate) fn busy(pool: &ThreadPool) -> Held {
    let (gate, handle) = gated(pool, ());
    drop(handle);
    gate
}

/// A job that has begun, and returns its value when the gate is opened. A worker must be free.
pub(crate) fn gated<T: Send + 'static>(pool: &ThreadPool, value: T) -> (Held, JoinHandle<T>) {
    let (gate, begun) = (Gate::closed(), Count::default());
    let handle = pool.submit({
        let (gate, begun) = (gate.clone(), begun.clone());
        move || {
            begun.add_one();
            gate.pass();
            value
        }
    });
    begun.reach(1);
    (Held(gate), handle)
}

/// Waits until a pool of one thread has settled all that it was given so far.
pub(crate) fn flush(pool: &ThreadPool) {
    assert_eq!(pool.threads(), 1, "with more, a later job may finish earlier");
    pool.submit(|| ()).join().unwrap();
}

/// A future that wakes itself whenever it is polled, and is never ready.
pub(crate) struct Restless;

impl Future for Restless {
    type Output = Result<i32, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A future that is somebody's box.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs a test in a process of its own: one that fails by an overflow of the stack, or by a second
/// panic, ends its process. `name` is the test that calls this; the other process runs it too.
pub(crate) fn in_a_process_of_its_own(name: &str, test: impl FnOnce()) {
    const IS_ALONE: &str = "HANDSPUN_TEST_IS_ALONE";
    if env::var_os(IS_ALONE).is_some() {
        return watched(test);
    }
    let mut alone = Command::new(env::current_exe().unwrap());
    let output = alone.args(["--exact", name]).env(IS_ALONE, "yes").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{} {said}", output.status);
}

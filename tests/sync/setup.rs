//! Polls by hand, and chance that can be repeated.
//!
//! Knows nothing of what a test claims.

use std::env;
use std::mem;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::support::WakeCounter;

/// Rounds of a race, as many as a test has the time for.
pub(crate) const ROUNDS: usize = if cfg!(debug_assertions) { 1_000 } else { 10_000 };

/// A future that is polled by hand, with a waker of its own that counts.
pub(crate) struct Polled<'f, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'f>>,
    counter: Arc<WakeCounter>,
}

impl<'f, T> Polled<'f, T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'f) -> Self {
        Self { future: Box::pin(future), counter: Arc::default() }
    }

    /// One that has been polled, and was not ready.
    pub(crate) fn waiting(future: impl Future<Output = T> + Send + 'f) -> Self {
        let mut polled = Self::new(future);
        assert!(polled.poll().is_pending());
        polled
    }

    pub(crate) fn poll(&mut self) -> Poll<T> {
        let waker = self.counter.clone().into();
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// What it came to, if it is ready now.
    pub(crate) fn now(mut self) -> T {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it is not ready"),
        }
    }

    /// From now on it is polled with another waker. Here is the one so far.
    pub(crate) fn replace_waker(&mut self) -> Arc<WakeCounter> {
        mem::take(&mut self.counter)
    }

    pub(crate) fn wakes(&self) -> usize {
        self.counter.wakes()
    }
}

/// A waker whose own drop calls a function, as a task's does that owns what it waits for.
pub(crate) struct CallsWhenDropped<F: Fn()>(pub(crate) F);

impl<F: Fn() + Send + Sync + 'static> Wake for CallsWhenDropped<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn()> Drop for CallsWhenDropped<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub(crate) fn calls_when_dropped(call: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(CallsWhenDropped(call)).into()
}

/// Throws the same numbers for the same seed.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// One of `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }
}

/// Runs a test in a process of its own, since a mistake would end that.
///
/// `name` is the test that calls this: the other process runs it too, and there the body is run.
pub(crate) fn survives(name: &str, test: impl FnOnce()) {
    const IS_APART: &str = "HANDSPUN_TEST_IS_APART";
    if env::var_os(IS_APART).is_some() {
        return test();
    }
    let mut process = Command::new(env::current_exe().unwrap());
    let output = process.args(["--exact", name]).env(IS_APART, "yes").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{:?}: {said}", output.status);
}

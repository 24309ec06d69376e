//! Wakers that do as they are told, and spans of time.
//!
//! Knows nothing of what a test claims. What must always hold: what these tests wait for comes by
//! itself, or by the clock that they move; the real clock only has to go on.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

/// Rounds of a race, as many as a test has the time for.
pub(crate) const ROUNDS: usize = if cfg!(debug_assertions) { 500 } else { 5_000 };

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

struct Calls<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Calls<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// A waker that calls a function.
pub(crate) fn calls(function: impl Fn() + Send + Sync + 'static) -> Waker {
    Arc::new(Calls(function)).into()
}

//! How fast the tour plays: the simulated work's `sleep` and `pause`, and the scale that shortens both.
//!
//! Programs speak of the tutorial's own durations everywhere, and only here do those become
//! shorter. The scale is a static, set before a program plays, so that a program can write
//! `sleep(duration)` as its Python original does, instead of carrying the scale into every closure
//! that it submits.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// Whoever has locked it copies a number, so it is never poisoned.
static SCALE: Mutex<f64> = Mutex::new(1.0);

pub(crate) fn set_scale(scale: f64) {
    *SCALE.lock().expect("nobody panics over a number") = scale;
}

pub(crate) fn scale() -> f64 {
    *SCALE.lock().expect("nobody panics over a number")
}

/// How long `duration` lasts on this tour.
pub(crate) fn scaled(duration: Duration) -> Duration {
    duration.mul_f64(scale())
}

/// Simulates work that blocks its thread for `duration`: a query, a download, a slow disk.
pub(crate) fn sleep(duration: Duration) {
    thread::sleep(scaled(duration));
}

/// Simulates something that a task waits for, while others go on: an answer from the network.
///
/// It is an `async fn` so that its time begins when it is awaited, on the clock of the executor there.
pub(crate) async fn pause(duration: Duration) {
    handspun::sleep(scaled(duration)).await;
}

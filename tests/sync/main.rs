//! Sharing, promise by promise: semaphores, queues, flags and generators.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod setup;

mod locks;
mod semaphore;
mod semaphore_model;
mod queue;
mod queue_model;
mod event;
mod generator;
mod drops;
mod wakers;
#[cfg(feature = "stream")]
mod stream;

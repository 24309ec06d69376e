//! Children: real processes, which end in time, say what they said, and leave nothing behind.
//!
//! Knows nothing of how it is done. Most of them are `tests/support/child.rs`, which does what its
//! arguments say.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod setup;

mod exits;
mod streams;
mod stdin;
mod lines;
mod timeouts;
mod groups;
mod handles;
mod caps;
mod bound;
mod scale;
mod budget;
mod forked;
#[cfg(target_os = "linux")]
mod sandbox;

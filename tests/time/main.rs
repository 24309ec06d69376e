//! Time and cancelling, promise by promise: clocks, sleeps and timeouts, and tokens.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[path = "../support/mod.rs"]
mod support;
mod setup;

mod clock;
mod sleeping;
mod alarm;
mod tokens;
mod token_trees;

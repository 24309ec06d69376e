//! Foreign code on our executor, unchanged, and our futures on foreign executors.
//!
//! Knows nothing of how either side works: what they have in common is `Future` and `Waker`. What must
//! always hold: nothing here is an adapter. If a test needed one, the promise would be broken.
//!
//! ```text
//! cargo test --manifest-path tests/interop/Cargo.toml
//! ```

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "the tests of the crate use the rest")]
#[path = "../../support/mod.rs"]
mod support;

mod elsewhere;

mod channels;
mod combinators;
mod handles;
mod locks;
mod sharing;
mod sockets;
mod time;

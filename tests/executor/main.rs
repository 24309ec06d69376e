//! The executor, promise by promise. The ids (A1, A2, …) name the cases that a correct one passes; those
//! that do not apply stand in `docs/design.md`, with the reason.

#![expect(clippy::async_yields_async, reason = "a task may leave the run in which it was spawned")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod setup;
#[path = "../stress/rng.rs"]
mod rng;

mod polling;
mod waking;
mod running;
mod tasks;
mod cancelling;
mod chains;
mod remotes;
mod hangs;
mod seeds;
mod sleeping;
mod moving;
mod keeping;
mod jumping;
mod ticks;
mod timeouts;
mod together;
mod mapping;
mod groups;
mod failing;
mod bridge;
mod random;
mod sizes;

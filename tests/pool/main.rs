//! The pool, promise by promise. The ids (P1, P2, …) name the cases that a correct pool passes; those
//! that do not apply stand in `docs/design.md`, with the reason.

#![allow(clippy::unwrap_used, reason = "a helper of tests may fail them")]

#[path = "../support/mod.rs"]
mod support;

mod handle;
mod nesting;
mod panics;
mod shutdown;
mod scheduling;
mod references;

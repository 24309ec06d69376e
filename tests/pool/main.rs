//! The pool, promise by promise. The ids (P1, P2, …) name the cases that a correct pool passes; those
//! that do not apply stand in `docs/design.md`, with the reason.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[path = "../support/mod.rs"]
mod support;
mod setup;

mod handle;
mod callbacks;
mod waiting;
mod completed;
mod mapping;
mod awaiting;
mod nesting;
mod panics;
mod shutdown;
mod scheduling;
mod references;
mod tokens;
mod observing;
mod limits;
mod deadlines;
mod borrowing;
mod forking;
mod chains;
#[cfg(unix)]
mod forked;

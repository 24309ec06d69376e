//! `par` as a program: what goes in, what comes out, and how it ends.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[path = "../tools/program.rs"]
mod program;

mod ends;
mod inputs;
mod outputs;
mod setup;
mod stops;

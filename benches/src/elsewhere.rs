//! A process of its own: the program starts itself once more, and reads what it prints.
//!
//! What one row leaves behind, another would find: memory that the allocator keeps, threads of pools that
//! live as long as the process, a heap in another shape. And a process that has grown takes longer to
//! fork, by its page tables: 48 ms a child at 670 MB, where a small one takes 0.1. So a row begins as a
//! program of its own would.

use std::env;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::pools::WORKERS;

/// Has another process of this program measure what `question` asks for, and reads its answer.
pub(crate) fn measure<T: DeserializeOwned>(question: &[&str], rounds: u32) -> T {
    let itself = env::current_exe().expect("the program knows where it is");
    let output = Command::new(itself)
        .args(question)
        .args(["--rounds", &rounds.to_string()])
        // What smol's `unblock` runs closures on: as many threads as everybody has.
        .env("BLOCKING_MAX_THREADS", WORKERS.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("the program can be started once more");
    assert!(output.status.success(), "{question:?}: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("it prints what it found as JSON")
}

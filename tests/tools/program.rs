//! A tool of `docs/examples` as a program, run as a user runs it.
//!
//! Knows nothing of what a tool does.

#![allow(dead_code, reason = "each test target uses what it needs")]

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The program of this name, built if it is not there or is older than its source.
///
/// `cargo test --test NAME` builds no examples. By now cargo has let go of its lock.
pub(crate) fn program(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
    let mut built = BUILT.lock().expect("no test has failed in here");
    if built.insert(name.to_owned()) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name, "--target-dir"]).arg(target);
        let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo is here");
        assert!(status.success(), "the example {name} cannot be built");
    }
    target.join("debug/examples").join(name)
}

/// A device that is always full, where the system has one.
pub(crate) fn full() -> Option<File> {
    OpenOptions::new().write(true).open("/dev/full").ok()
}

/// The end to write to of what is like a pipe, whose reader has gone.
pub(crate) fn reader_gone() -> Stdio {
    let (reader, writer) = UnixStream::pair().expect("two sockets");
    drop(reader);
    OwnedFd::from(writer).into()
}

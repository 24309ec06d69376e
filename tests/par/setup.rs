//! How a test calls `par`: a bound on its time, a folder of its own.
//!
//! Knows nothing of what is claimed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::program::program;

/// A call that ends in a minute, whatever happens: then its code is 124 or, if it had to be killed, 137.
pub(crate) fn par(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60"]).arg(program("par")).args(args);
    command.stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

/// What it prints, its complaints, and its exit code.
pub(crate) fn said(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// What it prints if all goes well.
pub(crate) fn printed(args: &[&str]) -> String {
    let output = par(args).output().expect("timeout is there");
    let (out, err, code) = said(&output);
    assert_eq!(code, Some(0), "{args:?}: {err}");
    out
}

/// The exit code, and nothing of a panic.
pub(crate) fn code(args: &[&str]) -> i32 {
    let output = par(args).output().expect("timeout is there");
    let (_, err, code) = said(&output);
    assert!(!err.contains("panicked"), "{err}");
    code.expect("no signal")
}

/// A folder that is gone when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("par-{name}"));
        let _ = fs::remove_dir_all(&folder); // It is there if an earlier run was interrupted.
        fs::create_dir_all(&folder).expect("a new folder");
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a plain name").to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).expect("a place to write");
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("text")
    }

    pub(crate) fn script(&self, name: &str, content: &str) -> String {
        let path = self.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! The two tools of `docs/examples` that read a tree, on one that holds what a file system may hold.

#![expect(clippy::unwrap_used, reason = "a test that fails says so; its helpers may too")]

#[path = "../../docs/examples/find_duplicates/content.rs"]
mod content;
#[path = "../../docs/examples/find_duplicates/duplicates.rs"]
mod duplicates;
#[path = "../../docs/examples/shared/open.rs"]
mod open;
#[path = "../../docs/examples/shared/tree.rs"]
mod tree;
#[path = "../../docs/examples/count_words/words.rs"]
mod words;

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/mod.rs"]
mod support;

mod counting;
mod finding;
mod listing;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tree::{File, files_below};

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-{name}"));
        let _ = fs::remove_dir_all(&folder); // It is there if an earlier run was interrupted.
        fs::create_dir_all(folder.join("below")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Puts a pipe in the place of a file.
    #[cfg(unix)]
    fn make_pipe(path: &Path) {
        fs::remove_file(path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    fn files(&self) -> Vec<File> {
        files_below(std::slice::from_ref(&self.0)).unwrap().0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

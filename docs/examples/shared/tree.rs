//! The files below some folders, and what could not be looked at.
//!
//! Knows nothing of what is in a file. A symbolic link is never followed, but for one that is named on
//! the command line: so there are no loops, and nothing is found twice. What is neither a file nor a
//! folder (a pipe, a socket, a device) is passed over, since to read it may never end.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A regular file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) len: u64,
    /// Device and number: two names of one file have the same. `None` where the system has no such
    /// thing.
    identity: Option<(u64, u64)>,
}

/// What could not be read, and why.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) path: PathBuf,
    pub(crate) why: String,
}

impl Trouble {
    pub(crate) fn new(path: &Path, error: &io::Error) -> Self {
        let has_gone = error.kind() == io::ErrorKind::NotFound;
        let why = if has_gone { "it has gone".to_owned() } else { error.to_string() };
        Self { path: path.to_owned(), why }
    }
}

/// Every file below the roots, in the order of their paths. One with several names (hard links) is
/// there once, by the first of them.
///
/// # Errors
///
/// A root that cannot be looked at, or is neither a file nor a folder: most likely it was mistyped.
pub(crate) fn files_below(roots: &[PathBuf]) -> Result<(Vec<File>, Vec<Trouble>), Trouble> {
    let (mut files, mut troubles, mut folders) = (Vec::new(), Vec::new(), Vec::new());
    for root in roots {
        let metadata = fs::metadata(root);
        let metadata =
            metadata.map_err(|error| Trouble { path: root.clone(), why: error.to_string() })?;
        if !metadata.is_file() && !metadata.is_dir() {
            let why = "it is neither a file nor a folder".to_owned();
            return Err(Trouble { path: root.clone(), why });
        }
        sort_in(root.clone(), &metadata, &mut files, &mut folders);
    }
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                troubles.push(Trouble::new(&folder, &error));
                continue;
            }
        };
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            match found {
                Ok((path, metadata)) => sort_in(path, &metadata, &mut files, &mut folders),
                Err(error) => troubles.push(Trouble::new(&folder, &error)),
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup_by(|one, other| one.path == other.path); // A root may lie below another.
    let mut seen = HashSet::new();
    files.retain(|file| file.identity.is_none_or(|identity| seen.insert(identity)));
    Ok((files, troubles))
}

fn sort_in(path: PathBuf, metadata: &Metadata, files: &mut Vec<File>, folders: &mut Vec<PathBuf>) {
    if metadata.is_dir() {
        folders.push(path);
    } else if metadata.is_file() {
        files.push(File { path, len: metadata.len(), identity: identity_of(metadata) });
    }
}

#[cfg(unix)]
fn identity_of(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Option<(u64, u64)> {
    None
}

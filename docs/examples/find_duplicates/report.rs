//! What was found, for people and for programs.
//!
//! Knows nothing of how it was found.

use std::fmt::Write;

use crate::cli::shown;
use crate::duplicates::Same;

/// The groups that cost most, and the sum of all.
pub(crate) fn text(same: &[Same], top: usize) -> String {
    let mut text = String::new();
    for Same { len, paths } in same.iter().take(top) {
        let _ = writeln!(text, "{} times {len} bytes:", paths.len()); // Into a string: it cannot fail.
        for path in paths {
            let _ = writeln!(text, "    {}", shown(path));
        }
    }
    let n_spare: u64 = same.iter().map(Same::n_spare).sum();
    let n = same.len();
    text + &format!("{n} groups; {n_spare} bytes would be saved\n")
}

/// Each name as it is and a NUL, which is in no name; one NUL more ends a group.
pub(crate) fn names(same: &[Same], top: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for group in same.iter().take(top) {
        for path in &group.paths {
            bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
            bytes.push(0);
        }
        bytes.push(0);
    }
    bytes
}

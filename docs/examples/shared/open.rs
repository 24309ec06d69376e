//! Opens what was listed as a regular file, whatever stands there by now.
//!
//! Knows nothing of what is read. What must always hold: it never waits. To open a pipe is to wait for its
//! writer, who may never come; and between a list of files and a look at them there is time for anything.

use std::fs::File;
use std::io;
use std::path::Path;

/// # Errors
///
/// As for [`File::open`], and if it is not a regular file any more.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // To look first and open then would leave time in between. A regular file never waits anyway.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file any more")),
    }
}

//! What a child wrote: in a temporary file while it runs, in memory afterwards if it is short.
//!
//! Knows nothing of order. What must always hold:
//!
//! 1. However much a child writes, all of it comes out, and little of it is in memory.
//! 2. The file has no name: nothing is left behind, however `par` ends.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::sync::Arc;

/// What is kept in memory of one stream, so that a report that has to wait keeps no file open.
const SHORT: usize = 64 << 10;

/// Where a child writes.
pub(crate) struct Sink(Arc<File>);

/// What came of it.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) start: Vec<u8>,
    /// All of it, if there is more than the start.
    file: Option<Arc<File>>,
}

impl From<File> for Sink {
    fn from(file: File) -> Self {
        Self(Arc::new(file))
    }
}

impl Sink {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(tempfile::tempfile()?.into())
    }

    pub(crate) fn output(&self) -> io::Result<Stdio> {
        Ok(self.0.try_clone()?.into())
    }

    pub(crate) fn into_written(self) -> io::Result<Written> {
        let mut start = Vec::new();
        let is_short = read_on(&self.0, &mut start, 0)?;
        Ok(Written { start, file: (!is_short).then_some(self.0) })
    }
}

/// Reads the next piece into the buffer, in place of what it holds. True if it is the last.
fn read_on(file: &File, buffer: &mut Vec<u8>, at: u64) -> io::Result<bool> {
    let rest = file.metadata()?.len().saturating_sub(at);
    buffer.resize(rest.min(SHORT as u64) as usize, 0);
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(rest <= SHORT as u64),
        // What was left behind is free to shorten it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            buffer.clear();
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

impl Written {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { start: bytes, file: None }
    }

    /// Whether a file is open for it.
    pub(crate) fn is_long(&self) -> bool {
        self.file.is_some()
    }

    /// How much it is.
    pub(crate) fn len(&self) -> u64 {
        let len = |file: &Arc<File>| file.metadata().map(|metadata| metadata.len()).ok();
        self.file.as_ref().and_then(len).unwrap_or(self.start.len() as u64)
    }

    /// Writes all of it, with the tag in front of each line.
    pub(crate) fn write_to(mut self, out: &mut impl Write, tag: &[u8]) -> io::Result<()> {
        let (mut at, mut begins_line) = (0, true);
        loop {
            if tag.is_empty() {
                out.write_all(&self.start)?;
            } else {
                out.write_all(&tagged(&self.start, tag, &mut begins_line))?;
            }
            at += self.start.len() as u64;
            let Some(file) = &self.file else { return Ok(()) };
            if read_on(file, &mut self.start, at)? {
                self.file = None;
            }
        }
    }
}

fn tagged(bytes: &[u8], tag: &[u8], begins_line: &mut bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + tag.len() + 1);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if *begins_line {
            text.extend_from_slice(tag);
            text.push(b'\t');
        }
        text.extend_from_slice(line);
        *begins_line = line.ends_with(b"\n");
    }
    text
}

//! The joblog: a line for each command that has ended, in the columns of GNU parallel.
//!
//! Knows nothing of how a command is run. What must always hold:
//!
//! 1. A line is written in one piece when the command has ended. What was cut off, by Ctrl-C or by a crash, has
//!    none: so `--resume` runs it again.
//! 2. A field holds no tab and no newline.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::plan::Resume;

const HEAD: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

pub(crate) struct Joblog(File);

/// One line of it.
pub(crate) struct Entry<'a> {
    pub(crate) seq: usize,
    pub(crate) host: &'a str,
    pub(crate) started: SystemTime,
    pub(crate) wall: Duration,
    pub(crate) n_received: u64,
    /// −1 if its time was over, or it could not be started.
    pub(crate) code: i32,
    pub(crate) signal: i32,
    /// Without control characters.
    pub(crate) command: String,
}

impl Joblog {
    /// Opens it, and says which inputs are passed over.
    pub(crate) fn open(path: &Path, resume: Resume) -> io::Result<(Self, BTreeSet<usize>)> {
        let is_anew = resume == Resume::No;
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = Vec::new();
        if is_anew {
            file.set_len(0)?;
        } else {
            file.read_to_end(&mut text)?;
        }
        let mut log = Self(file);
        if text.is_empty() {
            log.0.write_all(HEAD.as_bytes())?;
        } else if !text.ends_with(b"\n") {
            log.0.write_all(b"\n")?; // Cut off by a crash or a full disk: it does not count.
        }
        Ok((log, done(&text, resume)))
    }

    pub(crate) fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let Entry { seq, host, started, wall, n_received, code, signal, command } = entry;
        let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (started, wall) = (started.as_secs_f64(), wall.as_secs_f64());
        let line = format!(
            "{seq}\t{host}\t{started:.3}\t{wall:10.3}\t0\t{n_received}\t{code}\t{signal}\t{command}\n"
        );
        self.0.write_all(line.as_bytes())
    }
}

/// The inputs of a joblog that need not run again. The last line of several about one input counts.
fn done(text: &[u8], resume: Resume) -> BTreeSet<usize> {
    let mut done = BTreeSet::new();
    let is_whole = |line: &&[u8]| line.ends_with(b"\n");
    for line in text.split_inclusive(|byte| *byte == b'\n').filter(is_whole) {
        let fields: Vec<_> = line.splitn(9, |byte| *byte == b'\t').collect();
        let number = |at: usize| std::str::from_utf8(fields.get(at)?).ok()?.parse::<i64>().ok();
        // The head has no number; nor has a line that this or another program could not finish.
        let (Some(seq), Some(code), Some(signal)) = (number(0), number(6), number(7)) else {
            continue;
        };
        let Ok(seq) = usize::try_from(seq) else { continue };
        match resume {
            Resume::Failed if (code, signal) != (0, 0) => _ = done.remove(&seq),
            Resume::No | Resume::Unfinished | Resume::Failed => _ = done.insert(seq),
        }
    }
    done
}

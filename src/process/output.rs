//! A child's output: how it is read, and what is kept of it: a head and a tail, and lines.
//!
//! Knows nothing of exits and deadlines. What must always hold:
//!
//! 1. However much comes, no more is kept than the cap says, and everything that comes is counted.
//! 2. A read takes a bounded amount and never waits. A reader of lines that is behind holds the pipe up.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::mem;

use super::buffers::{A_TURN, Line, Lines, Shared, Source, transfer};
use super::sys::{self, Interest};

/// How much of a stream is kept. Each stream has a cap of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Keeps the first `head` bytes and the last `tail`. The child is never held up.
    Keep {
        /// How much of the beginning.
        head: usize,
        /// How much of the end.
        tail: usize,
    },
    /// Keeps the first bytes, so many; one more, and the child is ended.
    EndAt(usize),
}

impl Default for Cap {
    /// The first 8 MiB and the last 8 MiB.
    fn default() -> Self {
        Self::Keep { head: 8 << 20, tail: 8 << 20 }
    }
}

/// What was kept of one stream.
///
/// ```
/// use handspun::process::{Cap, Command};
///
/// let counting = Command::new("seq").arg("1000").cap(Cap::Keep { head: 4, tail: 5 });
/// let numbers = counting.run()?.stdout;
/// assert_eq!(numbers.text(), "1\n2\n1000\n");
/// assert_eq!((numbers.head, numbers.omitted), (4, 3893 - 9));
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes: the head, and right behind it the tail.
    pub bytes: Vec<u8>,
    /// Where the tail begins, if bytes were omitted.
    pub head: usize,
    /// How many bytes between the head and the tail were not kept.
    pub omitted: u64,
}

impl Captured {
    /// The bytes as text; what is not UTF-8 becomes a replacement character.
    #[doc(alias = "encoding")]
    #[doc(alias = "universal_newlines")]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Whether there was more than the cap let in.
    pub fn is_truncated(&self) -> bool {
        self.omitted > 0
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captured({} bytes, {} omitted)", self.bytes.len(), self.omitted)
    }
}

/// Keeps what a cap lets in.
pub(crate) struct Capture {
    cap: Cap,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Everything that ever came.
    total: u64,
}

impl Capture {
    pub(crate) fn new(cap: Cap) -> Self {
        Self { cap, head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let (most_of_head, most_of_tail) = match self.cap {
            Cap::Keep { head, tail } => (head, tail),
            Cap::EndAt(most) => (most, 0),
        };
        let room = most_of_head - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let newest = &rest[rest.len().saturating_sub(most_of_tail)..];
        let n_too_many = (self.tail.len() + newest.len()).saturating_sub(most_of_tail);
        self.tail.drain(..n_too_many);
        self.tail.extend(newest);
    }

    /// Whether the child is to be ended for it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.cap, Cap::EndAt(most) if self.total > most as u64)
    }

    /// Gives what was kept.
    pub(crate) fn finish(&mut self) -> Captured {
        let mut bytes = mem::take(&mut self.head);
        let head = bytes.len();
        bytes.extend(self.tail.drain(..));
        let omitted = self.total - bytes.len() as u64;
        Captured { bytes, head, omitted }
    }
}

/// Cuts bytes into lines. A line that is longer than the limit comes in parts.
pub(crate) struct Splitter {
    /// The beginning of a line whose end has not come.
    part: Vec<u8>,
    limit: usize,
}

impl Splitter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { part: Vec::new(), limit: limit.max(1) }
    }

    /// Calls `line` for each line that has ended, without its `\n` or `\r\n`; `true` says that it
    /// goes on in the next one.
    pub(crate) fn split(&mut self, bytes: &[u8], mut line: impl FnMut(Vec<u8>, bool)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.strip_suffix(b"\n");
            self.part.extend_from_slice(ended.unwrap_or(piece));
            while self.part.len() > self.limit {
                let rest = self.part.split_off(self.limit);
                line(mem::replace(&mut self.part, rest), true);
            }
            if ended.is_some() {
                if self.part.last() == Some(&b'\r') {
                    self.part.pop();
                }
                line(mem::take(&mut self.part), false);
            }
        }
    }

    /// A last line that has no end, if there is one.
    pub(crate) fn finish(&mut self) -> Option<Vec<u8>> {
        (!self.part.is_empty()).then(|| mem::take(&mut self.part))
    }
}

/// The longest line, in bytes, that is given as one.
const LONGEST_LINE: usize = 64 << 10;

/// One of the two output pipes.
pub(crate) struct Stream {
    /// `None` if it was not captured, and once it has ended.
    pub(crate) pipe: Option<File>,
    pub(crate) source: Source,
    pub(crate) capture: Capture,
    /// If lines are wanted.
    pub(crate) splitter: Option<Splitter>,
    /// Whether it was, at the last look: its reader was behind.
    pub(crate) is_held_up: bool,
}

impl Stream {
    pub(crate) fn new(pipe: Option<File>, source: Source, cap: Cap, wants_lines: bool) -> Self {
        let splitter = wants_lines.then(|| Splitter::new(LONGEST_LINE));
        Self { pipe, source, capture: Capture::new(cap), splitter, is_held_up: false }
    }

    /// What to wait for: nothing while the reader of its lines is behind.
    pub(crate) fn interest(&self, lines: &Shared<Lines>) -> Option<Interest> {
        self.pipe.as_ref().filter(|_| !self.waits_for_reader(lines)).map(Interest::read)
    }

    fn waits_for_reader(&self, lines: &Shared<Lines>) -> bool {
        self.pipe.is_some() && self.splitter.is_some() && lines.is_full()
    }

    /// Reads what there is, within bounds; but at the exit all that is in the pipe, which is the child's: what comes
    /// later is not. False if it was silent, by its own fault and not its reader's.
    pub(crate) fn read(
        &mut self,
        is_exit: bool,
        lines: &Shared<Lines>,
        scratch: &mut [u8],
    ) -> bool {
        let was_held_up = self.is_held_up;
        self.is_held_up = self.waits_for_reader(lines);
        let most = match &self.pipe {
            Some(pipe) if is_exit => A_TURN.max(sys::n_readable(pipe)),
            Some(_) if self.is_held_up => 0,
            Some(_) | None => A_TURN,
        };
        let (mut n_read, mut new) = (0, Vec::new());
        if let Some(mut pipe) = self.pipe.take() {
            let has_ended;
            (n_read, has_ended) = transfer(most, || {
                let n = pipe.read(scratch)?;
                self.take(&scratch[..n], &mut new);
                Ok(n)
            });
            self.pipe = (!has_ended).then_some(pipe);
        }
        if !new.is_empty() {
            lines.push(new);
        }
        n_read > 0 || was_held_up || self.is_held_up
    }

    fn take(&mut self, bytes: &[u8], lines: &mut Vec<Line>) {
        self.capture.keep(bytes);
        if let Some(splitter) = &mut self.splitter {
            let source = self.source;
            splitter.split(bytes, |bytes, goes_on| lines.push(Line { source, bytes, goes_on }));
        }
    }

    pub(crate) fn finish(&mut self, lines: &Shared<Lines>) -> Captured {
        self.pipe = None;
        let last = self.splitter.as_mut().and_then(Splitter::finish);
        lines.push(last.map(|bytes| Line { source: self.source, bytes, goes_on: false }));
        self.capture.finish()
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    fn capture(cap: Cap, chunks: &[&[u8]]) -> (Captured, bool) {
        let mut capture = Capture::new(cap);
        chunks.iter().for_each(|chunk| capture.keep(chunk));
        let is_over = capture.is_over();
        (capture.finish(), is_over)
    }

    /// S72, S74.
    #[test]
    fn a_capture_keeps_head_and_tail_and_counts_the_rest() {
        let cap = Cap::Keep { head: 2, tail: 3 };
        for chunks in [&[b"abcdefgh".as_slice()] as &[&[u8]], &[b"a", b"bcde", b"", b"f", b"gh"]] {
            let (kept, _) = capture(cap, chunks);
            assert_eq!((kept.bytes.as_slice(), kept.head, kept.omitted), (&b"abfgh"[..], 2, 3));
        }
    }

    /// S74.
    #[test]
    fn what_fits_exactly_is_not_truncated() {
        let (kept, _) = capture(Cap::Keep { head: 2, tail: 3 }, &[b"abc", b"de"]);
        assert_eq!((kept.text(), kept.is_truncated()), ("abcde".into(), false));
        assert!(!capture(Cap::EndAt(5), &[b"abcde"]).1);
        let (kept, is_over) = capture(Cap::EndAt(5), &[b"abcdef"]);
        assert_eq!((kept.text(), kept.omitted, is_over), ("abcde".into(), 1, true));
        let (kept, is_over) = capture(Cap::EndAt(0), &[b"a"]);
        assert_eq!((kept.bytes.len(), is_over), (0, true));
    }

    fn lines(limit: usize, chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let (mut splitter, mut lines) = (Splitter::new(limit), Vec::new());
        let text = |bytes| String::from_utf8(bytes).expect("these are text");
        for chunk in chunks {
            splitter.split(chunk, |line, goes_on| lines.push((text(line), goes_on)));
        }
        lines.extend(splitter.finish().map(|line| (text(line), false)));
        lines
    }

    /// S24.
    #[test]
    fn lines_are_the_same_wherever_the_chunks_are_cut() {
        let text = "one\r\n\nthr\u{e9}e\nlast".as_bytes();
        let expected = ["one", "", "thr\u{e9}e", "last"].map(|line| (line.to_owned(), false));
        for at in 0..text.len() {
            let (left, right) = text.split_at(at);
            assert_eq!(lines(100, &[left, right]), expected);
        }
    }

    #[test]
    fn a_long_line_comes_in_parts() {
        let parts = lines(3, &[b"abc\nabcd", b"efg\n"]);
        let expected = [("abc", false), ("abc", true), ("def", true), ("g", false)];
        assert_eq!(parts, expected.map(|(line, goes_on)| (line.to_owned(), goes_on)));
    }
}

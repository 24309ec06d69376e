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

use super::buffers::{A_TURN, Line, Lines, SharedBuffer, Source, transfer};
use super::sys::{self, pollfd};

/// What was kept of one stream.
///
/// ```
/// use handspun::process::Command;
///
/// let numbers = Command::new("seq").arg("1000").cap(4, 5).run()?.stdout;
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
    /// How many bytes between the head and the tail were not kept, for there were more than the cap lets in.
    pub omitted: u64,
}

impl Captured {
    /// The bytes as text; what is not UTF-8 becomes a replacement character.
    #[doc(alias = "encoding")]
    #[doc(alias = "universal_newlines")]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captured({} bytes, {} omitted)", self.bytes.len(), self.omitted)
    }
}

/// Keeps the first bytes and the last, so many of each.
pub(crate) struct Capture {
    cap: (usize, usize),
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Everything that ever came.
    total: u64,
}

impl Capture {
    fn new(cap: (usize, usize)) -> Self {
        Self { cap, head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let (most_of_head, most_of_tail) = self.cap;
        let room = most_of_head - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let newest = &rest[rest.len().saturating_sub(most_of_tail)..];
        let n_too_many = (self.tail.len() + newest.len()).saturating_sub(most_of_tail);
        self.tail.drain(..n_too_many);
        self.tail.extend(newest);
    }

    /// Gives what was kept.
    fn finish(&mut self) -> Captured {
        let mut bytes = mem::take(&mut self.head);
        let head = bytes.len();
        bytes.extend(self.tail.drain(..));
        let omitted = self.total - bytes.len() as u64;
        Captured { bytes, head, omitted }
    }
}

/// The longest line, in bytes, that is given as one.
const LONGEST_LINE: usize = 64 << 10;

/// Cuts bytes into lines. A longer line comes in parts.
#[derive(Default)]
struct Splitter {
    /// The beginning of a line whose end has not come.
    part: Vec<u8>,
}

impl Splitter {
    /// Calls `line` for each line that has ended, without its `\n` or `\r\n`; `true` says that it
    /// goes on in the next one.
    fn split(&mut self, bytes: &[u8], mut line: impl FnMut(Vec<u8>, bool)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ended = piece.strip_suffix(b"\n");
            self.part.extend_from_slice(ended.unwrap_or(piece));
            while self.part.len() > LONGEST_LINE {
                let rest = self.part.split_off(LONGEST_LINE);
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
    fn finish(&mut self) -> Option<Vec<u8>> {
        (!self.part.is_empty()).then(|| mem::take(&mut self.part))
    }
}

/// One of the two output pipes.
pub(crate) struct Stream {
    /// `None` if it was not captured, and once it has ended.
    pub(crate) pipe: Option<File>,
    source: Source,
    capture: Capture,
    /// If lines are wanted.
    splitter: Option<Splitter>,
}

impl Stream {
    pub(crate) fn new(
        pipe: Option<File>,
        source: Source,
        cap: (usize, usize),
        wants_lines: bool,
    ) -> Self {
        let splitter = wants_lines.then(Splitter::default);
        Self { pipe, source, capture: Capture::new(cap), splitter }
    }

    /// What to wait for: nothing while the reader of its lines is behind.
    pub(crate) fn interest(&self, lines: &SharedBuffer<Lines>) -> Option<pollfd> {
        self.pipe.as_ref().filter(|_| !self.is_held_up(lines)).map(sys::readable)
    }

    /// Whether its reader is behind.
    fn is_held_up(&self, lines: &SharedBuffer<Lines>) -> bool {
        self.splitter.is_some() && lines.is_full()
    }

    /// Reads what there is, within bounds; but at the exit all that is in the pipe, which is the child's (what comes
    /// later is not), and whether it ends there.
    pub(crate) fn read(&mut self, is_exit: bool, lines: &SharedBuffer<Lines>, scratch: &mut [u8]) {
        let Some(mut pipe) = self.pipe.take() else { return };
        let most = match is_exit {
            true => A_TURN.max(sys::n_readable(&pipe) + 1),
            false if self.is_held_up(lines) => 0,
            false => A_TURN,
        };
        let mut new = Vec::new();
        let has_ended = transfer(most, || {
            let n = pipe.read(scratch)?;
            self.take(&scratch[..n], &mut new);
            Ok(n)
        });
        self.pipe = (!has_ended).then_some(pipe);
        if !new.is_empty() {
            lines.push(new);
        }
    }

    fn take(&mut self, bytes: &[u8], lines: &mut Vec<Line>) {
        self.capture.keep(bytes);
        if let Some(splitter) = &mut self.splitter {
            let source = self.source;
            splitter.split(bytes, |bytes, goes_on| lines.push(Line { source, bytes, goes_on }));
        }
    }

    pub(crate) fn finish(&mut self, lines: &SharedBuffer<Lines>) -> Captured {
        self.pipe = None;
        let last = self.splitter.as_mut().and_then(Splitter::finish);
        lines.push(last.map(|bytes| Line { source: self.source, bytes, goes_on: false }));
        self.capture.finish()
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    fn capture(cap: (usize, usize), chunks: &[&[u8]]) -> Captured {
        let mut capture = Capture::new(cap);
        chunks.iter().for_each(|chunk| capture.keep(chunk));
        capture.finish()
    }

    /// S72, S74.
    #[test]
    fn a_capture_keeps_head_and_tail_and_counts_the_rest() {
        for chunks in [&[b"abcdefgh".as_slice()] as &[&[u8]], &[b"a", b"bcde", b"", b"f", b"gh"]] {
            let kept = capture((2, 3), chunks);
            assert_eq!((kept.bytes.as_slice(), kept.head, kept.omitted), (&b"abfgh"[..], 2, 3));
        }
    }

    /// S74.
    #[test]
    fn of_what_fits_exactly_nothing_is_omitted() {
        let kept = capture((2, 3), &[b"abc", b"de"]);
        assert_eq!((kept.text(), kept.omitted), ("abcde".into(), 0));
        let kept = capture((5, 0), &[b"abcdef"]);
        assert_eq!((kept.text(), kept.omitted), ("abcde".into(), 1));
        let kept = capture((0, 0), &[b"a"]);
        assert_eq!((kept.bytes.len(), kept.omitted), (0, 1));
    }

    fn lines(chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
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
            assert_eq!(lines(&[left, right]), expected);
        }
    }

    #[test]
    fn a_long_line_comes_in_parts() {
        let long = vec![b'a'; 2 * LONGEST_LINE + 3];
        let parts = lines(&[b"b\n", &long[..5], &long[5..], b"\n"]);
        let lengths: Vec<_> = parts.iter().map(|(line, goes_on)| (line.len(), *goes_on)).collect();
        let expected = [(1, false), (LONGEST_LINE, true), (LONGEST_LINE, true), (3, false)];
        assert_eq!(lengths, expected);
    }
}

//! What lies between the driver and the code that reads a child's lines or writes to its input.
//!
//! Knows nothing of who reads and who writes. What must always hold:
//!
//! 1. Lines come out in the order in which they went in, and all of them before the end; bytes go into
//!    the pipe in the order in which they were written.
//! 2. A full queue of lines holds the child up while somebody reads, or may come to read, and then no
//!    line is lost. A child that is waited for instead is never held up by lines which nobody takes.
//! 3. Wakers are woken and dropped with the lock let go; a wait that is dropped takes its own along.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;

use super::error::InputClosed;

/// A line of a child's output.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Which stream it came from.
    pub source: Source,
    /// Its bytes, without the `\n` or `\r\n` at the end.
    pub bytes: Vec<u8>,
    /// Whether it goes on in the next one: it was longer than the longest line that is kept whole.
    pub goes_on: bool,
}

impl Line {
    /// The line as text; what is not UTF-8 becomes a replacement character.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.source, self.text())
    }
}

/// Which stream something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard output, and standard error if it was merged into it.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The wakers of waits, each by the number of its wait.
#[derive(Default)]
struct Wakers {
    waiting: BTreeMap<u64, Waker>,
    n_drawn: u64,
}

impl Wakers {
    /// Keeps the newest waker of a wait, which draws a number if it has none. Gives back the stale one.
    fn keep(&mut self, key: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(|| {
            self.n_drawn += 1;
            self.n_drawn
        });
        self.waiting.insert(key, waker)
    }

    /// Takes all of them, to be woken with the lock let go.
    fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        mem::take(&mut self.waiting).into_values()
    }
}

/// How many bytes of lines wait for their reader before the child is held up.
const LIMIT: usize = 256 << 10;
/// What a line costs beside its bytes, so that empty ones count too.
const OVERHEAD: usize = 64;

pub(crate) struct Lines(Mutex<Queue>);

struct Queue {
    lines: VecDeque<Line>,
    /// What they come to, each with its overhead.
    size: usize,
    /// Whether somebody reads, or may come to: until the child is waited for.
    has_reader: bool,
    is_closed: bool,
    wakers: Wakers,
}

impl Lines {
    pub(crate) fn new() -> Self {
        let (lines, wakers) = (VecDeque::new(), Wakers::default());
        Self(Mutex::new(Queue { lines, size: 0, has_reader: true, is_closed: false, wakers }))
    }

    /// Whether the child is to be held up.
    pub(crate) fn is_full(&self) -> bool {
        let queue = self.0.lock();
        queue.has_reader && queue.size >= LIMIT
    }

    /// Takes in new lines. If the queue is full and nobody reads, the newest are left out.
    pub(crate) fn push(&self, lines: Vec<Line>) {
        let mut queue = self.0.lock();
        for line in lines {
            if queue.has_reader || queue.size < LIMIT {
                queue.size += line.bytes.len() + OVERHEAD;
                queue.lines.push_back(line);
            }
        }
        let wakers = queue.wakers.take();
        drop(queue);
        panic::wake_each(wakers);
    }

    /// There will be no more.
    pub(crate) fn close(&self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        let wakers = queue.wakers.take();
        drop(queue);
        panic::wake_each(wakers);
    }

    /// Nobody reads, for now. True if the driver is to look again at what it held up.
    pub(crate) fn lose_reader(&self) -> bool {
        let mut queue = self.0.lock();
        mem::replace(&mut queue.has_reader, false) && queue.size >= LIMIT
    }

    /// The next line, `None` at the end; and whether the driver is to look again.
    pub(crate) fn poll_next(
        &self,
        key: &mut Option<u64>,
        context: &Context<'_>,
    ) -> Poll<(Option<Line>, bool)> {
        let waker = context.waker().clone();
        let mut queue = self.0.lock();
        queue.has_reader = true;
        if let Some(line) = queue.lines.pop_front() {
            let was_full = queue.size >= LIMIT;
            queue.size -= line.bytes.len() + OVERHEAD;
            let has_room_again = was_full && queue.size < LIMIT;
            return Poll::Ready((Some(line), has_room_again));
        }
        if queue.is_closed {
            return Poll::Ready((None, false));
        }
        let stale = queue.wakers.keep(key, waker);
        drop(queue);
        drop(stale);
        Poll::Pending
    }

    /// The wait of this number has gone.
    pub(crate) fn forget(&self, key: u64) {
        let waker = self.0.lock().wakers.waiting.remove(&key);
        panic::drop_each(waker);
    }
}

/// What is written in one turn, more or less: the other children are to have their turn too.
const A_TURN: usize = 256 << 10;

pub(crate) struct Input(Mutex<Buffer>);

struct Buffer {
    /// The bytes that were there from the start, which all children of a command share.
    given: Arc<[u8]>,
    /// How many of them the pipe has taken.
    n_taken: usize,
    /// What was written since, and the pipe has not taken.
    written: VecDeque<u8>,
    /// Whether the pipe is to be closed behind these bytes.
    is_last: bool,
    /// Whether the pipe is closed.
    is_closed: bool,
    wakers: Wakers,
}

impl Buffer {
    /// Some of what the pipe is to take next; all of it was taken, if there is none.
    fn next(&self) -> &[u8] {
        match &self.given[self.n_taken..] {
            [] => self.written.as_slices().0,
            given => given,
        }
    }

    fn advance(&mut self, n: usize) {
        if self.n_taken < self.given.len() {
            self.n_taken += n;
        } else {
            self.written.drain(..n);
        }
    }

    fn is_empty(&self) -> bool {
        self.next().is_empty()
    }
}

impl Input {
    /// These bytes, and more to come unless `is_last`.
    pub(crate) fn new(given: Arc<[u8]>, is_last: bool) -> Self {
        let (n_taken, written, is_closed, wakers) = (0, VecDeque::new(), false, Wakers::default());
        Self(Mutex::new(Buffer { given, n_taken, written, is_last, is_closed, wakers }))
    }

    /// There is no pipe.
    pub(crate) fn closed() -> Self {
        let input = Self::new([].into(), true);
        input.close();
        input
    }

    /// Puts these bytes behind the others. True if that is news: while there were some, the driver knows.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<bool, InputClosed> {
        let mut buffer = self.0.lock();
        if buffer.is_closed || buffer.is_last {
            return Err(InputClosed);
        }
        let is_news = buffer.is_empty() && !bytes.is_empty();
        buffer.written.extend(bytes);
        Ok(is_news)
    }

    /// No more after what is written so far. True if that is news.
    pub(crate) fn finish(&self) -> bool {
        !mem::replace(&mut self.0.lock().is_last, true)
    }

    /// Ready when all that was written is in the pipe.
    pub(crate) fn poll_written(
        &self,
        key: &mut Option<u64>,
        context: &Context<'_>,
    ) -> Poll<Result<(), InputClosed>> {
        let waker = context.waker().clone();
        let mut buffer = self.0.lock();
        if buffer.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if buffer.is_closed {
            return Poll::Ready(Err(InputClosed));
        }
        let stale = buffer.wakers.keep(key, waker);
        drop(buffer);
        drop(stale);
        Poll::Pending
    }

    /// The wait of this number has gone.
    pub(crate) fn forget(&self, key: u64) {
        let waker = self.0.lock().wakers.waiting.remove(&key);
        panic::drop_each(waker);
    }

    /// Whether the pipe has something to take: bytes, or its end.
    pub(crate) fn is_due(&self) -> bool {
        let buffer = self.0.lock();
        !buffer.is_empty() || buffer.is_last
    }

    /// Writes what the pipe takes now. `Break` says that it is to be closed.
    pub(crate) fn feed(&self, pipe: &mut File) -> ControlFlow<()> {
        let (mut buffer, mut n_written) = (self.0.lock(), 0);
        while !buffer.is_empty() {
            if n_written >= A_TURN {
                return Continue(());
            }
            match pipe.write(buffer.next()) {
                Ok(n) => {
                    buffer.advance(n);
                    n_written += n;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Continue(()),
                // It has closed its end. That is its right, and no error of ours.
                Err(_) => return Break(()),
            }
        }
        let is_last = buffer.is_last;
        let wakers = buffer.wakers.take();
        drop(buffer);
        panic::wake_each(wakers);
        if is_last { Break(()) } else { Continue(()) }
    }

    /// The pipe is closed, and waits for it end.
    pub(crate) fn close(&self) {
        let mut buffer = self.0.lock();
        buffer.is_closed = true;
        let wakers = buffer.wakers.take();
        drop(buffer);
        panic::wake_each(wakers);
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::process::sys;
    use std::io::Read;

    #[test]
    fn many_small_writes_are_news_once() {
        let (_reader, writer) = sys::pipe().expect("a pipe");
        let input = Input::new([].into(), false);
        assert_eq!(
            [b"".as_slice(), b"a", b"b"].map(|bytes| input.write(bytes)),
            [Ok(false), Ok(true), Ok(false)]
        );
        assert!(input.feed(&mut writer.into()).is_continue());
        assert_eq!(input.write(b"c"), Ok(true), "those before are in the pipe");
    }

    #[test]
    fn what_was_given_is_shared_and_comes_before_what_is_written() {
        let (mut reader, writer) =
            sys::pipe().map(|(r, w)| (File::from(r), File::from(w))).expect("a pipe");
        let given: Arc<[u8]> = b"given".as_slice().into();
        let input = Input::new(given.clone(), false);
        assert_eq!(Arc::strong_count(&given), 2, "a gigabyte is not copied for each child");
        assert_eq!(input.write(b" and written"), Ok(false));
        assert!(input.finish() && input.feed(&mut { writer }).is_break());
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("an open pipe");
        assert_eq!(text, "given and written");
    }
}

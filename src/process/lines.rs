//! Lines as they come: a queue between the driver and whoever reads.
//!
//! Knows nothing of pipes. What must always hold:
//!
//! 1. Lines come out in the order in which they went in, and all of them before the end.
//! 2. A full queue holds the child up while somebody reads, or may come to read, and then no line is
//!    lost. A child that is waited for instead is never held up by lines which nobody takes.
//! 3. Wakers are woken and dropped with the lock let go.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;

use super::output::Source;

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
    wakers: Vec<Waker>,
}

impl Lines {
    pub(crate) fn new() -> Self {
        let (lines, wakers) = (VecDeque::new(), Vec::new());
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
        let wakers = mem::take(&mut queue.wakers);
        drop(queue);
        panic::wake_each(wakers);
    }

    /// There will be no more.
    pub(crate) fn close(&self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        let wakers = mem::take(&mut queue.wakers);
        drop(queue);
        panic::wake_each(wakers);
    }

    /// Nobody reads, for now. True if the driver is to look again at what it held up.
    pub(crate) fn lose_reader(&self) -> bool {
        let mut queue = self.0.lock();
        mem::replace(&mut queue.has_reader, false) && queue.size >= LIMIT
    }

    /// The next line, `None` at the end; and whether the driver is to look again.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<(Option<Line>, bool)> {
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
        let not_needed = keep(&mut queue.wakers, waker);
        drop(queue);
        drop(not_needed);
        Poll::Pending
    }
}

/// Keeps a waker, unless it is known. What comes back is to be dropped with the lock let go.
pub(crate) fn keep(wakers: &mut Vec<Waker>, waker: Waker) -> Option<Waker> {
    if wakers.iter().any(|known| known.will_wake(&waker)) {
        return Some(waker);
    }
    wakers.push(waker);
    None
}

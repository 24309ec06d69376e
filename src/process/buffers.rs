//! What is between the driver and the code that reads a child's lines or writes to its input.
//!
//! Knows nothing of what reads and what writes. What must always hold:
//!
//! 1. Lines come out in the order in which they went in, and all of them before the end; bytes go into
//!    the pipe in the order in which they were written.
//! 2. A full queue of lines holds the child up, and no line is lost, until the child is waited for: from then on it is
//!    not held up, and no more lines are taken in.
//! 3. Wakers are woken and dropped with the lock let go; a wait that is dropped takes its own along.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Chain, Cursor, ErrorKind, Read, Write};
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::Closed;
use crate::prims::Mutex;
use crate::wait::wait_list::{Key, WaitList, locked, poll_locked};

/// A line of a child's output.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Which stream something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard output, and standard error if it was merged into it.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the driver and a handle share, and the waits for it to change.
pub(crate) struct SharedBuffer<T>(Mutex<(T, WaitList)>);

impl<T> SharedBuffer<T> {
    pub(crate) fn of(value: T) -> Self {
        Self(Mutex::new((value, WaitList::default())))
    }

    /// Looks at it, or changes it so that no wait is over.
    fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.0.lock().0)
    }

    /// Changes it, and all waiters look again.
    fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        locked(&self.0, |(value, waits), wakers| {
            wakers.wake_all(waits);
            change(value)
        })
    }
}

/// One wait for a change. Dropped, it takes its waker along.
pub(crate) struct BufferWait<'a, T> {
    shared: &'a SharedBuffer<T>,
    key: Option<Key>,
}

impl<'a, T> BufferWait<'a, T> {
    pub(crate) fn on(shared: &'a SharedBuffer<T>) -> Self {
        Self { shared, key: None }
    }

    fn poll<R>(
        &mut self,
        context: &Context<'_>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Poll<R> {
        poll_locked(&self.shared.0, context, |(value, waits), wakers| {
            if let Some(found) = look(value) {
                return Poll::Ready(found);
            }
            // Woken for nothing, it joins the line anew.
            while waits.poll(&mut self.key, 1, &mut wakers.waiter).is_ready() {}
            Poll::Pending
        })
    }
}

impl<T> Drop for BufferWait<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        locked(&self.shared.0, |(_, waits), wakers| wakers.leave(waits, key));
    }
}

/// How many bytes of lines wait for their reader before the child is held up.
const LIMIT: usize = 256 << 10;
/// What a line costs beside its bytes, so that empty ones count too.
const OVERHEAD: usize = 64;

/// Lines that were not read yet.
#[derive(Default)]
pub(crate) struct Lines {
    queue: VecDeque<Line>,
    /// What they come to, each with its overhead.
    size: usize,
    /// Whether no more are taken in: the child has ended, or is waited for.
    is_closed: bool,
}

impl Lines {
    fn is_full(&self) -> bool {
        !self.is_closed && self.size >= LIMIT
    }
}

impl SharedBuffer<Lines> {
    /// Whether the child is to be held up.
    pub(crate) fn is_full(&self) -> bool {
        self.with(|lines| lines.is_full())
    }

    /// Takes in new lines, unless it is closed.
    pub(crate) fn push(&self, new: impl IntoIterator<Item = Line>) {
        self.change(|lines| {
            for line in new {
                if !lines.is_closed {
                    lines.size += line.bytes.len() + OVERHEAD;
                    lines.queue.push_back(line);
                }
            }
        });
    }

    /// There will be no more. True if the driver is to look again at what it held up.
    pub(crate) fn close(&self) -> bool {
        self.change(|lines| {
            let was_full = lines.is_full();
            lines.is_closed = true;
            was_full
        })
    }
}

impl BufferWait<'_, Lines> {
    /// The next line, `None` at the end; and whether the driver is to look again.
    pub(crate) fn poll_next(&mut self, context: &Context<'_>) -> Poll<(Option<Line>, bool)> {
        self.poll(context, |lines| {
            let was_full = lines.is_full();
            let Some(line) = lines.queue.pop_front() else {
                return lines.is_closed.then_some((None, false));
            };
            lines.size -= line.bytes.len() + OVERHEAD;
            Some((Some(line), was_full && !lines.is_full()))
        })
    }
}

/// What is read or written in one turn, more or less: the other children are to have their turn too.
pub(crate) const A_TURN: usize = 256 << 10;

/// Bytes that the pipe to a child has not taken yet.
pub(crate) struct Input {
    /// Those that were there from the start, which all children of a command share; and those written since.
    bytes: Chain<Cursor<Arc<[u8]>>, VecDeque<u8>>,
    /// Whether the pipe is to be closed behind these bytes.
    is_last: bool,
    /// Whether the pipe is closed.
    is_closed: bool,
}

impl Input {
    /// These bytes, and more to come unless `is_last`.
    pub(crate) fn new(given: Arc<[u8]>, is_last: bool) -> Self {
        let bytes = Cursor::new(given).chain(VecDeque::new());
        Self { bytes, is_last, is_closed: false }
    }

    /// Some of what the pipe is to take next; all of it was taken, if there is none.
    fn next(&mut self) -> &[u8] {
        self.bytes.fill_buf().expect("what is in memory can be read")
    }

    fn is_empty(&mut self) -> bool {
        self.next().is_empty()
    }

    /// Writes what the pipe takes now.
    fn feed(&mut self, pipe: &mut File) {
        let has_ended = transfer(A_TURN, || {
            let n = match self.next() {
                [] => 0,
                bytes => pipe.write(bytes)?,
            };
            self.bytes.consume(n);
            Ok(n)
        });
        // If there is more, the child has closed its end. That is its right, and no error of ours.
        self.is_closed |= if self.is_empty() { self.is_last } else { has_ended };
    }
}

/// Reads or writes until that would wait, or `most` bytes have passed. True if no more can: it is at an end, or there
/// was an error, after which there is no more.
pub(crate) fn transfer(most: usize, mut some: impl FnMut() -> io::Result<usize>) -> bool {
    let mut n_passed = 0;
    while n_passed < most {
        match some() {
            Ok(n) if n > 0 => n_passed += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Ok(_) | Err(_) => return true,
        }
    }
    false
}

impl SharedBuffer<Input> {
    /// Puts these bytes behind the others. True if the driver needs a wake: while there were some, it has had one.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<bool, Closed> {
        self.with(|input| {
            if input.is_closed || input.is_last {
                return Err(Closed(()));
            }
            let needs_wake = input.is_empty() && !bytes.is_empty();
            input.bytes.get_mut().1.extend(bytes);
            Ok(needs_wake)
        })
    }

    /// No more after what is written so far. True if the driver needs a wake.
    pub(crate) fn finish(&self) -> bool {
        self.with(|input| !mem::replace(&mut input.is_last, true))
    }

    /// Whether the pipe has something to take: bytes, or its end.
    pub(crate) fn is_due(&self) -> bool {
        self.with(|input| input.is_last || !input.is_empty())
    }

    /// Writes what the pipe takes now. True if it is to be closed.
    pub(crate) fn feed(&self, pipe: &mut File) -> bool {
        locked(&self.0, |(input, waits), wakers| {
            input.feed(pipe);
            if input.is_closed || input.is_empty() {
                wakers.wake_all(waits);
            }
            input.is_closed
        })
    }

    /// The pipe is closed, and waits for it end.
    pub(crate) fn close(&self) {
        self.change(|input| input.is_closed = true);
    }
}

impl BufferWait<'_, Input> {
    /// Ready when all that was written is in the pipe.
    pub(crate) fn poll_written(&mut self, context: &Context<'_>) -> Poll<Result<(), Closed>> {
        self.poll(context, |input| match (input.is_empty(), input.is_closed) {
            (true, _) => Some(Ok(())),
            (false, true) => Some(Err(Closed(()))),
            (false, false) => None,
        })
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::process::sys;
    use std::io::Read;

    #[test]
    fn many_small_writes_wake_the_driver_once() {
        let (_reader, writer) = sys::pipe().expect("a pipe");
        let input = SharedBuffer::of(Input::new([].into(), false));
        assert_eq!(
            [b"".as_slice(), b"a", b"b"].map(|bytes| input.write(bytes)),
            [Ok(false), Ok(true), Ok(false)]
        );
        assert!(!input.feed(&mut writer.into()));
        assert_eq!(input.write(b"c"), Ok(true), "those before are in the pipe");
    }

    #[test]
    fn what_was_given_is_shared_and_comes_before_what_is_written() {
        let (mut reader, writer) =
            sys::pipe().map(|(r, w)| (File::from(r), File::from(w))).expect("a pipe");
        let given: Arc<[u8]> = b"given".as_slice().into();
        let input = SharedBuffer::of(Input::new(given.clone(), false));
        assert_eq!(Arc::strong_count(&given), 2, "a gigabyte is not copied for each child");
        assert_eq!(input.write(b" and written"), Ok(false));
        assert!(input.finish() && input.feed(&mut { writer }));
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("an open pipe");
        assert_eq!(text, "given and written");
    }
}

//! What a child is to read: bytes on their way into its standard input.
//!
//! Knows nothing of who writes them. What must always hold: bytes go in the order in which they were
//! written; who waits for them is woken when they are in the pipe, or when nobody will read them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;

use super::error::InputClosed;
use super::lines::keep;

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
    wakers: Vec<Waker>,
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
        let (n_taken, written, is_closed, wakers) = (0, VecDeque::new(), false, Vec::new());
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
    pub(crate) fn poll_written(&self, context: &Context<'_>) -> Poll<Result<(), InputClosed>> {
        let waker = context.waker().clone();
        let mut buffer = self.0.lock();
        if buffer.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if buffer.is_closed {
            return Poll::Ready(Err(InputClosed));
        }
        let not_needed = keep(&mut buffer.wakers, waker);
        drop(buffer);
        drop(not_needed);
        Poll::Pending
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
        let wakers = mem::take(&mut buffer.wakers);
        drop(buffer);
        panic::wake_each(wakers);
        if is_last { Break(()) } else { Continue(()) }
    }

    /// The pipe is closed: whoever waits will wait no longer.
    pub(crate) fn close(&self) {
        let mut buffer = self.0.lock();
        buffer.is_closed = true;
        let wakers = mem::take(&mut buffer.wakers);
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

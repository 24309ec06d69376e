//! What a child is to read: bytes on their way into its standard input.
//!
//! Knows nothing of who writes them. What must always hold: bytes go in the order in which they were
//! written; who waits for them is woken when they are in the pipe, or when nobody will read them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::ops::ControlFlow::{self, Break, Continue};
use std::task::{Context, Poll, Waker};

use crate::prims::Mutex;

use super::error::InputClosed;
use super::lines::{keep, wake_all};

/// What is written in one turn, more or less: the other children are to have their turn too.
const A_TURN: usize = 256 << 10;

pub(crate) struct Input(Mutex<Buffer>);

struct Buffer {
    bytes: VecDeque<u8>,
    /// Whether the pipe is to be closed behind these bytes.
    is_last: bool,
    /// Whether the pipe is closed.
    is_closed: bool,
    wakers: Vec<Waker>,
}

impl Input {
    /// These bytes, and more to come unless `is_last`.
    pub(crate) fn new(bytes: Vec<u8>, is_last: bool) -> Self {
        let (is_closed, wakers) = (false, Vec::new());
        Self(Mutex::new(Buffer { bytes: bytes.into(), is_last, is_closed, wakers }))
    }

    /// There is no pipe.
    pub(crate) fn closed() -> Self {
        let input = Self::new(Vec::new(), true);
        input.close();
        input
    }

    /// Puts these bytes behind the others. True if that is news: while there were some, the driver knows.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<bool, InputClosed> {
        let mut buffer = self.0.lock();
        if buffer.is_closed || buffer.is_last {
            return Err(InputClosed);
        }
        let is_news = buffer.bytes.is_empty() && !bytes.is_empty();
        buffer.bytes.extend(bytes);
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
        if buffer.bytes.is_empty() {
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
        !buffer.bytes.is_empty() || buffer.is_last
    }

    /// Writes what the pipe takes now. `Break` says that it is to be closed.
    pub(crate) fn feed(&self, pipe: &mut File) -> ControlFlow<()> {
        let (mut buffer, mut n_written) = (self.0.lock(), 0);
        while !buffer.bytes.is_empty() {
            if n_written >= A_TURN {
                return Continue(());
            }
            match pipe.write(buffer.bytes.as_slices().0) {
                Ok(n) => {
                    buffer.bytes.drain(..n);
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
        wake_all(wakers);
        if is_last { Break(()) } else { Continue(()) }
    }

    /// The pipe is closed: whoever waits will wait no longer.
    pub(crate) fn close(&self) {
        let mut buffer = self.0.lock();
        buffer.is_closed = true;
        let wakers = mem::take(&mut buffer.wakers);
        drop(buffer);
        wake_all(wakers);
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::process::sys;

    #[test]
    fn many_small_writes_are_news_once() {
        let (_reader, writer) = sys::pipe().expect("a pipe");
        let input = Input::new(Vec::new(), false);
        assert_eq!(
            [b"".as_slice(), b"a", b"b"].map(|bytes| input.write(bytes)),
            [Ok(false), Ok(true), Ok(false)]
        );
        assert!(input.feed(&mut writer.into()).is_continue());
        assert_eq!(input.write(b"c"), Ok(true), "those before are in the pipe");
    }
}

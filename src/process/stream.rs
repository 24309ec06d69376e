//! One of the two output pipes, and what becomes of what comes out.
//!
//! Knows nothing of exits and deadlines. What must always hold: a read takes a bounded amount and
//! never waits; a reader of lines who is behind holds the pipe up, but what a child wrote before its
//! exit is read all the same.

use std::fs::File;
use std::io::{ErrorKind, Read};

use super::lines::Line;
use super::output::{Capture, Captured, Source, Splitter};
use super::state::ChildState;

/// What is read of one pipe in one turn at most: the others are to have their turn too.
const A_TURN: usize = 256 << 10;
/// No pipe holds more than this, unless root says so. What is in it when a child exits is the child's.
const LEFT_IN_A_PIPE: usize = 1 << 20;

pub(crate) struct Stream {
    /// `None` if it was not captured, and once it has ended.
    pub(crate) pipe: Option<File>,
    pub(crate) source: Source,
    pub(crate) capture: Capture,
    /// If lines are wanted.
    pub(crate) splitter: Option<Splitter>,
    /// Whether it was, at the last look: its reader was behind.
    pub(crate) is_held_up: bool,
    /// How much was read since the exit.
    pub(crate) n_drained: usize,
}

impl Stream {
    /// Whether to look out for it: not while whoever reads the lines is behind, and at the end only
    /// for what may be in the pipe.
    pub(crate) fn is_wanted(&self, state: &ChildState, is_draining: bool) -> bool {
        let is_held_up = self.splitter.is_some() && state.lines.is_full();
        self.pipe.is_some() && (!is_held_up || is_draining && self.n_drained < LEFT_IN_A_PIPE)
    }

    /// Reads what there is, within bounds; whether there was something.
    pub(crate) fn read(
        &mut self,
        state: &ChildState,
        scratch: &mut [u8],
        is_draining: bool,
    ) -> bool {
        let (mut n_read, mut lines) = (0, Vec::new());
        while let Some(pipe) = &mut self.pipe {
            if n_read >= A_TURN {
                break;
            }
            match pipe.read(scratch) {
                Ok(n) if n > 0 => {
                    n_read += n;
                    self.take(&scratch[..n], &mut lines);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => self.pipe = None, // The end; or an error, after which there is no more.
            }
        }
        if !lines.is_empty() {
            state.lines.push(lines);
        }
        if is_draining {
            self.n_drained += n_read;
        }
        n_read > 0
    }

    fn take(&mut self, bytes: &[u8], lines: &mut Vec<Line>) {
        self.capture.keep(bytes);
        if let Some(splitter) = &mut self.splitter {
            let source = self.source;
            splitter.split(bytes, |bytes, goes_on| lines.push(Line { source, bytes, goes_on }));
        }
    }

    pub(crate) fn finish(&mut self, state: &ChildState) -> Captured {
        self.pipe = None;
        let last = self.splitter.as_mut().and_then(Splitter::finish);
        let source = self.source;
        let lines = last.into_iter().map(|bytes| Line { source, bytes, goes_on: false });
        state.lines.push(lines.collect());
        self.capture.finish()
    }
}

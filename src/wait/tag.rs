//! What a future that is not ready waits for, in words, for a report on a program that hangs.
//!
//! Knows nothing of who reads it. A leaf (a sleep, a handle, a place in a line) that is about to be
//! pending says what it waits for; whoever polls hears the last thing that was said. What must
//! always hold: a word costs a write to a thread-local, and is put into a sentence only when asked.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use crate::prims::thread_local;

/// What is waited for.
#[derive(Clone)]
pub(crate) enum Tag {
    /// Put so that it follows "waits for".
    Words(&'static str),
    /// A task of the executor that polls, by its number.
    Task(usize),
    /// To be asked when the sentence is made: it counts something.
    Ask(Arc<dyn Describe>),
}

/// Something that can say, at any time, what those who wait for it wait for.
pub(crate) trait Describe {
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

thread_local! {
    static SAID: Cell<Option<Tag>> = const { Cell::new(None) };
}

/// Says, from inside a poll that will be pending: this is what I wait for.
pub(crate) fn say(tag: Tag) {
    // A thread that is ending may have lost its locals; then nobody asks either.
    let _ = SAID.try_with(|said| said.set(Some(tag)));
}

/// Hears what was said last, since it was asked before.
pub(crate) fn hear() -> Option<Tag> {
    SAID.try_with(Cell::take).ok().flatten()
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Task(number) => write!(f, "task {number}"),
            Self::Ask(describe) => describe.describe(f),
        }
    }
}

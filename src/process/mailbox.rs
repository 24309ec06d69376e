//! Where the driver gets its letters, and how its thread comes and goes.
//!
//! Knows nothing of what a letter says, nor of how the bell rings: in a process it is a byte in a
//! pipe, in a model check a parker.
//!
//! What must always hold:
//!
//! 1. While a letter lies here, the thread is up, and the bell has rung since the letter came.
//! 2. The thread leaves only from an empty mailbox, and by then the next letter starts another.

use std::io;
use std::mem;
use std::sync::Arc;

use crate::prims::Mutex;

/// What makes the driver look up.
pub(crate) trait Bell: Send + Sync {
    fn ring(&self);
}

pub(crate) struct Mailbox<L, B>(Mutex<State<L, B>>);

struct State<L, B> {
    letters: Vec<L>,
    /// The bell of the thread that is up, if one is.
    bell: Option<Arc<B>>,
}

impl<L, B> Default for Mailbox<L, B> {
    fn default() -> Self {
        Self(Mutex::new(State { letters: Vec::new(), bell: None }))
    }
}

impl<L, B: Bell> Mailbox<L, B> {
    /// Leaves a letter, and starts a thread if none is up. The letter is dropped if that fails.
    pub(crate) fn post(
        &self,
        letter: L,
        start: impl FnOnce() -> io::Result<Arc<B>>,
    ) -> io::Result<()> {
        let mut state = self.0.lock();
        let bell = match &state.bell {
            Some(bell) => bell.clone(),
            None => state.bell.insert(start()?).clone(),
        };
        state.letters.push(letter);
        drop(state);
        bell.ring();
        Ok(())
    }

    /// Leaves a letter if a thread is up; otherwise there is nobody whom it could concern.
    pub(crate) fn post_if_up(&self, letter: L) {
        let mut state = self.0.lock();
        if let Some(bell) = state.bell.clone() {
            state.letters.push(letter);
            drop(state);
            bell.ring();
        }
    }

    /// Takes the letters. The thread calls it after it has heard the bell, not before.
    pub(crate) fn collect(&self) -> Vec<L> {
        mem::take(&mut self.0.lock().letters)
    }

    /// Whether the thread may leave, as it then must.
    pub(crate) fn leave(&self) -> bool {
        let mut state = self.0.lock();
        let is_empty = state.letters.is_empty();
        if is_empty {
            state.bell = None;
        }
        is_empty
    }
}

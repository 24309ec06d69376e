//! Where the driver gets its letters, and how its thread comes and goes.
//!
//! Knows nothing of what a letter says, nor of how the bell rings: in a process it is a byte in a
//! pipe, in a model check a parker.
//!
//! What must always hold:
//!
//! 1. While letters lie here, the thread is up, and the bell has rung since the first of them came, or
//!    whoever left that one is about to ring it.
//! 2. The thread leaves only from an empty mailbox, and by then the next letter starts another.

use std::io;
use std::mem;
use std::sync::Arc;

use crate::prims::{Mutex, MutexGuard};

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
        if state.bell.is_none() {
            state.bell = Some(start()?);
        }
        push(state, letter);
        Ok(())
    }

    /// Leaves a letter if a thread is up; otherwise there is nobody whom it could concern.
    pub(crate) fn post_if_up(&self, letter: L) {
        push(self.0.lock(), letter);
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

/// Leaves a letter with the thread that is up, and rings if it is the first since it came to look.
fn push<L, B: Bell>(mut state: MutexGuard<'_, State<L, B>>, letter: L) {
    if let Some(bell) = state.bell.clone() {
        let is_first = state.letters.is_empty();
        state.letters.push(letter);
        drop(state);
        if is_first {
            bell.ring();
        }
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::prims::{AtomicUsize, Ordering::Relaxed};

    struct Rings(AtomicUsize);

    impl Bell for Rings {
        fn ring(&self) {
            self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed. One thread counts and reads.
        }
    }

    #[test]
    fn letters_that_lie_together_ring_once() {
        let (mailbox, bell) = (Mailbox::default(), Arc::new(Rings(AtomicUsize::new(0))));
        mailbox.post_if_up(0);
        assert!(mailbox.post(1, || Ok(bell.clone())).is_ok());
        mailbox.post_if_up(2);
        assert_eq!(bell.0.load(Relaxed), 1); // ORDERING: Relaxed, as above.
        assert_eq!(mailbox.collect(), [1, 2], "nobody was up for the first");
        mailbox.post_if_up(3);
        assert_eq!(bell.0.load(Relaxed), 2); // ORDERING: Relaxed, as above.
    }
}

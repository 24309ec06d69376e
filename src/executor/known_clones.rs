//! Which clones of wakers are in known hands, so that a hang can be proved although they are there.
//!
//! Knows nothing of tasks: a waker is known by what it holds. What must always hold: no more clones are counted than
//! there are.
//!
//! A task that is polled has been woken, perhaps by such a clone, which is gone then. So each poll forgets them, and what
//! stays is counted again as what keeps it is polled again. Too few are known otherwise, which may hide a hang; one too
//! many would report what is none.

use std::collections::BTreeMap;
use std::rc::Rc;

/// For each waker, by what it holds, a token that whatever keeps a clone of it in known hands shares.
#[derive(Default)]
pub(crate) struct KnownClones(BTreeMap<*const (), Rc<()>>);

impl KnownClones {
    /// A clone of the waker that holds this is, for as long as the token lives, in something which never leaves this
    /// thread: a group, a map. It is in known hands, for only what is polled here could wake it.
    pub(crate) fn add(&mut self, held: *const ()) -> Rc<()> {
        self.0.entry(held).or_default().clone()
    }

    /// The task whose waker holds this is polled, perhaps for the first time: the waker may be where another one was.
    /// The tokens that are still there are of no account.
    #[inline]
    pub(crate) fn forget(&mut self, held: *const ()) {
        if !self.0.is_empty() {
            self.forget_some(held);
        }
    }

    #[cold]
    fn forget_some(&mut self, held: *const ()) {
        self.0.remove(&held);
    }

    /// How many there are of each.
    pub(crate) fn counts(&mut self) -> BTreeMap<*const (), usize> {
        self.0.retain(|_, token| Rc::strong_count(token) > 1);
        self.0.iter().map(|(held, token)| (*held, Rc::strong_count(token) - 1)).collect()
    }
}

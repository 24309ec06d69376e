//! Which clones of wakers are in known hands, so that a hang can be proved although they are there.
//!
//! Knows nothing of tasks: a waker is known by what it holds. What must always hold: no more clones are counted than
//! there are.
//!
//! A task that is polled has been woken, perhaps by such a clone, which is gone then. So each poll forgets them, and what
//! stays is counted again as what keeps it is polled again. Too few are known otherwise, which may hide a hang; one too
//! many would report what is none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many clones of each waker are in known hands, by what it holds, and since which poll.
#[derive(Default)]
pub(crate) struct KnownClones {
    by_waker: BTreeMap<*const (), (usize, usize)>,
    n_polls: usize,
}

impl KnownClones {
    /// The task whose waker holds this is polled.
    pub(crate) fn forget(&mut self, held: *const ()) {
        if !self.by_waker.is_empty() {
            self.by_waker.remove(&held);
            self.n_polls += 1;
        }
    }

    /// How many there are of each.
    pub(crate) fn counts(&self) -> BTreeMap<*const (), usize> {
        self.by_waker.iter().map(|(held, (_, n))| (*held, *n)).collect()
    }
}

/// A clone of a waker that is in something which never leaves this thread, for as long as this lives: a group, a
/// map. It is in known hands, for only what is polled here could wake it.
pub(crate) struct Confined {
    known: Rc<RefCell<KnownClones>>,
    held: *const (),
    since: usize,
}

impl Confined {
    pub(crate) fn new(known: &Rc<RefCell<KnownClones>>, held: *const ()) -> Self {
        let mut clones = known.borrow_mut();
        let n_polls = clones.n_polls;
        let (since, n) = clones.by_waker.entry(held).or_insert((n_polls, 0));
        *n += 1;
        Self { known: known.clone(), held, since: *since }
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        let by_waker = &mut self.known.borrow_mut().by_waker;
        match by_waker.get_mut(&self.held) {
            Some((since, n)) if *since == self.since && *n > 1 => *n -= 1,
            Some((since, _)) if *since == self.since => drop(by_waker.remove(&self.held)),
            Some(_) | None => {} // It was forgotten.
        }
    }
}

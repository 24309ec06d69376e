//! The tree behind cancellation tokens: what is below what, what is cancelled, and the waiters for that.
//!
//! Knows nothing of clocks and deadlines, nor of what is cancelled. A tree is written down as brackets: each node has an
//! opening and a closing one, and what stands between the two is below it. So `( a ( b ) ( c ( d ) ) )` is a root `a`
//! with two children, of which the second has a child `d`. A new child is written right behind the opening bracket of its
//! parent. A node that goes takes its two brackets along, and what was between them is between those around it, as it
//! has to be. It is tempting to keep parents and children; but then a node that goes has to find its children a new
//! parent, or stay until they have gone too.
//!
//! What must always hold:
//!
//! 1. Below a cancelled node everything is cancelled, for the same reason.
//! 2. A waiter looks, and leaves its waker, in one step under the lock of its line. A canceller takes that lock after
//!    the reason is there, so no cancel falls between.
//! 3. Everything that walks the tree walks in a loop: a chain may be a hundred thousand deep.
//! 4. No waker is woken or dropped, and no node, under a lock. That of a line is taken under that of the tree.
//! 5. A node is in the tree as long as it is held and not cancelled; or it is about to leave it. So a tree takes no more
//!    room than the tokens that are held, also if each is the child of the last, which is dropped.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::prims::{Mutex, SetOnce};

use super::wait_list::{Key, WaitList, locked, poll_locked};

/// A node, with data that is the token's. It stays in the tree until the last that holds it is dropped.
pub(crate) struct Node<T> {
    tree: Arc<Mutex<Tree<T>>>,
    /// Why it is cancelled, if it is: to be read without a lock, and written under that of the tree, so that no writer
    /// waits for another.
    reason: SetOnce<CancelReason>,
    /// The waiters, once there has been one: to most tokens none ever comes.
    line: Mutex<Option<Box<WaitList>>>,
    pub(crate) data: T,
}

/// The nodes, by their [places](Node::at). A node's opening bracket is at its place, and the closing one is next to it,
/// at an odd number. All brackets are in one ring.
struct Tree<T>(BTreeMap<usize, Entry<T>>);

struct Entry<T> {
    node: Weak<Node<T>>,
    brackets: [Bracket; 2],
}

#[derive(Clone, Copy)]
struct Bracket {
    before: usize,
    behind: usize,
}

impl<T> Node<T> {
    /// The root of a new tree.
    pub(crate) fn root(data: T) -> Arc<Self> {
        Self::new(None, Arc::new(Mutex::new(Tree(BTreeMap::new()))), data)
    }

    /// A node below this one; cancelled, if this one is.
    pub(crate) fn child(&self, data: T) -> Arc<Self> {
        Self::new(Some(self), self.tree.clone(), data)
    }

    fn new(parent: Option<&Self>, tree: Arc<Mutex<Tree<T>>>, data: T) -> Arc<Self> {
        let (reason, line) = (SetOnce::new(), Mutex::default());
        let new = Arc::new(Self { tree, reason, line, data });
        let mut tree = new.tree.lock();
        match parent.and_then(Self::reason) {
            None => tree.insert(&new, parent.map(Self::at)),
            Some(reason) => new.set_reason(reason.clone()),
        }
        drop(tree);
        new
    }

    /// Cancels it and all below it; false if it was cancelled already.
    pub(crate) fn cancel(&self, reason: &CancelReason) -> bool {
        let cancelled = locked(&self.tree, |tree, wakers| {
            let mut cancelled = Vec::new();
            // Itself at last: until then what is below it can be found by it.
            while self.reason().is_none() {
                let first_within = tree.bracket(self.at()).behind & !1;
                let removed = tree.remove(first_within).upgrade();
                let Some(node) = removed else { continue }; // Its last token is being dropped.
                node.set_reason(reason.clone());
                if let Some(line) = &mut *node.line.lock() {
                    wakers.wake_all(line);
                }
                cancelled.push(node);
            }
            cancelled
        });
        !cancelled.is_empty()
    }

    /// Why it is cancelled, if it is. `None` means "not yet": ask again.
    pub(crate) fn reason(&self) -> Option<&CancelReason> {
        self.reason.get()
    }

    /// One poll of a waiter, which is woken when the node is cancelled: why it is, if it is.
    pub(crate) fn poll(&self, key: &mut Option<Key>, context: &Context<'_>) -> Poll<CancelReason> {
        poll_locked(&self.line, context, |line, wakers| {
            if let Some(reason) = self.reason() {
                *key = None; // The waiter was granted.
                return Poll::Ready(reason.clone());
            }
            let line = line.get_or_insert_default();
            let _ = line.poll(key, 1, &mut wakers.waiter); // Only a cancel grants.
            Poll::Pending
        })
    }

    /// A waiter goes.
    pub(crate) fn leave(&self, key: Key) {
        locked(&self.line, |line, wakers| wakers.leave(line.get_or_insert_default(), key));
    }

    /// Its place in the tree: where it is in memory, for no two are there, and that is an even number.
    fn at(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn set_reason(&self, reason: CancelReason) {
        self.reason.set(reason).expect("what is cancelled is not in the tree any more");
    }
}

impl<T> Drop for Node<T> {
    fn drop(&mut self) {
        // What is cancelled is not in the tree any more.
        if self.reason().is_none() {
            let mut tree = self.tree.lock();
            // Nor is what a cancel has come upon since the last token went.
            if tree.0.contains_key(&self.at()) {
                tree.remove(self.at());
            }
        }
    }
}

impl<T> Tree<T> {
    /// Puts it below a parent, or into a ring of its own.
    fn insert(&mut self, node: &Arc<Node<T>>, parent: Option<usize>) {
        let (opens, closes) = (node.at(), node.at() + 1);
        let brackets = [closes, opens].map(|other| Bracket { before: other, behind: other });
        self.0.insert(opens, Entry { node: Arc::downgrade(node), brackets });
        if let Some(parent) = parent {
            let behind = self.bracket(parent).behind;
            self.join(parent, opens);
            self.join(closes, behind);
        }
    }

    /// Takes it out. What was between its brackets is between those around it.
    fn remove(&mut self, at: usize) -> Weak<Node<T>> {
        for bracket in [at, at + 1] {
            let Bracket { before, behind } = *self.bracket(bracket);
            self.join(before, behind);
        }
        self.0.remove(&at).expect("it is in the tree").node
    }

    fn join(&mut self, before: usize, behind: usize) {
        self.bracket(before).behind = behind;
        self.bracket(behind).before = before;
    }

    fn bracket(&mut self, at: usize) -> &mut Bracket {
        let entry = self.0.get_mut(&(at & !1)).expect("its node is in the tree");
        &mut entry.brackets[at & 1]
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    type Handle = Arc<Node<()>>;

    fn n_nodes(handle: &Handle) -> usize {
        handle.tree.lock().0.len()
    }

    #[test]
    fn a_chain_whose_last_node_alone_is_held_is_one_node_long() {
        let mut last = Node::root(());
        for _ in 0..1000 {
            last = last.child(());
        }
        assert_eq!(n_nodes(&last), 1);
    }

    #[test]
    fn children_that_have_gone_leave_nothing_behind() {
        let root = Node::root(());
        for is_cancelled in [false, true] {
            let middle = root.child(());
            let children: Vec<_> = (0..100_000).map(|_| middle.child(())).collect();
            assert_eq!(n_nodes(&root), 100_002);
            if is_cancelled {
                middle.cancel(&CancelReason::Requested);
            } else {
                drop((middle, children));
            }
            assert_eq!(n_nodes(&root), 1);
        }
    }

    #[test]
    fn a_node_that_goes_leaves_what_is_below_it_to_the_one_above() {
        let root = Node::root(());
        let middle = root.child(());
        let [left, right] = [(); 2].map(|()| middle.child(()));
        drop((middle.clone(), left));
        assert_eq!(n_nodes(&root), 3, "of two handles of the middle one is held");
        drop(middle);
        assert_eq!(n_nodes(&root), 2);
        root.cancel(&CancelReason::Requested);
        assert_eq!(right.reason(), Some(&CancelReason::Requested));
        assert_eq!(n_nodes(&root), 0);
    }

    /// The plainest thing that does the same: for each node its parent, held or not.
    #[derive(Default)]
    struct Plain {
        /// The handle while it is held, the parent here, and whether it is cancelled.
        nodes: Vec<(Option<Handle>, Option<usize>, bool)>,
    }

    impl Plain {
        fn add(&mut self, parent: Option<usize>) {
            let above = parent.map(|parent| &self.nodes[parent]);
            let new = |above: &Option<Handle>| above.as_ref().expect("it is held").child(());
            let handle = above.map_or_else(|| Node::root(()), |(above, ..)| new(above));
            let is_cancelled = above.is_some_and(|(.., is_cancelled)| *is_cancelled);
            self.nodes.push((Some(handle), parent, is_cancelled));
        }

        fn cancel(&mut self, at: usize) {
            let (handle, _, was_cancelled) = &self.nodes[at];
            let handle = handle.as_ref().expect("it is held");
            assert_eq!(handle.cancel(&CancelReason::Requested), !was_cancelled);
            self.nodes[at].2 = true;
            for below in at + 1..self.nodes.len() {
                let parent = self.nodes[below].1;
                self.nodes[below].2 |= parent.is_some_and(|parent| self.nodes[parent].2);
            }
        }

        fn agrees(&self) {
            let held =
                || self.nodes.iter().filter_map(|(handle, _, is)| Some((handle.as_ref()?, *is)));
            for (handle, is_cancelled) in held() {
                assert_eq!(handle.reason().is_some(), is_cancelled);
            }
            let n_in_tree = held().filter(|(_, is_cancelled)| !is_cancelled).count();
            if let Some((handle, _)) = held().next() {
                assert_eq!(n_nodes(handle), n_in_tree);
            }
        }
    }

    /// A number from 0 to below `n`, from a small generator with a seed.
    fn draw(state: &mut u64, n: usize) -> usize {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % n
    }

    #[test]
    fn a_tree_does_what_a_list_of_parents_does() {
        for mut state in 0..100 {
            let mut plain = Plain::default();
            plain.add(None);
            for _ in 0..200 {
                let at = draw(&mut state, plain.nodes.len());
                if plain.nodes[at].0.is_none() {
                    continue;
                }
                match draw(&mut state, 20) {
                    0 => plain.cancel(at),
                    1..9 => plain.nodes[at].0 = None,
                    _ => plain.add(Some(at)),
                }
                plain.agrees();
            }
        }
    }
}

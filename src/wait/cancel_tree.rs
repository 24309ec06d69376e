//! The tree behind cancellation tokens: which is whose child, which are cancelled, and the waiters for that.
//!
//! Knows nothing of clocks and deadlines, nor of what is cancelled. A tree has one lock. It is
//! tempting to give each node its own; but to cancel a node and register a child of it at the same
//! time then takes locks in two orders, and a node that leaves has to hold on to three others.
//!
//! What must always hold:
//!
//! 1. Below a cancelled node everything is cancelled, for the same reason.
//! 2. A waiter looks, and leaves its waker, in one step under the lock, so no cancel falls between.
//! 3. Everything that walks the tree walks in a loop: a chain may be a hundred thousand deep.
//! 4. No waker is woken or dropped under the lock.
//! 5. A node that is not held has two children at least, so there are fewer of these than of the
//!    held ones. A chain of tokens, each the child of the last, which is dropped, does not grow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::prims::{AtomicBool, Mutex, Ordering};

use super::wait_list::{Key, WaitList, locked, poll_locked};

use Ordering::{Acquire, Release};

#[derive(Default)]
pub(crate) struct Tree(Mutex<Nodes>);

#[derive(Default)]
struct Nodes {
    nodes: BTreeMap<usize, Node>,
    n_added: usize,
}

struct Node {
    parent: Option<usize>,
    children: BTreeSet<usize>,
    /// A token of this node is held. Without one, it stays as long as it joins children.
    is_held: bool,
    reason: Option<CancelReason>,
    flag: CancelledFlag,
    waiters: WaitList,
}

/// Whether a node is cancelled, to be read without the lock.
#[derive(Clone, Default)]
pub(crate) struct CancelledFlag(Arc<AtomicBool>);

impl CancelledFlag {
    pub(crate) fn is_set(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `set`: a reader that sees `true` also sees what the
        // canceller wrote before it cancelled. A stale `false` means "not yet": ask again.
        self.0.load(Acquire)
    }

    fn set(&self) {
        self.0.store(true, Release); // ORDERING: Release. Pairs with the Acquire in `is_set`.
    }
}

impl Tree {
    /// Adds a node, below a parent or as the root. It is held, and its number good, until `release`.
    pub(crate) fn add(&self, parent: Option<usize>) -> (usize, CancelledFlag) {
        let mut nodes = self.0.lock();
        let flag = CancelledFlag::default();
        let reason = parent.and_then(|parent| nodes.node(parent).reason.clone());
        if reason.is_some() {
            flag.set();
        }
        nodes.n_added += 1;
        let at = nodes.n_added;
        if let Some(parent) = parent {
            nodes.node(parent).children.insert(at);
        }
        let (children, waiters) = (BTreeSet::new(), WaitList::default());
        let node = Node { parent, children, is_held: true, reason, flag: flag.clone(), waiters };
        nodes.nodes.insert(at, node);
        (at, flag)
    }

    /// The node is not held any more. It goes, and so may its parent, if only it was there for it.
    pub(crate) fn release(&self, at: usize) {
        let mut nodes = self.0.lock();
        nodes.node(at).is_held = false;
        let mut next = Some(at);
        while let Some(at) = next {
            let node = nodes.node(at);
            if node.is_held || node.children.len() > 1 {
                return;
            }
            next = nodes.remove(at);
        }
    }

    /// Cancels a node and all below it; false if it was cancelled already.
    pub(crate) fn cancel(&self, at: usize, reason: &CancelReason) -> bool {
        locked(&self.0, |nodes, wakers| {
            if nodes.node(at).reason.is_some() {
                return false;
            }
            let mut to_cancel = vec![at];
            while let Some(at) = to_cancel.pop() {
                let node = nodes.node(at);
                if node.reason.is_some() {
                    continue; // And so is all below it.
                }
                node.reason = Some(reason.clone());
                node.flag.set();
                wakers.wake_all(&mut node.waiters);
                to_cancel.extend(&node.children);
            }
            true
        })
    }

    pub(crate) fn reason(&self, at: usize) -> Option<CancelReason> {
        self.0.lock().node(at).reason.clone()
    }

    /// One poll of a waiter, which is woken when the node is cancelled: why it is, if it is.
    pub(crate) fn poll(
        &self,
        at: usize,
        key: &mut Option<Key>,
        context: &Context<'_>,
    ) -> Poll<CancelReason> {
        poll_locked(&self.0, context, |nodes, wakers| {
            let node = nodes.node(at);
            if let Some(reason) = &node.reason {
                *key = None; // The waiter was granted.
                return Poll::Ready(reason.clone());
            }
            let _ = node.waiters.poll(key, 1, &mut wakers.waiter); // Only a cancel grants.
            Poll::Pending
        })
    }

    /// A waiter goes.
    pub(crate) fn leave(&self, at: usize, key: Key) {
        locked(&self.0, |nodes, wakers| wakers.leave(&mut nodes.node(at).waiters, key));
    }
}

impl Nodes {
    fn node(&mut self, at: usize) -> &mut Node {
        self.nodes.get_mut(&at).expect("a number is good while its node is held or has children")
    }

    /// Takes out a node; its only child, if there is one, is put where it was. Gives its parent.
    fn remove(&mut self, at: usize) -> Option<usize> {
        let Node { parent, children, .. } = self.nodes.remove(&at)?;
        for heir in &children {
            self.node(*heir).parent = parent;
        }
        let siblings = &mut self.node(parent?).children;
        siblings.remove(&at);
        siblings.extend(children);
        parent
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    fn n_nodes(tree: &Tree) -> usize {
        tree.0.lock().nodes.len()
    }

    #[test]
    fn a_chain_whose_last_node_alone_is_held_is_one_node_long() {
        let tree = Tree::default();
        let mut last = tree.add(None).0;
        for _ in 0..1000 {
            let (child, _) = tree.add(Some(last));
            tree.release(last);
            last = child;
        }
        assert_eq!(n_nodes(&tree), 1);
    }

    #[test]
    fn children_that_have_gone_leave_nothing_behind() {
        let tree = Tree::default();
        let root = tree.add(None).0;
        let children: Vec<_> = (0..100_000).map(|_| tree.add(Some(root)).0).collect();
        children.into_iter().for_each(|child| tree.release(child));
        let mut nodes = tree.0.lock();
        assert_eq!((nodes.nodes.len(), nodes.node(root).children.len()), (1, 0));
    }

    #[test]
    fn a_node_that_nobody_holds_stays_until_it_joins_nobody() {
        let tree = Tree::default();
        let root = tree.add(None).0;
        let middle = tree.add(Some(root)).0;
        let [left, right] = [(); 2].map(|()| tree.add(Some(middle)).0);
        tree.release(middle);
        assert_eq!(n_nodes(&tree), 4);
        tree.release(left);
        assert_eq!(n_nodes(&tree), 2);
        tree.cancel(root, &CancelReason::Requested);
        assert_eq!(tree.reason(right), Some(CancelReason::Requested));
        tree.release(root);
        tree.release(right);
        assert_eq!(n_nodes(&tree), 0);
    }

    /// The plainest thing that does the same: for each node its parent, held or not.
    #[derive(Default)]
    struct Plain {
        /// The number in the tree while it is held, the parent here, and whether it is cancelled.
        nodes: Vec<(Option<usize>, Option<usize>, bool)>,
    }

    impl Plain {
        fn add(&mut self, tree: &Tree, parent: Option<usize>) {
            let above = parent.map(|parent| self.nodes[parent]);
            let (number, flag) = tree.add(above.map(|(number, ..)| number.expect("it is held")));
            let is_cancelled = above.is_some_and(|(.., is_cancelled)| is_cancelled);
            assert_eq!(flag.is_set(), is_cancelled);
            self.nodes.push((Some(number), parent, is_cancelled));
        }

        fn cancel(&mut self, tree: &Tree, at: usize) {
            let (number, _, was_cancelled) = self.nodes[at];
            let number = number.expect("it is held");
            assert_eq!(tree.cancel(number, &CancelReason::Requested), !was_cancelled);
            self.nodes[at].2 = true;
            for below in at + 1..self.nodes.len() {
                let parent = self.nodes[below].1;
                self.nodes[below].2 |= parent.is_some_and(|parent| self.nodes[parent].2);
            }
        }

        fn agrees_with(&self, tree: &Tree) {
            let held = self.nodes.iter().filter_map(|(number, _, is)| Some(((*number)?, *is)));
            let mut n_held = 0;
            for (number, is_cancelled) in held {
                n_held += 1;
                assert_eq!(tree.reason(number).is_some(), is_cancelled);
            }
            assert!(n_nodes(tree) < 2 * n_held.max(1), "{} for {n_held}", n_nodes(tree));
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
            let (tree, mut plain) = (Tree::default(), Plain::default());
            plain.add(&tree, None);
            for _ in 0..200 {
                let at = draw(&mut state, plain.nodes.len());
                let Some(number) = plain.nodes[at].0 else { continue };
                match draw(&mut state, 20) {
                    0 => plain.cancel(&tree, at),
                    1..9 => {
                        tree.release(number);
                        plain.nodes[at].0 = None;
                    }
                    _ => plain.add(&tree, Some(at)),
                }
                plain.agrees_with(&tree);
            }
        }
    }
}

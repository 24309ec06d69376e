//! The tree behind cancellation tokens: who is whose child, who is cancelled, who waits to hear of it.
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
//! 4. Nobody is woken, and no waker dropped, under the lock.
//! 5. A node that nobody holds has two children at least, so there are fewer of these than of the
//!    held ones. A chain of tokens, each the child of the last, which is dropped, does not grow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::error::CancelReason;
use crate::panic;
use crate::prims::{AtomicBool, Mutex, Ordering};

use super::wait_list::{Key, Left, WaitList};

use Ordering::{Acquire, Release};

#[derive(Default)]
pub(crate) struct Tree(Mutex<Nodes>);

#[derive(Default)]
struct Nodes {
    places: Vec<Option<Node>>,
    /// The lowest is taken first, so that there are none at the end for long.
    vacant: BTreeSet<usize>,
}

struct Node {
    parent: Option<usize>,
    first_child: Option<usize>,
    previous_sibling: Option<usize>,
    next_sibling: Option<usize>,
    /// Somebody holds a token of this node. Without one, it stays as long as it joins children.
    is_held: bool,
    reason: Option<CancelReason>,
    flag: Flag,
    waiters: WaitList,
}

/// Whether a node is cancelled, to be read without the lock.
#[derive(Clone, Default)]
pub(crate) struct Flag(Arc<AtomicBool>);

impl Flag {
    pub(crate) fn is_set(&self) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `set`: whoever sees `true` also sees what the
        // canceller wrote before it cancelled. A stale `false` means "not yet": ask again.
        self.0.load(Acquire)
    }

    fn set(&self) {
        self.0.store(true, Release); // ORDERING: Release. Pairs with the Acquire in `is_set`.
    }
}

impl Tree {
    /// Adds a node, below a parent or as the root. It is held, and its number good, until `release`.
    pub(crate) fn add(&self, parent: Option<usize>) -> (usize, Flag) {
        let mut nodes = self.0.lock();
        let flag = Flag::default();
        let reason = parent.and_then(|parent| nodes.node(parent).reason.clone());
        if reason.is_some() {
            flag.set();
        }
        let at = nodes.vacant.pop_first().unwrap_or_else(|| {
            nodes.places.push(None);
            nodes.places.len() - 1
        });
        let next_sibling = parent.and_then(|parent| nodes.node(parent).first_child.replace(at));
        if let Some(next) = next_sibling {
            nodes.node(next).previous_sibling = Some(at);
        }
        nodes.places[at] = Some(Node {
            parent,
            first_child: None,
            previous_sibling: None,
            next_sibling,
            is_held: true,
            reason,
            flag: flag.clone(),
            waiters: WaitList::default(),
        });
        (at, flag)
    }

    /// Nobody holds this node any more. It goes, and so may its parent, if only it was there for it.
    pub(crate) fn release(&self, at: usize) {
        let mut nodes = self.0.lock();
        nodes.node(at).is_held = false;
        let mut next = Some(at);
        while let Some(at) = next {
            if nodes.node(at).is_held || nodes.joins_children(at) {
                return;
            }
            next = nodes.remove(at);
        }
    }

    /// Cancels a node and all below it; false if it was cancelled already.
    pub(crate) fn cancel(&self, at: usize, reason: &CancelReason) -> bool {
        let mut to_wake = Vec::new();
        let mut nodes = self.0.lock();
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
            to_wake.extend(std::iter::from_fn(|| node.waiters.serve_first()));
            let mut child = node.first_child;
            while let Some(at) = child {
                to_cancel.push(at);
                child = nodes.node(at).next_sibling;
            }
        }
        drop(nodes);
        panic::wake_each(to_wake);
        true
    }

    pub(crate) fn reason(&self, at: usize) -> Option<CancelReason> {
        self.0.lock().node(at).reason.clone()
    }

    /// One poll of a waiter, which is woken when the node is cancelled: why it is, if it is.
    pub(crate) fn poll(
        &self,
        at: usize,
        key: &mut Option<Key>,
        waker: Waker,
    ) -> Poll<CancelReason> {
        let mut waker = Some(waker);
        let mut nodes = self.0.lock();
        let node = nodes.node(at);
        let polled = match &node.reason {
            Some(reason) => {
                *key = None; // Whoever waited was served.
                Poll::Ready(reason.clone())
            }
            None => {
                let _ = node.waiters.poll(key, 1, &mut waker); // Only a cancel serves.
                Poll::Pending
            }
        };
        drop(nodes);
        panic::contain(|| drop(waker));
        polled
    }

    /// A waiter goes.
    pub(crate) fn leave(&self, at: usize, key: Key) {
        let left = self.0.lock().node(at).waiters.leave(key);
        match left {
            Left::Served => {}
            Left::Unserved(waker) => panic::contain(|| drop(waker)),
        }
    }
}

impl Nodes {
    fn node(&mut self, at: usize) -> &mut Node {
        self.places[at].as_mut().expect("a number is good while its node is held or has children")
    }

    /// Whether there are two children or more.
    fn joins_children(&mut self, at: usize) -> bool {
        let first = self.node(at).first_child;
        first.is_some_and(|first| self.node(first).next_sibling.is_some())
    }

    /// Gives back the vacant places at the end: each is paid for by the node that was there.
    fn give_back_room(&mut self) {
        let n = self.places.len();
        while let Some(None) = self.places.last() {
            self.places.pop();
        }
        if self.places.len() < n {
            self.vacant.split_off(&self.places.len());
        }
        if self.places.capacity() > 1024 && self.places.len() < self.places.capacity() / 4 {
            self.places.shrink_to(2 * self.places.len());
        }
    }

    /// Takes out a node; its only child, if there is one, takes its place. Gives its parent.
    fn remove(&mut self, at: usize) -> Option<usize> {
        let node = self.places[at].take()?;
        self.vacant.insert(at);
        self.give_back_room();
        let Node { parent, first_child: heir, previous_sibling, next_sibling, .. } = node;
        if let Some(heir) = heir {
            let heir = self.node(heir);
            heir.parent = parent;
            (heir.previous_sibling, heir.next_sibling) = (previous_sibling, next_sibling);
        }
        match (previous_sibling, parent) {
            (Some(previous), _) => self.node(previous).next_sibling = heir.or(next_sibling),
            (None, Some(parent)) => self.node(parent).first_child = heir.or(next_sibling),
            (None, None) => {}
        }
        if let Some(next) = next_sibling {
            self.node(next).previous_sibling = heir.or(previous_sibling);
        }
        parent
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    fn n_nodes(tree: &Tree) -> usize {
        let nodes = tree.0.lock();
        nodes.places.len() - nodes.vacant.len()
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
        assert!(tree.0.lock().places.len() <= 2);
    }

    #[test]
    fn children_that_come_and_go_take_the_place_of_one() {
        let tree = Tree::default();
        let root = tree.add(None).0;
        for _ in 0..100_000 {
            tree.release(tree.add(Some(root)).0);
        }
        assert_eq!(tree.0.lock().places.len(), 1);
    }

    #[test]
    fn children_that_have_gone_give_their_room_back() {
        let tree = Tree::default();
        let root = tree.add(None).0;
        let children: Vec<_> = (0..100_000).map(|_| tree.add(Some(root)).0).collect();
        children.into_iter().for_each(|child| tree.release(child));
        let nodes = tree.0.lock();
        let room = (nodes.places.capacity(), nodes.vacant.len());
        assert!(room.0 < 2048 && room.1 < 2048, "{room:?}");
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

    /// The plainest thing that does the same: for each node its parent, whoever holds it or not.
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

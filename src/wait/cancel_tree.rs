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

use std::sync::Arc;
use std::task::Waker;

use crate::error::CancelReason;
use crate::panic;
use crate::prims::{AtomicBool, Mutex, Ordering};

use super::wait_list::{Key, Left, Turn, WaitList};

use Ordering::{Acquire, Release};

#[derive(Default)]
pub(crate) struct Tree(Mutex<Nodes>);

#[derive(Default)]
struct Nodes {
    places: Vec<Option<Node>>,
    vacant: Vec<usize>,
}

struct Node {
    parent: Option<usize>,
    first_child: Option<usize>,
    previous_sibling: Option<usize>,
    next_sibling: Option<usize>,
    /// Somebody holds a token of this node. Without one, it stays for its children's sake.
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
        let at = nodes.vacant.pop().unwrap_or_else(|| {
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

    /// Nobody holds this node any more. It goes, and with it every ancestor that it was there for.
    pub(crate) fn release(&self, at: usize) {
        let mut nodes = self.0.lock();
        nodes.node(at).is_held = false;
        let mut next = Some(at);
        while let Some(at) = next {
            let node = nodes.node(at);
            if node.is_held || node.first_child.is_some() {
                return;
            }
            next = node.parent;
            nodes.remove_leaf(at);
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
        for waker in to_wake {
            panic::contain(|| waker.wake());
        }
        true
    }

    pub(crate) fn reason(&self, at: usize) -> Option<CancelReason> {
        self.0.lock().node(at).reason.clone()
    }

    /// Why the node is cancelled, or else the key of a waiter that is woken when it is.
    pub(crate) fn wait(
        &self,
        at: usize,
        key: Option<Key>,
        waker: Waker,
    ) -> Result<CancelReason, Key> {
        let mut nodes = self.0.lock();
        let node = nodes.node(at);
        let (waiting, not_needed) = match (key, &node.reason) {
            (None, Some(reason)) => (Ok(reason.clone()), Some(waker)),
            (None, None) => (Err(node.waiters.enlist(waker)), None),
            (Some(key), reason) => match (node.waiters.look(key, waker), reason) {
                (Turn::Served(waker), Some(reason)) => (Ok(reason.clone()), Some(waker)),
                (Turn::NotYet(key, stale), _) => (Err(key), Some(stale)),
                (Turn::Served(_), None) => unreachable!("only a cancel serves"),
            },
        };
        drop(nodes);
        drop(not_needed);
        waiting
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

    fn remove_leaf(&mut self, at: usize) {
        let Some(node) = self.places[at].take() else { return };
        self.vacant.push(at);
        match (node.previous_sibling, node.parent) {
            (Some(previous), _) => self.node(previous).next_sibling = node.next_sibling,
            (None, Some(parent)) => self.node(parent).first_child = node.next_sibling,
            (None, None) => {}
        }
        if let Some(next) = node.next_sibling {
            self.node(next).previous_sibling = node.previous_sibling;
        }
    }
}

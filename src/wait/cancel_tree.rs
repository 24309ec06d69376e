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
//! 5. A node is in the tree as long as it is held and not cancelled. So a tree takes no more room than the tokens that
//!    are held, also if each is the child of the last, which is dropped.

use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::CancelReason;
use crate::prims::{AtomicUsize, Mutex, Ordering, SetOnce};

use super::wait_list::{Key, WaitList, locked, poll_locked};

use Ordering::Relaxed;

/// A node, as a token holds it, with data that is the token's. Clones are the same node, which stays in the tree until
/// the last of them is dropped.
pub(crate) struct NodeHandle<T>(Arc<Node<T>>);

struct Node<T> {
    tree: Arc<Mutex<Tree<T>>>,
    /// Where it is in the tree, as long as it is: to be read and written under the lock of the tree.
    at: AtomicUsize,
    /// How many handles there are. The tree, which keeps the node too, has none.
    n_handles: AtomicUsize,
    /// Why it is cancelled, if it is: to be read without a lock, and written under that of the tree, so that no writer
    /// waits for another.
    reason: SetOnce<CancelReason>,
    /// The waiters, once there has been one: to most tokens none ever comes.
    line: Mutex<Option<Box<WaitList>>>,
    data: T,
}

/// The nodes that are held and not cancelled, in no order, and their brackets: those of node `n` are `2 * n`, which
/// opens, and `2 * n + 1`, which closes. All brackets are in one ring.
struct Tree<T> {
    nodes: Vec<Arc<Node<T>>>,
    brackets: Vec<Bracket>,
}

#[derive(Clone, Copy)]
struct Bracket {
    before: usize,
    behind: usize,
}

impl<T> NodeHandle<T> {
    /// The root of a new tree.
    pub(crate) fn root(data: T) -> Self {
        let tree = Tree { nodes: Vec::new(), brackets: Vec::new() };
        Self::new(None, Arc::new(Mutex::new(tree)), data)
    }

    /// A node below this one; cancelled, if this one is.
    pub(crate) fn child(&self, data: T) -> Self {
        Self::new(Some(self), self.0.tree.clone(), data)
    }

    fn new(parent: Option<&Self>, tree: Arc<Mutex<Tree<T>>>, data: T) -> Self {
        let (at, n_handles) = (AtomicUsize::new(0), AtomicUsize::new(1));
        let (reason, line) = (SetOnce::new(), Mutex::default());
        let new = Self(Arc::new(Node { tree, at, n_handles, reason, line, data }));
        let mut tree = new.0.tree.lock();
        match parent.and_then(Self::reason) {
            None => tree.insert(new.0.clone(), parent.map(|parent| parent.0.at())),
            Some(reason) => new.0.set_reason(reason.clone()),
        }
        drop(tree);
        new
    }

    pub(crate) fn data(&self) -> &T {
        &self.0.data
    }

    /// Cancels it and all below it; false if it was cancelled already.
    pub(crate) fn cancel(&self, reason: &CancelReason) -> bool {
        let cancelled = locked(&self.0.tree, |tree, wakers| {
            let mut cancelled = Vec::new();
            // Itself at last: until then what is below it can be found by it.
            while self.reason().is_none() {
                let node = tree.remove(tree.first_within(self.0.at()));
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
        self.0.reason.get()
    }

    /// One poll of a waiter, which is woken when the node is cancelled: why it is, if it is.
    pub(crate) fn poll(&self, key: &mut Option<Key>, context: &Context<'_>) -> Poll<CancelReason> {
        poll_locked(&self.0.line, context, |line, wakers| {
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
        locked(&self.0.line, |line, wakers| wakers.leave(line.get_or_insert_default(), key));
    }
}

impl<T> Clone for NodeHandle<T> {
    fn clone(&self) -> Self {
        // ORDERING: Relaxed. There is this handle, so the count is not 0 meanwhile.
        self.0.n_handles.fetch_add(1, Relaxed);
        Self(self.0.clone())
    }
}

impl<T> Drop for NodeHandle<T> {
    fn drop(&mut self) {
        // What is cancelled is not in the tree any more, and its handles need not be counted.
        // ORDERING: Relaxed. One handle is the last, whatever the others did before; the lock orders the rest.
        if self.reason().is_none() && self.0.n_handles.fetch_sub(1, Relaxed) == 1 {
            let mut tree = self.0.tree.lock();
            if self.reason().is_none() {
                tree.remove(self.0.at());
            }
        }
    }
}

impl<T> Node<T> {
    fn at(&self) -> usize {
        self.at.load(Relaxed) // ORDERING: Relaxed. Read and written under the lock of the tree.
    }

    fn set_reason(&self, reason: CancelReason) {
        self.reason.set(reason).expect("what is cancelled is not in the tree any more");
    }
}

impl<T> Tree<T> {
    /// Puts it below a parent, or into a ring of its own.
    fn insert(&mut self, node: Arc<Node<T>>, parent: Option<usize>) {
        let at = self.nodes.len();
        node.at.store(at, Relaxed); // ORDERING: Relaxed, as in `at`.
        self.nodes.push(node);
        let (opens, closes) = (2 * at, 2 * at + 1);
        self.brackets.push(Bracket { before: closes, behind: closes });
        self.brackets.push(Bracket { before: opens, behind: opens });
        if let Some(parent) = parent {
            let behind = self.brackets[2 * parent].behind;
            self.join(2 * parent, opens);
            self.join(closes, behind);
        }
    }

    /// Takes it out. What was between its brackets is between those around it.
    fn remove(&mut self, at: usize) -> Arc<Node<T>> {
        for bracket in [2 * at, 2 * at + 1] {
            let Bracket { before, behind } = self.brackets[bracket];
            self.join(before, behind);
        }
        let last = self.nodes.len() - 1;
        if at != last {
            // The last one moves into the gap.
            for side in [0, 1] {
                let Bracket { before, behind } = self.brackets[2 * last + side];
                self.join(before, 2 * at + side);
                self.join(2 * at + side, behind);
            }
            self.nodes[last].at.store(at, Relaxed); // ORDERING: Relaxed, as in `at`.
        }
        self.brackets.truncate(2 * last);
        let removed = self.nodes.swap_remove(at);
        // What a flood needed, not what comes and goes.
        if self.nodes.capacity() > 1024 && last < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(2 * last);
            self.brackets.shrink_to(4 * last);
        }
        removed
    }

    /// The first child of this node; itself, if it has none.
    fn first_within(&self, at: usize) -> usize {
        self.brackets[2 * at].behind / 2
    }

    fn join(&mut self, before: usize, behind: usize) {
        self.brackets[before].behind = behind;
        self.brackets[behind].before = before;
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    type Handle = NodeHandle<()>;

    fn n_nodes(handle: &Handle) -> usize {
        handle.0.tree.lock().nodes.len()
    }

    #[test]
    fn a_chain_whose_last_node_alone_is_held_is_one_node_long() {
        let mut last = Handle::root(());
        for _ in 0..1000 {
            last = last.child(());
        }
        assert_eq!(n_nodes(&last), 1);
    }

    #[test]
    fn children_that_have_gone_leave_nothing_behind() {
        let root = Handle::root(());
        for is_cancelled in [false, true] {
            let middle = root.child(());
            let children: Vec<_> = (0..100_000).map(|_| middle.child(())).collect();
            assert_eq!(n_nodes(&root), 100_002);
            if is_cancelled {
                middle.cancel(&CancelReason::Requested);
            } else {
                drop((middle, children));
            }
            let tree = root.0.tree.lock();
            assert_eq!((tree.nodes.len(), tree.brackets.len()), (1, 2));
            assert!(tree.nodes.capacity() <= 1024 && tree.brackets.capacity() <= 4096);
        }
    }

    #[test]
    fn a_node_that_goes_leaves_what_is_below_it_to_the_one_above() {
        let root = Handle::root(());
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
            let handle = above.map_or_else(|| Handle::root(()), |(above, ..)| new(above));
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

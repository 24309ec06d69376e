//! Mistakes in cancellation tokens.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        poll_locked(&self.0, context, |nodes, wakers| {
            let node = nodes.node(at);",
        wrong: "        if key.is_none() && self.0.lock().node(at).reason.is_none() {
            let mut waker = Some(context.waker().clone());
            let _ = self.0.lock().node(at).waiters.poll(key, 1, &mut waker);
            return Poll::Pending;
        }
        poll_locked(&self.0, context, |nodes, wakers| {
            let node = nodes.node(at);",
        mistake: "looking at a token and leaving a waker are two steps",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                to_cancel.extend(&node.children);",
        wrong: "",
        mistake: "a cancel does not go down the tree",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                wakers.wake_all(&mut node.waiters);",
        wrong: "                wakers.wake_first(&mut node.waiters);",
        mistake: "a cancel serves only the first in line",
        caught_by: "tokens::two_waits_of_one_token_end_both",
    },
    Mutant {
        file: "src/wait/wait_list.rs",
        right: "                Some(key) => *waker = self.waker_of(key).replace(newest),",
        wrong: "                Some(_) => *waker = Some(newest),",
        mistake: "the first waker of a wait is kept, whoever polls afterwards",
        caught_by: "tokens::the_newest_waker_of_a_wait_is_the_one_that_is_woken",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        locked(&self.0, |nodes, wakers| {
            if nodes.node(at).reason.is_some() {",
        wrong: "        self.0.lock().node(at).flag.set();
        locked(&self.0, |nodes, wakers| {
            if nodes.node(at).reason.is_some() {",
        mistake: "the flag is set before there is a reason",
        caught_by: "tokens::who_sees_that_it_is_cancelled_sees_why",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        let mut nodes = self.0.lock();
        let flag = CancelledFlag::default();
        let reason = parent.and_then(|parent| nodes.node(parent).reason.clone());",
        wrong: "        let flag = CancelledFlag::default();
        let reason = parent.and_then(|parent| self.0.lock().node(parent).reason.clone());
        let mut nodes = self.0.lock();",
        mistake: "a child asks its parent and is born in two steps",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        if reason.is_some() {
            flag.set();
        }
",
        wrong: "",
        mistake: "a child of a cancelled token does not show it",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "self.node(*heir).parent = parent;",
        wrong: "self.node(*heir).parent = None;",
        mistake: "a token that goes leaves its only child without a parent",
        caught_by: "tokens::a_token_that_goes_leaves_its_children_to_be_cancelled",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        nodes.node(at).is_held = false;
",
        wrong: "        nodes.node(at).is_held = false;
        drop(nodes);
        let mut nodes = self.0.lock();
",
        mistake: "a token is let go and looked after in two steps",
        caught_by: "tokens::tokens_that_go_at_once_go_once",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        locked(&self.0, |nodes, wakers| wakers.leave(&mut nodes.node(at).waiters, key));",
        wrong: "        locked(&self.0, |nodes, wakers| {
            let waiters = &mut nodes.node(at).waiters;
            wakers.leave(waiters, key);
            waiters.grant_first();
        });",
        mistake: "a wait that goes takes the next one's turn along",
        caught_by: "tokens::a_wait_that_goes_while_the_token_is_cancelled_leaves_nothing",
    },
    Mutant {
        file: "src/wait/cancel.rs",
        right: "            self.token.0.tree.leave(self.token.0.node, key);",
        wrong: "            drop(key);",
        mistake: "a wait that goes leaves its waker behind",
        caught_by: "tokens::a_wait_that_has_gone_is_not_woken",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        locked(&self.0, |nodes, wakers| {
            if nodes.node(at).reason.is_some() {
                return false;
            }
",
        wrong: "        if self.0.lock().node(at).reason.is_some() {
            return false;
        }
        locked(&self.0, |nodes, wakers| {
",
        mistake: "whoever looks before the first cancel takes itself for the first",
        caught_by: "tokens::two_cancels_have_one_winner",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                    continue; // And so is all below it.
",
        wrong: "",
        mistake: "a cancel from above gives another reason to what was cancelled",
        caught_by: "tokens::all_below_a_cancelled_token_have_its_reason",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        siblings.remove(&at);",
        wrong: "",
        mistake: "a token that goes stays among its parent's children",
        caught_by: "--lib wait::cancel_tree::tests::a_tree_does_what_a_list_of_parents_does",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        siblings.extend(children);",
        wrong: "",
        mistake: "a token that goes takes its only child along",
        caught_by: "--lib wait::cancel_tree::tests::a_node_that_nobody_holds_stays_until_it_joins_nobody",
    },
];

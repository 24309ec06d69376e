//! Mistakes in cancellation tokens.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        poll_locked(&self.line, context, |line, wakers| {
            if let Some(reason) = self.reason() {
                *key = None; // The waiter was granted.",
        wrong: "        let is_new = key.is_none() && self.reason().is_none();
        poll_locked(&self.line, context, |line, wakers| {
            if let Some(reason) = self.reason().filter(|_| !is_new) {
                *key = None; // The waiter was granted.",
        mistake: "looking at a token and leaving a waker are two steps",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "tree.bracket(self.at()).behind & !1;",
        wrong: "self.at();",
        mistake: "a cancel does not go down the tree",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                    wakers.wake_all(line);",
        wrong: "                    wakers.wake_first(line);",
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
        right: "                node.set_reason(reason.clone());
                if let Some(line) = &mut *node.line.lock() {
                    wakers.wake_all(line);
                }
",
        wrong: "                if let Some(line) = &mut *node.line.lock() {
                    wakers.wake_all(line);
                }
                drop(node.line.lock()); // For the checker, which switches threads at steps that it sees.
                node.set_reason(reason.clone());
",
        mistake: "the waiters are taken from the line before there is a reason",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        let mut tree = new.tree.lock();
        match parent.and_then(Self::reason) {",
        wrong: "        let reason = parent.and_then(Self::reason);
        let mut tree = new.tree.lock();
        match reason {",
        mistake: "a child asks its parent and is born in two steps",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "            Some(reason) => new.set_reason(reason.clone()),",
        wrong: "            Some(_) => tree.insert(&new, None),",
        mistake: "a child of a cancelled token does not show it",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        for bracket in [at, at + 1] {
            let Bracket { before, behind } = *self.bracket(bracket);
            self.join(before, behind);
        }
",
        wrong: "        let [opens, closes] = [*self.bracket(at), *self.bracket(at + 1)];
        self.join(opens.before, closes.behind);
        self.join(closes.before, opens.behind);
",
        mistake: "a token that goes leaves its children to themselves",
        caught_by: "tokens::a_token_that_goes_leaves_its_children_to_be_cancelled",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "            if tree.0.contains_key(&self.at()) {
                tree.remove(self.at());
            }
",
        wrong: "            tree.remove(self.at());
",
        mistake: "looking whether a token is in the tree and taking it out are two steps",
        caught_by: "tokens::tokens_that_go_at_once_go_once",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        locked(&self.line, |line, wakers| wakers.leave(line.get_or_insert_default(), key));",
        wrong: "        locked(&self.line, |line, wakers| {
            wakers.leave(line.get_or_insert_default(), key);
            line.get_or_insert_default().grant_first();
        });",
        mistake: "a wait that goes takes the next one's turn along",
        caught_by: "tokens::a_wait_that_goes_while_the_token_is_cancelled_leaves_nothing",
    },
    Mutant {
        file: "src/wait/cancel.rs",
        right: "            self.token.0.leave(key);",
        wrong: "            drop(key);",
        mistake: "a wait that goes leaves its waker behind",
        caught_by: "tokens::a_wait_that_has_gone_is_not_woken",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        let cancelled = locked(&self.tree, |tree, wakers| {
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
        !cancelled.is_empty()",
        wrong: "        let is_first = self.reason().is_none();
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
        is_first",
        mistake: "whoever looks before the first cancel takes itself for the first",
        caught_by: "tokens::two_cancels_have_one_winner",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                let removed = tree.remove(first_within).upgrade();",
        wrong: "                let is_itself = first_within == self.at();
                let in_tree = tree.0[&first_within].node.clone();
                let removed = if is_itself { in_tree } else { tree.remove(first_within) }.upgrade();",
        mistake: "a token that is cancelled stays in the tree, to be cancelled again with those above",
        caught_by: "tokens::all_below_a_cancelled_token_have_its_reason",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "else { continue }; // Its last token is being dropped.",
        wrong: "else { break }; // Its last token is being dropped.",
        mistake: "a cancel ends at a token that is about to leave the tree",
        caught_by: "tokens::a_token_that_goes_leaves_its_children_to_be_cancelled",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "tree.bracket(self.at()).behind & !1",
        wrong: "tree.bracket(self.at()).before & !1",
        mistake: "a cancel goes up the tree, and not down",
        caught_by: "--lib wait::cancel_tree::tests::a_tree_does_what_a_list_of_parents_does",
    },
];

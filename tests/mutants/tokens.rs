//! Mistakes in cancellation tokens.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        poll_locked(&self.0.line, context, |line, wakers| {
            if let Some(reason) = self.reason() {
                *key = None; // The waiter was granted.",
        wrong: "        let is_new = key.is_none() && self.reason().is_none();
        poll_locked(&self.0.line, context, |line, wakers| {
            if let Some(reason) = self.reason().filter(|_| !is_new) {
                *key = None; // The waiter was granted.",
        mistake: "looking at a token and leaving a waker are two steps",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "tree.remove(tree.first_within(self.0.at()))",
        wrong: "tree.remove(self.0.at())",
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
                node.at(); // For the checker, which switches threads at steps that it sees.
                node.set_reason(reason.clone());
",
        mistake: "the waiters are taken from the line before there is a reason",
        caught_by: "tokens::a_cancel_ends_every_wait",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        let mut tree = new.0.tree.lock();
        match parent.and_then(Self::reason) {",
        wrong: "        let reason = parent.and_then(Self::reason);
        let mut tree = new.0.tree.lock();
        match reason {",
        mistake: "a child asks its parent and is born in two steps",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "            Some(reason) => new.0.set_reason(reason.clone()),",
        wrong: "            Some(_) => tree.insert(new.0.clone(), None),",
        mistake: "a child of a cancelled token does not show it",
        caught_by: "tokens::a_child_made_while_its_parent_is_cancelled_is_cancelled_too",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        for bracket in [2 * at, 2 * at + 1] {
            let Bracket { before, behind } = self.brackets[bracket];
            self.join(before, behind);
        }
",
        wrong: "        let [opens, closes] = [self.brackets[2 * at], self.brackets[2 * at + 1]];
        self.join(opens.before, closes.behind);
        self.join(closes.before, opens.behind);
",
        mistake: "a token that goes leaves its children to themselves",
        caught_by: "tokens::a_token_that_goes_leaves_its_children_to_be_cancelled",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "            let mut tree = self.0.tree.lock();
            if self.reason().is_none() {
                tree.remove(self.0.at());
            }
",
        wrong: "            self.0.tree.lock().remove(self.0.at());
",
        mistake: "looking whether a token is in the tree and taking it out are two steps",
        caught_by: "tokens::tokens_that_go_at_once_go_once",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        locked(&self.0.line, |line, wakers| wakers.leave(line.get_or_insert_default(), key));",
        wrong: "        locked(&self.0.line, |line, wakers| {
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
        right: "        let cancelled = locked(&self.0.tree, |tree, wakers| {
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
        !cancelled.is_empty()",
        wrong: "        let is_first = self.reason().is_none();
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
        is_first",
        mistake: "whoever looks before the first cancel takes itself for the first",
        caught_by: "tokens::two_cancels_have_one_winner",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "                let node = tree.remove(tree.first_within(self.0.at()));",
        wrong: "                let first = tree.first_within(self.0.at());
                let node = if first == self.0.at() {
                    tree.nodes[first].clone()
                } else {
                    tree.remove(first)
                };",
        mistake: "a token that is cancelled stays in the tree, to be cancelled again with those above",
        caught_by: "tokens::all_below_a_cancelled_token_have_its_reason",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right:
            "            self.nodes[last].at.store(at, Relaxed); // ORDERING: Relaxed, as in `at`.
",
        wrong: "",
        mistake: "the token that fills a gap is not told where it is now",
        caught_by: "--lib wait::cancel_tree::tests::a_tree_does_what_a_list_of_parents_does",
    },
    Mutant {
        file: "src/wait/cancel_tree.rs",
        right: "        self.brackets[2 * at].behind / 2",
        wrong: "        self.brackets[2 * at].before / 2",
        mistake: "a cancel goes up the tree, and not down",
        caught_by: "--lib wait::cancel_tree::tests::a_tree_does_what_a_list_of_parents_does",
    },
];

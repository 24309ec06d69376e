//! Mistakes that the checks of sharing must catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/sync/permits.rs",
        right: "            Left::Served => self.give(n, to_wake),",
        wrong: "            Left::Served => {}",
        mistake: "who is served and goes takes the permit along",
        caught_by: "sync::a_permit_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/permits.rs",
        right: "        if key.is_none() && self.try_take(n) {",
        wrong: "        if false {",
        mistake: "looking for a permit and standing in line are two steps",
        caught_by: "sync::a_permit_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/permits.rs",
        right: "                to_wake.drop(Some(waker));
                self.serve(to_wake);",
        wrong: "                to_wake.drop(Some(waker));",
        mistake: "who goes unserved leaves those behind it waiting",
        caught_by: "sync::one_that_wants_many_and_goes_makes_way",
    },
    Mutant {
        file: "src/sync/permits.rs",
        right: "                Some(rest) => self.n_free = rest,",
        wrong: "                Some(_) => {}",
        mistake: "a permit that is handed over stays free",
        caught_by: "sync::a_permit_that_was_handed_over_is_nobody_elses",
    },
    Mutant {
        file: "src/sync/permits.rs",
        right: "                None if self.is_closed => {} // It is told that there are none.
",
        wrong: "",
        mistake: "a close tells only those whom it has permits for",
        caught_by: "sync::a_close_ends_every_wait_for_a_permit",
    },
    Mutant {
        file: "src/sync/to_wake.rs",
        right: "            Some(_) => self.more.push(waker),",
        wrong: "            Some(_) => drop(waker),",
        mistake: "only the first of several is woken",
        caught_by: "sync::a_close_ends_every_wait_for_a_permit",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.gets.give(1, to_wake);",
        wrong: "        let _ = to_wake;",
        mistake: "an item is put, and nobody is told",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.rooms.give(1, to_wake);",
        wrong: "",
        mistake: "an item that is got leaves no room",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.rooms.give(1, to_wake);
        self.close_if_drained(to_wake);",
        wrong: "        self.rooms.give(1, to_wake);",
        mistake: "the last item of a closed queue ends nobody's wait",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        if self.rooms.is_closed() && self.items.is_empty() {",
        wrong: "        if self.rooms.is_closed() && self.gets.n_free() == 0 {",
        mistake: "a queue is over when all its items are promised",
        caught_by: "sync::the_last_item_of_a_closed_queue_is_got_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "            locked(&self.queue.state, |state, to_wake| state.rooms.leave(1, key, to_wake));",
        wrong: "            locked(&self.queue.state, |state, to_wake| state.rooms.leave(0, key, to_wake));",
        mistake: "a put that is served and goes takes its room along",
        caught_by: "sync::room_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/item.rs",
        right: "        locked(n, |n, to_wake| {
            *n -= 1;
            if *n == 0 {
                is_none.set_under_lock(to_wake);
            }
        });",
        wrong: "        let is_last = locked(n, |n, _| {
            *n -= 1;
            *n == 0
        });
        if is_last {
            locked(n, |_, to_wake| is_none.set_under_lock(to_wake));
        }",
        mistake: "the count and its flag are two steps",
        caught_by: "sync::a_join_waits_for_what_is_put_while_the_last_is_done",
    },
    Mutant {
        file: "src/sync/flag.rs",
        right: "        while let Some(waker) = self.line.serve_first() {",
        wrong: "        if let Some(waker) = self.line.serve_first() {",
        mistake: "a flag that is set tells only the first in line",
        caught_by: "sync::a_flag_that_is_set_ends_every_wait",
    },
    Mutant {
        file: "src/sync/flag.rs",
        right: "        let polled = locked(&flag.0, |state, to_wake| {
            if key.is_none() && state.is_set {
                to_wake.drop(Some(waker));
                return Poll::Ready(());
            }",
        wrong: "        if key.is_none() && flag.is_set() {
            return Poll::Ready(());
        }
        let polled = locked(&flag.0, |state, to_wake| {",
        mistake: "looking at a flag and standing in line are two steps",
        caught_by: "sync::a_join_hears_of_the_last_item",
    },
];

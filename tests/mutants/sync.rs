//! Mistakes that the checks of sharing must catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/permits.rs",
        right: "        self.give(if is_granted { n } else { 0 }, wakers);",
        wrong: "        if !is_granted {
            self.give(0, wakers);
        }",
        mistake: "who is served and goes takes the permit along",
        caught_by: "sync::a_permit_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/wait/permits.rs",
        right: "        if key.is_none() && self.try_take(n).is_ok() {",
        wrong: "        if key.is_none() && wakers.waiter.is_none() && self.try_take(n).is_ok() {",
        mistake: "looking for a permit and standing in line are two steps",
        caught_by: "sync::a_permit_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/wait/permits.rs",
        right: "        self.give(if is_granted { n } else { 0 }, wakers);",
        wrong: "        if is_granted {
            self.give(n, wakers);
        }",
        mistake: "who goes unserved leaves those behind it waiting",
        caught_by: "sync::one_that_wants_many_and_goes_makes_way",
    },
    Mutant {
        file: "src/wait/permits.rs",
        right: "                self.taken += need;",
        wrong: "                self.taken += need;
                self.limit += need;",
        mistake: "a permit that is handed over stays free",
        caught_by: "sync::a_permit_that_was_handed_over_is_nobody_elses",
    },
    Mutant {
        file: "src/wait/permits.rs",
        right: "            } else if !self.is_closed {",
        wrong: "            } else {",
        mistake: "a close tells only those whom it has permits for",
        caught_by: "sync::a_close_ends_every_wait_for_a_permit",
    },
    Mutant {
        file: "src/wait/wait_list.rs",
        right: "            Some((_, more)) => more.push(waker),",
        wrong: "            Some(_) => drop(waker),",
        mistake: "only the first of several is woken",
        caught_by: "sync::a_close_ends_every_wait_for_a_permit",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.gets.add(1, wakers);",
        wrong: "        let _ = wakers;",
        mistake: "an item is put, and nobody is told",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.rooms.give(1, wakers);",
        wrong: "",
        mistake: "an item that is got leaves no room",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        self.rooms.give(1, wakers);
        self.close_if_drained(wakers);",
        wrong: "        self.rooms.give(1, wakers);",
        mistake: "the last item of a closed queue ends nobody's wait",
        caught_by: "sync::what_is_put_is_got_and_the_end_is_told",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        if self.rooms.is_closed() && self.items.0.is_empty() {",
        wrong: "        if self.rooms.is_closed() && self.gets.n_free() == 0 {",
        mistake: "a queue is over when all its items are promised",
        caught_by: "sync::the_last_item_of_a_closed_queue_is_got_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "            locked(&self.queue.state, |state, wakers| state.rooms.leave(1, key, wakers));",
        wrong: "            locked(&self.queue.state, |state, wakers| state.rooms.leave(0, key, wakers));",
        mistake: "a put that is served and goes takes its room along",
        caught_by: "sync::room_reaches_who_stays_though_the_first_in_line_goes",
    },
    Mutant {
        file: "src/sync/item.rs",
        right: "        self.ended.with(|count, wakers| {
            // If there are some again, a waiter may have come after them, and goes on waiting.
            if self.n() == 0 {
                count.set_limit(usize::MAX, wakers);
                count.set_limit(0, wakers);
            }
        });",
        wrong: "        if self.n() == 0 {
            self.ended.set_limit(usize::MAX);
            self.ended.set_limit(0);
        }",
        mistake: "looking at the count and serving the line are two steps",
        caught_by: "sync::a_join_waits_for_what_is_put_while_the_last_is_done",
    },
    Mutant {
        file: "src/sync/item.rs",
        right: "        if self.0.n.fetch_sub(1, Release) == 1 {
            self.0.tell();
        }",
        wrong: "        let is_last = self.0.n() == 1;
        self.0.n.fetch_sub(1, Release);
        if is_last {
            self.0.tell();
        }",
        mistake: "who is the last is asked before it is counted out",
        caught_by: "sync::the_last_of_two_items_is_told_of",
    },
    Mutant {
        file: "src/sync/event.rs",
        right: "        self.0.set_limit(usize::MAX);",
        wrong: "        self.0.set_limit(1);",
        mistake: "an event that is set lets one waiter go on at a time",
        caught_by: "sync::an_event_that_is_set_ends_every_wait",
    },
    Mutant {
        file: "src/wait/wait_list.rs",
        right: "        while self.wake_first(line) {}",
        wrong: "        self.wake_first(line);",
        mistake: "of a whole line the first alone is told",
        caught_by: "tokens::two_waits_of_one_token_end_both",
    },
    Mutant {
        file: "src/sync/item.rs",
        right: "            let is_told = Pin::new(&mut ended).poll(context).is_ready();
            if is_told || self.n() == 0 {",
        wrong: "            let is_done = self.n() == 0;
            let is_told = Pin::new(&mut ended).poll(context).is_ready();
            if is_told || is_done {",
        mistake: "who joins looks at the count before it stands in line",
        caught_by: "sync::a_join_hears_of_the_last_item",
    },
    Mutant {
        file: "src/sync/queue.rs",
        right: "        drop(Each(discarded.collect::<Vec<_>>()));",
        wrong: "        drop(discarded.collect::<Vec<_>>());",
        mistake: "two discarded items whose drops panic end the process",
        caught_by: "--test=sync drops::a_queue_discards_all_of_its_items_though_they_panic",
    },
    Mutant {
        file: "src/sync/generator.rs",
        right: "        panic::drop_each(not_taken);",
        wrong: "        drop(not_taken);",
        mistake: "an item that panics meets the panic of its body",
        caught_by: "--test=sync drops::a_generator_survives_its_body_and_its_item",
    },
    Mutant {
        file: "src/wait/as_completed.rs",
        right: "            self.completed.queue.forget_waiter();",
        wrong: "",
        mistake: "a `next` that is dropped leaves its waker",
        caught_by: "--test=sync wakers::twenty_thousand_nexts_that_are_dropped_leave_no_waker",
    },
];

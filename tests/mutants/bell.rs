//! Mistakes in the inbox and its bell.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/shared.rs",
        right: "                self.inbox.set_bell(&mut tray, !state.is_one_on_its_way);
",
        wrong: "                self.inbox.set_bell(&mut tray, true);
",
        mistake: "the bell is set though one is on its way",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                self.inbox.set_bell(&mut tray, false);
                Next::LookOut",
        wrong: "                Next::LookOut",
        mistake: "the bell stays set while a worker looks out",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                state.is_one_on_its_way = true;
                self.inbox.set_bell(&mut tray, false);
                Next::LookOut",
        wrong: "                self.inbox.set_bell(&mut tray, false);
                Next::LookOut",
        mistake: "who looks out does not count as on its way",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_on_its_way = true;
            self.inbox.set_bell(&mut tray, false);
        }
        is_first",
        wrong: "            state.is_one_on_its_way = true;
        }
        is_first",
        mistake: "an announcement leaves the bell set",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_on_its_way = true;
            self.inbox.set_bell(&mut tray, false);
        }
        is_first",
        wrong: "            self.inbox.set_bell(&mut tray, false);
        }
        is_first",
        mistake: "an announcement does not say that one is on its way",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/inbox.rs",
        right: "            self.set_bell(&mut tray, false);
            (Ticket(first), Admission::Ring)",
        wrong: "            (Ticket(first), Admission::Ring)",
        mistake: "who rings leaves the bell set",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        if self.is_announced.take() {
            let mut state",
        wrong: "        if false {
            let mut state",
        mistake: "a worker in foreign code stays announced",
        caught_by: "bell::a_worker_in_foreign_code_is_not_on_its_way",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            state.arrive();
            summon(&self.aboard.shared, state);",
        wrong: "            state.arrive();",
        mistake: "a worker in foreign code does not send for another",
        caught_by: "bell::a_worker_in_foreign_code_is_not_on_its_way",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            let mut state = self.aboard.shared.lock();
            state.arrive();
",
        wrong: "            let state = self.aboard.shared.lock();
",
        mistake: "a worker sends for another and stays announced",
        caught_by: "bell::a_worker_in_foreign_code_is_not_on_its_way",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "            runner.before_foreign_code();
            if let Some(unread) = aftermath.run_its_course() {",
        wrong: "            if let Some(unread) = aftermath.run_its_course() {
                runner.before_foreign_code();",
        mistake: "the callback runs before the announcement is taken back",
        caught_by: "bell::a_worker_in_foreign_code_is_not_on_its_way",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        if state.queue.is_empty() {
            let mut tray = self.refill(state);
            if state",
        wrong: "        {
            let mut tray = self.refill(state);
            if state",
        mistake: "the inbox is taken over before the queue is empty",
        caught_by: "bell::jobs_begin_in_the_order_in_which_they_came",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let claimed = self.inbox.lock().queue.claim(ticket);
        let claimed = claimed.or_else(|| self.lock().queue.claim(ticket));",
        wrong: "        let claimed = self.lock().queue.claim(ticket);
        let claimed = claimed.or_else(|| self.inbox.lock().queue.claim(ticket));",
        mistake: "who claims looks in the queue first, and in the inbox afterwards",
        caught_by: "bell::what_is_queued_is_found_wherever_it_stands",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        unrun.extend(self.inbox.lock().queue.drain());
",
        wrong: "        unrun.extend(None);
",
        mistake: "a shutdown that cancels forgets the inbox",
        caught_by: "bell::a_shutdown_cancels_at_once_wherever_a_job_stands",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let mut unrun = state.queue.drain();
",
        wrong: "        let mut unrun = Vec::new();
        let _ = &state;
",
        mistake: "a shutdown that cancels forgets the workers' queue",
        caught_by: "bell::a_shutdown_cancels_at_once_wherever_a_job_stands",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        let is_ours = offer == offer_of(&self.shared, offer.ticket);",
        wrong: "        let is_ours = true;",
        mistake: "a ticket is taken for one of any pool",
        caught_by: "bell::a_worker_takes_back_no_job_of_another_pool",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                if at_work.is_announced.get() {
                    state.arrive();
                }
",
        wrong: "",
        mistake: "an announcement is never taken back",
        caught_by: "bell::the_bell_is_set_exactly_while_a_hand_must_be_called",
    },
];

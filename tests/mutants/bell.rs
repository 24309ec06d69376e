//! Mistakes in the inbox and its bell.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/shared.rs",
        right: "            self.inbox.set_needs_wake(&mut inbox, !state.is_one_searching);
",
        wrong: "            self.inbox.set_needs_wake(&mut inbox, true);
",
        mistake: "the bell is set though one is on its way",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            self.inbox.set_needs_wake(&mut inbox, false);
            Next::Spin",
        wrong: "            Next::Spin",
        mistake: "the bell stays set while a worker spins",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            self.inbox.set_needs_wake(&mut inbox, false);
            Next::Spin",
        wrong: "            self.inbox.set_needs_wake(&mut inbox, false);
            Next::Spin",
        mistake: "who spins does not count as on its way",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            self.inbox.set_needs_wake(&mut inbox, false);
        }
        is_first",
        wrong: "            state.is_one_searching = true;
        }
        is_first",
        mistake: "an announcement leaves the bell set",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            self.inbox.set_needs_wake(&mut inbox, false);
        }
        is_first",
        wrong: "            self.inbox.set_needs_wake(&mut inbox, false);
        }
        is_first",
        mistake: "an announcement does not say that one is on its way",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/inbox.rs",
        right: "            self.set_needs_wake(&mut state, false);
            (first, Pushed::NeedsWake)",
        wrong: "            (first, Pushed::NeedsWake)",
        mistake: "who rings leaves the bell set",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        if self.is_searching.take() {
            let mut state",
        wrong: "        if false {
            let mut state",
        mistake: "a worker in foreign code stays announced",
        caught_by: "bell::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            state.is_one_searching = false;
            wake_worker(&self.context.shared, state);",
        wrong: "            state.is_one_searching = false;",
        mistake: "a worker in foreign code does not send for another",
        caught_by: "bell::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            let mut state = self.context.shared.lock();
            state.is_one_searching = false;
",
        wrong: "            let state = self.context.shared.lock();
",
        mistake: "a worker sends for another and stays announced",
        caught_by: "bell::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "            runner.before_foreign_code();
            if let Some(unread) = effects.run() {",
        wrong: "            if let Some(unread) = effects.run() {
                runner.before_foreign_code();",
        mistake: "the callback runs before the announcement is taken back",
        caught_by: "bell::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                Some(job) if !job.claim().is_taken() => return None,
",
        wrong: "                Some(_) if !self.inbox.lock().queue.is_empty() => {
                    self.inbox.lock().move_to(&mut state.queue);
                }
                Some(job) if !job.claim().is_taken() => return None,
",
        mistake: "the inbox is taken over before the queue is empty",
        caught_by: "bell::jobs_begin_in_the_order_in_which_they_came",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        all.append(&mut inbox.queue);
",
        wrong: "",
        mistake: "a shutdown that cancels forgets the inbox",
        caught_by: "bell::a_shutdown_cancels_at_once_wherever_a_job_stands",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let mut all = mem::take(&mut state.queue);
",
        wrong: "        let mut all = Queue::new();
        let _ = &state;
",
        mistake: "a shutdown that cancels forgets the workers' queue",
        caught_by: "bell::a_shutdown_cancels_at_once_wherever_a_job_stands",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                if is_searching {
                    state.is_one_searching = false;
                }
",
        wrong: "                let _ = is_searching;
",
        mistake: "an announcement is never taken back",
        caught_by: "bell::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
];

//! Mistakes in the injector, and in when a wake is needed.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let needs_wake = is_first && !may_spin;
",
        wrong: "        let needs_wake = !may_spin;
",
        mistake: "a wake is needed though a worker searches",
        caught_by: "--lib pool::shared::tests::a_worker_that_falls_asleep_while_another_searches_leaves_no_wake_needed",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let needs_wake = is_first && !may_spin;
",
        wrong: "        let needs_wake = is_first;
",
        mistake: "a wake is needed while a worker spins",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            Next::Spin",
        wrong: "            Next::Spin",
        mistake: "a worker that spins does not count as searching",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            self.injector.set_needs_wake(false);
        }
        is_first",
        wrong: "            state.is_one_searching = true;
        }
        is_first",
        mistake: "a worker that begins to search leaves the need for a wake",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.is_one_searching = true;
            self.injector.set_needs_wake(false);
        }
        is_first",
        wrong: "            self.injector.set_needs_wake(false);
        }
        is_first",
        mistake: "a worker that begins to search does not count as searching",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "            self.set_needs_wake(false);
            (first, Pushed::NeedsWake)",
        wrong: "            (first, Pushed::NeedsWake)",
        mistake: "a submitter that has to wake a worker leaves the need for a wake",
        caught_by: "--lib pool::injector::tests::of_several_submits_the_first_alone_has_to_wake_a_worker",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        if self.is_searching.take() {
            let mut state",
        wrong: "        if false {
            let mut state",
        mistake: "a worker in foreign code still counts as searching",
        caught_by: "injector::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            state.is_one_searching = false;
            wake_worker(&self.context.shared, state);",
        wrong: "            state.is_one_searching = false;",
        mistake: "a worker in foreign code does not wake another",
        caught_by: "injector::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            let mut state = self.context.shared.lock();
            state.is_one_searching = false;
",
        wrong: "            let state = self.context.shared.lock();
",
        mistake: "a worker wakes another and still counts as searching",
        caught_by: "injector::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "            runner.before_foreign_code();
            if let Some(unread) = effects.run() {",
        wrong: "            if let Some(unread) = effects.run() {
                runner.before_foreign_code();",
        mistake: "the waker runs while its worker counts as searching",
        caught_by: "injector::a_worker_in_foreign_code_does_not_search",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            match state.queue.front() {
",
        wrong: "            let mut queue = mem::take(&mut state.queue);
            self.injector.move_to(&mut state.queue, false);
            state.queue.append(&mut queue);
            match state.queue.front() {
",
        mistake: "the injector is taken over before the queue is empty",
        caught_by: "injector::jobs_begin_in_the_order_in_which_they_came",
    },
    Mutant {
        file: "src/pool/shutdown.rs",
        right: "                self.shared.injector.move_to(&mut state.queue, false);
",
        wrong: "",
        mistake: "a shutdown that cancels forgets the injector",
        caught_by: "injector::a_shutdown_cancels_at_once_wherever_a_job_stands",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        mem::take(&mut self.queue).into_iter()",
        wrong: "        Queue::new().into_iter()",
        mistake: "a shutdown that cancels forgets the workers' queue",
        caught_by: "--test=pool shutdown::a_shutdown_cancels_what_a_worker_has_taken_over_and_not_begun",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                if is_searching {
                    state.is_one_searching = false;
                }
",
        wrong: "                let _ = is_searching;
",
        mistake: "a worker that has begun to search does so for ever",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "(0, FEW_TOMBSTONES.max(n_left / 2))",
        wrong: "(0, FEW_TOMBSTONES)",
        mistake: "what another thread submitted is looked through again and again",
        caught_by: "--test=pool references::a_flood_of_jobs_that_a_worker_submitted_is_cancelled_from_outside_in_no_time",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "        if let Some(reason) = self.closed.get() {",
        wrong: "        if let (Some(reason), None) = (self.closed.get(), worker) {",
        mistake: "a shutdown lets in what workers submit",
        caught_by: "--test=pool shutdown::a_job_that_submits_while_its_pool_ends_hears_that_it_does",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "        self.shards.iter().for_each(|shard| drop(shard.lock()));
",
        wrong: "",
        mistake: "a pool is closed while a submit says that a wake is needed",
        caught_by: "shutdown::a_submit_that_races_a_shutdown_runs_or_is_refused",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "move_to(&mut state.queue, has_free_worker); // The next",
        wrong: "move_to(&mut state.queue, has_free_worker && state.n_threads > 0); // The next",
        mistake: "a pool that was refused a thread does not try again",
        caught_by: "--test=pool scheduling::a_pool_that_is_refused_its_only_thread_cancels_its_jobs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    shared.injector.set_needs_wake(false);
    if let Some(parker)",
        wrong: "    if let Some(parker)",
        mistake: "a worker that is woken leaves the need for a wake",
        caught_by: "injector::a_wake_is_needed_exactly_while_a_worker_must_be_woken",
    },
];

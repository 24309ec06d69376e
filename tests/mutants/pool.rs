//! Mistakes in who comes for a job, and who has it.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/worker.rs",
        right: "                parker.park(Deadline::Never);
                state = shared.lock();
                state.is_one_searching = false;
",
        wrong: "                parker.park(Deadline::Never);
                state = shared.lock();
",
        mistake: "a worker that is woken searches for ever",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "        self.set_needs_wake(needs_wake);
        // The memory",
        wrong: "        self.shards.iter().for_each(|shard| workers_queue.append(&mut shard.lock().queue));
        self.set_needs_wake(needs_wake && workers_queue.is_empty());
        return !workers_queue.is_empty();
        // The memory",
        mistake: "a worker looks for the last time before it says that a wake is needed",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/injector.rs",
        right: "        let mut shard = self.shard(worker);
        let needs_wake = self.needs_wake();",
        wrong: "        let needs_wake = self.needs_wake();
        let mut shard = self.shard(worker);",
        mistake: "a submitter looks whether a wake is needed before it takes the lock",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            wake_worker(shared, shared.lock());
            tell(first);",
        wrong: "            tell(first);",
        mistake: "a submitter that has to wake a worker wakes none",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                wake_worker(shared, state);
                shared.give_back_room(1);
",
        wrong: "                drop(state);
                shared.give_back_room(1);
",
        mistake: "a worker does not wake the next one",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                wake_worker(shared, state);
                shared.give_back_room(1);
                let is_searching = context.run(&*job, true);
",
        wrong: "                drop(state);
                shared.give_back_room(1);
                let is_searching = context.run(&*job, true);
                wake_worker(shared, shared.lock());
",
        mistake: "a worker wakes the next one after its job",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                wake_worker(shared, state);
                shared.give_back_room(1);
",
        wrong: "                if may_spin {
                    wake_worker(shared, state);
                } else {
                    drop(state);
                }
                shared.give_back_room(1);
",
        mistake: "a worker that has spun does not wake the next one",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "|| shared.injector.has_news(n_seen));
                state = shared.lock();
                state.is_one_searching = false;
",
        wrong: "|| shared.injector.has_news(n_seen));
                state = shared.lock();
",
        mistake: "a worker that has spun searches for ever",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    let has_free_worker = state.has_free_worker();
    if !has_free",
        wrong: "    let has_free_worker = false;
    if !state.has_free_worker()",
        mistake: "no wake is needed again when the last job was taken",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let needs_wake = is_first && !may_spin;
",
        wrong: "        let needs_wake = is_first && may_spin;
",
        mistake: "a worker that goes to sleep leaves no need for a wake",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.idle.push(parker.clone());",
        wrong: "            state.idle = vec![parker.clone()];",
        mistake: "a worker that goes to sleep pushes another off the idle list",
        caught_by: "pool::two_submitters_lose_no_job",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "if let Some(parker) = state.idle.pop() {",
        wrong: "if let Some(parker) = state.idle.last().cloned() {",
        mistake: "a worker that is woken stays on the idle list",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "            add_one(&context.counts.begun);
            context.run(job, false);",
        wrong: "            context.run(job, false);",
        mistake: "a job that is taken back still counts as queued",
        caught_by: "pool::a_job_is_taken_back_or_run_by_a_worker_but_never_both",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "                (None, Some(outcome)) => take_back(pool, &**outcome),",
        wrong: "                (None, Some(_)) => false,",
        mistake: "a worker that waits only waits",
        caught_by: "pool::a_pool_of_one_thread_joins_its_own_jobs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    in_context(shared, take_back).unwrap_or(false)
",
        wrong: "    in_context(shared, take_back).unwrap_or_else(|| {
        let is_ours = shared.claim(job.claim(), None);
        if is_ours {
            job.run(&());
        }
        is_ours
    })
",
        mistake: "everybody takes back",
        caught_by: "pool::a_thread_outside_runs_no_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.n_refused.fetch_add(1, Release);",
        wrong: "        let _ = Release;",
        mistake: "a refusal is not counted",
        caught_by: "pool::a_job_begins_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "        runner.before_settling(match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        });
        let mut lost = None;
        let effects = self.cell.settle(result);
",
        wrong: "        let ending = match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        };
        let mut lost = None;
        let effects = self.cell.settle(result);
        runner.before_settling(ending);
",
        mistake: "a job is counted after its handle has settled",
        caught_by: "pool::the_counts_are_of_one_moment",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                add_one(&context.counts.begun);
",
        wrong: "",
        mistake: "a job that is claimed still counts as queued",
        caught_by: "pool::the_counts_are_of_one_moment",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let refused = self.n_refused.load(Acquire);
        let begun: usize = state.counts.iter().map(|of| of.begun.load(Acquire)).sum();
        let submitted = self.injector.n_submitted();
",
        wrong: "        let submitted = self.injector.n_submitted();
        let begun: usize = state.counts.iter().map(|of| of.begun.load(Acquire)).sum();
        let refused = self.n_refused.load(Acquire);
",
        mistake: "what has been submitted is counted before what was refused",
        caught_by: "pool::the_counts_are_of_one_moment_while_a_job_is_cancelled",
    },
];

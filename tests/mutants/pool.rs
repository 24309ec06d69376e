//! Mistakes in who comes for a job, and who has it.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/worker.rs",
        right: "                parker.park(Deadline::Never);
                state = shared.lock();
                state.arrive();
",
        wrong: "                parker.park(Deadline::Never);
                state = shared.lock();
",
        mistake: "who arrives is on its way for ever",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            None => {
                state.idle.push",
        wrong: "            None => {
                drop(tray);
                let mut tray = self.inbox.lock();
                state.idle.push",
        mistake: "looking and lying down are two steps",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/inbox.rs",
        right: "        let mut tray = self.tray.lock();
        let first = self.n_submitted();
        // ORDERING: Relaxed. Under the lock, which orders it for all who take the lock. Who looks
        // without it takes it afterwards, to see what the news is.
        self.n_submitted.store(first + jobs.len(), Relaxed);
        if let Some(reason) = &tray.closed {
            return (Ticket(first), Admission::Refused(jobs, reason.clone()));
        }
        for (ticket, job) in (first..).zip(jobs) {
            tray.queue.push(Ticket(ticket), job);
        }
        if self.is_bell_set() {",
        wrong: "        let is_set = self.is_bell_set();
        let mut tray = self.tray.lock();
        let first = self.n_submitted();
        self.n_submitted.store(first + jobs.len(), Relaxed);
        if let Some(reason) = &tray.closed {
            return (Ticket(first), Admission::Refused(jobs, reason.clone()));
        }
        for (ticket, job) in (first..).zip(jobs) {
            tray.queue.push(Ticket(ticket), job);
        }
        if is_set {",
        mistake: "a bringer looks at the bell before it takes the lock",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/submit.rs",
        right: "            summon(shared, shared.lock());
            tell(first);",
        wrong: "            tell(first);",
        mistake: "who finds the bell set calls nobody",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                summon(shared, state);
                shared.give_back_places(1);
                let at_work",
        wrong: "                drop(state);
                shared.give_back_places(1);
                let at_work",
        mistake: "a worker does not send for the next one",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                summon(shared, state);
                shared.give_back_places(1);
                let at_work = AtWork::new(aboard, ticket, true);
                job.run(&at_work);
",
        wrong: "                drop(state);
                shared.give_back_places(1);
                let at_work = AtWork::new(aboard, ticket, true);
                job.run(&at_work);
                summon(shared, shared.lock());
",
        mistake: "a worker sends for the next one after its job",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                summon(shared, state);
                shared.give_back_places(1);
                let at_work",
        wrong: "                if may_look_out {
                    summon(shared, state);
                } else {
                    drop(state);
                }
                shared.give_back_places(1);
                let at_work",
        mistake: "a worker that has looked out does not send for the next one",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "|| shared.inbox.has_news(n_seen));
                state = shared.lock();
                state.arrive();
",
        wrong: "|| shared.inbox.has_news(n_seen));
                state = shared.lock();
",
        mistake: "who has looked out is on its way for ever",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                self.inbox.set_bell(&mut tray, state.has_free_hand());
                return",
        wrong: "                return",
        mistake: "the bell is not set again when the last job was taken",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                self.inbox.set_bell(&mut tray, !state.is_one_on_its_way);
",
        wrong: "",
        mistake: "who lies down does not set the bell",
        caught_by: "pool::one_worker_comes_for_every_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "                state.idle.push(parker.clone());",
        wrong: "                state.idle = vec![parker.clone()];",
        mistake: "who lies down pushes another off the idle list",
        caught_by: "pool::two_submitters_lose_no_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "if let Some(parker) = state.idle.pop() {",
        wrong: "if let Some(parker) = state.idle.last().cloned() {",
        mistake: "who is woken stays on the idle list",
        caught_by: "pool::two_jobs_have_two_workers_at_once",
    },
    Mutant {
        file: "src/pool/queue.rs",
        right: "        let job = self.places[at].1.take()?;
        self.n_jobs -= 1;",
        wrong: "        let job = self.places[at].1.take()?;",
        mistake: "a job that is claimed still counts as queued",
        caught_by: "pool::a_job_is_taken_back_or_run_by_a_worker_but_never_both",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "is_ours.then(|| self.shared.claim(offer.ticket)).flatten()",
        wrong: "is_ours.then(|| self.shared.drain(&mut self.shared.lock()).pop()).flatten().map(|it| it.1)",
        mistake: "a worker that waits runs whatever is in line",
        caught_by: "pool::a_worker_takes_back_nothing_but_what_it_waits_for",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "            worker::take_back(&place.shared, place.ticket);",
        wrong: "            let _ = place;",
        mistake: "a worker that waits only waits",
        caught_by: "pool::a_pool_of_one_thread_joins_its_own_jobs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    if let Some(helper) = help::helper() {
        helper.take_back(offer_of(shared, ticket));
    }",
        wrong: "    if let Some(job) = shared.claim(ticket) {
        job.run(&shared.ledger);
    }",
        mistake: "everybody takes back",
        caught_by: "pool::a_thread_outside_runs_no_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.shared.ledger.count_settled();
",
        wrong: "",
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
        let aftermath = self.cell.settle(result);
",
        wrong: "        let ending = match &result {
            Ok(_) => Ending::Returned,
            Err(JoinError::Panicked(_)) => Ending::Panicked,
            Err(JoinError::Cancelled(_)) => Ending::Cancelled,
        };
        let aftermath = self.cell.settle(result);
        runner.before_settling(ending);
",
        mistake: "a job is counted after its handle has settled",
        caught_by: "pool::the_counts_are_of_one_moment",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let state = self.lock();
        let tray = self.inbox.lock();
        // All of it is of one moment. The locks hold everything still but what is counted as
        // settled; that only grows, by ones, and so its sum was true at some moment meanwhile.
",
        wrong: "        let tray = self.inbox.lock();
        let handed_in = tray.queue.len();
        drop(tray);
        let state = self.lock();
        struct Seen { queue: Vec<()> }
        let tray = Seen { queue: vec![(); handed_in] };
",
        mistake: "the two halves of the line are counted one after the other",
        caught_by: "pool::the_counts_are_of_one_moment",
    },
];

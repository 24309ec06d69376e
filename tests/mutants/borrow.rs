//! Mistakes in when a borrow ends.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        let lent = self.take();
        lent.job.run(runner).and_then(|panic| lent.counted.0.keep(panic))
",
        wrong: "        let Lent { job, counted } = self.take();
        let count = counted.0.clone();
        drop(counted);
        job.run(runner).and_then(|panic| count.keep(panic))
",
        mistake: "a job is counted out before it has run",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "    job: Borrowed<'static>,
    counted: CountedLoan,
}
",
        wrong: "    counted: CountedLoan,
    job: Borrowed<'static>,
}
",
        mistake: "a job is counted out before it is dropped",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        if state.n_lent == 0 {
            state.is_open",
        wrong: "        if state.is_open {
            state.is_open",
        mistake: "a borrow ends while something is lent",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        let lent = self.take();
        Box::new((lent.job.refuse(reason), lent))
",
        wrong: "        Box::new(self.take().job.refuse(reason))
",
        mistake: "a job that is refused is counted out before its closure is dropped",
        caught_by: "borrow::a_job_that_is_refused_is_gone_when_its_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        waiter.into_iter().for_each(Waker::wake);
",
        wrong: "        drop(waiter);
",
        mistake: "the last to be counted out wakes nobody",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "loans.iter_mut().find(of_the_pool)?",
        wrong: "loans.iter_mut().rev().take_while(|loan| loan.lent.is_none()).filter(of_the_pool).last()?",
        mistake: "a fork behind that of another pool is not handed out",
        caught_by: "--test=pool forking::the_oldest_fork_is_handed_out_though_another_pool_has_one_in_between",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "                count.wait_until_over();
            }",
        wrong: "                drop(count);
            }",
        mistake: "a loan on demand ends while it is lent",
        caught_by: "borrow::nobody_is_inside_when_a_loan_on_demand_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        deferred::run_queued(); // What",
        wrong: "        // What",
        mistake: "what is put aside for its own thread is waited for",
        caught_by: "--test=pool chains::a_scope_that_is_opened_deep_in_a_chain_ends",
    },
    Mutant {
        file: "src/pool/scope.rs",
        right: "        waiter.take().into_iter().for_each(Waker::wake);",
        wrong: "        drop(waiter.take());",
        mistake: "a job that comes late wakes no worker that waits for it",
        caught_by: "borrow::a_worker_that_waits_for_a_scope_runs_what_comes_late",
    },
    Mutant {
        file: "src/pool/par_map.rs",
        right: "        let (rest, chunk) = self.items.split_at(self.items.len() - n_items);
        self.items = rest;
",
        wrong: "        let (rest, chunk) = self.items.split_at(self.items.len() - n_items);
",
        mistake: "a helper leaves its chunk to others as well",
        caught_by: "borrow::a_map_calls_for_every_item_once",
    },
];

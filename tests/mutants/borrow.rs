//! Mistakes in when a borrow ends.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        let Some(borrowed) = state.lent else { return false };
        state.n_inside += 1;
",
        wrong: "        let Some(borrowed) = state.lent else { return false };
        drop(state);
        let mut state = self.state.lock();
        state.n_inside += 1;
",
        mistake: "to find the gate open and to be counted are two steps",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        let leave = LeaveOnDrop(self);
        call(borrowed);
",
        wrong: "        drop(LeaveOnDrop(self));
        call(borrowed);
        let leave = Vec::<u8>::new();
",
        mistake: "a guest is counted out before its call is over",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        if state.n_inside == 0 {
            return",
        wrong: "        if context.waker().will_wake(&waker) {
            return",
        mistake: "a borrow ends while somebody is inside",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        state.lent = None;
",
        wrong: "",
        mistake: "a gate is not shut when its owner goes",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "loans.iter_mut().find(",
        wrong: "loans.iter_mut().rev().take_while(|loan| loan.gate.is_none()).filter(|loan| loan.pool == pool).last().into_iter().find(",
        mistake: "a fork behind that of another pool is not handed out",
        caught_by: "--test=pool forking::the_oldest_fork_is_handed_out_though_another_pool_has_one_in_between",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "            Ok(Some(Some(gate))) => gate.shut(),",
        wrong: "            Ok(Some(Some(gate))) => drop(gate),",
        mistake: "a loan on demand ends with its gate open",
        caught_by: "borrow::nobody_is_inside_when_a_loan_on_demand_has_ended",
    },
    Mutant {
        file: "src/pool/borrow.rs",
        right: "        owner.into_iter().for_each(Waker::wake);
",
        wrong: "        drop(owner);
",
        mistake: "the last to leave wakes nobody",
        caught_by: "borrow::nobody_is_inside_when_a_loan_has_ended",
    },
    Mutant {
        file: "src/pool/scope.rs",
        right: "        job.run(runner).into_iter().for_each(|panic| self.keep(panic));
        self.end_one();
",
        wrong: "        self.end_one();
        job.run(runner).into_iter().for_each(|panic| self.keep(panic));
",
        mistake: "a job counts as ended when it begins",
        caught_by: "borrow::a_scope_ends_after_the_jobs_of_its_jobs",
    },
    Mutant {
        file: "src/pool/scope.rs",
        right: "        if self.is_waiter_helping { self.waiter.take() } else { None }
",
        wrong: "        None
",
        mistake: "a job that comes late wakes no worker that waits for it",
        caught_by: "borrow::a_worker_that_waits_for_a_scope_runs_what_comes_late",
    },
    Mutant {
        file: "src/pool/scope.rs",
        right: "        let waiter = if slab.n_left == 0 { slab.waiter.take() } else { None };
",
        wrong: "        let waiter: Option<Waker> = None;
",
        mistake: "the last job to end wakes nobody",
        caught_by: "borrow::a_scope_ends_after_the_jobs_of_its_jobs",
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

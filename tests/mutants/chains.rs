//! Mistakes that show at a length, after a fork, or where an input does not come.
//!
//! No model is so long, and none forks: these are for ordinary tests to catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/deferred.rs",
        right: "pub(crate) const DEPTH: usize = 16;",
        wrong: "pub(crate) const DEPTH: usize = 1 << 30;",
        mistake: "a chain of drops recurses with its length",
        caught_by: "--test=pool chains::a_chain_of_jobs_is_cancelled_at_its_head",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "    if size_of::<F>() > 1024 {",
        wrong: "    if size_of::<F>() > 1 << 30 {",
        mistake: "a large closure is moved about on the stack",
        caught_by: "--test=pool chains::a_large_closure_is_submitted_from_a_usual_stack",
    },
    Mutant {
        file: "src/pool/map.rs",
        right: "filter(|worth_waiting| can_wait && ",
        wrong: "filter(|worth_waiting| can_wait && false && ",
        mistake: "a map asks for the next input before it hands out what is ready",
        caught_by: "--test=pool mapping::a_result_comes_out_of_a_map_whose_next_input_does_not_come",
    },
    Mutant {
        file: "src/wait/hints.rs",
        right: "        self == Self::current()",
        wrong: "        self != Self(0)",
        mistake: "a wait for a thread that has stayed behind a fork hangs",
        caught_by: "--test=pool forked::a_join_says_that_the_pool_was_forked",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "                hints::take_awaited(); // A job may have polled anything.",
        wrong: "",
        mistake: "a worker that has polled a job of another process dies of it",
        caught_by: "--test=pool forked::a_new_pool_works_in_a_fork_and_so_does_a_wait_for_something_else",
    },
];

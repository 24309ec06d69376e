//! Mistakes in how one waits for a job.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/settle.rs",
        right: "            None => state.reader.replace(waker),",
        wrong: "            None if state.reader.is_some() => Some(waker),
            None => state.reader.replace(waker),",
        mistake: "the first waker is kept, whoever polls afterwards",
        caught_by: "handle::the_newest_waker_is_the_one_that_is_woken",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "            panic::contain(|| waker.wake());",
        wrong: "            panic::contain(|| drop(waker));",
        mistake: "what settles wakes nobody",
        caught_by: "handle::a_job_that_is_awaited_wakes_its_task",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "        if !effects.is_empty() {",
        wrong: "        if effects.is_empty() {",
        mistake: "a worker that settles does not look who waits",
        caught_by: "handle::a_job_that_is_awaited_wakes_its_task",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "            if self.is_abandoned.load(Relaxed) {",
        wrong: "            if false {",
        mistake: "a value without a reader is kept in the cell",
        caught_by: "handle::a_panic_is_read_or_told_to_the_hook",
    },
    Mutant {
        file: "src/wait/panic_hook.rs",
        right: "        Ok(value) => panic::contain(|| drop(value)),",
        wrong: "        Ok(value) => std::mem::forget(value),",
        mistake: "a value that nobody reads is leaked",
        caught_by: "handle::a_result_that_nobody_reads_is_dropped_once",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let unread = state.take_value();
        let reader",
        wrong: "        let unread = None;
        let reader",
        mistake: "a reader that goes leaves a panic unread",
        caught_by: "handle::a_panic_is_read_or_told_to_the_hook",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "        let waker = Waker::from(self.clone());
        let Poll::Ready(result) = self.outcome",
        wrong: "        let waker = Waker::noop();
        let Poll::Ready(result) = self.outcome",
        mistake: "a callback looks with a waker that wakes nobody",
        caught_by: "handle::a_callback_runs_exactly_once",
    },
];

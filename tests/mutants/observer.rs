//! Mistakes in what an observer hears.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.settings.observer.tell(job.claim().number(), Step::Settled(Ending::Cancelled));
",
        wrong: "        let _ = (Ending::Cancelled, Step::Settled, &self.settings.observer);
",
        mistake: "the observer does not hear of a refusal",
        caught_by: "observer::a_job_that_begins_or_is_cancelled_is_told_of_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            wake_worker(shared, shared.lock());
            tell(first);
",
        wrong: "            wake_worker(shared, shared.lock());
",
        mistake: "a submitter that has to wake a worker does not tell of the submit",
        caught_by: "observer::a_job_that_begins_or_is_cancelled_is_told_of_once",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "                runner.before_running();
",
        wrong: "                runner.before_running();
                runner.before_settling(Ending::Returned);
",
        mistake: "the end is told twice",
        caught_by: "observer::a_job_that_begins_or_is_cancelled_is_told_of_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        self.tell(Step::Began { worker: self.context.number });",
        wrong: "        if self.returns_to_queue {
            self.tell(Step::Began { worker: self.context.number });
        }",
        mistake: "a job that is taken back is not told to begin",
        caught_by: "observer::a_job_that_is_taken_back_is_told_of_once",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        self.tell(Step::Settled(ending));
",
        wrong: "        if self.returns_to_queue {
            self.tell(Step::Settled(ending));
        }
",
        mistake: "a job that is taken back is not told to end",
        caught_by: "observer::a_job_that_is_taken_back_is_told_of_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "                shared.refuse(job, reason.clone());",
        wrong: "                job.refuse(reason.clone());",
        mistake: "a job that is not let in is not told to end",
        caught_by: "observer::a_job_that_comes_at_the_end_is_told_of_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "            tell(first);
            shared.give",
        wrong: "            shared.give",
        mistake: "a job that is not let in is not told to be submitted",
        caught_by: "observer::a_job_that_comes_at_the_end_is_told_of_once",
    },
];

//! Mistakes in the end of a pool.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/shared.rs",
        right: "            self.refuse(job, reason);
        }
        is_claimed",
        wrong: "            drop((job, reason));
        }
        is_claimed",
        mistake: "what is cancelled leaves the queue and never settles",
        caught_by: "shutdown::a_cancel_that_races_the_last_drop_settles_its_job",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        self.injector.close(&CancelReason::ShutDown);
",
        wrong: "        let _ = CancelReason::ShutDown;
",
        mistake: "a pool whose threads have left lets jobs in",
        caught_by: "shutdown::a_submit_that_races_a_shutdown_runs_or_is_refused",
    },
    Mutant {
        file: "src/pool/shutdown.rs",
        right: "            worker::wake_worker(&self.shared, state);
        } else",
        wrong: "            drop(state);
        } else",
        mistake: "a shutdown forgets the job whose submitter has woken no worker yet",
        caught_by: "shutdown::a_submit_that_races_a_shutdown_runs_or_is_refused",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        if self.injector.is_closed() {
            Next::End",
        wrong: "        if self.injector.is_closed() && state.n_threads == 0 {
            Next::End",
        mistake: "a worker of a closed pool goes to sleep",
        caught_by: "shutdown::an_idle_pool_ends",
    },
    Mutant {
        file: "src/pool/shutdown.rs",
        right: "        idle.into_iter().for_each(|parker| parker.unpark());",
        wrong: "        drop(idle);",
        mistake: "idle workers are not told of the end",
        caught_by: "shutdown::an_idle_pool_ends",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        for job in drained {",
        wrong: "        for job in drained.into_iter().skip(1) {",
        mistake: "a job is drained and not refused",
        caught_by: "shutdown::what_is_queued_at_a_shutdown_runs_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "if self.n_threads == 0 { mem::take(&mut self.end_waiters) } else { Vec::new() }",
        wrong: "if self.n_threads == 0 { self.end_waiters.pop().into_iter().collect() } else { Vec::new() }",
        mistake: "only one of those who wait for the end is woken",
        caught_by: "shutdown::every_one_of_several_shutdowns_returns",
    },
    Mutant {
        file: "src/pool/shutdown.rs",
        right: "            Err(ShutdownError::InsideWorker) => self.close(Shutdown::Drain),
",
        wrong: "            Err(ShutdownError::InsideWorker) => {}
",
        mistake: "a pool that is dropped on a worker is not closed",
        caught_by: "shutdown::a_pool_that_is_dropped_inside_a_worker_runs_what_is_queued",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            state.end_waiters.push(waker);
",
        wrong: "            drop(state);
            self.lock().end_waiters.push(waker);
",
        mistake: "looking for the end and waiting for it are two steps",
        caught_by: "shutdown::a_submit_that_races_the_last_drop_runs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        wake_worker(&shared, shared.lock());
        return;",
        wrong: "        return;",
        mistake: "a worker that is lost while it searches wakes no other",
        caught_by: "shutdown::a_worker_that_fails_at_its_start_is_made_good_by_another",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        shared.injector.close(reason);
",
        wrong: "        let _ = reason;
",
        mistake: "a pool without threads lets jobs in",
        caught_by: "shutdown::a_pool_that_loses_its_only_worker_refuses_its_jobs",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "if state.n_threads == 0 { state.drain() } else { Vec::new() };",
        wrong: "Vec::new();",
        mistake: "a lost worker's jobs are not refused",
        caught_by: "shutdown::a_pool_that_loses_its_only_worker_refuses_its_jobs",
    },
];

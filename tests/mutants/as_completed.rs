//! Mistakes in how one waits for many jobs.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/worker.rs",
        right: "    state.is_one_searching = false;
    let mut to_wake",
        wrong: "    let mut to_wake",
        mistake: "a worker that is lost still counts as searching",
        caught_by: "as_completed::a_waiting_worker_runs_the_job_when_the_free_worker_is_lost",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "    panic::wake_each(to_wake);
",
        wrong: "    drop(to_wake);
",
        mistake: "waiting workers are not told that a worker was lost",
        caught_by: "as_completed::a_waiting_worker_runs_the_job_when_the_free_worker_is_lost",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        drop(state);
        panic::wake_each(waiting.into_iter().map(|(_, waker)| waker));",
        wrong: "        drop(state);
        drop(waiting);",
        mistake: "waiting workers are not told that the last free worker is gone",
        caught_by: "as_completed::a_waiting_worker_runs_the_job_when_the_free_worker_is_gone",
    },
    Mutant {
        file: "src/pool/worker.rs",
        right: "        let is_one_coming = state.wait_for_worker(number, &mut waker);
        drop(state);",
        wrong: "        let is_one_coming = state.is_one_searching || !state.idle.is_empty();
        drop(state);
        state = shared.lock();
        state.wait_for_worker(number, &mut waker);
        drop(state);",
        mistake: "looking for a free worker and registering are two steps",
        caught_by: "as_completed::a_waiting_worker_runs_the_job_when_the_free_worker_is_lost",
    },
    Mutant {
        file: "src/wait/as_completed.rs",
        right: "        let can_help = deadline == Deadline::Never;",
        wrong: "        let can_help = deadline != Deadline::Never;",
        mistake: "a worker that waits for many does not help",
        caught_by: "as_completed::a_lone_worker_helps_itself",
    },
    Mutant {
        file: "src/wait/ready_queue.rs",
        right: "            mem::swap(&mut queue.queued, taken);",
        wrong: "            if wakers.waiter.is_none() {
                mem::swap(&mut queue.queued, taken);
            }",
        mistake: "looking at the line and leaving a waker are two steps",
        caught_by: "as_completed::a_post_ends_the_wait",
    },
    Mutant {
        file: "src/wait/ready_queue.rs",
        right: "        let waiter = queue.waiter.take();
        drop(queue);
        if let",
        wrong: "        let waiter = None::<Waker>;
        drop(queue);
        if let",
        mistake: "a post wakes nobody",
        caught_by: "as_completed::a_post_ends_the_wait",
    },
    Mutant {
        file: "src/wait/ready_queue.rs",
        right: "            queue.epoch += 1;
",
        wrong: "",
        mistake: "who has left the line still counts as standing in it",
        caught_by: "as_completed::a_place_serves_one_member_after_another",
    },
    Mutant {
        file: "src/wait/as_completed.rs",
        right: "        let mut context = Context::from_waker(waker);",
        wrong: "        let mut context = Context::from_waker({
            let _ = waker;
            Waker::noop()
        });",
        mistake: "a member is polled with a waker that wakes nobody",
        caught_by: "as_completed::every_member_is_yielded_once",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "            self.refuse(job, reason.clone());",
        wrong: "            drop(job);",
        mistake: "jobs are dropped, and nobody who waits is told",
        caught_by: "as_completed::cancelled_members_are_yielded_too",
    },
    Mutant {
        file: "src/wait/hints.rs",
        right: "            hints.run_here.set(self.run_here);",
        wrong: "            hints.run_here.set(None);",
        mistake: "what was offered to a wait is lost in a wait inside of the poll",
        caught_by: "--test=pool completed::a_wait_inside_of_a_poll_takes_no_offer_from_the_wait_around_it",
    },
    Mutant {
        file: "src/wait/hints.rs",
        right: "            hints.is_asked.set(self.is_asked);",
        wrong: "            hints.is_asked.set(false);",
        mistake: "what a wait asks for is taken by a wait inside of the poll",
        caught_by: "--test=pool completed::a_wait_inside_of_a_poll_takes_no_offer_from_the_wait_around_it",
    },
];

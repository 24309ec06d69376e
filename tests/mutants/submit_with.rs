//! Mistakes in jobs that can be asked to stop.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/pool/job.rs",
        right: "match self.token.as_ref().and_then(CancellationToken::reason) {",
        wrong: "match None::<CancelReason> {",
        mistake: "a job begins though its token is cancelled",
        caught_by: "submit_with::a_job_whose_token_is_cancelled_runs_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "                pool.cancel(queued.clone(), reason); // If",
        wrong: "                let _ = (pool, queued, reason); // If",
        mistake: "a wait that hears of the token does not cancel its job",
        caught_by: "submit_with::a_queued_job_is_cancelled_with_its_token_at_once",
    },
    Mutant {
        file: "src/pool/handle.rs",
        right: "Pin::new(token).poll(context)",
        wrong: "Pin::new(token).poll(&mut Context::from_waker(Waker::noop()))",
        mistake: "a wait for a job leaves its token a waker that wakes nobody",
        caught_by: "submit_with::a_queued_job_is_cancelled_with_its_token_at_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "self.handle(job).with_token(token.cancelled())",
        wrong: "self.handle(job)",
        mistake: "a wait for a job does not hear its token",
        caught_by: "submit_with::a_queued_job_is_cancelled_with_its_token_at_once",
    },
    Mutant {
        file: "src/wait/wait_list.rs",
        right: "    let result = work(&mut lock.lock(), &mut wakers);",
        wrong: "    let mut guard = lock.lock();
    let result = work(&mut guard, &mut wakers);",
        mistake: "a waker is woken under the lock that it may need",
        caught_by: "--test=time tokens::a_waker_may_do_anything_with_the_token_that_wakes_it",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "                panic::contain(|| drop(closure));
",
        wrong: "                panic::contain(|| std::mem::forget(closure));
",
        mistake: "a closure that is not begun is not dropped",
        caught_by: "submit_with::a_job_whose_token_is_cancelled_runs_or_is_cancelled_but_never_both",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "self.token.as_ref().map(CancellationToken::cancel).is_some()",
        wrong: "self.token.is_some()",
        mistake: "a running job is told to be asked, and is not",
        caught_by: "submit_with::a_job_that_waits_for_its_token_is_never_too_late_to_cancel",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "let (submitted_at, token) = (Location::caller(), token.child());",
        wrong: "let (submitted_at, token) = (Location::caller(), token.clone());",
        mistake: "a job has its submitter's token, and no child of it",
        caught_by: "submit_with::a_job_that_waits_for_its_token_is_never_too_late_to_cancel",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "        if self.cell.is_settled_and(|result| matches!(result, Err(JoinError::Cancelled(_)))) {",
        wrong: "        if self.progress() == Progress::Running {",
        mistake: "a job that runs is said to be dequeued",
        caught_by: "submit_with::a_cancel_that_races_the_end_changes_nothing",
    },
    Mutant {
        file: "src/pool/job.rs",
        right: "            Cancel::Asked
",
        wrong: "            Cancel::TooLate
",
        mistake: "a cancel that asks a job to stop says that it was too late",
        caught_by: "submit_with::a_cancel_that_races_the_end_changes_nothing",
    },
    Mutant {
        file: "src/pool/shared.rs",
        right: "        let is_claimed = self.claim(job.claim(), None);
        if is_claimed {
",
        wrong: "        let is_claimed = self.claim(job.claim(), None);
        if is_claimed {
            self.refuse(job.clone(), reason.clone());
",
        mistake: "a cancel refuses its job twice",
        caught_by: "submit_with::a_job_that_two_cancel_settles_once",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "        Err(_) => room.take_anyway(1),
",
        wrong: "        Err(_) => {}
",
        mistake: "a submitter that has had enough takes no room, and its job gives back some",
        caught_by: "submit_with::a_submitter_that_has_had_enough_of_waiting_for_room_takes_none_along",
    },
    Mutant {
        file: "src/pool/thread_pool.rs",
        right: "        Ok(permit) => permit.keep(),
",
        wrong: "        Ok(permit) => {
            room.take_anyway(1);
            permit.keep();
        }
",
        mistake: "a submitter that is given room takes it twice",
        caught_by: "submit_with::a_submitter_that_has_had_enough_of_waiting_for_room_takes_none_along",
    },
    Mutant {
        file: "src/wait/cancel.rs",
        right: "    let mut cancelled = token.map(CancellationToken::cancelled);
",
        wrong: "    let mut cancelled = token.filter(|_| false).map(CancellationToken::cancelled);
",
        mistake: "a submit that waits for room does not hear its token",
        caught_by: "submit_with::a_submit_to_a_full_queue_ends_with_its_token",
    },
];

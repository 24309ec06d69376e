//! Mistakes about time: in the timers, in the runtime that fires them, and in sleeps.
//!
//! No time passes in a model, so these are for ordinary tests to catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/timers.rs",
        right: "        if first.key().deadline > self.now { None }",
        wrong: "        if first.key().deadline >= self.now { None }",
        mistake: "a timer does not fire at its deadline, but later",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "    deadline: Instant,
    number: u64,
}",
        wrong: "    number: u64,
    deadline: Instant,
}",
        mistake: "timers fire in the order in which they were set",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "        timers.n_set += 1;",
        wrong: "",
        mistake: "of two timers of one deadline the first is lost",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "timers.next_deadline().is_none_or(|next| deadline < next)",
        wrong: "timers.next_deadline().is_none()",
        mistake: "the keeper is not told that an earlier timer was set",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "        timers.now = timers.now.max(until);
        while",
        wrong: "        while",
        mistake: "a timer fires only when the time is already there",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/time.rs",
        right: "            self.take_out();
        }
        let number",
        wrong: "            self.timer = None;
        }
        let number",
        mistake: "a sleep that has moved leaves its timer where it was",
        caught_by: "--test=executor moving::a_sleep_that_has_moved_keeps_no_waker_where_it_was",
    },
    Mutant {
        file: "src/wait/time.rs",
        right: "Poll::Ready(()) if lets_others_go_first =>",
        wrong: "Poll::Ready(()) if lets_others_go_first && false =>",
        mistake: "a loop of sleeps that are too short starves the timeout around it",
        caught_by: "--test=time sleeping::a_loop_of_sleeps_that_are_too_short_ends_with_the_timeout_around_it",
    },
    Mutant {
        file: "src/wait/time.rs",
        right: "    fn drop(&mut self) {
        self.take_out();
    }",
        wrong: "    fn drop(&mut self) {}",
        mistake: "a sleep that is dropped leaves its timer behind",
        caught_by: "--test=executor sleeping::a_sleep_that_is_dropped_leaves_no_timer",
    },
    Mutant {
        file: "src/wait/alarm.rs",
        right: "        up_in.is_some_and(ProcessId::is_current) || self.notice()",
        wrong: "        up_in.is_some() || self.notice()",
        mistake: "after a fork no sleep ends, for the alarm's thread has stayed behind",
        caught_by: "--test=pool forked::a_sleep_ends_in_a_fork",
    },
    Mutant {
        file: "src/wait/runtime.rs",
        right: "self.clock.is_real() && self.polls_with(waker), is_own)",
        wrong: "self.clock.is_real(), is_own)",
        mistake: "a sleep that may be polled elsewhere has its timer with the executor",
        caught_by: "--test=executor keeping::a_sleep_that_was_set_in_a_run_is_over_between_two_runs",
    },
    Mutant {
        file: "src/wait/runtime.rs",
        right: "            self.fire_due();
        } else if",
        wrong: "        } else if",
        mistake: "a task that blocks its thread fires no timer of the others",
        caught_by: "--test=executor keeping::a_task_that_blocks_sleeps_on_though_a_timer_of_the_others_is_due",
    },
    Mutant {
        file: "src/wait/runtime.rs",
        right: "    let polled = match Hold::of_jumping() {",
        wrong: "    let polled = match Hold::of_jumping().filter(|_| false) {",
        mistake: "a clock jumps over what was started before the run",
        caught_by: "--test=executor jumping::a_clock_does_not_jump_over_a_job_that_was_submitted_before_the_run",
    },
    Mutant {
        file: "src/wait/block_on.rs",
        right: "    let _hold = Hold::of_jumping();
",
        wrong: "",
        mistake: "a clock jumps while a task waits for a pool to end",
        caught_by: "--test=executor jumping::a_clock_does_not_jump_while_a_task_waits_for_a_pool_to_end_or_for_its_own_jobs",
    },
    Mutant {
        file: "src/wait/block_on.rs",
        right: "            runtime.parker.unpark();",
        wrong: "            let _ = runtime;",
        mistake: "a wake that came while a task blocked its thread is lost",
        caught_by: "--test=executor keeping::what_wakes_a_task_while_it_blocks_is_not_lost_when_it_is_done",
    },
    Mutant {
        file: "src/wait/time.rs",
        right: "        Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed { timeout }))",
        wrong:
            "        if sleep.deadline > Deadline::At(Clock::current().now() + Duration::from_secs(1)) {
            return Poll::Pending;
        }
        Pin::new(&mut sleep).poll(context).map(|()| Err(Elapsed { timeout }))",
        mistake: "a timeout whose time is far away leaves no waker",
        caught_by: "--test=executor timeouts::a_member_whose_own_timeout_is_longer_than_each_wait_for_it_is_posted",
    },
    Mutant {
        file: "src/executor/tasks.rs",
        right: "        panic::drop_each(self.shared.close().into_iter().flatten());",
        wrong: "        drop(crate::wait::runtime::RuntimeContext::enter(None));
        panic::drop_each(self.shared.close().into_iter().flatten());",
        mistake: "a message that nobody reads is dropped on another clock",
        caught_by: "--test=executor remotes::unread_messages_are_dropped_on_the_clock_of_its_executor",
    },
];

//! Mistakes about time: in the timers, in the host that fires them, and in sleeps.
//!
//! No time passes in a model, so these are for ordinary tests to catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/timers.rs",
        right: "self.next_deadline()? <= now",
        wrong: "self.next_deadline()? < now",
        mistake: "a timer does not fire at its deadline, but later",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "    pub(crate) deadline: Instant,
    /// No other timer is ever given it.
    pub(crate) number: u64,
",
        wrong: "    pub(crate) number: u64,
    pub(crate) deadline: Instant,
",
        mistake: "timers fire in the order in which they were set",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "number: self.n_set };
        self.n_set += 1;",
        wrong: "number: self.n_set };",
        mistake: "of two timers of one deadline the first is lost",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "self.next_deadline().is_none_or(|next| deadline < next)",
        wrong: "self.next_deadline().is_none()",
        mistake: "nobody is told that an earlier timer was set",
        caught_by: "--lib wait::timers::tests::timers_do_what_a_sorted_list_does",
    },
    Mutant {
        file: "src/wait/host.rs",
        right: "here.fired.get() >= Some(deadline)",
        wrong: "here.fired.get().is_some()",
        mistake: "when one timer has fired, all others count as fired",
        caught_by: "--test=executor sleeping::a_sleep_may_be_reset_earlier_later_and_to_the_past",
    },
    Mutant {
        file: "src/wait/host.rs",
        right: "Here { host, next, fired: Cell::new(None) }",
        wrong: "Here { host, fired: next.clone(), next }",
        mistake: "what came due while the host was away counts as fired",
        caught_by: "--test=executor sleeping::a_sleep_goes_on_in_the_next_run_of_its_executor",
    },
    Mutant {
        file: "src/wait/host.rs",
        right: "        if self.has_fired(deadline) {
            return None;
        }
",
        wrong: "",
        mistake: "a timer is set that is known to be too late",
        caught_by: "--test=executor sleeping::a_sleep_until_a_time_that_has_been_fired_keeps_no_waker",
    },
    Mutant {
        file: "src/wait/sleep.rs",
        right: "=> host.has_fired(deadline),",
        wrong: "=> host.clock.is_real(),",
        mistake: "a sleep that is polled again is over",
        caught_by: "--test=executor sleeping::a_sleep_goes_on_in_the_next_run_of_its_executor",
    },
    Mutant {
        file: "src/wait/sleep.rs",
        right: "    fn drop(&mut self) {
        self.take_out();
    }",
        wrong: "    fn drop(&mut self) {}",
        mistake: "a sleep that is dropped leaves its timer behind",
        caught_by: "--test=executor sleeping::a_sleep_that_is_dropped_leaves_no_timer",
    },
    Mutant {
        file: "src/executor/core.rs",
        right: "        panic::drop_each(self.shared.close().into_iter().flatten());
        self.shared.host.close();",
        wrong: "        self.shared.host.close();
        panic::drop_each(self.shared.close().into_iter().flatten());",
        mistake: "mail that nobody reads is dropped on another clock",
        caught_by: "--test=executor remotes::unread_mail_is_dropped_on_the_clock_of_its_executor",
    },
];

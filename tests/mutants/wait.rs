//! Mistakes in the core module: the parker, and the cell that settles.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/parker.rs",
        right: "        drop(self.falling_asleep.lock());
",
        wrong: "",
        mistake: "the waker does not wait until the sleeper sleeps",
        caught_by: "wait::an_unpark_always_ends_the_park",
    },
    Mutant {
        file: "src/wait/parker.rs",
        right: "if self.state.swap(NOTIFIED, Release) != PARKED {",
        wrong: "if self.state.compare_exchange(EMPTY, NOTIFIED, Release, Relaxed) != Err(PARKED) {",
        mistake: "a sleeper is woken, and finds no notice",
        caught_by: "wait::two_unparks_end_two_parks_or_count_as_one",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let value = state.take_value();
        let not_needed",
        wrong: "        let value = None;
        let not_needed",
        mistake: "no second look where the waker is left",
        caught_by: "wait::a_settled_value_reaches_a_thread_that_joins",
    },
    Mutant {
        file: "src/wait/settle.rs",
        right: "        let unread = state.take_value();
        let reader",
        wrong: "        let unread = state.take_value();
        drop(state);
        let mut state = self.state.lock();
        let reader",
        mistake: "the reader takes the value and goes in two steps",
        caught_by: "wait::a_value_is_read_or_comes_back_but_never_both",
    },
];

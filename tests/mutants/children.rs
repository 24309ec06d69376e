//! Mistakes in the mailbox of the driver, and in the leash.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/process/mailbox.rs",
        right: "        if is_empty {
            state.bell = None;
        }
        is_empty",
        wrong: "        state.bell = None;
        true",
        mistake: "the thread leaves though there is a letter",
        caught_by: "children::a_letter_that_comes_while_the_driver_leaves_is_read",
    },
    Mutant {
        file: "src/process/mailbox.rs",
        right: "        let is_empty = state.letters.is_empty();
        if is_empty {",
        wrong: "        let is_empty = state.letters.is_empty();
        drop(state);
        let mut state = self.0.lock();
        if is_empty {",
        mistake: "looking for letters and leaving are two steps",
        caught_by: "children::a_letter_that_comes_while_the_driver_leaves_is_read",
    },
    Mutant {
        file: "src/process/mailbox.rs",
        right: "        push(state, letter);
        Ok(())",
        wrong: "        let bell = state.bell.clone();
        drop(state);
        bell.inspect(|bell| bell.ring());
        self.0.lock().letters.push(letter);
        Ok(())",
        mistake: "the bell rings before the letter is there",
        caught_by: "children::a_letter_rings_until_it_is_read",
    },
    Mutant {
        file: "src/process/mailbox.rs",
        right: "        let is_first = state.letters.is_empty();
        state.letters.push(letter);
        drop(state);",
        wrong: "        state.letters.push(letter);
        drop(state);
        let is_first = false;",
        mistake: "a letter is left, and does not ring",
        caught_by: "children::a_letter_rings_until_it_is_read",
    },
    Mutant {
        file: "src/process/leash.rs",
        right: "        hold.is_ours = false;
        reaped",
        wrong: "        reaped",
        mistake: "a child that was reaped still counts as ours",
        caught_by: "children::no_signal_hits_a_stranger",
    },
    Mutant {
        file: "src/process/leash.rs",
        right: "        let reaped = if hold.is_ours { self.process.reap().ok() } else { None };
        hold.is_ours = false;",
        wrong: "        let is_ours = std::mem::replace(&mut hold.is_ours, true);
        drop(hold);
        let reaped = if is_ours { self.process.reap().ok() } else { None };
        self.hold.lock().is_ours = false;",
        mistake: "the reaping is not under the lock",
        caught_by: "children::no_signal_hits_a_stranger",
    },
    Mutant {
        file: "src/process/leash.rs",
        right: "        let mut hold = self.hold.lock();
        if self.is_running(&mut hold) {
            hold.asked = hold.asked.max(Some(asked));",
        wrong: "        let is_running = self.is_running(&mut self.hold.lock());
        let mut hold = self.hold.lock();
        if is_running {
            hold.asked = hold.asked.max(Some(asked));",
        mistake: "looking at the child and noting what is asked are two steps",
        caught_by: "children::what_is_asked_of_a_zombie_is_not_noted",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "sys::is_executable(&from.join(candidate))",
        wrong: "sys::is_executable(candidate)",
        mistake: "a relative PATH is looked through in our directory, not in the child's",
        caught_by: "--test=process exits::a_program_is_looked_for_in_the_directory_of_the_child",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "b\"=\\0\".contains(b)",
        wrong: "*b == 0",
        mistake: "a name with a `=` in it sets another variable",
        caught_by: "--test=process exits::a_name_that_is_none_is_refused",
    },
];

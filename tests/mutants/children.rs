//! Mistakes in the mailbox of the driver, and under the signal lock.

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
        file: "src/process/signals.rs",
        right: "        state.process.take()?.reap().ok()",
        wrong: "        state.process.as_ref()?.reap().ok()",
        mistake: "a child that was reaped still counts as ours",
        caught_by: "children::no_signal_hits_a_stranger",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        state.process.take()?.reap().ok()",
        wrong: "        let process = state.process.take()?;
        drop(state);
        let reaped = process.reap().ok();
        self.0.lock().process = Some(process);
        let mut state = self.0.lock();
        state.process = None;
        reaped",
        mistake: "the reaping is not under the lock",
        caught_by: "children::no_signal_hits_a_stranger",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        let mut state = self.0.lock();
        if state.is_running() {
            state.asked =",
        wrong: "        let is_running = self.0.lock().is_running();
        let mut state = self.0.lock();
        if is_running {
            state.asked =",
        mistake: "looking at the child and noting what is asked are two steps",
        caught_by: "children::what_is_asked_of_a_zombie_is_not_noted",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        if is_running || sweep {",
        wrong: "        if is_running {",
        mistake: "a kill after the exit leaves what was left behind",
        caught_by: "--test=process groups::a_kill_after_the_exit_reaches_what_the_sweep_would_spare",
    },
    Mutant {
        file: "src/process/sys.rs",
        right: "Some(fd) => (libc::P_PIDFD, fd.as_raw_fd() as libc::id_t),",
        wrong: "Some(_) => (libc::P_PID, pid as libc::id_t),",
        mistake: "a child is looked at by its number, which may be another's by now",
        caught_by: "--lib process::signals::tests::a_child_that_was_given_the_number_of_another_is_left_alone",
    },
    Mutant {
        file: "src/process/sys.rs",
        right: "matches!(info.si_code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED)",
        wrong: "info.si_code != 0",
        mistake: "a stop that a debugger is told of is taken for an exit",
        caught_by: "--test=process exits::a_stop_that_a_debugger_is_told_of_is_no_exit",
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
    Mutant {
        file: "src/process/output.rs",
        right: "n_left.max(A_TURN)",
        wrong: "n_left.min(A_TURN)",
        mistake: "at the exit no more is read than in any turn",
        caught_by: "--test=process streams::all_that_is_in_a_pipe_at_the_exit_is_read",
    },
    Mutant {
        file: "src/process/child.rs",
        right: "            self.state.lines.forget(key);",
        wrong: "            let _ = key;",
        mistake: "a wait for a line that is dropped leaves its waker",
        caught_by: "--test=process lines::a_dropped_wait_takes_its_waker_along",
    },
];

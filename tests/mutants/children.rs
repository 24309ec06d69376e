//! Mistakes in the channel to the driver, and under the signal lock.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/process/driver.rs",
        right: "        if message.is_none() {
            *thread = None;
        }
        message",
        wrong: "        *thread = None;
        drop(message);
        None",
        mistake: "the thread leaves though there is a message",
        caught_by: "children::a_message_that_comes_while_the_driver_leaves_is_read",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "        let mut thread = self.0.lock();
        let message = messages.try_recv().ok();
        if message.is_none() {",
        wrong: "        let message = messages.try_recv().ok();
        let mut thread = self.0.lock();
        if message.is_none() {",
        mistake: "looking for messages and leaving are two steps",
        caught_by: "children::a_message_that_comes_while_the_driver_leaves_is_read",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "            sent = Self::try_send(&thread, unsent);
        }
        drop(thread);
        if let Ok(waker) = sent {
            waker.wake();
        }",
        wrong: "            sent = Self::try_send(&thread, unsent);
        }
        drop((thread, sent));",
        mistake: "a message is left, and wakes nobody",
        caught_by: "children::a_message_wakes_until_it_is_read",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "        sender.send(message).map(|()| waker.clone()).map_err(|unsent| unsent.0)",
        wrong: "        drop(sender.send(message));
        Ok(waker.clone())",
        mistake: "a message to a thread that has panicked is lost",
        caught_by: "--lib process::driver::tests::a_thread_that_has_panicked_is_followed_by_another",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "            pipe.wake();",
        wrong: "            drop(pipe);",
        mistake: "a child that its own thread drives is not reached when all are to end",
        caught_by: "--test=process handles::all_children_can_be_asked_and_then_killed",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "            if child.state.outcome.is_settled() {",
        wrong: "            if child.state.outcome.is_settled() && child.has_exited {",
        mistake: "a run waits for a child that no signal reaches",
        caught_by: "--test=process sandbox::the_bound_holds_where_no_signal_may_be_sent",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "RuntimeContext::current().is_none() && self.0.token.is_none()",
        wrong: "self.0.token.is_none()",
        mistake: "a task in `run` keeps its executor from its timers",
        caught_by: "--test=process scale::a_run_needs_no_other_thread",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "        let waiting = self.turns.split_off(&later);",
        wrong: "        let waiting = self.turns.split_off(&(Deadline::Never, later.1));",
        mistake: "every child has a turn whenever one has, and a thousand cost a thousand times as much",
        caught_by: "--lib process::spawn::tests::a_child_has_a_turn_only_when_its_time_has_come",
    },
    Mutant {
        file: "src/process/managed.rs",
        right: "        while let Some((policy, later)) = self.asked.0.get().cloned() {",
        wrong: "        if let Some((policy, later)) = self.asked.0.get().cloned() {",
        mistake: "of what all children are asked, a child heeds the first alone",
        caught_by: "--lib process::spawn::tests::a_child_heeds_all_that_was_asked_of_all_since_its_start",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        self.kill_by = self.kill_by.min(Deadline::later(now, sum));",
        wrong: "        self.kill_by = Deadline::later(now, sum);",
        mistake: "to ask for the end once more puts the kill off",
        caught_by: "--lib process::signals::tests::to_ask_again_and_again_does_not_put_the_kill_off",
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
        right: "        self.0.lock().note(Request::Terminate);",
        wrong: "        let is_running = self.0.lock().is_running();
        if is_running {
            self.0.lock().status.request = Some(Request::Terminate);
        }",
        mistake: "looking at the child and noting what is asked are two steps",
        caught_by: "children::what_is_asked_of_a_zombie_is_not_noted",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        if state.note(Request::Kill) || sweep {",
        wrong: "        if state.note(Request::Kill) {",
        mistake: "a kill after the exit leaves what was left behind",
        caught_by: "--test=process groups::a_kill_after_the_exit_reaches_what_the_sweep_would_spare",
    },
    Mutant {
        file: "src/process/sys.rs",
        right: "Some(fd) => (libc::P_PIDFD, fd.as_raw_fd() as libc::id_t),",
        wrong: "Some(_) => (libc::P_PID, self.pid as libc::id_t),",
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
        right: "A_TURN.max(sys::n_readable(pipe))",
        wrong: "A_TURN.min(sys::n_readable(pipe))",
        mistake: "at the exit no more is read than in any turn",
        caught_by: "--test=process streams::all_that_is_in_a_pipe_at_the_exit_is_read",
    },
    Mutant {
        file: "src/process/buffers.rs",
        right: "        locked(&self.shared.0, |(_, waits), wakers| wakers.leave(waits, key));",
        wrong: "        drop(key);",
        mistake: "a wait for a line that is dropped leaves its waker",
        caught_by: "--test=process lines::a_dropped_wait_takes_its_waker_along",
    },
    Mutant {
        file: "src/process/managed.rs",
        right: "            self.settle(None);",
        wrong: "",
        mistake: "the wait for a child whose driver has failed never ends",
        caught_by: "--lib process::spawn::tests::a_child_whose_driver_is_lost_is_killed_and_its_wait_ends",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "    if !DRIVER.process.is_current() {",
        wrong: "    if at.line() == 0 {",
        mistake: "a fork of the process waits for a thread that it does not have",
        caught_by: "--test=process forked::a_child_of_a_forked_process_is_refused",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "    managed.state.emit(Step::Submitted(at));",
        wrong: "    let mut managed = managed;
    managed.state.emit(Step::Submitted(at));
    managed.asked = DRIVER.asked.lock().clone();",
        mistake: "a child that has just been started is not asked with the others",
        caught_by: "--test=process handles::a_child_that_has_just_been_started_can_be_asked",
    },
];

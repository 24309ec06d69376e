//! Mistakes in the channel to the driver, and under the signal lock.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
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
        right: "        asked.iter().for_each(|child| child.wake_driver());",
        wrong: "        drop(asked);",
        mistake: "a child that was asked to end with all others is told when it has ended by itself",
        caught_by: "--test=process handles::all_children_can_be_asked_and_then_killed",
    },
    Mutant {
        file: "src/process/managed.rs",
        right: "!(has_news || self.next_turn.has_passed()) || self.turn(scratch)",
        wrong: "self.turn(scratch)",
        mistake: "every child has a turn whenever one has, and a thousand cost a thousand times as much",
        caught_by: "--lib process::spawn::tests::a_child_has_a_turn_only_when_its_time_has_come",
    },
    Mutant {
        file: "src/process/managed.rs",
        right: "        news.0 = true;",
        wrong: "",
        mistake: "what is asked of a child waits for something else to happen to it",
        caught_by: "--test=process handles::a_child_that_is_asked_ends_as_its_policy_says",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "self.asked.filter(|(asked, _)| *asked >= began)",
        wrong: "self.asked.filter(|(asked, _)| *asked < began)",
        mistake: "a child that is being started is not asked with the others, and one that is started later is",
        caught_by: "--lib process::spawn::tests::a_child_that_is_being_started_when_all_are_asked_is_asked_too",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        self.kill_by = self.kill_by.min(process.kill_by.unwrap_or(Deadline::Never));",
        wrong: "        self.kill_by = process.kill_by.unwrap_or(self.kill_by);",
        mistake: "to ask with a longer grace puts the kill off",
        caught_by: "--lib process::signals::tests::a_longer_grace_does_not_put_the_kill_off",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "            self.status.kill_by = Some(before.min(kill_by));",
        wrong: "            self.status.kill_by = Some(kill_by);",
        mistake: "to ask for the end once more puts the kill off",
        caught_by: "--lib process::signals::tests::of_what_is_asked_the_earliest_kill_counts",
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
        right: "        self.0.lock().note(kill_by);",
        wrong: "        let is_running = self.0.lock().is_running();
        if is_running {
            self.0.lock().status.kill_by = Some(kill_by);
        }",
        mistake: "looking at the child and noting what is asked are two steps",
        caught_by: "children::what_is_asked_of_a_zombie_is_not_noted",
    },
    Mutant {
        file: "src/process/signals.rs",
        right: "        state.note(Deadline::At(prims::now()));
        state.send(Signal::KILL);",
        wrong: "        state.note(Deadline::At(prims::now()));
        if !state.status.has_exited {
            state.send(Signal::KILL);
        }",
        mistake: "a kill after the exit leaves what was left behind",
        caught_by: "--lib process::signals::tests::a_signal_is_followed_by_a_cont_and_a_zombie_gets_none",
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
        right: "b\"=\\0\".contains(b)",
        wrong: "*b == 0",
        mistake: "a name with a `=` in it sets another variable",
        caught_by: "--test=process exits::a_name_that_is_none_is_refused",
    },
    Mutant {
        file: "src/process/output.rs",
        right: "A_TURN.max(sys::n_readable(&pipe) + 1)",
        wrong: "A_TURN.min(sys::n_readable(&pipe) + 1)",
        mistake: "at the exit no more is read than in any turn",
        caught_by: "--test=process streams::all_that_is_in_a_pipe_at_the_exit_is_read",
    },
    Mutant {
        file: "src/process/buffers.rs",
        right: "        !self.is_closed && self.size >= LIMIT",
        wrong: "        self.size >= LIMIT",
        mistake: "a child that is waited for is held up by lines that are not taken",
        caught_by: "--test=process lines::a_child_that_is_held_up_goes_on_when_it_is_waited_for",
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
        right: "        if !DRIVER.process.is_current() {",
        wrong: "        if at.line() == 0 {",
        mistake: "a fork of the process waits for a thread that it does not have",
        caught_by: "--test=process forked::a_child_of_a_forked_process_is_refused",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "        DRIVER.running.lock().add(&managed.state, began);",
        wrong: "",
        mistake: "a child that has just been started is not asked with the others",
        caught_by: "--test=process handles::a_child_that_has_just_been_started_can_be_asked",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "        if children[0].state.outcome.is_settled() {",
        wrong: "        if children[0].state.outcome.is_settled() && children[0].has_exited {",
        mistake: "a run waits for a child that no signal reaches",
        caught_by: "--test=process sandbox::the_bound_holds_where_no_signal_may_be_sent",
    },
    Mutant {
        file: "src/process/driver.rs",
        right: "    child.state.news.lock().1 = Some(pipe.clone()); // For `terminate_all`.",
        wrong: "",
        mistake: "a child that its own thread drives is not reached when all are to end",
        caught_by: "--test=process handles::all_children_can_be_asked_and_then_killed",
    },
    Mutant {
        file: "src/process/spawn.rs",
        right: "RuntimeContext::current().is_none() && self.token.is_none()",
        wrong: "self.token.is_none()",
        mistake: "a task in `run` keeps its executor from its timers",
        caught_by: "--test=process scale::a_run_needs_no_other_thread",
    },
];

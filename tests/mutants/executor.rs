//! Mistakes that the checks of the executor must catch.

use super::Mutant;

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        file: "src/wait/slab.rs",
        right: "        if self.slots.capacity() > FEW.max(4 * self.slots.len()) {",
        wrong: "        if self.slots.capacity() > FEW && self.slots.is_empty() {",
        mistake: "the slots of a crowd are kept for ever",
        caught_by: "--test=executor sizes::tasks_that_are_over_give_their_memory_back",
    },
    Mutant {
        file: "src/executor/group.rs",
        right: "            self.fail(panic.into());",
        wrong: "            drop(panic);",
        mistake: "a clean-up that panics is no failure of the group",
        caught_by: "--test=executor failing::a_clean_up_that_panics_is_a_failure_of_the_group",
    },
    Mutant {
        file: "src/executor/idle.rs",
        right: "            let held = slot.task.waits().into_iter().chain(slot.confined_waker());",
        wrong: "            let held = slot.task.waits().into_iter().filter(|_| slot.confined_waker().is_none());",
        mistake: "the wakers of those who wait for a group are in unknown hands",
        caught_by: "--test=executor hangs::a_group_whose_members_wait_for_ever_is_reported",
    },
    Mutant {
        file: "src/executor/idle.rs",
        right: "        if n_tasks <= FEW {",
        wrong: "        if n_tasks > 0 {",
        mistake: "all tasks are looked at after every wake",
        caught_by: "--test=executor sizes::a_wake_from_afar_costs_no_look_at_every_task",
    },
    Mutant {
        file: "src/executor/task.rs",
        right: "metadata.cancel_pending() || tasks::cancel(metadata)",
        wrong: "tasks::cancel(metadata)",
        mistake: "the cancel of a task that has no slot yet is lost",
        caught_by: "--test=executor remotes::what_is_spawned_from_afar_may_be_cancelled_before_it_arrives",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "    let _ = deferred::run(end);",
        wrong: "    end();",
        mistake: "a task is dropped inside of the drop of the task that owns it, however long the chain",
        caught_by: "--test=executor chains::a_chain_is_cancelled_at_its_head",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "        messages.push(message);
        drop(inbox);
        self.runtime.parker.unpark();",
        wrong: "        messages.push(message);
        drop(inbox);",
        mistake: "a message is left, and the thread is not unparked",
        caught_by: "executor::a_wake_from_another_thread_ends_the_rest",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "        let mut inbox = self.inbox.lock();
        let Some(messages) = &mut *inbox else {
            drop(inbox);
            // What was to be spawned may spawn again when it is dropped, and that again.
            let _ = deferred::run(move || drop(message));
            return false;
        };
        messages.push(message);
        drop(inbox);
        self.runtime.parker.unpark();",
        wrong: "        self.runtime.parker.unpark();
        let mut inbox = self.inbox.lock();
        let Some(messages) = &mut *inbox else {
            drop(inbox);
            let _ = deferred::run(move || drop(message));
            return false;
        };
        messages.push(message);
        drop(inbox);",
        mistake: "the thread is unparked first, and the message is left afterwards",
        caught_by: "executor::a_wake_from_another_thread_ends_the_rest",
    },
    Mutant {
        file: "src/executor/event_loop.rs",
        right: "        if self.shared.runtime.parker.take_notice() {
            self.read_messages();
        }",
        wrong: "        self.read_messages();
        self.shared.runtime.parker.take_notice();",
        mistake: "the messages are read before the notice of them is taken",
        caught_by: "executor::two_tasks_that_two_threads_wake_are_both_polled",
    },
    Mutant {
        file: "src/executor/tasks.rs",
        right: "        waker.itself.begin_poll();
",
        wrong: "",
        mistake: "a task that has been polled still counts as queued",
        caught_by: "executor::a_wake_that_comes_during_a_poll_means_another",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "        self.inbox.lock().take()
    }",
        wrong: "        self.inbox.lock().replace(Vec::new())
    }",
        mistake: "an executor that has ended takes messages, which nobody reads",
        caught_by: "executor::what_is_spawned_from_afar_runs_or_is_cancelled_when_the_executor_ends",
    },
    Mutant {
        file: "src/executor/task.rs",
        right: "        if let Some(cell) = self.0.take() {
            cell.settle(Err(JoinError::Cancelled(CancelReason::ShutDown)));
        }",
        wrong: "        self.0.take();",
        mistake: "a task that never starts never settles",
        caught_by: "executor::what_is_spawned_from_afar_runs_or_is_cancelled_when_the_executor_ends",
    },
    Mutant {
        file: "src/executor/event_loop.rs",
        right: "                Message::Cancel(id) => drop(self.cancel(id)),",
        wrong: "                Message::Cancel(_) => {}",
        mistake: "nobody reads that a task is to be cancelled",
        caught_by: "executor::a_cancel_from_another_thread_ends_a_task_that_rests",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "        (Ok(()) | Err(_), error) => task.fail(error),",
        wrong: "        (Ok(()) | Err(_), error) => drop(error),",
        mistake: "a task that is cancelled is dropped, and nobody is told",
        caught_by: "executor::a_cancel_from_another_thread_ends_a_task_that_rests",
    },
    Mutant {
        file: "src/executor/tasks.rs",
        right: "    slab.get_mut(id.slot).filter(|slot| slot.number == id.number)",
        wrong: "    slab.get_mut(id.slot)",
        mistake: "a cancel that comes late ends the task that is in that slot now",
        caught_by: "executor::a_cancel_that_comes_late_is_not_for_the_next_task_of_the_slot",
    },
    Mutant {
        file: "src/executor/tasks.rs",
        right: "        let is_alone = Arc::strong_count(&self.itself) == Self::CLONES;",
        wrong: "        let is_alone = Arc::strong_count(&self.itself) >= Self::CLONES;",
        mistake: "a waker that somebody has a clone of serves the next task, and that clone wakes it",
        caught_by: "executor::a_wake_that_comes_late_is_not_for_the_next_task",
    },
    Mutant {
        file: "src/wait/runtime.rs",
        right: "        } else if self.parker.is_notified() || !self.timers.fire(|_, next| next) {",
        wrong: "        } else if !self.timers.fire(|_, next| next) {",
        mistake: "a clock jumps though the executor has been woken",
        caught_by: "executor::a_job_is_heard_of_before_its_hold_is_let_go",
    },
    Mutant {
        file: "src/wait/runtime.rs",
        right: "            runtime.parker.unpark(); // It may jump now, or has to report that it hangs.
",
        wrong: "",
        mistake: "the last hold is let go, and nobody is told",
        caught_by: "executor::a_clock_jumps_when_the_last_job_is_over",
    },
    Mutant {
        file: "src/executor/run.rs",
        right: "        self.shared.runtime.parker.unpark(); // It may be the time to report that it hangs.",
        wrong: "",
        mistake: "the last remote goes, and nobody is told",
        caught_by: "executor::the_last_remote_that_goes_lets_a_hang_be_reported",
    },
    Mutant {
        file: "src/executor/run.rs",
        right: "        self.shared.remove_remote();
        self.shared.runtime.parker.unpark(); // It may be the time to report that it hangs.",
        wrong: "        self.shared.runtime.parker.unpark();
        self.shared.remove_remote();",
        mistake: "the executor is told that a remote goes before it has gone",
        caught_by: "executor::the_last_remote_that_goes_lets_a_hang_be_reported",
    },
    Mutant {
        file: "src/executor/shared.rs",
        right: "        if let Some(when) = self.observer.now_by(|| self.runtime.clock.now()) {",
        wrong: "        if let Some(when) = self.observer.now() {",
        mistake: "events of tasks are stamped by the machine's clock, whatever their executor's is",
        caught_by: "--test=observe a_task_is_drawn_by_the_clock_of_its_executor",
    },
    Mutant {
        file: "src/executor/idle.rs",
        right: "        quiet.has_passed() && !self.shared.has_messages()",
        wrong: "        quiet.has_passed()",
        mistake: "the notice of a wake that ends the quiet period is taken, and its message not read",
        caught_by: "executor::a_wake_that_ends_the_quiet_period_is_not_lost",
    },
    Mutant {
        file: "src/wait/timers.rs",
        right: "        timers.keepers.retain(|other| !other.will_wake(keeper));",
        wrong: "        timers.keepers.clear();",
        mistake: "an executor that leaves a clock takes along the keeper that another has set",
        caught_by: "--lib wait::timers::tests::a_keeper_that_goes_leaves_the_other_which_is_woken_to_look",
    },
    Mutant {
        file: "src/executor/idle.rs",
        right: "Arc::downgrade(held.insert(Arc::new(wait)))",
        wrong: "Arc::downgrade(Box::leak(Box::new(held.insert(Arc::new(wait)).clone())))",
        mistake: "a clone still counts as in known hands when its wait is dropped",
        caught_by: "--test=executor hangs::a_wait_for_a_map_that_was_dropped_is_no_reason_for_a_report",
    },
    Mutant {
        file: "src/executor/event_loop.rs",
        right: " && !deferred::run_queued()",
        wrong: "",
        mistake: "deep in drops, a run waits for the end of a task that is deferred until the run ends",
        caught_by: "--test=executor chains::a_run_deep_in_drops_hears_of_the_end_of_its_tasks",
    },
    Mutant {
        file: "src/executor/tasks.rs",
        right: "            deferred::run_queued(); // If we are deep in such code, the futures are there.",
        wrong: "",
        mistake: "deep in drops, an executor leaves its futures behind",
        caught_by: "--test=executor chains::an_executor_that_is_dropped_deep_in_drops_drops_its_futures",
    },
    Mutant {
        file: "src/executor/map_concurrent.rs",
        right: "self.n_running < self.limit && ",
        wrong: "self.n_running <= self.limit && ",
        mistake: "a map works on one input more than it may",
        caught_by: "--test=executor mapping::no_more_than_the_limit_are_worked_on_at_a_time",
    },
    Mutant {
        file: "src/executor/map_concurrent.rs",
        right: "        running.is_polled.set(polled.is_ready());",
        wrong: "        running.is_polled.set(false);",
        mistake: "a map begins nothing while its reader is away",
        caught_by: "--test=executor mapping::the_work_goes_on_while_the_reader_is_busy",
    },
    Mutant {
        file: "src/executor/map_concurrent.rs",
        right: "        begin(&Rc::downgrade(&self.work)); // There may have been no executor when there was room.",
        wrong: "",
        mistake: "inputs are lost where results were fetched and no executor ran",
        caught_by: "--test=executor mapping::results_that_are_fetched_between_two_runs_make_room_in_the_next",
    },
    Mutant {
        file: "src/executor/map_concurrent.rs",
        right: "        let _ = deferred::run(move || drop(futures));",
        wrong: "        drop(futures);",
        mistake: "a chain of maps whose inputs own the next overflows the stack",
        caught_by: "--test=executor chains::maps_whose_inputs_own_the_next_map_are_dropped_at_the_head",
    },
    Mutant {
        file: "src/executor/group.rs",
        right: "        if !self.is_spawner {",
        wrong: "        if !self.is_spawner || self.is_spawner {",
        mistake: "a group is cancelled by the drop of what its tasks spawn with",
        caught_by: "--test=executor groups::a_group_waits_for_children_of_its_children",
    },
];

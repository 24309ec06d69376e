//! What an executor does when no task is ready: it idles, or finds that nothing can ever wake again.
//!
//! Knows nothing of how tasks are polled. A waker is an `Arc`, so that it can be counted: a task that is
//! not ready, and of whose waker there is no other clone, will never be polled again. If all of them are
//! like that, the program hangs, and the report says which waits for what.
//!
//! What must always hold:
//!
//! 1. The thread sleeps no longer than to the next deadline, and not at all if there is a message.
//! 2. Under a jumping clock time moves where the runtime parks: to the next deadline; or, while something is held, as
//!    fast as real time does, for what was started elsewhere knows no other.
//! 3. A hang is looked for only where nothing was started elsewhere, no timer is set, and no other thread
//!    may spawn.
//! 4. A report is the truth. A clone that is not known may be woken at any time, so one of them is enough for
//!    no report. Known are those in other tasks of this executor, for a task keeps the waker of the one that waits
//!    for it; and of a task that waits for a group or a map, the one in there, which no other thread can reach: of what
//!    it was polled for last, so that too few may be known, and never too many. One thing is not
//!    asked, for it cannot be known: whether another thread has a handle, and will cancel its task. A thread
//!    that means to keeps a `Remote`, and that is asked.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{Ordering, fence};
use crate::wait::block_on::default_spin_limit;
use crate::wait::clock::Deadline;
use crate::wait::hints::{self, ConfinedWait, WaitReason};

use super::shared::Metadata;
use super::tasks::{KeptWaker, Slot, Tasks};

use Ordering::Acquire;

/// How long nothing must have happened before the executor of a jumping clock reports a hang.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// So many tasks are looked at in less time than the thread takes to fall asleep.
const FEW: usize = 64;
/// Ten times what a look at one of many tasks takes.
const QUIET_FOR_A_TASK: Duration = Duration::from_micros(2);

impl Tasks {
    /// Idles until there may be messages, or a timer has been fired. True if no task will ever be ready again.
    pub(crate) fn rest(&self) -> bool {
        let runtime = &self.shared.runtime;
        let is_jumping = !runtime.clock.is_real();
        let waits_for_a_time = || runtime.timers.next_deadline().is_some();
        if is_jumping && self.shared.has_messages() {
            // Their sender may not have unparked us yet, and the clock would jump over what they bring.
            return false;
        }
        if waits_for_a_time() || !self.is_quiet() {
            self.park(Deadline::Never);
            return false;
        }
        if !self.is_worth_a_look() {
            return false;
        }
        if self.is_proved() {
            return true;
        }
        // If the clock jumps, there is no time that could be jumped to.
        let is_silent = is_jumping && self.is_quiet();
        let quiet = if is_silent { Deadline::after(QUIET_PERIOD) } else { Deadline::Never };
        self.park(quiet);
        quiet.has_passed() && !waits_for_a_time() && self.is_quiet()
    }

    /// Whether to look at all tasks now: only after a quiet period of ten times what the look will take, so
    /// that wakes from other threads are not each followed by one.
    fn is_worth_a_look(&self) -> bool {
        let n_tasks = self.slab.borrow().len();
        if n_tasks <= FEW {
            return true;
        }
        let quiet = Deadline::after(QUIET_FOR_A_TASK.saturating_mul(n_tasks as u32));
        self.shared.runtime.parker.park(quiet);
        // A wake may have ended that park a moment before its time, and its notice has been taken.
        quiet.has_passed() && !self.shared.has_messages()
    }

    /// Whether it is certain that no task will be woken.
    fn is_proved(&self) -> bool {
        if !self.is_quiet() || !self.nothing_can_wake() {
            return false;
        }
        // A wake from elsewhere is a message first, and only then one clone of its waker fewer. We may have
        // counted the clones between the two, but not without finding the message now.
        // ORDERING: Acquire. Pairs with the Release with which an `Arc` counts down.
        fence(Acquire);
        !self.shared.has_messages()
    }

    /// Whether nothing could wake a task by itself, but for clones of wakers.
    fn is_quiet(&self) -> bool {
        let runtime = &self.shared.runtime;
        // In this order: a hold, or a remote, is let go after the message that it stands for.
        !runtime.is_held() && !self.shared.has_remotes() && !self.shared.has_messages()
    }

    /// Whether it is certain that none of these will be woken. No task is ready, and no timer is set.
    ///
    /// It looks at every task, and gives up when the thread is to look for messages.
    fn nothing_can_wake(&self) -> bool {
        let mut known = BTreeMap::<*const (), usize>::new();
        let (main, slab) = (self.main.borrow(), self.slab.borrow());
        for slot in main.iter().chain(slab.iter()) {
            if self.shared.runtime.parker.is_notified() {
                return false;
            }
            let held = slot.task.waits().into_iter().chain(slot.confined_waker());
            held.for_each(|held| *known.entry(held).or_default() += 1);
        }
        // Each has a waker: a task that has not been polled yet is ready.
        let is_forgotten = |slot: &Slot, own: usize| {
            slot.waker.as_ref().is_none_or(|KeptWaker { itself, .. }| {
                let n_known = known.get(&Arc::as_ptr(itself).cast()).copied().unwrap_or(0);
                Arc::strong_count(itself) - own == n_known
            })
        };
        // The future of the run has the waker in its slot, and once more to be polled with.
        main.iter().all(|slot| is_forgotten(slot, 2 * KeptWaker::CLONES))
            && slab.iter().all(|slot| is_forgotten(slot, KeptWaker::CLONES))
    }

    fn park(&self, deadline: Deadline) {
        let runtime = &self.shared.runtime;
        if runtime.is_held() {
            // What goes on elsewhere may be over in less time than a sleeping thread takes to wake.
            let mut adaptive_spin = self.adaptive_spin.take();
            adaptive_spin.spin(default_spin_limit(), || runtime.parker.is_notified());
            self.adaptive_spin.set(adaptive_spin);
        }
        runtime.park(deadline);
    }

    /// The state of everything.
    pub(crate) fn dump(&self) -> Dump {
        let state = |slot: &Slot| {
            let Metadata { number, name, spawned_at, .. } = slot.task.metadata();
            // A task without a waker is being polled, or will be for the first time.
            let waits = slot.waker.as_ref().is_some_and(|waker| {
                let runs = self.shared.runtime.polls_with(&waker.to_poll_with);
                !runs && !waker.itself.is_queued()
            });
            let reason = slot.waits_for.as_ref();
            TaskState {
                number: *number,
                name: name.as_deref().map(str::to_owned),
                spawned_at,
                waits_for: waits
                    .then(|| reason.map_or("something else".to_owned(), WaitReason::to_string)),
            }
        };
        let (main, slab) = (self.main.borrow(), self.slab.borrow());
        Dump { tasks: main.iter().chain(slab.iter()).map(state).collect() }
    }
}

impl Slot {
    /// What its waker holds, if the task waits for what has the one clone of that on this thread.
    fn confined_waker(&self) -> Option<*const ()> {
        let Some(WaitReason::Confined(wait)) = &self.waits_for else { return None };
        let held = wait.upgrade()?.held;
        let own = Arc::as_ptr(&self.waker.as_ref()?.itself).cast();
        Some(own).filter(|own: &*const ()| own.addr() == held)
    }
}

/// The tasks of an executor at one moment, and what each waits for.
///
/// When to use it: a program stands still, and you want to know why. You get it from
/// [`Executor::dump`](crate::Executor::dump) at any time, and from [`try_run`](crate::try_run) where it is
/// proved that nothing can ever wake again. It prints as a list.
#[derive(Clone, Debug)]
pub struct Dump {
    /// The future that `run` was given, if it runs, and then every task that is not over.
    pub tasks: Vec<TaskState>,
}

/// One task in a [`Dump`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskState {
    /// Its number: tasks are counted as they are spawned.
    pub number: usize,
    /// The name that it was given; 'main' of the future that `run` was given.
    pub name: Option<String>,
    /// The line that spawned it, or called `run`.
    pub spawned_at: &'static Location<'static>,
    /// What it waits for, where that is known. `None` if it is ready to be polled, or runs.
    pub waits_for: Option<String>,
}

/// Nothing can ever wake again: every task waits, and nothing is left to end the wait.
///
/// You meet it in [`try_run`](crate::try_run), and as the message of a panic in [`run`](crate::run). On the real
/// clock it is proved; under a jumping one it may also be a quiet period of a second.
#[derive(Clone, Debug)]
pub struct Hang(pub(crate) Dump);

impl Hang {
    /// Which task waits for what.
    pub fn dump(&self) -> &Dump {
        &self.0
    }
}

/// Polls a future that, while it is pending, keeps one clone of its waker on this thread. It will be pending until
/// something is polled here.
///
/// # Panics
///
/// If a task blocks the thread meanwhile: then it would be for ever.
pub(crate) async fn confined<F: Future>(waits_for: &'static str, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut held = None; // While it is there, the clone is where it was left.
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        held = None;
        if polled.is_pending() {
            assert!(
                !hints::is_blocking_wait(),
                "a task blocks its thread to wait for {waits_for}, which no other thread can bring about; \
                 `.await` it there instead"
            );
            let wait = ConfinedWait { words: waits_for, held: context.waker().data().addr() };
            hints::set_reason(WaitReason::Confined(Arc::downgrade(held.insert(Arc::new(wait)))));
        }
        polled
    })
    .await
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.number)?;
        if let Some(name) = &self.name {
            write!(f, " '{name}'")?;
        }
        write!(f, ", spawned at {}", self.spawned_at)?;
        match &self.waits_for {
            Some(what) => write!(f, ", waits for {what}"),
            None => f.write_str(", is ready"),
        }
    }
}

/// A line for each task.
impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, task) in self.tasks.iter().enumerate() {
            write!(f, "{}{task}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing can ever wake again; this is who waits:\n{}", self.0)
    }
}

impl Error for Hang {}

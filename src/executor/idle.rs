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
//!    for it; and those in groups and maps, which no other thread can reach. One thing is not
//!    asked, for it cannot be known: whether another thread has a handle, and will cancel its task. A thread
//!    that means to keeps a `Remote`, and that is asked.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{Ordering, fence};
use crate::wait::clock::Deadline;
use crate::wait::hints::{self, WaitReason};
use crate::wait::parker::AdaptiveSpin;

use super::known_clones::KnownClones;
use super::shared::Shared;
use super::slab::Slab;
use super::tasks::{KeptWaker, Slot, TaskWaker, Tasks};

use Ordering::Acquire;

pub(crate) struct Idle {
    shared: Arc<Shared>,
    adaptive_spin: Cell<AdaptiveSpin>,
    /// How long to spin before falling asleep, while something is held.
    spin_limit: Duration,
}

/// What came of idling.
pub(crate) enum Verdict {
    /// There may be messages, or a timer that was due has been fired.
    GoesOn,
    /// No task will ever be ready again.
    Hangs,
}

/// How long nothing must have happened before the executor of a jumping clock reports a hang.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// So many tasks are looked at in less time than the thread takes to fall asleep.
const FEW: usize = 64;
/// Ten times what a look at one of many tasks takes.
const QUIET_FOR_A_TASK: Duration = Duration::from_micros(2);

impl Idle {
    pub(crate) fn new(shared: &Arc<Shared>, spin_limit: Duration) -> Self {
        Self { shared: shared.clone(), adaptive_spin: Cell::default(), spin_limit }
    }

    /// Idles until a task may be ready, unless none ever will be.
    pub(crate) fn rest(&self, n_tasks: usize, nothing_can_wake: impl Fn() -> bool) -> Verdict {
        let runtime = &self.shared.runtime;
        let is_jumping = !runtime.clock.is_real();
        let waits_for_a_time = || runtime.timers.next_deadline().is_some();
        if is_jumping && self.shared.has_messages() {
            // Their sender may not have unparked us yet, and the clock would jump over what they bring.
            return Verdict::GoesOn;
        }
        if waits_for_a_time() || !self.is_quiet() {
            self.park(Deadline::Never);
        } else if self.is_worth_a_look(n_tasks) {
            if self.is_proved(nothing_can_wake) {
                return Verdict::Hangs;
            }
            // If the clock jumps, there is no time that could be jumped to.
            let quiet = if is_jumping && self.is_quiet() {
                Deadline::after(QUIET_PERIOD)
            } else {
                Deadline::Never
            };
            self.park(quiet);
            if quiet.has_passed() && !waits_for_a_time() && self.is_quiet() {
                return Verdict::Hangs;
            }
        }
        Verdict::GoesOn
    }

    /// Whether to look at all tasks now: only after a quiet period of ten times what the look will take, so
    /// that wakes from other threads are not each followed by one.
    fn is_worth_a_look(&self, n_tasks: usize) -> bool {
        if n_tasks <= FEW {
            return true;
        }
        let quiet = Deadline::after(QUIET_FOR_A_TASK.saturating_mul(n_tasks as u32));
        self.shared.runtime.parker.park(quiet);
        // A wake may have ended that park a moment before its time, and its notice has been taken.
        quiet.has_passed() && !self.shared.has_messages()
    }

    /// Whether it is certain that no task will be woken.
    fn is_proved(&self, nothing_can_wake: impl Fn() -> bool) -> bool {
        if !self.is_quiet() || !nothing_can_wake() {
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
        let Shared { runtime, .. } = &*self.shared;
        // In this order: a hold, or a remote, is let go after the message that it stands for.
        !runtime.is_held() && !self.shared.has_remotes() && !self.shared.has_messages()
    }

    fn park(&self, deadline: Deadline) {
        let runtime = &self.shared.runtime;
        if runtime.is_held() {
            // What goes on elsewhere may be over in less time than a sleeping thread takes to wake.
            let mut adaptive_spin = self.adaptive_spin.take();
            adaptive_spin.spin(self.spin_limit, || runtime.parker.is_notified());
            self.adaptive_spin.set(adaptive_spin);
        }
        runtime.park(deadline);
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
    /// The name that it was given.
    pub name: Option<String>,
    /// The line that spawned it; `None` for the future that `run` was given.
    pub spawned_at: Option<&'static Location<'static>>,
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

/// The future that `run` was given. It stays with `run`, for it may borrow.
pub(crate) struct Main {
    waker: Arc<TaskWaker>,
    pub(crate) waits_for: Option<WaitReason>,
    pub(crate) is_polled: bool,
}

/// How many clones of its waker the main future has: the one here, and those of the loop.
const CLONES_OF_MAIN: usize = 1 + KeptWaker::CLONES;

impl Main {
    pub(crate) fn new(waker: Arc<TaskWaker>) -> Self {
        Self { waker, waits_for: None, is_polled: false }
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
    let mut known = None;
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        known = None;
        if polled.is_pending() {
            assert!(
                !hints::is_blocking_wait(),
                "a task blocks its thread to wait for {waits_for}, which no other thread can bring about; \
                 `.await` it there instead"
            );
            let held = context.waker().data();
            known = Tasks::current().map(|tasks| tasks.known_clones.borrow_mut().add(held));
            hints::set_reason(WaitReason::Words(waits_for));
        }
        polled
    })
    .await
}

/// Whether it is certain that none of these will be woken. No task is ready, and no timer is set.
///
/// It looks at every task, and gives up when `is_disturbed` is true.
pub(crate) fn nothing_can_wake(
    main: Option<&Main>,
    slab: &Slab<Slot>,
    known_clones: &mut KnownClones,
    is_disturbed: impl Fn() -> bool,
) -> bool {
    let mut known = known_clones.counts();
    for task in slab.iter() {
        if is_disturbed() {
            return false;
        }
        if let Some(held) = task.task.waits() {
            *known.entry(held).or_insert(0) += 1;
        }
    }
    let main = main.map(|main| (&main.waker, CLONES_OF_MAIN));
    // Each has a waker: a task that has not been polled yet is ready.
    let tasks = slab.iter().filter_map(|task| Some((task.waker()?, KeptWaker::CLONES)));
    main.into_iter().chain(tasks).all(|(waker, own)| {
        let n_known = known.get(&Arc::as_ptr(waker).cast()).copied().unwrap_or(0);
        Arc::strong_count(waker) - own == n_known
    })
}

/// The state of everything.
pub(crate) fn dump(main: Option<&Main>, slab: &Slab<Slot>) -> Dump {
    // A task without a waker is being polled, or will be for the first time.
    let words = |waker: Option<&Arc<TaskWaker>>, waits_for: &Option<WaitReason>| {
        let waits =
            || waits_for.as_ref().map_or("something else".to_owned(), WaitReason::to_string);
        waker.is_some_and(|waker| !waker.is_queued()).then(waits)
    };
    let main = main.map(|main| TaskState {
        number: main.waker.id().number,
        name: Some("main".to_owned()),
        spawned_at: None,
        waits_for: words((!main.is_polled).then_some(&main.waker), &main.waits_for),
    });
    let tasks = slab.iter().map(|slot| TaskState {
        number: slot.number,
        name: slot.task.metadata().name.as_deref().map(str::to_owned),
        spawned_at: Some(slot.task.metadata().spawned_at),
        waits_for: words(slot.waker(), &slot.waits_for),
    });
    Dump { tasks: main.into_iter().chain(tasks).collect() }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.number)?;
        if let Some(name) = &self.name {
            write!(f, " '{name}'")?;
        }
        if let Some(line) = self.spawned_at {
            write!(f, ", spawned at {line}")?;
        }
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

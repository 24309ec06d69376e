//! Who waits for what, and when nothing can ever wake again.
//!
//! Knows nothing of how tasks are polled. A waker is an `Arc`, so that it can be counted: a task that is
//! not ready, and of whose waker nobody else has a clone, will never be polled again. If all of them are
//! like that, the program hangs, and the report says who waits for what.
//!
//! What must always hold: a report is the truth. A clone in unknown hands may be woken at any time, so one
//! of them is enough for no report. The hands that are known are those of other tasks of this executor, for a
//! task keeps the waker of the one that waits for it; and those of groups and maps, which no other thread can
//! reach. One thing is not asked, for it cannot be known: whether another
//! thread has a handle, and will cancel its task. Who means to keeps a `Remote`, and that is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Waker};

use crate::panic;
use crate::prims::thread_local;
use crate::wait::inside;
use crate::wait::tag::{self, Tag};

use super::ready::{KeptWaker, TaskWaker};
use super::seats::{Main, Seats};

/// How many clones of its waker the main future has: the one that is listed, and those of the loop.
const CLONES_OF_MAIN: usize = 1 + KeptWaker::CLONES;

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

/// Nothing can ever wake again: every task waits, and nobody is left to end the wait.
///
/// You meet it in [`try_run`](crate::try_run), and as the message of a panic in [`run`](crate::run). On the real
/// clock it is proved; under a jumping one it may also be a second of silence.
#[derive(Clone, Debug)]
pub struct Hang(pub(crate) Dump);

impl Hang {
    /// Who waits for what.
    pub fn dump(&self) -> &Dump {
        &self.0
    }
}

/// A waker in something that never leaves this thread: a group, a map. It is in known hands, for only what
/// is polled here could wake it.
pub(crate) struct ConfinedWaker(Option<Waker>);

thread_local! {
    /// How many confined clones there are of each waker, by what it holds.
    static CONFINED: RefCell<BTreeMap<*const (), usize>> = const { RefCell::new(BTreeMap::new()) };
}

impl ConfinedWaker {
    /// For a future that will be pending until this thread goes on.
    ///
    /// # Panics
    ///
    /// If a task blocks the thread meanwhile: then it never would.
    pub(crate) fn new(context: &Context<'_>, waits_for: &'static str) -> Self {
        assert!(
            !inside::is_blocking_wait(),
            "a task blocks its thread to wait for {waits_for}, which no other thread can bring about; \
             `.await` it there instead"
        );
        let waker = context.waker().clone();
        let count = |confined: &RefCell<BTreeMap<_, _>>| {
            *confined.borrow_mut().entry(waker.data()).or_insert(0) += 1;
        };
        let _ = CONFINED.try_with(count); // A thread that is ending proves nothing any more.
        tag::say(Tag::Words(waits_for));
        Self(Some(waker))
    }

    pub(crate) fn into_waker(mut self) -> Waker {
        self.give_up().expect("it is given up here or in the drop")
    }

    fn give_up(&mut self) -> Option<Waker> {
        let waker = self.0.take()?;
        let uncount = |confined: &RefCell<BTreeMap<_, usize>>| {
            if let Entry::Occupied(mut count) = confined.borrow_mut().entry(waker.data()) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        };
        let _ = CONFINED.try_with(uncount); // As in `new`.
        Some(waker)
    }
}

impl Drop for ConfinedWaker {
    fn drop(&mut self) {
        let waker = self.give_up();
        panic::contain(|| drop(waker));
    }
}

/// Whether it is certain that none of these will be woken. Nobody is ready, and no timer is set.
///
/// It looks at every task, and gives up when `is_disturbed` is true.
pub(crate) fn nothing_can_wake(
    main: Option<&Main>,
    seats: &Seats,
    is_disturbed: impl Fn() -> bool,
) -> bool {
    let main = main.map(|main| (&main.waker, CLONES_OF_MAIN));
    // Each has a waker: a task that has not been polled yet is ready.
    let tasks = || seats.iter().filter_map(|task| Some((task.waker()?, KeptWaker::CLONES)));
    let n_elsewhere = |(waker, own): (&Arc<TaskWaker>, usize)| Arc::strong_count(waker) - own;
    // Only counted first: as a rule some task waits for something that is not a task.
    let mut n_unexplained = main.map_or(0, n_elsewhere);
    let mut known = CONFINED.with(|confined| confined.borrow().clone());
    for task in seats.iter() {
        if is_disturbed() {
            return false;
        }
        n_unexplained += task.waker().map_or(0, |waker| n_elsewhere((waker, KeptWaker::CLONES)));
        if let Some(held) = task.cell.waits() {
            *known.entry(held).or_insert(0) += 1;
        }
    }
    n_unexplained <= known.values().sum()
        && main.into_iter().chain(tasks()).all(|(waker, own)| {
            n_elsewhere((waker, own)) == known.get(&Arc::as_ptr(waker).cast()).copied().unwrap_or(0)
        })
}

/// The state of everything.
pub(crate) fn dump(main: Option<&Main>, seats: &Seats) -> Dump {
    // Who has no waker at hand is being polled, or will be for the first time.
    let words = |waker: Option<&Arc<TaskWaker>>, waits_for: &Option<Tag>| {
        let waits = || waits_for.as_ref().map_or("something else".to_owned(), Tag::to_string);
        waker.is_some_and(|waker| !waker.is_queued()).then(waits)
    };
    let main = main.map(|main| TaskState {
        number: main.waker.task().number,
        name: Some("main".to_owned()),
        spawned_at: None,
        waits_for: words((!main.is_polled).then_some(&main.waker), &main.waits_for),
    });
    let tasks = seats.iter().map(|task| TaskState {
        number: task.number,
        name: task.cell.card().name.as_deref().map(str::to_owned),
        spawned_at: Some(task.cell.card().spawned_at),
        waits_for: words(task.waker(), &task.waits_for),
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

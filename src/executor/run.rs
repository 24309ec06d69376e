//! What a user calls: an executor, `run`, the settings, and a way to spawn from other threads.
//!
//! Knows nothing of wakers. What must always hold:
//!
//! 1. When an executor ends, every future of it has been dropped, inside of it, and each waiter for one of
//!    them has been told.
//! 2. What another thread hands over is spawned, or its handle settles as cancelled; and as long as another
//!    thread may spawn, nothing says that nothing can ever wake again.
//! 3. What is not set works well.

use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::panic::Panic;
use crate::trace_event::{Observer, TraceEvent};
use crate::wait::clock::Clock;
use crate::wait::panic_hook::PanicHook;
use crate::wait::runtime::RuntimeContext;

use super::idle::{Dump, Hang};
use super::shared::{Message, Shared};
use super::task::{PendingTask, Task};
use super::tasks::Tasks;

/// Runs a future to its end, and what it spawns beside it; then drops what is left.
///
/// When to use it: once, around the whole asynchronous part of a program. When the future is ready, tasks
/// that are not over are dropped as they are, and their drops have run before this returns.
///
/// ```
/// use std::time::Duration;
/// use handspun::{join_all, run, sleep};
///
/// let greetings = run(async {
///     join_all(["hello", "world"].map(|word| async move {
///         sleep(Duration::from_millis(5)).await;
///         word
///     }))
///     .await
/// });
/// assert_eq!(greetings, ["hello", "world"]);
/// ```
///
/// # Panics
///
/// If the future does. If an executor runs on this thread already. And if nothing can ever wake again: the
/// message says which task waits for what; see [`try_run`].
#[doc(alias = "asyncio")]
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    Executor::new().run(future)
}

/// Runs a future as [`run`] does, but gives back the proof if it can never end.
///
/// ```
/// use handspun::{spawn, try_run};
///
/// let hang = try_run(async {
///     let stuck = spawn(std::future::pending::<()>());
///     stuck.await
/// })
/// .unwrap_err();
/// let report = hang.to_string();
/// assert!(report.contains("task 0 'main', spawned at "), "{report}");
/// assert!(report.contains(", waits for task 1"), "{report}");
/// ```
///
/// # Errors
///
/// [`Hang`], when it is certain that nothing can ever wake again: no task is ready, no timer is set, nothing
/// that was started here is under way, no [`Remote`] is left, and there is no other clone of any waker. So waits for
/// tasks, groups and maps are proved. Not so, on the real clock, a wait for a semaphore, a queue, an event or a token,
/// which another thread might end, nor one through `join_all`, `race` or `as_completed`.
/// (A thread that will [cancel](Task::cancel) a task by its handle keeps a `Remote` meanwhile, to be waited for.)
/// Under a [jumping](Clock::jumping) clock a quiet period of a second is enough in place of the last. A hang that
/// cannot be proved is not reported: [`Executor::dump`] shows what each task waits for.
#[track_caller]
pub fn try_run<F: Future>(future: F) -> Result<F::Output, Hang> {
    Executor::new().try_run(future)
}

/// An executor on one thread: polls futures when they are woken, and sleeps when none is.
///
/// When to use it: [`run`] does for most programs. An executor of your own has settings, keeps its tasks
/// from one `run` to the next, and can be asked what it does.
///
/// ```
/// use std::time::{Duration, Instant};
/// use handspun::{Clock, Executor, sleep};
///
/// let executor = Executor::builder().clock(Clock::jumping()).build();
/// let began = Instant::now();
/// executor.run(async { sleep(Duration::from_secs(3600)).await });
/// assert!(began.elapsed() < Duration::from_secs(60), "an hour on its clock, not on ours");
/// ```
///
/// **Dropping it** drops all its futures. A waiter elsewhere for one of its tasks is told that it was
/// cancelled.
#[doc(alias = "LocalExecutor")]
#[doc(alias = "Runner")]
#[doc(alias = "Runtime")]
#[doc(alias = "event_loop")]
pub struct Executor {
    tasks: Rc<Tasks>,
}

impl Executor {
    /// An executor with the default settings.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings for an executor.
    pub fn builder() -> ExecutorBuilder {
        ExecutorBuilder::default()
    }

    /// Runs until that future is ready. Tasks that are not over by then go on in the next run.
    ///
    /// Between two runs nothing is polled, and a jumping clock stands still. What sleeps by the real clock and is no task
    /// is told to look again at the end of a run, since something else may poll it then.
    ///
    /// # Panics
    ///
    /// As the function [`run`] does.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        match self.try_run(future) {
            Ok(output) => output,
            Err(hang) => panic!("{hang}"),
        }
    }

    /// The same, but gives back the proof if it can never end.
    ///
    /// # Errors
    ///
    /// As the function [`try_run`].
    #[track_caller]
    pub fn try_run<F: Future>(&self, future: F) -> Result<F::Output, Hang> {
        assert!(
            Tasks::current().is_none(),
            "an executor runs on this thread already, and what calls this is polled by it: `.await` the \
             future or `spawn` it, or run the other executor on a thread of its own"
        );
        let _running = self.tasks.enter();
        self.tasks.run(pin!(future), Location::caller())
    }

    /// Spawns a task, which is polled in the next run, or in the next turn of this one.
    ///
    /// When to use it: before the run, or with an executor that is handed along; a task calls
    /// [`spawn`](crate::spawn).
    ///
    /// ```
    /// use handspun::Executor;
    ///
    /// let executor = Executor::new();
    /// let answer = executor.spawn(async { 42 });
    /// assert_eq!(executor.run(answer)?, 42);
    /// # Ok::<(), handspun::JoinError>(())
    /// ```
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let tasks = &self.tasks;
        let (task, pending) = PendingTask::new(&tasks.shared, None, Location::caller());
        pending.start(tasks, future);
        task
    }

    /// A way to spawn from other threads.
    pub fn remote(&self) -> Remote {
        Remote::new(&self.tasks.shared)
    }

    /// What every task waits for at this moment. May be asked by a task, too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::{Executor, sleep, spawn_named, yield_now};
    ///
    /// let executor = Executor::new();
    /// executor.run(async {
    ///     let task = spawn_named("nap", sleep(Duration::from_secs(60)));
    ///     yield_now().await;
    ///     let dump = executor.dump();
    ///     assert_eq!(dump.tasks[1].name.as_deref(), Some("nap"));
    ///     assert_eq!(dump.tasks[1].waits_for.as_deref(), Some("a time"));
    ///     drop(task);
    /// });
    /// ```
    #[doc(alias = "all_tasks")]
    #[doc(alias = "print_call_graph")]
    #[doc(alias = "current_task")]
    pub fn dump(&self) -> Dump {
        self.tasks.dump()
    }

    /// How many tasks are not over.
    pub fn n_tasks(&self) -> usize {
        self.tasks.slab.borrow().len()
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _running = self.tasks.enter();
        self.tasks.close();
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("n_tasks", &self.n_tasks()).finish_non_exhaustive()
    }
}

/// Settings for an [`Executor`].
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is built before `build`"]
pub struct ExecutorBuilder {
    clock: Clock,
    seed: Option<u64>,
    observer: Observer,
    panic_hook: PanicHook,
}

impl ExecutorBuilder {
    /// The clock of everything that is polled: the real one, or one that [jumps](Clock::jumping).
    ///
    /// A jumping clock moves by itself here, whenever no task is ready: to the next time that a task waits
    /// for. While something is under way elsewhere that was started here, a job of a pool for example, it
    /// moves as fast as real time does. One executor at a time moves a clock.
    ///
    /// It knows nothing of what other crates wait for, such as sockets: a timeout around one of those is over at
    /// once, if no task is ready.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Polls tasks that are ready at the same time in an order that follows from this number.
    ///
    /// When to use it: in tests, for many seeds, to find what depends on an order that was never promised.
    /// The same seed gives the same run. Without a seed, the task that was woken first is polled first.
    pub fn seed(mut self, seed: u64) -> Self {
        // The generator would give nothing but zeros from a zero.
        self.seed = Some(seed ^ 0x9E37_79B9_7F4A_7C15).map(|seed| seed.max(1));
        self
    }

    /// What is told of each task, step by step.
    ///
    /// It is called on the executor's thread, or where a task is spawned. A [`Timeline`](crate::Timeline)
    /// draws what it hears: `.observer(timeline.observer())`.
    pub fn observer(mut self, observer: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// What is told of panics that are not read: a line on stderr by default.
    #[doc(alias = "set_exception_handler")]
    pub fn panic_hook(mut self, hook: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        self.panic_hook = PanicHook::new(hook);
        self
    }

    /// An executor with these settings.
    pub fn build(self) -> Executor {
        let Self { clock, seed, observer, panic_hook } = self;
        let runtime = Arc::new(RuntimeContext::new(clock));
        let shared = Arc::new(Shared::new(runtime, observer, panic_hook));
        Executor { tasks: Rc::new(Tasks::new(shared, seed)) }
    }
}

/// A way to spawn onto an executor from another thread; see [`Executor::remote`](crate::Executor::remote).
///
/// ```
/// use handspun::{Executor, block_on, thread};
///
/// let executor = Executor::new();
/// let remote = executor.remote();
/// let asked = thread::spawn(move || {
///     // The future is made there, so it need not be `Send`.
///     let task = remote.spawn(|| async { std::rc::Rc::new(21).as_ref() * 2 });
///     block_on(task)
/// });
/// assert_eq!(executor.run(asked)??, 42);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// A clone spawns onto the same executor. As long as there is one, an executor that has nothing to do
/// waits for it, and does not report that it hangs.
#[doc(alias = "run_coroutine_threadsafe")]
#[doc(alias = "call_soon_threadsafe")]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.add_remote();
        Self { shared: shared.clone() }
    }

    /// Calls `make` on the executor's thread, and spawns the future that it gives.
    ///
    /// It happens when that executor runs. The handle settles as cancelled if the executor ends first.
    #[track_caller]
    pub fn spawn<F, Fut>(&self, make: F) -> Task<Fut::Output>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        let (task, pending) = PendingTask::new(&self.shared, None, Location::caller());
        self.shared.send(Message::Spawn(Box::new(move || {
            let tasks = Tasks::current().expect("messages are read by an executor that runs");
            pending.start(&tasks, async move { make().await });
        })));
        task
    }
}

impl Clone for Remote {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.shared.remove_remote();
        self.shared.runtime.parker.unpark(); // It may be the time to report that it hangs.
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote(..)")
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::pending;
    use std::rc::Rc;
    use std::time::Duration;

    use crate::executor::task::{spawn, yield_now};
    use crate::wait::block_on::block_on;
    use crate::wait::time::sleep;

    struct SpawnsInItsDrop(Rc<Cell<bool>>);

    impl Drop for SpawnsInItsDrop {
        fn drop(&mut self) {
            let has_run = self.0.clone();
            drop(spawn(async move { has_run.set(true) }));
        }
    }

    #[test]
    fn an_executor_that_ends_inside_of_another_spawns_nothing_there() {
        let has_run = Rc::new(Cell::new(false));
        let (ends, outer) = (Executor::new(), Executor::new());
        let spawns = SpawnsInItsDrop(has_run.clone());
        drop(ends.spawn(async move {
            let _spawns = spawns;
            pending::<()>().await
        }));
        ends.run(yield_now());
        outer.run(async move {
            drop(ends);
            yield_now().await;
            assert_eq!(spawn(async { "as before" }).await.ok(), Some("as before"));
        });
        assert!(!has_run.get());
    }

    #[test]
    fn a_task_that_blocks_for_a_time_wakes_though_the_loop_stands_still() {
        Executor::new().run(async { block_on(sleep(Duration::from_millis(1))) });
    }
}

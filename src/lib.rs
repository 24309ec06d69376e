//! A thread pool, a single-threaded executor and child processes, hand-written, on one waiting mechanism.
//!
//! Written to be read, quick to embed, measured against its peers. Knows every module and does nothing
//! itself: below are three examples, the public names by subject, and the modules in the order in
//! which to read them.
//!
//! **Run closures on a few threads**, and take each result as soon as it is there:
//!
//! ```
//! use handspun::{ThreadPool, as_completed};
//!
//! let pool = ThreadPool::new(4);
//! let handles = (0..10_u64).map(|n| pool.submit(move || n * n));
//! let mut sum = 0;
//! for square in as_completed(handles) {
//!     sum += square?; // a panic in a job is an error here
//! }
//! assert_eq!(sum, 285);
//! # Ok::<(), handspun::JoinError>(())
//! ```
//!
//! **Wait with a timeout**, and keep what you waited for:
//!
//! ```
//! use std::{sync::mpsc, time::Duration};
//! use handspun::thread;
//!
//! let (answer, question) = mpsc::channel();
//! let handle = thread::spawn(move || question.recv());
//! let still_running = handle.join_timeout(Duration::from_millis(1)).unwrap_err();
//! answer.send("now")?;
//! assert_eq!(still_running.into_inner().join()??, "now");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Run tasks on one thread**, and await what runs on others. A handle is a plain `Future`, for any
//! executor; this one reports which task waits for what if nothing can ever wake again.
//!
//! ```
//! use std::time::Duration;
//! use handspun::{ThreadPool, join_all, run, sleep, spawn, timeout};
//!
//! let pool = ThreadPool::new(1);
//! run(async {
//!     let naps = (1..=3).map(|ms| spawn(sleep(Duration::from_millis(ms))));
//!     join_all(naps).await; // Together they take as long as the longest.
//!     let length = timeout(Duration::from_secs(60), pool.submit(|| "blocking work".len())).await;
//!     assert!(matches!(length, Ok(Ok(13))));
//! });
//! ```
//!
//! # The names by subject
//!
//! ## A pool of threads
//!
//! - [`ThreadPool`] runs closures on its threads; [`Builder`] has its settings, [`Stats`] its counts, [`Shutdown`] the
//!   ways to end it.
//! - [`JoinHandle`] is what the submitter keeps of a job: join it, await it, or [`Cancel`] it.
//! - [`Map`] yields results in the order of the inputs; it can end when time is over.
//! - [`Scope`] and [`ScopedHandle`] are for jobs that borrow from the stack.
//! - [`thread::spawn`] starts one thread, with the same handle.
//!
//! ## Waiting for many, from threads and tasks
//!
//! - [`as_completed`] yields outputs as they come ([`AsCompleted`], [`TimedCompleted`]); [`keyed`] attaches something
//!   to a future, which comes back with its output ([`Keyed`]).
//! - [`wait()`] waits until one of several outputs is enough ([`Wait`], [`Waited`]).
//! - [`join_all`], [`try_join_all`] and [`race`] make one future of several; [`block_on`] runs a future on this thread.
//!
//! ## Tasks on one thread
//!
//! - [`run`], or [`try_run`], runs a future and all that it spawns; [`Executor`] and [`ExecutorBuilder`] have settings.
//! - [`spawn`] and [`spawn_named`] start a task, and [`Task`] is its handle; [`yield_now`] lets the others go first;
//!   [`Remote`] spawns from other threads.
//! - [`task_group`] is for tasks that end together: [`TaskGroup`], [`Member`], and what went wrong with them:
//!   [`Failures`], [`Failure`].
//! - [`map_concurrent`] works on many inputs, a few at a time ([`MapConcurrent`]).
//! - [`Hang`] is the proof that nothing can wake any task; [`Dump`] and [`TaskState`] say what each waits for.
//!
//! ## Time
//!
//! - [`sleep`], [`sleep_until`] ([`Sleep`]); [`timeout`].
//! - [`Clock`] is real, or jumps, so that a test of an hour takes no time; [`hold`] ([`Hold`]) keeps it from jumping.
//!
//! ## Cancelling
//!
//! - [`CancellationToken`] asks running code to stop ([`CancelReason`], [`WaitForCancel`]).
//! - [`CancelOnDrop`] ties a job or a task to its handle.
//!
//! ## Sharing
//!
//! - [`Semaphore`] and [`Permit`]: so many at once. [`Event`]: something is so, or not yet.
//! - [`Queue`], [`Item`] and [`Close`]: items on their way, of which none is lost.
//! - [`generator`], [`Generator`] and [`Yielder`]: a stream whose body is plain code.
//!
//! ## Child processes, on Unix
//!
//! - [`process::Command`] runs a program and bounds its time and its output, whatever the program does.
//!
//! ## What ran when
//!
//! - [`Timeline`] draws it, from [`Span`]s and [`JobRun`]s; an observer hears of each [`TraceEvent`]
//!   ([`What`], [`Step`], [`Ending`]).
//!
//! ## What can go wrong
//!
//! - [`JoinError`] is a [`Panic`], or a cancelled job or task.
//! - [`StillRunning`], [`Unfinished`], [`Elapsed`]: time was over. [`Cancelled`]: a token was cancelled.
//! - [`TryError`]: not at once. [`Closed`]: never again.
//! - [`BuildError`], [`ShutdownError`]: a pool that cannot begin, or has not ended.

mod prims;
mod panic;
mod error;
mod trace_event;
mod wait;
mod pool;
mod executor;
mod sync;
/// Child processes: bounded in time, heard to the end, and nothing left behind.
///
/// On Unix only. Begin with [`Command`](process::Command).
#[cfg(unix)]
pub mod process;
mod observe;

/// The model checks: unit tests by rank, for they look at private parts, but in a folder of their own.
#[cfg(all(test, handspun_model))]
#[path = "../tests/model/mod.rs"]
mod model;

/// What runs as a test in the documents: their programs are compiled against this crate.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/guide/01-waiting.md")]
    mod waiting {}
    #[doc = include_str!("../docs/guide/02-one-value.md")]
    mod one_value {}
    #[doc = include_str!("../docs/guide/03-a-pool-of-threads.md")]
    mod a_pool_of_threads {}
    #[doc = include_str!("../docs/guide/04-which-worker-to-wake.md")]
    mod which_worker_to_wake {}
    #[doc = include_str!("../docs/guide/05-when-a-job-panics.md")]
    mod when_a_job_panics {}
    #[doc = include_str!("../docs/guide/06-as-they-finish.md")]
    mod as_they_finish {}
    #[doc = include_str!("../docs/guide/07-take-back.md")]
    mod take_back {}
    #[doc = include_str!("../docs/guide/08-cancelling.md")]
    mod cancelling {}
    #[doc = include_str!("../docs/guide/09-back-pressure.md")]
    mod back_pressure {}
    #[doc = include_str!("../docs/guide/10-stopping.md")]
    mod stopping {}
    #[doc = include_str!("../docs/guide/11-a-task-and-its-waker.md")]
    mod a_task_and_its_waker {}
    #[doc = include_str!("../docs/guide/12-the-loop.md")]
    mod the_loop {}
    #[doc = include_str!("../docs/guide/13-timers.md")]
    mod timers {}
    #[doc = include_str!("../docs/guide/14-time-that-jumps.md")]
    mod time_that_jumps {}
    #[doc = include_str!("../docs/guide/15-together.md")]
    mod together {}
    #[doc = include_str!("../docs/guide/16-the-bridge.md")]
    mod the_bridge {}
    #[doc = include_str!("../docs/guide/17-sharing-fairly.md")]
    mod sharing_fairly {}
    #[doc = include_str!("../docs/guide/18-queues-that-lose-nothing.md")]
    mod queues_that_lose_nothing {}
    #[doc = include_str!("../docs/guide/19-streams.md")]
    mod streams {}
    #[cfg(unix)]
    #[doc = include_str!("../docs/guide/20-children.md")]
    mod children {}
    #[cfg(unix)]
    #[doc = include_str!("../docs/guide/21-killing-a-tree.md")]
    mod killing_a_tree {}
    #[doc = include_str!("../docs/guide/22-borrowing.md")]
    mod borrowing {}
    #[doc = include_str!("../docs/guide/23-forking.md")]
    mod forking {}
    #[doc = include_str!("../docs/guide/a-looking-at-what-ran.md")]
    mod looking_at_what_ran {}
    #[doc = include_str!("../docs/guide/b-choosing-a-limit.md")]
    mod choosing_a_limit {}
    #[doc = include_str!("../docs/pages/coming-from-python.md")]
    mod coming_from_python {}
    #[doc = include_str!("../docs/pages/coming-from-tokio-and-rayon.md")]
    mod coming_from_tokio_and_rayon {}
    #[doc = include_str!("../docs/pages/common-mistakes.md")]
    mod common_mistakes {}
    #[doc = include_str!("../docs/pages/debugging-a-hang.md")]
    mod debugging_a_hang {}
    #[doc = include_str!("../docs/pages/memory-ordering.md")]
    mod memory_ordering {}
}

pub use error::{
    BuildError, CancelReason, Cancelled, Closed, Elapsed, JoinError, ShutdownError, StillRunning,
    TryError, Unfinished,
};
pub use executor::group::{Failure, Failures, Member, TaskGroup, task_group};
pub use executor::idle::{Dump, Hang, TaskState};
pub use executor::map_concurrent::{MapConcurrent, map_concurrent};
pub use executor::run::{Executor, ExecutorBuilder, Remote, run, try_run};
pub use executor::task::{Task, spawn, spawn_named, yield_now};
pub use observe::Timeline;
pub use observe::span::{JobRun, Span};
pub use panic::Panic;
pub use pool::builder::Builder;
pub use pool::handle::JoinHandle;
pub use pool::job::Cancel;
pub use pool::map::Map;
pub use pool::scope::{Scope, ScopedHandle};
pub use pool::shared::Stats;
pub use pool::shutdown::Shutdown;
pub use pool::thread_pool::ThreadPool;
pub use sync::event::Event;
pub use sync::generator::{Generator, Yielder, generator};
pub use sync::item::Item;
pub use sync::queue::{Close, Queue};
pub use sync::semaphore::Semaphore;
pub use trace_event::{Ending, Step, TraceEvent, What};
pub use wait::as_completed::{AsCompleted, as_completed};
pub use wait::block_on::block_on;
pub use wait::cancel::{CancelOnDrop, CancellationToken, WaitForCancel};
pub use wait::clock::Clock;
pub use wait::join_all::{Keyed, join_all, keyed, race, try_join_all};
pub use wait::permits::Permit;
pub use wait::runtime::{Hold, hold};
pub use wait::time::{Sleep, sleep, sleep_until, timeout};
pub use wait::until::{TimedCompleted, Wait, Waited, wait};

/// Raw threads that can be joined with a timeout.
pub mod thread {
    pub use crate::pool::handle::spawn;
}

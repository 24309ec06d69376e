//! How a pool is to be: its settings, and the builder that collects them.
//!
//! Knows nothing of how a pool works. What must always hold: a setting that could not work is an
//! error here, before there is a pool.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::error::BuildError;
use crate::panic::{self, Panic, UserCallback};
use crate::prims;
use crate::trace_event::{Observer, TraceEvent};
use crate::wait::block_on::default_spin_limit;
use crate::wait::panic_hook::PanicHook;

/// Settings for a [`ThreadPool`](crate::ThreadPool), each with a sensible default.
///
/// ```
/// use handspun::ThreadPool;
///
/// let pool = ThreadPool::builder().threads(3).name("resize").build()?;
/// let name = pool.submit(|| std::thread::current().name().map(str::to_owned)).join()?;
/// assert_eq!(name.as_deref(), Some("resize-0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    pub(crate) threads: usize,
    /// What the threads' names begin with.
    pub(crate) name: String,
    pub(crate) stack_size: Option<usize>,
    /// The most jobs that may be queued; without a limit by default.
    pub(crate) queue_limit: Option<usize>,
    /// How long a worker or a joiner spins before it sleeps.
    pub(crate) spin_limit: Duration,
    pub(crate) on_start: Hook,
    pub(crate) panic_hook: PanicHook,
    pub(crate) observer: Observer,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            threads: prims::cores(),
            name: "handspun".to_owned(),
            stack_size: None,
            queue_limit: None,
            spin_limit: default_spin_limit(),
            on_start: Hook::new(UserCallback::default()),
            panic_hook: PanicHook::default(),
            observer: Observer::default(),
        }
    }

    /// The most threads there will be; as many as there are cores unless said otherwise.
    ///
    /// They are started one by one, when there is a job and no idle worker to run it.
    #[doc(alias = "max_workers")]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// What the threads' names begin with, `handspun` unless said otherwise; a number follows.
    #[doc(alias = "thread_name_prefix")]
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        self.name = prefix.into();
        self
    }

    /// The size of each thread's stack, in bytes; the system's choice unless said otherwise.
    ///
    /// A worker that joins a queued job runs it on top of what it is at, so that deeply nested
    /// joins need a deep stack.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// The most jobs that wait for a worker; without a limit unless said otherwise.
    ///
    /// When to use it: jobs may come faster than they are done, and must not fill the memory. A
    /// submit to a full pool waits until a job leaves the queue, first come first served, or uses
    /// [`try_submit`](crate::ThreadPool::try_submit), which does not wait. A worker that submits to
    /// its own full pool would wait for itself: its job is let in beyond the limit. If jobs may submit
    /// more than the memory holds, let them use `try_submit`, and call what it gives back.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let pool = ThreadPool::builder().threads(1).queue_limit(1).build()?;
    /// let (open, gate) = mpsc::channel();
    /// let (begun, has_begun) = mpsc::channel();
    /// let first = pool.submit(move || {
    ///     begun.send(()).unwrap();
    ///     gate.recv()
    /// });
    /// has_begun.recv()?;
    /// let second = pool.submit(|| "queued");
    /// let refused = pool.try_submit(|| "one too many").unwrap_err();
    /// let closure = refused.into_inner(); // nothing is lost
    /// open.send(())?;
    /// first.join()??;
    /// assert_eq!(pool.submit(closure).join()?, "one too many");
    /// # second.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn queue_limit(mut self, jobs: usize) -> Self {
        self.queue_limit = Some(jobs);
        self
    }

    /// How long a worker or a joiner spins before it falls asleep.
    ///
    /// To wake a sleeping thread takes tens of microseconds, which is long beside a small job. The default
    /// is 5 µs, and nothing on a machine with one core, where there is no other thread to wait for. A
    /// thread that has spun in vain does so less and less, and an idle pool uses no CPU time; one that has
    /// had luck ten times in a row may spin for ten times as long.
    pub fn spin_limit(mut self, at_most: Duration) -> Self {
        self.spin_limit = at_most;
        self
    }

    /// Runs on each thread before its first job, with the thread's number.
    ///
    /// Until it returns, the thread counts as one that is coming for the next job, and threads are
    /// started one after the other: a hook that waits for another thread of its pool waits for ever. What is to
    /// happen when a thread ends is for the `Drop` of a thread-local.
    ///
    /// If it panics, that thread is given up. Jobs that no other thread is there to run settle as
    /// cancelled, and the reason says what the panic said.
    ///
    /// ```
    /// use handspun::{CancelReason, JoinError, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().threads(1).on_start(|_| panic!("no licence")).build()?;
    /// let Err(JoinError::Cancelled(CancelReason::NoWorker(why))) = pool.submit(|| 7).join() else {
    ///     unreachable!("there is no thread to run it");
    /// };
    /// assert_eq!(&*why, "`on_start` panicked: no licence");
    /// # Ok::<(), handspun::BuildError>(())
    /// ```
    #[doc(alias = "initializer")]
    #[track_caller]
    pub fn on_start(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.on_start = Hook::new(UserCallback::new(Arc::new(hook)));
        self
    }

    /// Hears of every panic that will not be read.
    ///
    /// The default writes a line to stderr. Such a panic is one of a job whose handle was dropped,
    /// or of a callback. The hook runs on the thread that dropped the last chance to read it. If it
    /// panics itself, there is nothing left to tell.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::ThreadPool;
    ///
    /// let (lost, found) = mpsc::channel();
    /// let pool = ThreadPool::builder()
    ///     .panic_hook(move |panic| lost.send(panic.message().to_owned()).unwrap())
    ///     .build()?;
    /// drop(pool.submit(|| panic!("unheard")));
    /// assert_eq!(found.recv()?, "unheard");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "excepthook")]
    pub fn panic_hook(mut self, hook: impl Fn(&Panic) + Send + Sync + 'static) -> Self {
        self.panic_hook = PanicHook::new(hook);
        self
    }

    /// Hears of every step in the life of every job, on the thread that takes it.
    ///
    /// When to use it: to log, to count, to draw what ran when. A [`Timeline`](crate::Timeline) draws;
    /// the example `docs/examples/meter` counts. It runs between the steps, so that a slow one slows
    /// the pool down; if it panics, nothing else is disturbed. Without an observer, none of this costs
    /// anything.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use handspun::{Ending, Step, ThreadPool};
    ///
    /// let (sender, steps) = mpsc::channel();
    /// let pool = ThreadPool::builder().observer(move |event| sender.send(event.step).unwrap()).build()?;
    /// pool.submit(|| 6 * 7).join()?;
    /// drop(pool);
    /// assert!(steps.iter().any(|step| step == Step::Began { worker: 0 }));
    /// assert!(steps.iter().any(|step| step == Step::Settled(Ending::Returned)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observer(mut self, observer: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// The settings, if a pool can be built of them.
    pub(crate) fn checked(self) -> Result<Self, BuildError> {
        if self.threads == 0 {
            return Err(BuildError::NoThreads);
        }
        if self.queue_limit == Some(0) {
            return Err(BuildError::NoPlaces);
        }
        if self.name.contains('\0') {
            return Err(BuildError::NulInName);
        }
        Ok(self)
    }
}

/// What a worker runs when it begins, if anything.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    run: UserCallback<dyn Fn(usize) + Send + Sync>,
    set_at: &'static Location<'static>,
}

impl Hook {
    #[track_caller]
    fn new(run: UserCallback<dyn Fn(usize) + Send + Sync>) -> Self {
        Self { run, set_at: Location::caller() }
    }

    pub(crate) fn call(&self, number: usize) -> Result<(), Panic> {
        self.run.get().map_or(Ok(()), |run| panic::catch(self.set_at, || run(number)))
    }
}

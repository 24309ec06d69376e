//! Threads: a pool that runs closures, and handles that wait for what they return.
//!
//! Knows nothing of tasks and children; a job is awaited from any executor because its handle is a
//! plain `Future`.
//!
//! What must always hold: while a job is queued and a worker is free, or may still be started, a
//! worker is waking or searching. Everything else in here follows from which thread may say so, and under which lock.
//!
//! ```text
//!   submit ──► injector ──► queue ──► worker ──► the job's cell ──► handle: join, await, as_completed
//!                 │        │                       ▲
//!                 └────────┴── a worker that joins a queued job takes it back, and runs it itself
//! ```

pub(crate) mod builder;
pub(crate) mod job;
pub(crate) mod injector;
pub(crate) mod shared;
pub(crate) mod worker;
pub(crate) mod handle;
pub(crate) mod thread_pool;
pub(crate) mod shutdown;
pub(crate) mod map;
pub(crate) mod borrow;
pub(crate) mod scope;
pub(crate) mod fork;
pub(crate) mod par_map;

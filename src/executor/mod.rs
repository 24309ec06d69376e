//! Tasks: many futures on one thread.
//!
//! Knows nothing of pools and processes: what is awaited here is a `Future`, and wakes a `Waker`.
//!
//! | file          | what is in it                                               |
//! |---------------|-------------------------------------------------------------|
//! | `ready`       | a task's waker, the queue of this thread, mail from others  |
//! | `seats`       | where tasks sit while they are not polled                   |
//! | `settings`    | what can be set                                             |
//! | `stuck`       | who waits for what, and when nothing can ever wake again    |
//! | `rest`        | how an executor rests                                       |
//! | `core`        | the loop: who is polled, and what happens when nobody can be|
//! | `current`     | the executor of this thread                                 |
//! | `task`        | the handle of a task                                        |
//! | `spawn`       | what the code in a task calls                               |
//! | `remote`      | spawning from other threads                                 |
//! | `failures`    | why tasks of a group failed                                 |
//! | `members`     | the tasks of a group: how they begin, fail and leave        |
//! | `group`       | tasks that end together                                     |
//! | `map_concurrent`| a function over many inputs, a few at a time              |
//! | `run`         | what a user calls                                           |

pub(crate) mod ready;
pub(crate) mod seats;
pub(crate) mod settings;
pub(crate) mod stuck;
pub(crate) mod rest;
pub(crate) mod core;
pub(crate) mod current;
pub(crate) mod task;
pub(crate) mod spawn;
pub(crate) mod remote;
pub(crate) mod failures;
pub(crate) mod members;
pub(crate) mod group;
pub(crate) mod map_concurrent;
pub(crate) mod run;

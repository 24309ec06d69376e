//! Tasks: many futures on one thread.
//!
//! Knows nothing of pools and processes: what is awaited here is a `Future`, and wakes a `Waker`.
//!
//! | file             | what is in it                                                          |
//! |------------------|------------------------------------------------------------------------|
//! | `shared`         | what an executor shares with other threads, and what a task is to it   |
//! | `tasks`          | a task's waker, the ready queue, the slots, the executor of this thread|
//! | `idle`           | what is done when no task is ready, or can ever be again               |
//! | `task`           | spawning, and the handle of a task                                     |
//! | `event_loop`     | the loop: which task is polled, and what happens when none can be      |
//! | `group`          | tasks that end together                                                |
//! | `map_concurrent` | a function over many inputs, a few at a time                           |
//! | `run`            | what a user calls                                                      |

pub(crate) mod shared;
pub(crate) mod tasks;
pub(crate) mod idle;
pub(crate) mod task;
pub(crate) mod event_loop;
pub(crate) mod group;
pub(crate) mod map_concurrent;
pub(crate) mod run;

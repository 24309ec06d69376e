//! Tasks: many futures on one thread.
//!
//! Knows nothing of pools and processes: what is awaited here is a `Future`, and wakes a `Waker`.
//!
//! | file             | what is in it                                                          |
//! |------------------|------------------------------------------------------------------------|
//! | `slab`           | a vector with holes                                                    |
//! | `known_clones`   | which clones of wakers are in known hands                               |
//! | `shared`         | what an executor shares with other threads, and what a task is to it   |
//! | `tasks`          | a task's waker, the ready queue, the slots, the executor of this thread|
//! | `idle`           | what is done when no task is ready, or can ever be again               |
//! | `event_loop`     | the loop: which task is polled, and what happens when none can be      |
//! | `task`           | spawning, and the handle of a task                                     |
//! | `members`        | the tasks of a group: how they begin, fail and end                     |
//! | `group`          | tasks that end together                                                |
//! | `map_concurrent` | a function over many inputs, a few at a time                           |
//! | `run`            | what a user calls                                                      |

pub(crate) mod slab;
pub(crate) mod known_clones;
pub(crate) mod shared;
pub(crate) mod tasks;
pub(crate) mod idle;
pub(crate) mod event_loop;
pub(crate) mod task;
pub(crate) mod members;
pub(crate) mod group;
pub(crate) mod map_concurrent;
pub(crate) mod run;

//! The core module: how anything here waits.
//!
//! Knows no pool, no executor and no process; they know it. Whatever finishes later settles once,
//! under a lock, and then wakes one `Waker`. What differs is only what the waker does:
//!
//! | you write               | the waker…                          | what it costs you     |
//! |-------------------------|-------------------------------------|-----------------------|
//! | `handle.join()`         | unparks this thread                 | a blocked thread      |
//! | `handle.await`          | puts a task back on its queue       | nothing               |
//! | `as_completed(handles)` | queues an index in a ready queue    | one small `Arc` each  |

pub(crate) mod timers;
pub(crate) mod clock;
pub(crate) mod hints;
pub(crate) mod parker;
pub(crate) mod alarm;
pub(crate) mod runtime;
pub(crate) mod panic_hook;
pub(crate) mod block_on;
pub(crate) mod deferred;
pub(crate) mod settle;
pub(crate) mod wait_list;
pub(crate) mod permits;
pub(crate) mod time;
pub(crate) mod cancel_tree;
pub(crate) mod cancel;
pub(crate) mod slab;
pub(crate) mod ready_queue;
pub(crate) mod as_completed;
pub(crate) mod until;
pub(crate) mod join_all;

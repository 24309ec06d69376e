//! The hall: how anything here waits.
//!
//! Knows no pool, no executor and no process; they know it. Whatever finishes later settles once,
//! under a lock, and then wakes one `Waker`. What differs is only what the waker does:
//!
//! | you write               | the waker…                          | what it costs you     |
//! |-------------------------|-------------------------------------|-----------------------|
//! | `handle.join()`         | unparks this thread                 | a blocked thread      |
//! | `handle.await`          | puts a task back on its queue       | nothing               |
//! | `as_completed(handles)` | posts an index to a completion queue| one small `Arc` each  |

pub(crate) mod deadline;
pub(crate) mod forked;
pub(crate) mod parker;
pub(crate) mod timers;
pub(crate) mod elsewhere;
pub(crate) mod alarm;
pub(crate) mod clock;
pub(crate) mod tag;
pub(crate) mod help;
pub(crate) mod host;
pub(crate) mod inside;
pub(crate) mod panic_hook;
pub(crate) mod block_on;
pub(crate) mod deferred;
pub(crate) mod settle;
pub(crate) mod wait_list;
pub(crate) mod permits;
pub(crate) mod sleep;
pub(crate) mod timeout;
pub(crate) mod interval;
pub(crate) mod cancel_tree;
pub(crate) mod cancel;
pub(crate) mod cancel_on_drop;
pub(crate) mod line;
pub(crate) mod completed;
#[cfg(feature = "stream")]
pub(crate) mod stream;
pub(crate) mod keyed;
pub(crate) mod until;
pub(crate) mod join_all;

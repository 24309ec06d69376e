//! Sharing: permits, items and events that are waited for, and streams written as plain code.
//!
//! Knows nothing of the waiters: a task of any executor awaits, and a thread calls `block_on`.
//!
//! What must always hold: whatever is given goes to the waiter that has waited longest, and never past it;
//! and a waiter that is dropped with something it was given, and has not noticed, passes it on.
//!
//! ```text
//!   give ──► is there a waiter? ─── no ──► it is free: the next to come takes it
//!                   │ yes
//!                   └──► the first in line has it now ──► wakes, and looks ──► goes on with it
//!                                                    └──► is dropped ──► gives it ──► …
//! ```

pub(crate) mod semaphore;
pub(crate) mod event;
pub(crate) mod item;
pub(crate) mod queue;
pub(crate) mod generator;

//! Children: processes that are started, listened to, and ended in time.
//!
//! Knows no pool, no executor and no other module beside it: a `Child` is a plain `Future`, and a thread waits
//! for it as for anything else. There is nothing of this on Windows: the module is for Unix.
//!
//! ```text
//!  your threads and tasks                     the driver: one thread for all children
//!
//!  Command::spawn ── a managed child ─▶ channel ─▶ poll: pidfds, pipes, the wake pipe
//!  Child::kill    ── under the signal lock ─────▶ the group
//!  Child::wait    ◀── settles once ── output, policy, the reaping
//!
//!  Command::run   drives its child itself, in `poll`, where its thread may stay
//! ```
//!
//! What must always hold:
//!
//! 1. Whatever a child's tree does, its handle settles within timeout + grace + kill-wait + pipe-grace.
//! 2. A signal is sent only under the signal lock, and never after the child has been reaped.
//! 3. What came out of the pipes is in the outcome, however the child ended.

pub(crate) mod sys;
mod buffers;
mod output;
mod outcome;
mod command;
pub(crate) mod signals;
mod managed;
pub(crate) mod driver;
mod child;
mod spawn;

pub use buffers::{Line, Source};
pub use child::Child;
pub use command::Command;
pub use driver::terminate_all;
pub use outcome::{Cause, ExitError, Outcome, SpawnError};
pub use output::Captured;
pub use sys::Signal;

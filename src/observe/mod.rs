//! Looking: what a pool and an executor have done, counted and drawn.
//!
//! Knows nothing of either. It hears of jobs and tasks as any observer does, and whoever builds a pool or
//! an executor says so: `.observer(timeline.observer())`. What nobody observes pays nothing for this wing.
//!
//! What must always hold: an observer of ours runs on the threads that it observes, so it takes one lock
//! for the time of one entry, and never draws, writes or waits under it.
//!
//! ```text
//!                                      ┌─► Meter ────► Tally: counts and two histograms
//!   events, one by one ──► Span ───────┤
//!      (in any order)                  └─► Timeline ─► Picture ─┬─► text
//!                                                               └─► Chrome trace
//! ```

pub(crate) mod span;
pub(crate) mod histogram;
pub(crate) mod meter;
pub(crate) mod picture;
pub(crate) mod columns;
pub(crate) mod legend;
pub(crate) mod text;
pub(crate) mod trace;
pub(crate) mod timeline;

#[cfg(all(test, not(handspun_model)))]
mod made_up;

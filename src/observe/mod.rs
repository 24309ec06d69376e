//! Looking: what a pool has done, counted and drawn.
//!
//! Knows nothing of the pool. It hears of jobs as any observer does, and whoever builds a pool says
//! so: `.observer(timeline.observer())`. So a pool that nobody observes pays nothing for this wing.
//!
//! What must always hold: an observer of ours runs on the pool's own threads, so it takes one lock
//! for the time of one entry, and never draws, writes or waits under it.
//!
//! ```text
//!                                      ┌─► Meter ────► Tally: counts and two histograms
//!   events, job by job ──► JobSpan ────┤
//!      (in any order)                  └─► Timeline ─► Picture ─┬─► text
//!                                                               └─► Chrome trace
//! ```

pub(crate) mod span;
pub(crate) mod histogram;
pub(crate) mod meter;
pub(crate) mod picture;
pub(crate) mod columns;
pub(crate) mod text;
pub(crate) mod trace;
pub(crate) mod timeline;

#[cfg(all(test, not(handspun_model)))]
mod made_up;

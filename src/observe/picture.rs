//! What there is to draw: the spans of one moment, and the stretch of time that they fill.
//!
//! Knows nothing of how it is drawn. What must always hold: every time in a picture lies between its
//! beginning and its end, so that no drawing can run over the edge.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::span::JobSpan;

/// The spans that a timeline had at one moment.
pub(crate) struct Picture {
    pub(crate) spans: Vec<JobSpan>,
    /// Older jobs that are not drawn.
    pub(crate) n_forgotten: usize,
    begin: Instant,
    end: Instant,
}

impl Picture {
    /// It begins with the first submission, and ends with the last job, or now if one is not over.
    pub(crate) fn new(spans: Vec<JobSpan>, n_forgotten: usize, now: Instant) -> Self {
        let begin = spans.iter().map(|span| span.submitted).min().unwrap_or(now);
        let end = spans.iter().map(|span| span.settled.map_or(now, |(when, _)| when)).max();
        // `now` was read by another thread than the times of the events were.
        let end = end.unwrap_or(now).max(begin);
        Self { spans, n_forgotten, begin, end }
    }

    /// How long it all took.
    pub(crate) fn total(&self) -> Duration {
        self.end - self.begin
    }

    /// How long after the beginning of the picture this was.
    pub(crate) fn offset(&self, when: Instant) -> Duration {
        when.saturating_duration_since(self.begin).min(self.total())
    }

    /// From when to when a job was queued.
    pub(crate) fn wait(&self, span: &JobSpan) -> (Duration, Duration) {
        (self.offset(span.submitted), self.offset(span.left_queue().unwrap_or(self.end)))
    }

    /// When a job was over, or the end of the picture if it is not.
    pub(crate) fn end_of(&self, span: &JobSpan) -> Duration {
        self.offset(span.settled.map_or(self.end, |(when, _)| when))
    }

    /// The pools that there are, in the order of their numbers.
    pub(crate) fn pools(&self) -> Vec<usize> {
        let mut pools: Vec<_> = self.spans.iter().map(|span| span.pool).collect();
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    /// The jobs of each worker of this pool, by the worker's number, in the order of their
    /// beginnings: whoever waits comes before what lies on top of it.
    pub(crate) fn workers(&self, pool: usize) -> BTreeMap<usize, Vec<&JobSpan>> {
        let mut workers: BTreeMap<usize, Vec<&JobSpan>> = BTreeMap::new();
        for span in self.spans.iter().filter(|span| span.pool == pool) {
            if let Some(run) = &span.run {
                workers.entry(run.worker).or_default().push(span);
            }
        }
        for jobs in workers.values_mut() {
            jobs.sort_by_key(|span| span.run.map(|run| (run.began, run.depth)));
        }
        workers
    }
}

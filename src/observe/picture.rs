//! What there is to draw: the spans of one moment, and the stretch of time that they fill.
//!
//! Knows nothing of how it is drawn. What must always hold: every time in a picture lies between its
//! beginning and its end, so that no drawing can run over the edge.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::event::What;

use super::span::Span;

/// The spans that a timeline had at one moment.
pub(crate) struct Picture {
    pub(crate) spans: Vec<Span>,
    /// Older ones that are not drawn.
    pub(crate) n_forgotten: usize,
    begin: Instant,
    end: Instant,
}

impl Picture {
    /// It begins with the first submission, and ends with the last end, or now if one is missing.
    pub(crate) fn new(spans: Vec<Span>, n_forgotten: usize, now: Instant) -> Self {
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
    pub(crate) fn wait(&self, span: &Span) -> (Duration, Duration) {
        (self.offset(span.submitted), self.offset(span.left_queue().unwrap_or(self.end)))
    }

    /// From when to when a task or a child was there.
    pub(crate) fn life(&self, span: &Span) -> (Duration, Duration) {
        (self.offset(span.submitted), self.end_of(span))
    }

    /// When something was over, or the end of the picture if it is not.
    pub(crate) fn end_of(&self, span: &Span) -> Duration {
        self.offset(span.settled.map_or(self.end, |(when, _)| when))
    }

    /// The sources that there are of such things, in the order of their numbers.
    pub(crate) fn sources(&self, what: What) -> Vec<usize> {
        let spans = self.spans.iter().filter(|span| span.what == what);
        let mut sources: Vec<_> = spans.map(|span| span.source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// What there is of such things from this source.
    pub(crate) fn spans_of(&self, what: What, source: usize) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.what == what && span.source == source)
    }

    /// The jobs of each worker of this pool, by the worker's number, in the order of their
    /// beginnings: whoever waits comes before what lies on top of it.
    pub(crate) fn workers(&self, pool: usize) -> BTreeMap<usize, Vec<&Span>> {
        let mut workers: BTreeMap<usize, Vec<&Span>> = BTreeMap::new();
        for span in self.spans_of(What::Job, pool) {
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

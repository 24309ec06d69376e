//! `AsCompleted` as a `futures_core::Stream`, for those who ask for the feature `stream`.
//!
//! Knows nothing that `completed` does not: it calls the same poll by the name that others use.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::completed::AsCompleted;

/// Its futures are `Unpin` themselves, and what they come to is moved and never pinned.
impl<F: Future + Unpin> Unpin for AsCompleted<F> {}

/// For a task, like [`next`](AsCompleted::next).
impl<F: Future + Unpin> Stream for AsCompleted<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        Self::poll_next(&mut self, context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.unfinished(), Some(self.unfinished()))
    }
}

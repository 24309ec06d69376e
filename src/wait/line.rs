//! A completion queue: the indices of those who have something to say.
//!
//! Knows nothing of what the indices stand for. What must always hold:
//!
//! 1. An index stands in the line at most once, however often it is posted.
//! 2. Looking and leaving a waker are one step under the lock, so no post falls between them.
//! 3. The waiter is woken, and wakers are dropped, with the lock let go.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::prims::Mutex;

/// Indices, in the order in which they were posted.
#[derive(Default)]
pub(crate) struct Line(Mutex<LineState>);

#[derive(Default)]
struct LineState {
    posted: VecDeque<usize>,
    is_posted: Vec<bool>,
    /// Who waits for the next post.
    waiter: Option<Waker>,
}

impl Line {
    /// A waker that posts this index.
    pub(crate) fn waker_of(self: &Arc<Self>, at: usize) -> Waker {
        Waker::from(Arc::new(Post { line: self.clone(), at }))
    }

    pub(crate) fn post(&self, at: usize) {
        let mut line = self.0.lock();
        if line.is_posted.len() <= at {
            line.is_posted.resize(at + 1, false);
        }
        if mem::replace(&mut line.is_posted[at], true) {
            return; // It is in the line, and will be looked at after what it has to say now.
        }
        line.posted.push_back(at);
        let waiter = line.waiter.take();
        drop(line);
        if let Some(waker) = waiter {
            waker.wake();
        }
    }

    /// Takes the first in line, or leaves the waker to be woken when there is one.
    pub(crate) fn first(&self, waker: &Waker) -> Option<usize> {
        let first = self.0.lock().take_first();
        first.or_else(|| self.leave_waker(waker.clone()))
    }

    /// The slow half of `first`. It looks again: somebody may have been posted since.
    fn leave_waker(&self, waker: Waker) -> Option<usize> {
        let mut line = self.0.lock();
        let first = line.take_first();
        let not_needed = match first {
            Some(_) => Some(waker),
            None => line.waiter.replace(waker),
        };
        drop(line);
        drop(not_needed); // After the lock: a waker is other people's code, its drop too.
        first
    }
}

impl LineState {
    fn take_first(&mut self) -> Option<usize> {
        let at = self.posted.pop_front()?;
        // Let go of before the member is polled: a post from within that poll must count.
        self.is_posted[at] = false;
        Some(at)
    }
}

/// The waker of one member.
struct Post {
    line: Arc<Line>,
    at: usize,
}

impl Wake for Post {
    fn wake(self: Arc<Self>) {
        self.line.post(self.at);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.line.post(self.at);
    }
}

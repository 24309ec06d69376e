//! A completion queue: the indices of those who have something to say.
//!
//! Knows nothing of what the indices stand for. What must always hold:
//!
//! 1. An index stands in the line at most once, however often it is posted. The line is taken out as a
//!    whole, and from then on a post counts again.
//! 2. Looking and leaving a waker are one step under the lock, so no post falls between them.
//! 3. The waiter is woken, and wakers are dropped, with the lock let go.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::panic;
use crate::prims::Mutex;

/// No turn has this number.
const NEVER: u64 = u64::MAX;

/// Indices, in the order in which they were posted.
#[derive(Default)]
pub(crate) struct Line(Mutex<LineState>);

#[derive(Default)]
struct LineState {
    posted: VecDeque<usize>,
    /// The turn in which each index was posted last. If it was this one, it stands in `posted`.
    posted_in: Vec<u64>,
    /// How often the whole line has been taken out.
    turn: u64,
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
        if line.posted_in.len() <= at {
            line.posted_in.resize(at + 1, NEVER);
        }
        let turn = line.turn;
        if mem::replace(&mut line.posted_in[at], turn) == turn {
            return; // It is in the line, and will be looked at after what it has to say now.
        }
        line.posted.push_back(at);
        let waiter = line.waiter.take();
        drop(line);
        if let Some(waker) = waiter {
            waker.wake();
        }
    }

    /// Takes all who stand in the line into `taken`, which is empty. If there are none, leaves the waker
    /// to be woken when there is one.
    pub(crate) fn take_all(&self, taken: &mut VecDeque<usize>, waker: &Waker) {
        self.0.lock().take_all(taken);
        if taken.is_empty() {
            self.leave_waker(taken, waker.clone());
        }
    }

    /// Whoever waited goes.
    pub(crate) fn forget_waiter(&self) {
        let waiter = self.0.lock().waiter.take();
        panic::drop_each(waiter);
    }

    /// The slow half of `take_all`. It looks again: somebody may have been posted since.
    fn leave_waker(&self, taken: &mut VecDeque<usize>, waker: Waker) {
        let mut line = self.0.lock();
        line.take_all(taken);
        let not_needed = match taken.is_empty() {
            true => line.waiter.replace(waker),
            false => Some(waker),
        };
        drop(line);
        panic::drop_each(not_needed); // After the lock: a waker is other people's code, its drop too.
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.forget_waiter();
    }
}

impl LineState {
    /// Takes the same time, however many there are: two pointers change hands.
    fn take_all(&mut self, taken: &mut VecDeque<usize>) {
        mem::swap(&mut self.posted, taken);
        // Before the members are polled: a post from within a poll must count.
        self.turn += 1;
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

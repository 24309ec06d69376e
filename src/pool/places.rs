//! The places of a bounded queue: who brings a job to a full pool waits for one, first come first
//! served.
//!
//! Knows nothing of jobs and queues: it is a semaphore, passed before the inbox, and a pool without
//! a limit has none. What must always hold:
//!
//! 1. A place is taken before its job is let in, and given back when the job leaves the queue,
//!    whichever way it does.
//! 2. A place that is given back goes to whoever has waited longest; nobody overtakes them.
//! 3. In a closed pool there is a place for everybody: they are all to be refused behind it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::prims::Mutex;
use crate::wait::block_on::block_on_until;
use crate::wait::deadline::Deadline;
use crate::wait::wait_list::{Key, Left, WaitList};

pub(crate) struct Places(Mutex<State>);

struct State {
    /// Less than none while there are jobs beyond the limit: those that workers have let in, and those
    /// whose bringers have had enough.
    n_free: isize,
    waiting: WaitList,
    is_closed: bool,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        let n_free = limit.try_into().unwrap_or(isize::MAX);
        Self(Mutex::new(State { n_free, waiting: WaitList::default(), is_closed: false }))
    }

    /// Takes a place if there is one. While somebody waits there is none.
    pub(crate) fn try_take(&self) -> bool {
        let mut state = self.0.lock();
        let is_free = state.is_closed || state.n_free > 0;
        if is_free {
            state.n_free -= 1;
        }
        is_free
    }

    /// Takes a place, free or not.
    pub(crate) fn take_anyway(&self) {
        self.0.lock().n_free -= 1;
    }

    /// Takes a place; blocks the thread until there is one. Whoever has had enough of that before takes
    /// one beyond the limit, so that there is one way to go on.
    pub(crate) fn take<E: Future + Unpin>(&self, look_out: Duration, mut had_enough: E) {
        let mut key = None;
        let taken = pin!(poll_fn(|context| {
            if self.poll_take(&mut key, context).is_ready() {
                return Poll::Ready(());
            }
            Pin::new(&mut had_enough).poll(context).map(|_| self.give_up(key.take()))
        }));
        match block_on_until(taken, Deadline::Never, look_out) {
            Some(()) => {}
            None => unreachable!("never has not passed"),
        }
    }

    /// Leaves the line, with a place: the one that was handed over meanwhile, or one beyond the limit.
    fn give_up(&self, key: Option<Key>) {
        let mut state = self.0.lock();
        let left = key.map(|key| state.waiting.leave(key));
        if !matches!(left, Some(Left::Served)) {
            state.n_free -= 1;
        }
        drop(state);
        drop(left); // After the lock: our waker is in it.
    }

    fn poll_take(&self, key: &mut Option<Key>, context: &Context<'_>) -> Poll<()> {
        let mut waker = Some(context.waker().clone());
        let mut state = self.0.lock();
        let polled = if key.is_none() && (state.is_closed || state.n_free > 0) {
            state.n_free -= 1;
            Poll::Ready(())
        } else {
            // If it was served, whoever did so has taken the place for it.
            state.waiting.poll(key, 1, &mut waker)
        };
        drop(state);
        drop(waker);
        polled
    }

    /// So many jobs have left the queue.
    pub(crate) fn give_back(&self, n: usize) {
        let mut state = self.0.lock();
        state.n_free += n as isize;
        let served = state.serve();
        drop(state);
        served.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let served = state.serve();
        drop(state);
        served.into_iter().for_each(Waker::wake);
    }
}

impl State {
    /// Those who have a place now. Who waits here is a thread, and its waker our own.
    fn serve(&mut self) -> Vec<Waker> {
        let mut served = Vec::new();
        while self.is_closed || self.n_free > 0 {
            let Some(waker) = self.waiting.serve_first() else { break };
            self.n_free -= 1;
            served.push(waker);
        }
        served
    }
}

//! The thread that wakes sleepers of the real clock, wherever they are.
//!
//! Knows nothing of futures: it holds wakers and deadlines. It is started by the first timer and ends
//! when there has been none for a second, so that a program which never sleeps never has it.
//!
//! What must always hold:
//!
//! 1. While a timer is set, the thread is up, and parked no longer than to the first deadline.
//! 2. No lock is held while a waker is woken or dropped: both are other people's code.

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::panic;
use crate::prims::{self, Lazy, Mutex, ThreadSpec, spawn_thread};

use super::deadline::Deadline;
use super::parker::Parker;
use super::timers::{Key, Timers};

/// The one alarm of this process.
pub(crate) static ALARM: Lazy<Arc<Alarm>> = Lazy::new(Arc::default);

/// How long the thread stays without a timer. Long enough for a loop that sleeps now and then.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Alarm {
    state: Mutex<State>,
    /// Where the thread sleeps.
    parker: Parker,
}

#[derive(Default)]
struct State {
    timers: Timers,
    is_up: bool,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { state: Mutex::default(), parker: Parker::new() }
    }
}

impl Alarm {
    pub(crate) fn set(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Key {
        let spare = waker.clone();
        let mut state = self.state.lock();
        let (key, is_first) = state.timers.set(deadline, waker);
        if state.is_up {
            drop(state);
            if is_first {
                self.parker.unpark();
            }
            return key;
        }
        let alarm = self.clone();
        let spec = ThreadSpec { name: Some("handspun-alarm".to_owned()), stack_size: None };
        state.is_up = spawn_thread(spec, move || alarm.run()).is_ok();
        let is_up = state.is_up;
        drop(state);
        if !is_up {
            // The system refuses a thread. The sleeper is told to look again, and tries again: that
            // burns the processor, but nobody oversleeps.
            spare.wake();
        }
        key
    }

    /// Leaves a newer waker with a timer; false if it has fired.
    pub(crate) fn replace(&self, key: Key, waker: Waker) -> bool {
        let stale = self.state.lock().timers.replace(key, waker);
        stale.is_some()
    }

    pub(crate) fn remove(&self, key: Key) {
        let waker = self.state.lock().timers.remove(key);
        panic::contain(|| drop(waker)); // It may be a future's drop that removes.
    }

    fn run(&self) {
        loop {
            let now = prims::now();
            let mut due = Vec::new();
            let mut state = self.state.lock();
            while let Some(waker) = state.timers.pop_due(now) {
                due.push(waker);
            }
            let next = state.timers.next_deadline();
            drop(state);

            for waker in due {
                panic::contain(|| waker.wake());
            }
            self.parker.park(next.map_or_else(|| Deadline::after(IDLE), Deadline::At));
            if next.is_none() && self.ends() {
                return;
            }
        }
    }

    /// Whether there is still no timer; then the next one starts a thread.
    fn ends(&self) -> bool {
        let mut state = self.state.lock();
        state.is_up = !state.timers.is_empty();
        !state.is_up
    }
}

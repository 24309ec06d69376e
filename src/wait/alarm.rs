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

/// Long enough for a loop that sleeps now and then, and for timeouts that never fire.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Alarm {
    state: Mutex<State>,
    /// Where the thread sleeps.
    parker: Parker,
    /// How long it stays without a timer.
    idle: Duration,
}

#[derive(Default)]
struct State {
    timers: Timers,
    is_up: bool,
}

impl Default for Alarm {
    fn default() -> Self {
        Self::that_stays(IDLE)
    }
}

impl Alarm {
    fn that_stays(idle: Duration) -> Self {
        Self { state: Mutex::default(), parker: Parker::new(), idle }
    }

    pub(crate) fn set(self: &Arc<Self>, deadline: Instant, waker: Waker) -> Key {
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
        let refused = if state.is_up { None } else { state.timers.remove(key) };
        drop(state);
        if let Some(waker) = refused {
            // The system refuses a thread. The timer is out again, and the sleeper is told to look
            // again, so that it tries again: that burns the processor, but nobody oversleeps.
            waker.wake();
        }
        key
    }

    /// Leaves a newer waker with a timer; false if it has fired.
    pub(crate) fn renew(&self, key: Key, mut waker: Waker) -> bool {
        self.state.lock().timers.renew(key, &mut waker) // The older one goes after the lock.
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

            panic::wake_each(due);
            let idle = Deadline::after(self.idle);
            self.parker.park(next.map_or(idle, Deadline::At));
            // A timer that was set and taken out again has unparked us too, and begins a new second.
            if next.is_none() && idle.has_passed() && self.ends() {
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

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::task::Wake;
    use std::thread::{self, ThreadId};

    /// A waker that says on which thread it was woken.
    struct SaysWhere(mpsc::Sender<ThreadId>);

    impl Wake for SaysWhere {
        fn wake(self: Arc<Self>) {
            // Nobody may be listening any more.
            let _ = self.0.send(thread::current().id());
        }
    }

    /// Sets a timer that is due, and waits for its wake. Gives the alarm's thread.
    fn ring(alarm: &Arc<Alarm>) -> ThreadId {
        let (sender, rings) = mpsc::channel();
        alarm.set(prims::now(), Arc::new(SaysWhere(sender)).into());
        rings.recv().expect("a waker is not dropped unwoken")
    }

    fn until(is_so: impl Fn() -> bool) {
        while !is_so() {
            thread::yield_now();
        }
    }

    #[test]
    fn the_thread_ends_when_it_is_idle_and_another_is_started_for_the_next_timer() {
        let alarm = Arc::new(Alarm::that_stays(Duration::ZERO));
        let threads = [(); 3].map(|()| {
            let thread = ring(&alarm);
            until(|| Arc::strong_count(&alarm) == 1);
            thread
        });
        assert!(threads[0] != threads[1] && threads[1] != threads[2]);
    }

    #[test]
    fn a_timer_that_is_taken_out_again_does_not_end_the_thread() {
        let alarm = Arc::new(Alarm::that_stays(Duration::from_secs(3600)));
        let thread = ring(&alarm);
        for _ in 0..100 {
            let in_an_hour = prims::now() + Duration::from_secs(3600);
            alarm.remove(alarm.set(in_an_hour, Waker::noop().clone()));
            until(|| !alarm.parker.is_notified());
            assert_eq!(ring(&alarm), thread);
        }
    }
}

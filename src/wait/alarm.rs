//! The thread that fires timers of the real clock, wherever no executor does.
//!
//! Knows nothing of futures. It fires a queue of its own, for sleeps that no task of ours polls itself. It
//! is started by the first timer, so that a program which never sleeps never has it, and stays.
//!
//! Many wait for this thread, as they do for the driver of the children, which keeps their timeouts. So no code of the
//! user runs here but wakers: ours unpark a thread or enqueue a task, and no closure is dropped.
//!
//! What must always hold:
//!
//! 1. While a timer is set, the thread is up, and parked no longer than to the first deadline.
//! 2. No lock is held while a waker is woken or dropped: both are user code.

use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::prims::{self, Lazy, Mutex, ThreadSpec, spawn_thread};

use super::clock::Deadline;
use super::hints::{self, ProcessId};
use super::parker::Parker;
use super::timers::TimerQueue;

/// The one alarm of this process.
pub(crate) static ALARM: Lazy<Arc<Alarm>> = Lazy::new(Alarm::new);

pub(crate) struct Alarm {
    pub(crate) queue: Arc<TimerQueue>,
    state: Mutex<State>,
    /// Where the thread sleeps.
    parker: Parker,
}

struct State {
    /// The process in which the thread is up. The child of a fork has the timers, and no thread.
    up_in: Option<ProcessId>,
    spec: ThreadSpec,
}

impl Alarm {
    fn new() -> Arc<Self> {
        let spec = ThreadSpec { name: Some("handspun-alarm".to_owned()), stack_size: None };
        let state = Mutex::new(State { up_in: None, spec });
        let (queue, parker) = (Arc::new(TimerQueue::new(prims::now())), Parker::new());
        let alarm = Arc::new(Self { queue, state, parker });
        alarm.queue.set_keeper(Waker::from(alarm.clone()));
        alarm
    }

    /// Whether the thread is up by now. If the system refuses it, each sleeper has to look again by itself: that burns
    /// the processor, but no sleep is too long. The timers stay, for those that do not look: a later try starts the thread.
    pub(crate) fn is_up(self: &Arc<Self>) -> bool {
        let up_in = self.state.lock().up_in;
        up_in.is_some_and(ProcessId::is_current) || self.notice()
    }

    /// Sees to it that the thread looks at its timers, and starts it if need be; false if the system refuses one.
    fn notice(self: &Arc<Self>) -> bool {
        let mut state = self.state.lock();
        let this = ProcessId::current();
        if state.up_in != Some(this) {
            // After a fork the parker may say that a thread is parked there, which has stayed behind.
            self.parker.unpark();
            let alarm = self.clone();
            let thread = spawn_thread(state.spec.clone(), move || alarm.run());
            state.up_in = thread.ok().map(|_| this);
        }
        let is_up = state.up_in.is_some();
        drop(state);
        self.parker.unpark();
        is_up
    }

    fn run(&self) {
        loop {
            self.queue.fire_until(prims::now());
            hints::take_awaited(); // A waker may have polled anything.
            self.parker.park(self.queue.next_deadline().map_or(Deadline::Never, Deadline::At));
        }
    }
}

/// Wakes the thread, for an earlier timer than all others.
impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.notice();
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::wait::timers::SetBy;
    use std::sync::mpsc;
    use std::time::Duration;

    /// A waker that says that it was woken.
    struct Rings(mpsc::Sender<()>);

    impl Wake for Rings {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("somebody listens");
        }
    }

    #[test]
    fn a_timer_that_was_set_while_there_was_no_thread_to_be_had_fires_when_there_is() {
        let alarm = Alarm::new();
        alarm.state.lock().spec.stack_size = Some(1 << 50); // The system refuses that.
        let (sender, rings) = mpsc::channel();
        let (soon, waker) = (prims::now() + Duration::from_micros(1), Arc::new(Rings(sender)));
        assert!(alarm.queue.set(soon, None, SetBy::Any, waker.into()).is_some());
        assert!(!alarm.is_up() && rings.try_recv().is_err());
        alarm.state.lock().spec.stack_size = None;
        assert!(alarm.is_up());
        rings.recv().expect("the timer is still set");
    }
}

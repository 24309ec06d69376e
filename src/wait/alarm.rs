//! The thread that fires timers of the real clock, wherever no executor does.
//!
//! Knows nothing of futures. It fires a queue of its own, for sleeps under a blocking wait or a foreign executor,
//! and the queues of our executors while they do not run. It is started by the first timer and ends when there
//! has been none for a second, so that a program which never sleeps never has it.
//!
//! What must always hold:
//!
//! 1. While a timer is set, the thread is up, and parked no longer than to the first deadline.
//! 2. No lock is held while a waker is woken or dropped: both are other people's code.
//! 3. No code that may block runs on this thread, for every sleeper would wait for it: see [`Elsewhere`].

use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::prims::{self, Lazy, Mutex, ThreadSpec, spawn_thread};

use super::deadline::Deadline;
use super::elsewhere::Elsewhere;
use super::forked::Process;
use super::parker::Parker;
use super::timers::TimerQueue;

/// The one alarm of this process.
pub(crate) static ALARM: Lazy<Arc<Alarm>> = Lazy::new(|| Alarm::that_stays(IDLE));

/// Long enough for a loop that sleeps now and then, and for timeouts that never fire.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Alarm {
    queue: Arc<TimerQueue>,
    state: Mutex<State>,
    /// Where the thread sleeps.
    parker: Parker,
    /// How long it stays without a timer.
    idle: Duration,
}

#[derive(Default)]
struct State {
    /// The queues of executors that do not run. An empty one goes: nobody sets a timer there meanwhile.
    adopted: Vec<Arc<TimerQueue>>,
    /// The process in which the thread is up. The child of a fork has the timers, and no thread.
    up_in: Option<Process>,
}

impl Alarm {
    fn that_stays(idle: Duration) -> Arc<Self> {
        let (queue, state) = (Arc::new(TimerQueue::new(prims::now())), Mutex::default());
        let alarm = Arc::new(Self { queue, state, parker: Parker::new(), idle });
        alarm.queue.set_keeper(Waker::from(alarm.clone()));
        alarm
    }

    /// The timers of the real clock that no executor keeps.
    pub(crate) fn queue(self: &Arc<Self>) -> Arc<TimerQueue> {
        let up_in = self.state.lock().up_in;
        if up_in.is_some_and(|process| !process.is_current()) {
            self.notice();
        }
        self.queue.clone()
    }

    /// Fires the timers of that queue from now on, until it is released.
    pub(crate) fn adopt(self: &Arc<Self>, queue: &Arc<TimerQueue>) {
        if queue.next_deadline().is_some() {
            self.state.lock().adopted.push(queue.clone());
            self.notice();
        }
    }

    pub(crate) fn release(&self, queue: &Arc<TimerQueue>) {
        self.state.lock().adopted.retain(|adopted| !Arc::ptr_eq(adopted, queue));
        self.parker.unpark(); // It may have nothing to wait for any more.
    }

    /// Sees to it that the thread looks at its timers, and starts it if need be.
    fn notice(self: &Arc<Self>) {
        let mut state = self.state.lock();
        let this = Process::current();
        if state.up_in == Some(this) {
            drop(state);
            return self.parker.unpark();
        }
        if state.up_in.is_some() {
            self.parker.unpark(); // It says that a thread is parked there, which has stayed behind.
        }
        let alarm = self.clone();
        let spec = ThreadSpec { name: Some("handspun-alarm".to_owned()), stack_size: None };
        state.up_in = spawn_thread(spec, move || alarm.run()).ok().map(|_| this);
        if state.up_in.is_some() {
            return;
        }
        let adopted = mem::take(&mut state.adopted);
        drop(state);
        // The system refuses a thread. The sleepers are told to look again, so that they try again: that burns
        // the processor, but nobody oversleeps.
        self.queue.wake_all();
        adopted.iter().for_each(|queue| queue.wake_all());
    }

    fn run(&self) {
        let mut elsewhere = Elsewhere::serve();
        loop {
            let mut state = self.state.lock();
            state.adopted.retain(|queue| queue.next_deadline().is_some());
            let adopted = state.adopted.clone();
            drop(state);
            let now = prims::now();
            let queues = || adopted.iter().chain([&self.queue]);
            queues().for_each(|queue| queue.fire_until(now));
            elsewhere.start();
            let next = queues().filter_map(|queue| queue.next_deadline()).min();
            drop(adopted); // One that is released meanwhile is not kept by our sleep.
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
        let queues = || state.adopted.iter().chain([&self.queue]);
        let ends = queues().all(|queue| queue.next_deadline().is_none());
        if ends {
            (state.up_in, state.adopted) = (None, Vec::new());
        }
        ends
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
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    /// A waker that says on which thread it was woken.
    struct SaysWhere(mpsc::Sender<ThreadId>);

    impl Wake for SaysWhere {
        fn wake(self: Arc<Self>) {
            // Nobody may be listening any more.
            let _ = self.0.send(thread::current().id());
        }
    }

    /// Sets a timer that is due in a moment, and waits for its wake. Gives the alarm's thread.
    fn ring(alarm: &Alarm) -> ThreadId {
        let (sender, rings) = mpsc::channel();
        let (soon, waker) = (prims::now() + Duration::from_micros(1), Arc::new(SaysWhere(sender)));
        assert!(alarm.queue.poll(soon, None, &mut None, &waker.into()).is_pending());
        rings.recv().expect("a waker is not dropped unwoken")
    }

    fn until(is_so: impl Fn() -> bool) {
        while !is_so() {
            thread::yield_now();
        }
    }

    fn is_up(alarm: &Alarm) -> bool {
        alarm.state.lock().up_in.is_some()
    }

    #[test]
    fn the_thread_ends_when_it_is_idle_and_another_is_started_for_the_next_timer() {
        let alarm = Alarm::that_stays(Duration::ZERO);
        let threads = [(); 3].map(|()| {
            let thread = ring(&alarm);
            until(|| !is_up(&alarm));
            thread
        });
        assert!(threads[0] != threads[1] && threads[1] != threads[2]);
    }

    #[test]
    fn a_timer_that_is_taken_out_again_does_not_end_the_thread() {
        let alarm = Alarm::that_stays(Duration::from_secs(3600));
        let thread = ring(&alarm);
        for _ in 0..100 {
            let (in_an_hour, mut number) = (prims::now() + Duration::from_secs(3600), None);
            assert!(alarm.queue.poll(in_an_hour, None, &mut number, Waker::noop()).is_pending());
            alarm.queue.remove(in_an_hour, number.expect("it is set"));
            until(|| !alarm.parker.is_notified());
            assert_eq!(ring(&alarm), thread);
        }
    }

    #[test]
    fn a_queue_that_is_adopted_is_fired_until_it_is_released() {
        let alarm = Alarm::that_stays(Duration::ZERO);
        let [kept, given] = [(); 2].map(|()| Arc::new(TimerQueue::new(prims::now())));
        let (sender, rings) = mpsc::channel();
        let waker = Waker::from(Arc::new(SaysWhere(sender)));
        for queue in [&kept, &given] {
            let in_an_hour = prims::now() + Duration::from_secs(3600);
            assert!(queue.poll(in_an_hour, None, &mut None, &waker).is_pending());
        }
        let soon = prims::now() + Duration::from_millis(1);
        assert!(given.poll(soon, None, &mut None, &waker).is_pending());
        alarm.adopt(&kept);
        alarm.release(&kept);
        alarm.adopt(&given);
        rings.recv().expect("its waker is in the queue");
        assert_eq!(Arc::strong_count(&kept), 1);
        alarm.release(&given);
        until(|| Arc::strong_count(&given) == 1);
    }

    #[test]
    fn a_queue_that_has_no_timer_any_more_is_not_kept() {
        let alarm = Alarm::that_stays(Duration::from_secs(3600));
        let queue = Arc::new(TimerQueue::new(prims::now()));
        let (in_an_hour, mut number) = (prims::now() + Duration::from_secs(3600), None);
        assert!(queue.poll(in_an_hour, None, &mut number, Waker::noop()).is_pending());
        alarm.adopt(&queue);
        queue.remove(in_an_hour, number.expect("it is set"));
        ring(&alarm);
        until(|| Arc::strong_count(&queue) == 1);
    }
}

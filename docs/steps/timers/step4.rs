//! Step 4: the end of the alarm ends its thread.
//!
//! The idea: `None` in place of the timers says that the alarm has gone. To drop it takes them out, so what is not
//! due is dropped, and wakes the thread, which sees the `None` and ends. This is the complete timer queue.
//!
//! Without it: each alarm leaves a thread behind, which keeps the callbacks that are not due, and all that they hold,
//! and calls them after the alarm has gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

struct Timers<T> {
    by_deadline: BTreeMap<Key, T>,
    n_set: u64,
}

type Key = (Instant, u64);

impl<T> Timers<T> {
    fn new() -> Self {
        Self { by_deadline: BTreeMap::new(), n_set: 0 }
    }

    fn set(&mut self, deadline: Instant, value: T) -> Key {
        let key = (deadline, self.n_set);
        self.by_deadline.insert(key, value);
        self.n_set += 1;
        key
    }

    /// Takes out a timer; `None` if it has fired already, or was removed.
    fn remove(&mut self, key: Key) -> Option<T> {
        self.by_deadline.remove(&key)
    }

    fn first_deadline(&self) -> Option<Instant> {
        self.by_deadline.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Takes out the first value that is due.
    fn pop_due(&mut self, now: Instant) -> Option<T> {
        let first = self.by_deadline.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

type Callback = Box<dyn FnOnce() + Send>;

/// Calls functions at their deadlines, on a thread of its own. Dropping it drops what is not due.
struct Alarm(Arc<Shared>);

struct Shared {
    timers: Mutex<Option<Timers<Callback>>>, // `None` once the alarm is dropped.
    first_has_changed: Condvar,
}

impl Alarm {
    fn new() -> Self {
        let timers = Mutex::new(Some(Timers::new()));
        let shared = Arc::new(Shared { timers, first_has_changed: Condvar::new() });
        let same = shared.clone();
        thread::spawn(move || same.fire());
        Self(shared)
    }

    fn set(&self, deadline: Instant, callback: impl FnOnce() + Send + 'static) -> Key {
        let mut guard = self.0.lock();
        let timers = guard.as_mut().expect("the alarm is not dropped");
        let key = timers.set(deadline, Box::new(callback));
        if timers.first_deadline() == Some(deadline) {
            self.0.first_has_changed.notify_one();
        }
        key
    }

    fn remove(&self, key: Key) -> Option<Callback> {
        self.0.lock().as_mut()?.remove(key)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Timers<Callback>>> {
        self.timers.lock().expect("no callback runs under the lock")
    }

    /// What the thread does.
    fn fire(&self) {
        let mut guard = self.lock();
        while let Some(timers) = &mut *guard {
            let now = Instant::now();
            if let Some(callback) = timers.pop_due(now) {
                drop(guard);
                callback();
                guard = self.lock();
                continue;
            }
            let wait = timers.first_deadline().map_or(Duration::MAX, |first| first - now);
            let waited = self.first_has_changed.wait_timeout(guard, wait);
            guard = waited.expect("no callback runs under the lock").0;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // The lock is released at the end of this line, before what the callbacks hold is dropped.
        let left = self.0.lock().take();
        self.0.first_has_changed.notify_one();
        drop(left);
    }
}

/// Two timers in an hour: one is removed, and the other dropped with the alarm.
pub(crate) fn show() -> String {
    let alarm = Alarm::new();
    let hour = Instant::now() + Duration::from_secs(3600);
    let removed = alarm.set(hour, || ());
    let (done, is_done) = mpsc::channel();
    alarm.set(hour, move || done.send("it fired").expect("it is waited for"));
    let is_removed = alarm.remove(removed).is_some();
    drop(alarm);
    let end = is_done.recv().unwrap_or("dropped with the alarm");
    format!("timers 4: two in an hour: one was removed ({is_removed}), and the other {end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn what_is_not_due_is_dropped_with_the_alarm() {
        watched(|| assert!(show().ends_with("dropped with the alarm")));
    }

    #[test]
    fn the_thread_ends_with_the_alarm() {
        watched(|| {
            // Once it has called back, the thread waits for the hour, or is about to: of twenty, most wait.
            for _ in 0..20 {
                let (alarm, (done, is_done)) = (Alarm::new(), mpsc::channel());
                alarm.set(Instant::now() + Duration::from_secs(3600), || ());
                alarm.set(Instant::now(), move || done.send(()).unwrap());
                is_done.recv().unwrap();
                let shared = Arc::downgrade(&alarm.0);
                drop(alarm);
                while shared.strong_count() > 0 {
                    thread::yield_now();
                }
            }
        });
    }
}

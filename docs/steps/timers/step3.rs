//! Step 3: a thread that fires the timers.
//!
//! The idea: one thread waits on a condition variable until the first deadline, and a timer that becomes the first
//! one wakes it. The callback is called with the lock released, so it may set and remove timers itself.
//!
//! Without it: the timers fire when some code happens to ask. And a thread that plainly sleeps until the first
//! deadline knows of no timer that is set meanwhile: one in an hour, then one in a second, and it sleeps for an hour.

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

/// Calls functions at their deadlines, on a thread of its own.
struct Alarm(Arc<Shared>);

struct Shared {
    timers: Mutex<Timers<Callback>>,
    first_has_changed: Condvar,
}

impl Alarm {
    fn new() -> Self {
        let timers = Mutex::new(Timers::new());
        let shared = Arc::new(Shared { timers, first_has_changed: Condvar::new() });
        let same = shared.clone();
        thread::spawn(move || same.fire());
        Self(shared)
    }

    fn set(&self, deadline: Instant, callback: impl FnOnce() + Send + 'static) -> Key {
        let mut timers = self.0.lock();
        let key = timers.set(deadline, Box::new(callback));
        if timers.first_deadline() == Some(deadline) {
            self.0.first_has_changed.notify_one();
        }
        key
    }

    fn remove(&self, key: Key) -> Option<Callback> {
        self.0.lock().remove(key)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Timers<Callback>> {
        self.timers.lock().expect("no callback runs under the lock")
    }

    /// What the thread does.
    fn fire(&self) {
        let mut timers = self.lock();
        loop {
            let now = Instant::now();
            if let Some(callback) = timers.pop_due(now) {
                drop(timers);
                callback();
                timers = self.lock();
                continue;
            }
            let wait = timers.first_deadline().map_or(Duration::MAX, |first| first - now);
            let waited = self.first_has_changed.wait_timeout(timers, wait);
            timers = waited.expect("no callback runs under the lock").0;
        }
    }
}

/// With a timer in an hour, a hundred that are due at once, one after the other.
pub(crate) fn show() -> String {
    let alarm = Alarm::new();
    let hour = alarm.set(Instant::now() + Duration::from_secs(3600), || ());
    let (done, is_done) = mpsc::channel();
    for n in 1..=100 {
        let done = done.clone();
        alarm.set(Instant::now(), move || done.send(n).expect("it is waited for"));
        is_done.recv().expect("the callback is called");
    }
    let is_removed = alarm.remove(hour).is_some();
    format!("timers 3: a hundred fired, and the one in an hour is removed: {is_removed}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn an_earlier_timer_does_not_wait_for_the_first() {
        watched(|| assert!(show().ends_with("true")));
    }

    #[test]
    fn a_callback_may_set_a_timer() {
        watched(|| {
            let alarm = Arc::new(Alarm::new());
            let (same, (done, is_done)) = (alarm.clone(), mpsc::channel());
            alarm.set(Instant::now(), move || {
                same.set(Instant::now(), move || done.send(()).unwrap());
            });
            assert_eq!(is_done.recv(), Ok(()));
        });
    }
}

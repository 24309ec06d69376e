//! Step 3: a thread that fires the timers.
//!
//! The idea: one thread waits on a condition variable until the first deadline, and a timer that becomes the first
//! one wakes it. The callback is called with the lock released, so it may set and remove timers itself.
//!
//! Without it: the timers fire when some code happens to ask. And a thread that plainly sleeps until the first
//! deadline knows of no timer that is set meanwhile: one in an hour, then one in a second, and it sleeps for an hour.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

type Key = (Instant, u64);
type Callback = Box<dyn FnOnce() + Send>;

struct Timers {
    by_deadline: BTreeMap<Key, Callback>,
    n_set: u64,
    is_closed: bool,
}

struct Shared {
    timers: Mutex<Timers>,
    first_has_changed: Condvar,
}

/// Calls functions at their deadlines, on a thread of its own. Dropping it drops what is not due.
struct Alarm(Arc<Shared>);

impl Alarm {
    fn new() -> Self {
        let timers = Timers { by_deadline: BTreeMap::new(), n_set: 0, is_closed: false };
        let shared = Shared { timers: Mutex::new(timers), first_has_changed: Condvar::new() };
        let shared = Arc::new(shared);
        let same = shared.clone();
        thread::spawn(move || same.fire());
        Self(shared)
    }

    fn set(&self, deadline: Instant, callback: impl FnOnce() + Send + 'static) -> Key {
        let mut timers = self.0.lock();
        let key = (deadline, timers.n_set);
        timers.n_set += 1;
        timers.by_deadline.insert(key, Box::new(callback));
        if timers.by_deadline.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.0.first_has_changed.notify_one();
        }
        key
    }

    /// Takes out a timer; `None` if it has fired already, or was removed.
    fn remove(&self, key: Key) -> Option<Callback> {
        self.0.lock().by_deadline.remove(&key)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().expect("no callback runs under the lock")
    }

    /// What the thread does.
    fn fire(&self) {
        let mut timers = self.lock();
        while !timers.is_closed {
            let now = Instant::now();
            let wait = match timers.by_deadline.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let callback = first.remove();
                    drop(timers);
                    callback();
                    timers = self.lock();
                    continue;
                }
                Some(first) => first.key().0 - now,
                None => Duration::MAX,
            };
            let waited = self.first_has_changed.wait_timeout(timers, wait);
            timers = waited.expect("no callback runs under the lock").0;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.first_has_changed.notify_one();
    }
}

/// With a timer in an hour, a hundred that are due at once, one after the other.
pub(crate) fn show() {
    let alarm = Alarm::new();
    let hour = alarm.set(Instant::now() + Duration::from_secs(3600), || ());
    for _ in 0..100 {
        let (done, is_done) = crossbeam_channel::bounded(1);
        alarm.set(Instant::now(), move || done.send(()).expect("it is waited for"));
        is_done.recv().expect("the callback is called");
    }
    let is_removed = alarm.remove(hour).is_some();
    println!("timers 3: a hundred fired, and the one in an hour is removed: {is_removed}");
}

#[test]
fn an_earlier_timer_does_not_wait_for_the_first() {
    crate::support::watched(show);
}

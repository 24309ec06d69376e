//! Step 2: removal.
//!
//! The idea: `set` returns the key, and `remove` takes the timer out again. That is why the queue is an ordered
//! map and no binary heap: a heap finds its first entry, and no other.
//!
//! Without it: almost every timeout is for something that ends in time. A server with a timeout of a minute, and ten
//! thousand requests a second, keeps six hundred thousand timers of requests that are over, and what they hold.

use std::collections::BTreeMap;
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

pub(crate) fn show() -> String {
    let (mut timers, now) = (Timers::new(), Instant::now());
    let in_a_minute = now + Duration::from_secs(60);
    let keys: Vec<_> = (0..1000).map(|n| timers.set(in_a_minute, n)).collect();
    let first = timers.first_deadline().is_some();
    let n_removed = keys.into_iter().filter_map(|key| timers.remove(key)).count();
    let is_one_due = timers.pop_due(in_a_minute).is_some();
    format!("timers 2: set: {first}; removed in time: {n_removed}; one left: {is_one_due}")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_removed_timer_does_not_fire_and_holds_nothing() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let request = Rc::new("the request");
        let key = timers.set(now, request.clone());
        drop(timers.remove(key));
        assert_eq!(Rc::strong_count(&request), 1);
        assert_eq!((timers.pop_due(now), timers.first_deadline()), (None, None));
    }

    #[test]
    fn a_timer_that_has_fired_cannot_be_removed() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let (fired, other) = (timers.set(now, "fired"), timers.set(now, "other"));
        assert_eq!(timers.pop_due(now), Some("fired"));
        assert_eq!(timers.remove(fired), None, "and the other one stays");
        assert_eq!(timers.remove(other), Some("other"));
    }
}

//! The key is the deadline and a number. Numbers rise, so they also keep the order of those that have one deadline.

use std::collections::BTreeMap;
use std::time::Instant;

pub(crate) type Key = (Instant, u64);

pub(crate) struct Timers<T> {
    by_deadline: BTreeMap<Key, T>,
    n_set: u64,
}

impl<T> Timers<T> {
    pub(crate) fn new() -> Self {
        Self { by_deadline: BTreeMap::new(), n_set: 0 }
    }

    pub(crate) fn set(&mut self, deadline: Instant, timer: T) -> Key {
        let key = (deadline, self.n_set);
        self.n_set += 1;
        self.by_deadline.insert(key, timer);
        key
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.by_deadline.remove(&key)
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let first = self.by_deadline.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.by_deadline.first_key_value()?.0.0)
    }
}

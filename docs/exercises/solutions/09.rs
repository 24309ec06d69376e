//! The place of a timer is its deadline and a number. Numbers rise, so they also keep the order of those that have one
//! deadline. The key is the number that a timer had first, and a second map says where it is now.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

pub(crate) type Key = u64;

type Place = (Instant, u64);

pub(crate) struct Timers<T> {
    by_deadline: BTreeMap<Place, (Key, T)>,
    places: HashMap<Key, Place>,
    n_set: u64,
}

impl<T> Timers<T> {
    pub(crate) fn new() -> Self {
        Self { by_deadline: BTreeMap::new(), places: HashMap::new(), n_set: 0 }
    }

    pub(crate) fn set(&mut self, deadline: Instant, timer: T) -> Key {
        let key = self.n_set;
        self.place(key, deadline, timer);
        key
    }

    fn place(&mut self, key: Key, deadline: Instant, timer: T) {
        let place = (deadline, self.n_set);
        self.n_set += 1;
        self.by_deadline.insert(place, (key, timer));
        self.places.insert(key, place);
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.remove(&key)?;
        self.by_deadline.remove(&place).map(|(_, timer)| timer)
    }

    pub(crate) fn put_off(&mut self, key: Key, deadline: Instant) -> bool {
        let Some(timer) = self.remove(key) else { return false };
        self.place(key, deadline, timer);
        true
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let first = self.by_deadline.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let (key, timer) = first.remove();
        self.places.remove(&key);
        Some(timer)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.by_deadline.first_key_value()?.0.0)
    }
}

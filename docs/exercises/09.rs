//! # 9. Timers
//!
//! ★ · 30 minutes · [Timers](../guide/13-timers.md)
//!
//! This queue loses a timer if two have the same deadline. Give each timer a key by which it can be removed, whatever the
//! others do. Timers of one deadline are due in the order in which they were set.
//!
//! And let a timer be put off, as an idle timeout is at each byte that comes: it keeps its key, so that the thread that
//! removes it need not know how often that has happened. Among timers of one deadline, it counts as set when it was put
//! off. (The small queue's second step has keys, which no longer fit when the deadline is another.)

pub(crate) mod yours {
    use std::collections::BTreeMap;
    use std::time::Instant;

    /// What `set` returns: enough to find the timer again.
    pub(crate) type Key = Instant;

    pub(crate) struct Timers<T> {
        by_deadline: BTreeMap<Instant, T>,
    }

    impl<T> Timers<T> {
        pub(crate) fn new() -> Self {
            Self { by_deadline: BTreeMap::new() }
        }

        pub(crate) fn set(&mut self, deadline: Instant, timer: T) -> Key {
            self.by_deadline.insert(deadline, timer);
            deadline
        }

        /// Takes a timer out before it is due; `None` if it was taken already.
        pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
            self.by_deadline.remove(&key)
        }

        /// Gives a timer another deadline; false if it was due before, or was removed.
        pub(crate) fn put_off(&mut self, key: Key, deadline: Instant) -> bool {
            let Some(timer) = self.remove(key) else { return false };
            self.set(deadline, timer);
            true
        }

        /// The first of those whose deadline has come.
        pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
            let first = *self.by_deadline.first_key_value()?.0;
            if first <= now { self.by_deadline.remove(&first) } else { None }
        }

        /// Until when a thread that fires the timers may sleep.
        pub(crate) fn next_deadline(&self) -> Option<Instant> {
            Some(*self.by_deadline.first_key_value()?.0)
        }
    }
}

mod tests {
    use std::time::{Duration, Instant};

    use crate::answers::a09::Timers;

    #[test]
    fn timers_are_due_in_the_order_of_their_deadlines() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        for second in [3, 1, 2] {
            timers.set(now + Duration::from_secs(second), second);
        }
        assert_eq!(timers.next_deadline(), Some(now + Duration::from_secs(1)));
        assert_eq!(timers.pop_due(now), None);
        let later = now + Duration::from_secs(2);
        assert_eq!(
            [timers.pop_due(later), timers.pop_due(later), timers.pop_due(later)],
            [Some(1), Some(2), None]
        );
    }

    #[test]
    fn two_timers_of_one_deadline_are_both_due() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        timers.set(now, "first");
        timers.set(now, "second");
        assert_eq!([timers.pop_due(now), timers.pop_due(now)], [Some("first"), Some("second")]);
        assert_eq!(timers.next_deadline(), None);
    }

    #[test]
    fn a_removed_timer_leaves_the_others() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let keys = [1, 2, 3].map(|n| timers.set(now, n));
        let [_, second, _] = keys;
        assert_eq!(timers.remove(second), Some(2));
        assert_eq!(
            [timers.pop_due(now), timers.pop_due(now), timers.pop_due(now)],
            [Some(1), Some(3), None]
        );
    }

    #[test]
    fn a_timer_that_was_due_cannot_be_removed() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let key = timers.set(now, "once");
        assert_eq!(timers.pop_due(now), Some("once"));
        timers.set(now, "another");
        assert_eq!(timers.remove(key), None, "the key of one timer has removed another");
    }

    #[test]
    fn a_timer_that_was_put_off_keeps_its_key() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let later = |second| now + Duration::from_secs(second);
        let key = timers.set(now, "idle");
        for second in 1..=3 {
            assert!(timers.put_off(key, later(second)), "it was put off {} times", second - 1);
        }
        assert_eq!(timers.next_deadline(), Some(later(3)));
        assert_eq!(timers.pop_due(later(2)), None);
        assert_eq!(timers.remove(key), Some("idle"));
        assert!(!timers.put_off(key, later(4)), "it was removed");
        assert_eq!(timers.next_deadline(), None);
    }

    #[test]
    fn a_timer_that_was_put_off_is_due_after_those_of_its_deadline() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let later = now + Duration::from_secs(1);
        let key = timers.set(now, "put off");
        timers.set(later, "set before");
        assert!(timers.put_off(key, later));
        timers.set(later, "set after");
        let due = [timers.pop_due(later), timers.pop_due(later), timers.pop_due(later)];
        assert_eq!(due, [Some("set before"), Some("put off"), Some("set after")]);
    }
}

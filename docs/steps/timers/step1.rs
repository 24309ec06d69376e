//! Step 1: what is due, in the order of the deadlines.
//!
//! The idea: an ordered map, whose key is a deadline *and a number*. The first key says how long to sleep, and all
//! that is due is the front of the map. The time is an argument, so the tests take none.
//!
//! Without it: a thread for each timer, which sleeps until then. A hundred thousand timeouts are a hundred thousand
//! threads. And with the deadline alone as the key, the second of two equal deadlines replaces the first.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

struct Timers<T> {
    by_deadline: BTreeMap<(Instant, u64), T>,
    n_set: u64,
}

impl<T> Timers<T> {
    fn new() -> Self {
        Self { by_deadline: BTreeMap::new(), n_set: 0 }
    }

    fn set(&mut self, deadline: Instant, value: T) {
        self.by_deadline.insert((deadline, self.n_set), value);
        self.n_set += 1;
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
    for (seconds, what) in [(3, "the oven"), (1, "the kettle"), (2, "the bell")] {
        timers.set(now + Duration::from_secs(seconds), what);
    }
    let later = now + Duration::from_secs(2);
    let due: Vec<_> = std::iter::from_fn(|| timers.pop_due(later)).collect();
    let left = timers.first_deadline().expect("the oven takes three seconds");
    let (due, left) = (due.join(" and "), left - later);
    format!("timers 1: after two seconds, {due} are due, and the next one in {left:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_due_come_out_by_deadline_and_the_others_stay() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        timers.set(at(3), "c");
        timers.set(at(1), "a");
        timers.set(at(2), "b");
        assert_eq!(timers.pop_due(at(0)), None);
        assert_eq!(
            [at(2), at(2), at(2)].map(|at| timers.pop_due(at)),
            [Some("a"), Some("b"), None]
        );
        assert_eq!(timers.first_deadline(), Some(at(3)));
    }

    #[test]
    fn two_timers_with_one_deadline_both_fire() {
        let (mut timers, now) = (Timers::new(), Instant::now());
        timers.set(now, "first");
        timers.set(now, "second");
        assert_eq!([now, now].map(|now| timers.pop_due(now)), [Some("first"), Some("second")]);
    }
}

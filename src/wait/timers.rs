//! Wakers in the order of their deadlines, and the time up to which they have been woken.
//!
//! Knows nothing of where time comes from: its keeper says what time it is. There is one queue for each: the
//! alarm's thread, an executor, a jumping clock.
//!
//! What must always hold:
//!
//! 1. No timer fires before its deadline, and equal deadlines fire in the order in which they were set.
//! 2. A sleep whose deadline is not later than `now` is over: its timer has been taken out, or is about to be, and
//!    none is set there.
//! 3. When a timer is set before all others, the keeper is woken, unless it is awake anyway. If one goes, the one
//!    before it looks for itself at what has been set meanwhile.
//! 4. No sleeper's waker is cloned, woken or dropped under the lock.

use std::collections::BTreeMap;
use std::mem;
use std::task::{Poll, Waker};
use std::time::Instant;

use crate::panic;
use crate::prims::Mutex;

pub(crate) struct TimerQueue(Mutex<Timers>);

struct Timers {
    now: Instant,
    wakers: BTreeMap<Key, Waker>,
    n_set: u64,
    /// Each wakes a thread that fires, if that may be asleep while a timer is set. The last is the keeper now:
    /// as a rule there is one, but two executors may share a clock.
    keepers: Vec<Waker>,
}

/// A timer's key: by deadline, and then in the order in which they were set. No two are ever the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    deadline: Instant,
    number: u64,
}

impl TimerQueue {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Timers { now, wakers: BTreeMap::new(), n_set: 0, keepers: Vec::new() }))
    }

    /// Up to when the timers have been fired.
    pub(crate) fn now(&self) -> Instant {
        self.0.lock().now
    }

    /// Says which waker to wake when a timer is set before all others.
    pub(crate) fn set_keeper(&self, keeper: Waker) {
        self.0.lock().keepers.push(keeper);
    }

    /// That one keeps it no longer. Another that still does is woken, to look.
    pub(crate) fn unset_keeper(&self, keeper: &Waker) {
        let mut timers = self.0.lock();
        let is_own = |other: &Waker| other.will_wake(keeper);
        let own = timers.keepers.iter().rposition(is_own).map(|at| timers.keepers.remove(at));
        let next = timers.keepers.last().cloned();
        drop(timers);
        drop(own);
        panic::wake_each(next);
    }

    /// One poll of a sleeper, whose timer is set under that number when it is pending. It is over, too, if the time
    /// that it has seen itself is later than ours.
    pub(crate) fn poll(
        &self,
        deadline: Instant,
        seen: Option<Instant>,
        number: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<()> {
        // No waker is cloned for a time that has come, as it has when a sleeper is polled again.
        if !self.is_over(deadline, seen, *number) {
            *number = self.set(deadline, *number, waker.clone());
            if number.is_some() {
                return Poll::Pending;
            }
        }
        *number = None;
        Poll::Ready(())
    }

    /// Whether the time has come. Then the timer is taken out, if it is still set.
    fn is_over(&self, deadline: Instant, seen: Option<Instant>, number: Option<u64>) -> bool {
        let mut timers = self.0.lock();
        if deadline > seen.map_or(timers.now, |seen| seen.max(timers.now)) {
            return false;
        }
        // It fires while we speak, or has fired, as a rule; and to look for the first is cheap.
        let set = number.filter(|_| timers.next_deadline() <= Some(deadline));
        let waker = set.and_then(|number| timers.wakers.remove(&Key { deadline, number }));
        drop(timers);
        panic::drop_each(waker);
        true
    }

    /// Sets a timer, or the newer waker of one that is set, and gives its number; none if the time has come.
    fn set(&self, deadline: Instant, number: Option<u64>, waker: Waker) -> Option<u64> {
        let mut timers = self.0.lock();
        if deadline <= timers.now {
            drop(timers);
            panic::contain(|| drop(waker));
            return None;
        }
        let is_first = timers.next_deadline().is_none_or(|next| deadline < next);
        let number = number.unwrap_or_else(|| timers.draw_number());
        let older = timers.wakers.insert(Key { deadline, number }, waker);
        let keeper = timers.keepers.last().filter(|_| is_first).cloned();
        drop(timers);
        panic::drop_each(older);
        panic::wake_each(keeper);
        Some(number)
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn remove(&self, deadline: Instant, number: u64) {
        let waker = self.0.lock().wakers.remove(&Key { deadline, number });
        panic::contain(|| drop(waker)); // It may be a future's drop that removes.
    }

    /// When the next one fires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.lock().next_deadline()
    }

    /// Moves on to that time, never backwards, and wakes the sleepers whose time has come.
    pub(crate) fn fire_until(&self, now: Instant) {
        self.fire(|_, _| Some(now));
    }

    /// Moves on to what that gives for the time and the next deadline, if anything; false if it gives nothing.
    ///
    /// Fires one timer at a time, for a waker may be code that moves this clock, or drops another sleep: then
    /// those that are left still fire in their order, and what was dropped does not.
    pub(crate) fn fire(
        &self,
        until: impl FnOnce(Instant, Option<Instant>) -> Option<Instant>,
    ) -> bool {
        let mut timers = self.0.lock();
        let Some(until) = until(timers.now, timers.next_deadline()) else { return false };
        timers.now = timers.now.max(until);
        while let Some(waker) = timers.pop_due() {
            drop(timers);
            panic::contain(|| waker.wake());
            timers = self.0.lock();
        }
        true
    }

    /// Wakes all sleepers, though it is too early. They look at the time, and set their timers where they are then.
    pub(crate) fn wake_all(&self) {
        let wakers = mem::take(&mut self.0.lock().wakers);
        panic::wake_each(wakers.into_values());
    }
}

impl Timers {
    fn draw_number(&mut self) -> u64 {
        self.n_set += 1;
        self.n_set
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.wakers.first_key_value().map(|(key, _)| key.deadline)
    }

    /// Takes the first timer out if its time has come.
    fn pop_due(&mut self) -> Option<Waker> {
        if self.next_deadline()? > self.now {
            return None;
        }
        self.wakers.pop_first().map(|(_, waker)| waker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;
    use std::time::Duration;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed. One thread counts and reads.
        }
    }

    /// One timer, as the plainest thing that does the same remembers it: in a sorted list.
    struct Set {
        deadline: Instant,
        number: Option<u64>,
        counter: Arc<Counter>,
    }

    /// A queue beside such a list.
    struct Pair {
        queue: TimerQueue,
        list: Vec<Set>,
        keeper: Arc<Counter>,
        start: Instant,
    }

    impl Pair {
        fn new() -> Self {
            let (start, keeper) = (crate::prims::now(), Arc::new(Counter::default()));
            let queue = TimerQueue::new(start);
            queue.set_keeper(keeper.clone().into());
            Self { queue, list: Vec::new(), keeper, start }
        }

        fn set(&mut self, after: u64) {
            let deadline = self.start + Duration::from_nanos(after);
            let counter = Arc::new(Counter::default());
            let mut number = None;
            let before = count(&self.keeper);
            let is_over =
                self.queue.poll(deadline, None, &mut number, &counter.clone().into()).is_ready();
            assert_eq!(is_over, deadline <= self.queue.now());
            if is_over {
                return;
            }
            let at = self.list.partition_point(|set| set.deadline <= deadline);
            assert_eq!(
                count(&self.keeper) - before,
                usize::from(at == 0),
                "the first is announced"
            );
            self.list.insert(at, Set { deadline, number, counter });
        }

        fn renew(&mut self, at: usize) {
            let Set { deadline, number, counter } = &mut self.list[at];
            let older = std::mem::take(counter);
            let was = *number;
            assert!(self.queue.poll(*deadline, None, number, &counter.clone().into()).is_pending());
            assert_eq!((*number, Arc::strong_count(&older)), (was, 1), "the older one is let go");
        }

        fn remove(&mut self, at: usize) {
            let Set { deadline, number, counter } = self.list.remove(at);
            for _ in 0..2 {
                self.queue.remove(deadline, number.expect("it is set"));
                assert_eq!((Arc::strong_count(&counter), count(&counter)), (1, 0));
            }
        }

        fn fire_until(&mut self, after: u64) {
            let now = self.start + Duration::from_nanos(after);
            self.queue.fire_until(now);
            let later = self.list.split_off(self.list.partition_point(|set| set.deadline <= now));
            for mut fired in std::mem::replace(&mut self.list, later) {
                assert_eq!((count(&fired.counter), Arc::strong_count(&fired.counter)), (1, 1));
                let polled =
                    self.queue.poll(fired.deadline, None, &mut fired.number, Waker::noop());
                assert_eq!((polled, fired.number), (Poll::Ready(()), None));
            }
            assert!(self.list.iter().all(|set| count(&set.counter) == 0), "none is early");
            assert_eq!(self.queue.next_deadline(), self.list.first().map(|first| first.deadline));
        }
    }

    fn count(counter: &Counter) -> usize {
        counter.0.load(Relaxed) // ORDERING: Relaxed, as in `wake`.
    }

    /// A number from 0 to below `n`, from a small generator with a seed.
    fn draw(state: &mut u64, n: u64) -> u64 {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % n
    }

    #[test]
    fn timers_do_what_a_sorted_list_does() {
        for seed in 0..200 {
            let (mut pair, mut state, mut now) = (Pair::new(), seed, 0);
            for _ in 0..200 {
                match draw(&mut state, 16) {
                    // Few different deadlines, so that many are equal.
                    0..8 => pair.set(now + 10 * draw(&mut state, 20)),
                    what @ 8..15 if !pair.list.is_empty() => {
                        let at = draw(&mut state, pair.list.len() as u64) as usize;
                        if what < 13 { pair.remove(at) } else { pair.renew(at) }
                    }
                    _ => {
                        now += draw(&mut state, 60);
                        pair.fire_until(now);
                    }
                }
            }
            pair.fire_until(u64::MAX / 2);
            assert!(pair.list.is_empty(), "seed {seed}");
        }
    }

    /// Sets, when it is woken, another timer whose time has come as well.
    struct PollsInItsWake(TimerQueue, Instant);

    impl Wake for PollsInItsWake {
        fn wake(self: Arc<Self>) {
            assert!(self.0.poll(self.1, None, &mut None, Waker::noop()).is_ready());
        }
    }

    #[test]
    fn what_is_woken_finds_that_its_time_has_come() {
        let start = crate::prims::now();
        let deadline = start + Duration::from_secs(1);
        let polls = Arc::new(PollsInItsWake(TimerQueue::new(start), deadline));
        assert!(polls.0.poll(deadline, None, &mut None, &polls.clone().into()).is_pending());
        polls.0.fire_until(deadline);
        assert_eq!(polls.0.next_deadline(), None);
    }
}

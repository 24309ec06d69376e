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
//! 3. When a timer is set before all others, the keepers are woken, unless it is set by one of them. If one goes, the others
//!    look for themselves at what it has set meanwhile.
//! 4. No sleeper's waker is cloned, woken or dropped under the lock.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

use crate::panic;
use crate::prims::{AtomicBool, Mutex, Ordering};

use Ordering::Relaxed;

pub(crate) struct TimerQueue {
    timers: Mutex<Timers>,
    /// False if none is set. A thread that sets them all itself need not take the lock to know it.
    may_be_due: AtomicBool,
}

struct Timers {
    now: Instant,
    wakers: BTreeMap<TimerKey, Waker>,
    n_set: u64,
    /// Each wakes a thread that fires: as a rule there is one, but two executors may share a clock.
    keepers: Vec<Waker>,
}

/// A timer's key: by deadline, and then in the order in which they were set. No two are ever the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TimerKey {
    deadline: Instant,
    number: u64,
}

/// Who sets a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetBy {
    /// The thread that fires it.
    Keeper,
    /// Any thread.
    Any,
}

impl TimerQueue {
    pub(crate) fn new(now: Instant) -> Self {
        let timers = Timers { now, wakers: BTreeMap::new(), n_set: 0, keepers: Vec::new() };
        Self { timers: Mutex::new(timers), may_be_due: AtomicBool::new(false) }
    }

    /// Up to when the timers have been fired.
    pub(crate) fn now(&self) -> Instant {
        self.timers.lock().now
    }

    /// Says whom to wake, too, when a timer is set before all others.
    pub(crate) fn set_keeper(&self, keeper: Waker) {
        self.timers.lock().keepers.push(keeper);
    }

    /// That one keeps it no longer. Those that still do are woken, to look.
    pub(crate) fn unset_keeper(&self, keeper: &Waker) {
        let mut timers = self.timers.lock();
        timers.keepers.retain(|other| !other.will_wake(keeper)); // A keeper's waker is our own code.
        let others = timers.keepers.clone();
        drop(timers);
        panic::wake_each(others);
    }

    /// Sets a timer, or the newer waker of one that is set, and gives its number; none if the time has come.
    pub(crate) fn set(
        &self,
        deadline: Instant,
        number: Option<u64>,
        by: SetBy,
        waker: Waker,
    ) -> Option<u64> {
        let mut timers = self.timers.lock();
        if deadline <= timers.now {
            let older =
                number.and_then(|number| timers.wakers.remove(&TimerKey { deadline, number }));
            drop(timers);
            panic::drop_each([Some(waker), older]);
            return None;
        }
        let is_first = timers.next_deadline().is_none_or(|next| deadline < next);
        timers.n_set += 1;
        let number = number.unwrap_or(timers.n_set);
        let older = timers.wakers.insert(TimerKey { deadline, number }, waker);
        let tells = is_first && by == SetBy::Any;
        let keepers = if tells { timers.keepers.clone() } else { Vec::new() };
        // ORDERING: Relaxed. Read on the thread that sets them all, if it is.
        self.may_be_due.store(true, Relaxed);
        drop(timers);
        panic::drop_each(older);
        panic::wake_each(keepers);
        Some(number)
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn remove(&self, deadline: Instant, number: u64) {
        let waker = self.timers.lock().wakers.remove(&TimerKey { deadline, number });
        panic::contain(|| drop(waker)); // It may be a future's drop that removes.
    }

    /// When the next one fires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.lock().next_deadline()
    }

    /// Whether a timer is set, for the thread that sets them all: a hint that is never false too early.
    pub(crate) fn may_be_due(&self) -> bool {
        self.may_be_due.load(Relaxed) // ORDERING: Relaxed, as in `set`.
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
        let mut timers = self.timers.lock();
        let Some(until) = until(timers.now, timers.next_deadline()) else { return false };
        timers.now = timers.now.max(until);
        while let Some(waker) = timers.pop_due() {
            drop(timers);
            panic::contain(|| waker.wake());
            timers = self.timers.lock();
        }
        self.may_be_due.store(!timers.wakers.is_empty(), Relaxed); // ORDERING: Relaxed, as in `set`.
        true
    }
}

impl Timers {
    fn next_deadline(&self) -> Option<Instant> {
        Some(self.wakers.first_key_value()?.0.deadline)
    }

    /// Takes the first timer out if its time has come.
    fn pop_due(&mut self) -> Option<Waker> {
        let first = self.wakers.first_entry()?;
        if first.key().deadline > self.now { None } else { Some(first.remove()) }
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

    #[test]
    fn a_keeper_that_goes_leaves_the_other_which_is_woken_to_look() {
        let start = crate::prims::now();
        let (queue, [stays, goes]) = (TimerQueue::new(start), [(); 2].map(|()| Arc::default()));
        [&stays, &goes]
            .into_iter()
            .for_each(|keeper: &Arc<Counter>| queue.set_keeper(keeper.clone().into()));
        queue.unset_keeper(&goes.clone().into());
        assert_eq!((count(&stays), count(&goes)), (1, 0));
        let later = start + Duration::from_secs(1);
        assert!(set(&queue, later, SetBy::Any, Waker::noop().clone()).is_some());
        assert_eq!((count(&stays), count(&goes)), (2, 0));
    }

    /// One timer, as the plainest thing that does the same remembers it: in a sorted list.
    struct Set {
        deadline: Instant,
        number: u64,
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

        fn set(&mut self, after: u64, by: SetBy) {
            let deadline = self.start + Duration::from_nanos(after);
            let counter = Arc::new(Counter::default());
            let before = count(&self.keeper);
            let number = set(&self.queue, deadline, by, counter.clone().into());
            assert_eq!(number.is_none(), deadline <= self.queue.now());
            let Some(number) = number else { return };
            let at = self.list.partition_point(|set| set.deadline <= deadline);
            let is_told = at == 0 && by == SetBy::Any;
            let n_told = count(&self.keeper) - before;
            assert_eq!(n_told, usize::from(is_told), "the first is announced, unless it is known");
            self.list.insert(at, Set { deadline, number, counter });
        }

        fn renew(&mut self, at: usize, by: SetBy) {
            let Set { deadline, number, counter } = &mut self.list[at];
            let older = std::mem::take(counter);
            let newer = counter.clone().into();
            assert_eq!(self.queue.set(*deadline, Some(*number), by, newer), Some(*number));
            assert_eq!(Arc::strong_count(&older), 1, "the older one is let go");
        }

        fn remove(&mut self, at: usize) {
            let Set { deadline, number, counter } = self.list.remove(at);
            for _ in 0..2 {
                self.queue.remove(deadline, number);
                assert_eq!((Arc::strong_count(&counter), count(&counter)), (1, 0));
            }
        }

        fn fire_until(&mut self, after: u64) {
            let now = self.start + Duration::from_nanos(after);
            self.queue.fire_until(now);
            let later = self.list.split_off(self.list.partition_point(|set| set.deadline <= now));
            for fired in std::mem::replace(&mut self.list, later) {
                assert_eq!((count(&fired.counter), Arc::strong_count(&fired.counter)), (1, 1));
                let (Set { deadline, number, .. }, waker) = (fired, Waker::noop().clone());
                assert_eq!(self.queue.set(deadline, Some(number), SetBy::Any, waker), None);
            }
            assert!(self.list.iter().all(|set| count(&set.counter) == 0), "none is early");
            assert_eq!(self.queue.next_deadline(), self.list.first().map(|first| first.deadline));
        }
    }

    fn set(queue: &TimerQueue, deadline: Instant, by: SetBy, waker: Waker) -> Option<u64> {
        queue.set(deadline, None, by, waker)
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
                let by = [SetBy::Keeper, SetBy::Any][draw(&mut state, 2) as usize];
                match draw(&mut state, 16) {
                    // Few different deadlines, so that many are equal.
                    0..8 => pair.set(now + 10 * draw(&mut state, 20), by),
                    what @ 8..15 if !pair.list.is_empty() => {
                        let at = draw(&mut state, pair.list.len() as u64) as usize;
                        if what < 13 { pair.remove(at) } else { pair.renew(at, by) }
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
            assert_eq!(set(&self.0, self.1, SetBy::Any, Waker::noop().clone()), None);
        }
    }

    #[test]
    fn what_is_woken_finds_that_its_time_has_come() {
        let start = crate::prims::now();
        let deadline = start + Duration::from_secs(1);
        let polls = Arc::new(PollsInItsWake(TimerQueue::new(start), deadline));
        assert!(set(&polls.0, deadline, SetBy::Any, polls.clone().into()).is_some());
        polls.0.fire_until(deadline);
        assert_eq!(polls.0.next_deadline(), None);
    }
}

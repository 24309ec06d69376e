//! # 1. A parker that remembers
//!
//! ★ · 20 minutes · [Waiting](../guide/01-waiting.md)
//!
//! This parker loses an unpark that comes before the park. Give it a memory of one: an early unpark ends the next park
//! at once, and two early ones count as one. Mind that `Condvar` may wake for no reason.

pub(crate) mod yours {
    use std::sync::{Condvar, Mutex};
    use std::time::{Duration, Instant};

    #[derive(Default)]
    pub(crate) struct Parker {
        lock: Mutex<()>,
        woken: Condvar,
    }

    impl Parker {
        pub(crate) fn unpark(&self) {
            self.woken.notify_one();
        }

        /// Sleeps until there is an unpark, or the time is over. Whether there was one.
        pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
            let deadline = Instant::now() + timeout;
            let guard = self.lock.lock().expect("no thread panics under the lock");
            let left = deadline.saturating_duration_since(Instant::now());
            let (_guard, result) =
                self.woken.wait_timeout(guard, left).expect("no thread panics under the lock");
            !result.timed_out()
        }
    }
}

mod tests {
    use std::thread;
    use std::time::Duration;

    use crate::answers::a01::Parker;

    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn an_early_unpark_ends_the_next_park() {
        let parker = Parker::default();
        parker.unpark();
        assert!(parker.park_timeout(SHORT), "it was unparked before, and has slept all the same");
        assert!(!parker.park_timeout(SHORT), "one unpark has ended two parks");
    }

    #[test]
    fn two_early_unparks_count_as_one() {
        let parker = Parker::default();
        parker.unpark();
        parker.unpark();
        assert!(parker.park_timeout(SHORT));
        assert!(!parker.park_timeout(SHORT));
    }

    #[test]
    fn no_unpark_of_many_is_lost() {
        let (parker, back) = (Parker::default(), Parker::default());
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    parker.unpark();
                    if !back.park_timeout(LONG) {
                        return;
                    }
                }
            });
            for n in 0..1_000 {
                let was_unparked = parker.park_timeout(if n == 0 { LONG } else { LONG / 10 });
                back.unpark();
                assert!(was_unparked, "the wake-up number {n} was lost");
            }
        });
    }
}

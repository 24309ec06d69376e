//! The memory is a bool under the lock, and a loop that asks it: the condition variable only says *look again*.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(crate) struct Parker {
    is_notified: Mutex<bool>,
    woken: Condvar,
}

impl Parker {
    pub(crate) fn unpark(&self) {
        *self.is_notified.lock().expect("no thread panics under the lock") = true;
        self.woken.notify_one();
    }

    pub(crate) fn park_timeout(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut is_notified = self.is_notified.lock().expect("no thread panics under the lock");
        while !*is_notified {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (is_notified, _) = self
                .woken
                .wait_timeout(is_notified, left)
                .expect("no thread panics under the lock");
        }
        *is_notified = false;
        true
    }
}

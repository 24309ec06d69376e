//! It wakes, which leaves the token, and then parks for a reason of its own, which takes it.

use std::future::poll_fn;
use std::task::Poll;
use std::thread;
use std::time::Duration;

pub(crate) fn greedy() -> impl Future<Output = u32> {
    let mut is_first = true;
    poll_fn(move |context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(42);
        }
        context.waker().wake_by_ref();
        // A lock or a channel of some library does this inside. With a limit, so that where the wake
        // has gone to a parker of its own, nothing hangs here.
        thread::park_timeout(Duration::from_millis(50));
        Poll::Pending
    })
}

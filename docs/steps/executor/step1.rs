//! Step 1: one task with a waker.
//!
//! The idea: a future that is not ready keeps the waker that it was polled with, and calls it when a poll is worth
//! while. The executor polls only then. Here, to wake is to set a flag.
//!
//! Without it: a future is polled over and over until it is ready. That burns a processor while it waits, and if
//! nothing can ever make it ready, it is polled for ever, where this `block_on` can say what is wrong.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What a waker is made of. It may be on any thread, so it is shared and atomic.
struct IsWoken(AtomicBool);

impl Wake for IsWoken {
    fn wake(self: Arc<Self>) {
        // ORDERING: Release. Pairs with the Acquire in `block_on`: the poll sees what was done before the wake.
        self.0.store(true, Ordering::Release);
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let is_woken = Arc::new(IsWoken(AtomicBool::new(true))); // The first poll is for nothing.
    let waker = Waker::from(is_woken.clone());
    // The flag goes back before the poll, so that a wake during the poll is not lost.
    // ORDERING: Acquire. Pairs with the Release in `wake`.
    while is_woken.0.swap(false, Ordering::Acquire) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
    }
    panic!("the task waits, and nothing has woken it");
}

/// Gives way once: wakes its task at once, and is ready at the second poll.
fn yield_now() -> impl Future<Output = ()> {
    let mut is_first = true;
    poll_fn(move |context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

pub(crate) fn show() -> String {
    let sum = block_on(async {
        let mut sum = 0;
        for n in 1..=3 {
            yield_now().await;
            sum += n;
        }
        sum
    });
    format!("executor 1: one task gave way three times, and has the sum {sum}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn a_task_is_polled_once_for_each_wake() {
        watched(|| {
            let mut task = Box::pin(async {
                yield_now().await;
                yield_now().await;
            });
            let mut n_polls = 0;
            block_on(poll_fn(|context| {
                n_polls += 1;
                task.as_mut().poll(context)
            }));
            assert_eq!(n_polls, 3, "the first one, and one for each wake");
        });
    }

    #[test]
    #[should_panic = "nothing has woken it"]
    fn a_task_that_is_never_woken_is_not_polled_for_ever() {
        watched(|| block_on(std::future::pending()));
    }
}

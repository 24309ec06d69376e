//! # 2. A future that eats the token
//!
//! ★★ · 30 minutes · [Waiting](../guide/01-waiting.md)
//!
//! `block_on` with `std::thread::park` shares the thread's one token with every library that the thread calls. Write a
//! future on which such a `block_on` hangs, though the future wakes its waker before it is pending, and on which
//! `handspun::block_on` does not. It gives 42 at its second poll.

pub(crate) mod yours {
    use std::future::ready;

    pub(crate) fn greedy() -> impl Future<Output = u32> {
        ready(42) // It is never pending, and so nothing hangs.
    }
}

mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake};
    use std::thread::{self, Thread};
    use std::time::{Duration, Instant};

    use crate::answers::a02::greedy;
    use crate::support::watched;

    struct Token(Thread);

    impl Wake for Token {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// A `block_on` that gives up where a real one would hang.
    fn naive_block_on<F: Future>(future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let waker = Arc::new(Token(thread::current())).into();
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
            let began = Instant::now();
            thread::park_timeout(Duration::from_millis(200));
            if began.elapsed() >= Duration::from_millis(200) {
                return None;
            }
        }
    }

    #[test]
    fn a_naive_block_on_hangs_on_it() {
        watched(|| assert_eq!(naive_block_on(greedy()), None));
    }

    #[test]
    fn ours_does_not_hang_on_it() {
        watched(|| assert_eq!(handspun::block_on(greedy()), 42));
    }
}

//! What the tests of the executor have in common: logs, spans of time, and futures that do as they are told.
//!
//! Knows nothing of what a test claims.

use std::cell::{Cell, RefCell};
use std::env;
use std::future::poll_fn;
use std::pin::pin;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use handspun::{Clock, Executor, ExecutorBuilder, Hang};

use crate::support::{Count, panic_quietly, watched};

/// The settings of an executor that may poll in any order: `HANDSPUN_SEED=7 cargo test --test executor` runs
/// all that is tested with it in the order of that seed.
///
/// A test whose claim is the order, or who has had a turn by now, says `in_order` or takes the crate's own
/// `run`. It is never shuffled.
pub(crate) fn executor() -> ExecutorBuilder {
    match env::var("HANDSPUN_SEED") {
        Ok(seed) => Executor::builder().seed(seed.parse().expect("HANDSPUN_SEED is a number")),
        Err(_) => Executor::builder(),
    }
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    executor().build().run(future)
}

pub(crate) fn try_run<F: Future>(future: F) -> Result<F::Output, Hang> {
    executor().build().try_run(future)
}

/// An executor whose time jumps.
pub(crate) fn jumping() -> Executor {
    executor().clock(Clock::jumping()).build()
}

pub(crate) fn in_order() -> Executor {
    Executor::new()
}

pub(crate) fn jumping_in_order() -> Executor {
    Executor::builder().clock(Clock::jumping()).build()
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Gives another thread the time to fall asleep, as a rule. No claim depends on whether it does.
pub(crate) fn dawdle() {
    (0..1000).for_each(|_| thread::yield_now());
}

/// What happened, in order.
pub(crate) struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::default())
    }

    pub(crate) fn add(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A number that futures of one thread count up.
#[derive(Clone, Default)]
pub(crate) struct Tally(Rc<Cell<usize>>);

impl Tally {
    pub(crate) fn add_one(&self) {
        self.0.set(self.0.get() + 1);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.get()
    }
}

/// Counts how often a future is polled.
pub(crate) async fn counted<F: Future>(polls: Tally, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls.add_one();
        future.as_mut().poll(context)
    })
    .await
}

/// Is pending `n` times, and hands out its waker each time.
pub(crate) fn hands_out(wakers: Sender<Waker>, n: usize) -> impl Future<Output = ()> {
    let mut left = n;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        wakers.send(context.waker().clone()).unwrap();
        Poll::Pending
    })
}

struct PanicsWhenWoken(Count);

/// A waker that panics, and how often it was woken.
pub(crate) fn panicking_waker() -> (Count, Waker) {
    let wakes = Count::default();
    (wakes.clone(), Arc::new(PanicsWhenWoken(wakes)).into())
}

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        self.0.add_one();
        panic_quietly("a waker that panics")
    }
}

/// Calls a function when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs a test in a process of its own, on a stack of 2 MiB: one that overflows ends the process.
///
/// `name` is the test that calls this: the other process runs it too, and there the body is run.
pub(crate) fn on_a_small_stack(name: &str, test: impl FnOnce() + Send) {
    const IS_ALONE: &str = "HANDSPUN_TEST_IS_ALONE";
    if env::var_os(IS_ALONE).is_some() {
        let small = thread::Builder::new().stack_size(2 << 20);
        return thread::scope(|scope| {
            small.spawn_scoped(scope, || watched(test)).unwrap().join().unwrap()
        });
    }
    let mut alone = Command::new(env::current_exe().unwrap());
    let output = alone.args(["--exact", name]).env(IS_ALONE, "yes").output().unwrap();
    let (said, cried) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}{cried}");
}

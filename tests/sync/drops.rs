//! Many values are dropped in one go, and more than one of the drops panics.
//!
//! Each test runs in a process of its own: where two panics meet, the process is over.

use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use handspun::{
    AsCompleted, Close, Queue, as_completed, block_on, generator, join_all, keyed, race,
    try_join_all, wait,
};

use crate::setup::{Polled, survives};
use crate::support::{Count, PanicsWhenDropped, panic_quietly, poll};

/// Ready with a number, or never, or panics; and panics when it is dropped, in any case.
struct Member(
    Poll<Result<u32, &'static str>>,
    #[expect(dead_code, reason = "it is there to be dropped")] PanicsWhenDropped,
);

impl Member {
    fn new(comes_to: Poll<Result<u32, &'static str>>, drops: &Count) -> Self {
        Self(comes_to, PanicsWhenDropped(drops.clone()))
    }

    fn pending(drops: &Count) -> [Self; 3] {
        [(); 3].map(|()| Self::new(Poll::Pending, drops))
    }
}

impl Future for Member {
    type Output = Result<u32, &'static str>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0 {
            Poll::Ready(Err("panics")) => panic_quietly("a poll that panics"),
            Poll::Ready(_) | Poll::Pending => self.0,
        }
    }
}

/// Drops it, and lets its panic go no further.
fn dropped<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

fn queue_of_three(drops: &Count) -> Queue<PanicsWhenDropped> {
    let queue = Queue::unbounded();
    for _ in 0..3 {
        assert!(queue.try_put(PanicsWhenDropped(drops.clone())).is_ok());
    }
    queue
}

#[test]
fn a_queue_discards_all_of_its_items_though_they_panic() {
    survives("drops::a_queue_discards_all_of_its_items_though_they_panic", || {
        let drops = Count::default();
        let queue = queue_of_three(&drops);
        let join = Polled::waiting(queue.join());
        assert!(catch_unwind(AssertUnwindSafe(|| queue.close(Close::Discard))).is_err());
        assert_eq!((drops.get(), queue.unfinished()), (3, 0));
        join.now();
    });
}

#[test]
fn a_queue_is_dropped_with_all_of_its_items_though_they_panic() {
    survives("drops::a_queue_is_dropped_with_all_of_its_items_though_they_panic", || {
        let drops = Count::default();
        dropped(queue_of_three(&drops));
        assert_eq!(drops.get(), 3);
    });
}

/// The body panics while an item of it is on its way.
#[test]
fn a_generator_survives_its_body_and_its_item() {
    survives("drops::a_generator_survives_its_body_and_its_item", || {
        let drops = Count::default();
        let of_item = PanicsWhenDropped(drops.clone());
        let mut items = generator(async |mut out| {
            let mut give = Box::pin(out.yield_item(of_item));
            assert!(poll(&mut give, Waker::noop()).is_pending());
            panic_quietly("a body that panics");
        });
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(items.next()).is_some())).is_err());
        assert_eq!(drops.get(), 1);
        assert!(block_on(items.next()).is_none());
    });
}

#[test]
fn the_members_of_a_wait_for_many_are_all_dropped_though_they_panic() {
    survives("drops::the_members_of_a_wait_for_many_are_all_dropped_though_they_panic", || {
        let drops = Count::default();
        dropped(as_completed(Member::pending(&drops)));
        assert_eq!(drops.get(), 3);
        dropped(wait(Member::pending(&drops), |_| true));
        assert_eq!(drops.get(), 6);
        let mut all = Box::pin(join_all(Member::pending(&drops)));
        assert!(poll(&mut all, Waker::noop()).is_pending());
        dropped(all);
        assert_eq!(drops.get(), 9);
    });
}

#[test]
fn a_key_and_its_future_are_both_dropped_though_they_panic() {
    survives("drops::a_key_and_its_future_are_both_dropped_though_they_panic", || {
        let drops = Count::default();
        dropped(keyed(PanicsWhenDropped(drops.clone()), Member::new(Poll::Pending, &drops)));
        assert_eq!(drops.get(), 2);
    });
}

#[test]
fn results_that_nobody_fetches_are_all_dropped_though_they_panic() {
    survives("drops::results_that_nobody_fetches_are_all_dropped_though_they_panic", || {
        let drops = Count::default();
        let result = || PanicsWhenDropped(drops.clone());
        dropped(as_completed([(); 3].map(|()| ready(result()))));
        assert_eq!(drops.get(), 3);
        let futures = || {
            let results = [(); 3].map(|()| Box::pin(ready(result())) as Results);
            results.into_iter().chain([Box::pin(std::future::pending()) as Results])
        };
        let mut some = wait(futures(), |_| false);
        assert!(poll(&mut some, Waker::noop()).is_pending());
        dropped(some);
        assert_eq!(drops.get(), 6);
        let mut all = Box::pin(join_all(futures()));
        assert!(poll(&mut all, Waker::noop()).is_pending());
        dropped(all);
        assert_eq!(drops.get(), 9);
    });
}

type Numbers = Pin<Box<dyn Future<Output = Result<u32, &'static str>>>>;

type Results = Pin<Box<dyn Future<Output = PanicsWhenDropped>>>;

#[test]
fn the_others_are_all_dropped_at_the_end_though_they_panic() {
    survives("drops::the_others_are_all_dropped_at_the_end_though_they_panic", || {
        let drops = Count::default();
        let boxed = |members: [Member; 3], comes_to: Result<u32, &'static str>| {
            let quick = Box::pin(ready(comes_to)) as Numbers;
            members.into_iter().map(|member| Box::pin(member) as Numbers).chain([quick])
        };
        let won = race(boxed(Member::pending(&drops), Ok(7)));
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(won))).is_err());
        let failed = try_join_all(boxed(Member::pending(&drops), Err("no")));
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(failed))).is_err());
        assert_eq!(drops.get(), 6);
    });
}

#[test]
fn a_member_that_panics_in_a_poll_may_panic_when_it_is_dropped() {
    survives("drops::a_member_that_panics_in_a_poll_may_panic_when_it_is_dropped", || {
        let drops = Count::default();
        let mut some = AsCompleted::new();
        let panics = Member::new(Poll::Ready(Err("panics")), &drops);
        assert!(catch_unwind(AssertUnwindSafe(|| some.add(panics))).is_err());
        assert_eq!((drops.get(), some.join_next()), (1, None));
    });
}

/// A semaphore that is dropped in a panic takes along what waits for it.
#[test]
fn a_wait_whose_waker_panics_is_dropped_in_a_panic() {
    survives("drops::a_wait_whose_waker_panics_is_dropped_in_a_panic", || {
        let drops = Count::default();
        let waker = Waker::from(Arc::new(PanicsToo(PanicsWhenDropped(drops.clone()))));
        let mut many = AsCompleted::<Member>::new();
        many.add(Member::new(Poll::Pending, &Count::default()));
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let mut many = many;
            let mut next = Box::pin(many.next());
            assert!(poll(&mut next, &waker).is_pending());
            drop(next);
            drop(waker); // Another one is left in there.
            panic_quietly("a panic that unwinds");
        }));
        assert!(panicked.is_err());
        assert_eq!(drops.get(), 1);
    });
}

struct PanicsToo(#[expect(dead_code, reason = "it is there to be dropped")] PanicsWhenDropped);

impl std::task::Wake for PanicsToo {
    fn wake(self: Arc<Self>) {}
}

//! The combinators of `futures`, on our executor.

use std::cell::Cell;
use std::future::{pending, ready};
use std::time::Duration;

use futures::future::{self, Either, FutureExt, TryFutureExt};
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use handspun::{ThreadPool, Yielder, generator, run, sleep, spawn};

use crate::support::watched;

const MOMENT: Duration = Duration::from_millis(1);
const AN_HOUR: Duration = Duration::from_secs(3600);

fn on_ours<T>(test: impl Future<Output = T>) {
    watched(|| {
        run(test);
    });
}

/// A158.
#[test]
fn whoever_is_first_is_selected() {
    on_ours(async {
        let mut slow = sleep(AN_HOUR).fuse();
        let mut quick = spawn(async { sleep(MOMENT).await }).fuse();
        let first = futures::select! {
            () = slow => "slow",
            woke = quick => woke.map_or("cancelled", |()| "quick"),
        };
        assert_eq!(first, "quick");
        let Either::Right(((), slow)) = future::select(slow, sleep(MOMENT)).await else {
            panic!("an hour has passed");
        };
        assert!(slow.now_or_never().is_none());
    });
}

/// A158: each member has a waker of its own, which wraps ours.
#[test]
fn ten_thousand_in_one_task_are_taken_as_they_come() {
    on_ours(async {
        let pool = ThreadPool::new(2);
        let jobs = (0..10_000_u64).map(|n| pool.submit(move || n));
        let mut unordered: FuturesUnordered<_> = jobs.collect();
        let mut sum = 0;
        while let Some(n) = unordered.next().await {
            sum += n.unwrap();
        }
        assert_eq!(sum, 49_995_000);
    });
}

#[test]
fn no_more_are_buffered_than_asked_for() {
    on_ours(async {
        let (n_inside, most) = (Cell::new(0), Cell::new(0));
        let work = |n: u64| {
            let (n_inside, most) = (&n_inside, &most);
            async move {
                n_inside.set(n_inside.get() + 1);
                most.set(most.get().max(n_inside.get()));
                sleep(Duration::from_micros(n % 7)).await;
                n_inside.set(n_inside.get() - 1);
                n
            }
        };
        let sum = stream::iter(0..100).map(work).buffer_unordered(8).fold(0, |a, b| ready(a + b));
        assert_eq!((sum.await, most.get()), (4_950, 8));
    });
}

#[test]
fn a_generator_goes_through_the_adapters_of_streams() {
    on_ours(async {
        let lines = generator(async |mut yielder: Yielder<Result<u32, String>>| {
            for text in ["1", "2", "x", "4"] {
                sleep(MOMENT).await;
                yielder
                    .yield_item(text.parse().map_err(|_| format!("`{text}` is no number")))
                    .await;
            }
        });
        let doubled = lines.map_ok(|n| n * 2).try_collect::<Vec<_>>();
        assert_eq!(doubled.await, Err("`x` is no number".to_owned()));
    });
}

#[test]
fn what_loses_a_race_is_dropped_where_it_stands() {
    on_ours(async {
        let dropped = Cell::new(false);
        let slow = async {
            let _guard = says_when_dropped(&dropped);
            pending::<()>().await;
        };
        futures::select_biased! {
            () = Box::pin(slow).fuse() => unreachable!("it is never ready"),
            () = sleep(MOMENT).fuse() => {}
        }
        assert!(dropped.get());
    });
}

/// Says so when it is dropped.
fn says_when_dropped(dropped: &Cell<bool>) -> impl Sized {
    struct Guard<'a>(&'a Cell<bool>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    Guard(dropped)
}

#[test]
fn a_shared_future_serves_tasks_of_ours() {
    on_ours(async {
        let answer = ThreadPool::new(1).submit(|| 42).map_err(|_| "it panicked").boxed().shared();
        let tasks = [(); 5].map(|()| spawn(answer.clone()));
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(42));
        }
    });
}

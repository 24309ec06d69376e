//! `map_concurrent`: its limit, its memory, its panics, and its end.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll};

use handspun::{JoinError, MapConcurrent, Panic, map_concurrent, sleep, yield_now};

use crate::setup::{Log, Tally, executor, in_order, jumping, panicking_waker, run, secs};
use crate::support::{Count, CountsDrop, PanicsWhenDropped, panic_quietly, poll, watched};

async fn all<T: 'static>(mut results: MapConcurrent<T>) -> Vec<T> {
    let mut outputs = Vec::new();
    while let Some(result) = results.next().await {
        outputs.push(result.unwrap());
    }
    outputs
}

/// How many are inside now, and the most that there ever were.
#[derive(Clone, Default)]
struct Crowd(Rc<Cell<(usize, usize)>>);

impl Crowd {
    fn enter(&self) {
        let (n, most) = self.0.get();
        self.0.set((n + 1, most.max(n + 1)));
    }

    fn leave(&self) {
        let (n, most) = self.0.get();
        self.0.set((n - 1, most));
    }

    fn most(&self) -> usize {
        self.0.get().1
    }
}

/// A83.
#[test]
fn no_more_than_the_limit_are_worked_on_at_a_time() {
    watched(|| {
        for limit in [1, 2, 7, 1000] {
            let crowd = Crowd::default();
            let inside = crowd.clone();
            let outputs = jumping().run(async {
                let results = map_concurrent(0..100_u64, limit, async move |n| {
                    inside.enter();
                    sleep(secs(1 + n % 5)).await;
                    inside.leave();
                });
                all(results).await
            });
            assert_eq!(outputs.len(), 100);
            assert_eq!(crowd.most(), limit.min(100));
        }
    });
}

/// A83.
#[test]
#[should_panic(expected = "a limit of 0 would let nothing begin")]
fn a_limit_of_nothing_is_refused() {
    run(async { drop(map_concurrent(0..1, 0, async |n| n)) });
}

/// A76.
#[test]
fn no_inputs_give_no_results() {
    watched(|| assert_eq!(run(async { all(map_concurrent(0..0, 3, async |n: u32| n)).await }), []));
}

/// A83: with one at a time, the results come in the order of the inputs.
#[test]
fn a_limit_of_one_keeps_the_order() {
    watched(|| {
        let outputs = jumping().run(async {
            all(map_concurrent(0..20_u64, 1, async |n| {
                sleep(secs(20 - n)).await;
                n
            }))
            .await
        });
        assert_eq!(outputs, (0..20).collect::<Vec<_>>());
    });
}

/// A83: bounded memory, as far as it can be counted: inputs taken, less results fetched.
#[test]
fn a_million_inputs_are_taken_as_they_are_needed() {
    watched(|| {
        const LIMIT: usize = 8;
        let taken = Tally::default();
        let takes = taken.clone();
        let executor = executor().build();
        executor.run(async {
            let inputs = (0..1_000_000_u64).inspect(move |_| takes.add_one());
            let mut squares = map_concurrent(inputs, LIMIT, async |n| n);
            let (mut fetched, mut sum) = (0, 0);
            while let Some(square) = squares.next().await {
                sum += square.unwrap();
                fetched += 1;
                assert!(taken.get() <= fetched + 2 * LIMIT, "{} and {fetched}", taken.get());
                assert!(executor.n_tasks() <= LIMIT);
            }
            assert_eq!(sum, 499_999_500_000);
        });
    });
}

/// A83: futures that are polled by their reader alone would stand still (futures-rs #2387).
#[test]
fn the_work_goes_on_while_the_reader_is_busy() {
    watched(|| {
        jumping().run(async {
            let done = Tally::default();
            let counts = done.clone();
            let mut results = map_concurrent(0..100, 4, async move |_| {
                sleep(secs(1)).await;
                counts.add_one();
            });
            results.next().await.unwrap().unwrap();
            sleep(secs(100)).await;
            // One fetched, and twice as many as may go on that wait to be.
            assert_eq!(done.get(), 9);
            assert!(results.next().await.is_some());
            sleep(secs(100)).await;
            assert_eq!(done.get(), 10);
        });
    });
}

/// A84.
#[test]
fn a_call_that_panics_costs_its_own_result_and_no_other() {
    watched(|| {
        run(async {
            let mut results = map_concurrent(0..10, 3, async |n| {
                yield_now().await;
                if n % 2 == 0 {
                    panic_quietly("even")
                }
                n
            });
            let (mut odd, mut panicked) = (0, 0);
            while let Some(result) = results.next().await {
                match result {
                    Ok(n) => odd += n,
                    Err(JoinError::Panicked(_)) => panicked += 1,
                    Err(JoinError::Cancelled(_)) => unreachable!("nobody cancels"),
                }
            }
            assert_eq!((odd, panicked), (25, 5));
        });
    });
}

/// A84.
#[test]
fn an_iterator_that_panics_is_the_last_result() {
    watched(|| {
        run(async {
            let inputs = (0..10).inspect(|n| {
                if *n == 5 {
                    panic_quietly("no more")
                }
            });
            let mut results = map_concurrent(inputs, 3, async |n| n);
            let mut n_good = 0;
            let mut n_panicked = 0;
            while let Some(result) = results.next().await {
                match result {
                    Ok(_) => n_good += 1,
                    Err(_) => n_panicked += 1,
                }
            }
            assert_eq!((n_good, n_panicked), (5, 1));
        });
    });
}

/// A79.
#[test]
fn results_that_are_dropped_drop_the_work() {
    watched(|| {
        let executor = in_order();
        executor.run(async {
            let drops = Count::default();
            let counts = drops.clone();
            let mut results = map_concurrent(0..100, 4, async move |n| {
                let _counts = CountsDrop(counts.clone());
                if n > 0 {
                    pending::<()>().await
                }
            });
            results.next().await.unwrap().unwrap();
            yield_now().await;
            drop(results);
            assert_eq!((drops.get(), executor.n_tasks()), (5, 0));
        });
    });
}

/// A84.
#[test]
fn panics_that_nobody_fetches_are_told_to_the_hook() {
    watched(|| {
        let (tells, told) = mpsc::channel();
        let hook = move |panic: &Panic| tells.send(panic.message().to_owned()).unwrap();
        executor().panic_hook(hook).build().run(async {
            let work = async |_| panic_quietly("oh no");
            let mut results: MapConcurrent<()> = map_concurrent(0..100, 2, work);
            assert!(results.next().await.unwrap().is_err());
            for _ in 0..10 {
                yield_now().await;
            }
            drop(results);
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["oh no"; 4]);
    });
}

/// A79: what waits to be fetched.
#[test]
fn results_outlive_the_executor_that_they_came_from() {
    watched(|| {
        let results = run(async {
            let results = map_concurrent(0..100, 2, async |n| n);
            for _ in 0..10 {
                yield_now().await;
            }
            results
        });
        assert_eq!(handspun::block_on(all(results)).len(), 4);
    });
}

/// A36: results that nobody fetches, and whose drops panic.
#[test]
fn results_that_are_dropped_unread_are_contained() {
    watched(|| {
        jumping().run(async {
            let drops = Count::default();
            let counts = drops.clone();
            let results =
                map_concurrent(0..100, 4, async move |_| PanicsWhenDropped(counts.clone()));
            sleep(secs(1)).await;
            drop(results);
            assert_eq!(drops.get(), 8, "twice as many as may go on");
        });
    });
}

/// A79: before anything has begun.
#[test]
fn results_that_are_dropped_at_once_call_nothing() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            drop(map_concurrent(0..100, 4, async |_| unreachable!("nobody wants it")));
            yield_now().await;
            assert_eq!(executor.n_tasks(), 0);
        });
    });
}

/// A79: by the very work that they are the results of.
#[test]
fn results_may_be_dropped_by_their_own_work() {
    watched(|| {
        let executor = executor().build();
        executor.run(async {
            let kept = Rc::new(RefCell::new(None));
            let own = kept.clone();
            let results = map_concurrent(0..100, 4, async move |n| {
                yield_now().await;
                if n == 2 {
                    drop(own.take())
                }
            });
            kept.replace(Some(results));
            while executor.n_tasks() > 0 {
                yield_now().await;
            }
            assert!(kept.take().is_none());
        });
    });
}

/// A79: after the executor has gone.
#[test]
fn work_that_outlives_its_executor_is_cancelled() {
    watched(|| {
        let mut results = run(async { map_concurrent(0..100, 4, async |_| pending::<()>().await) });
        handspun::block_on(async {
            for _ in 0..4 {
                assert!(matches!(results.next().await, Some(Err(JoinError::Cancelled(_)))));
            }
            assert!(results.next().await.is_none());
        });
    });
}

/// A79: where no executor runs, nothing begins, and no input is lost.
#[test]
fn results_that_are_fetched_between_two_runs_make_room_in_the_next() {
    watched(|| {
        let executor = in_order();
        let mut results = executor.run(async {
            let results = map_concurrent(0..10, 1, async |n| n);
            for _ in 0..10 {
                yield_now().await;
            }
            results
        });
        for n in 0..2 {
            assert_eq!(handspun::block_on(results.next()).unwrap().unwrap(), n);
        }
        assert_eq!(executor.run(all(results)).len(), 8);
    });
}

/// A79: work that its executor dropped before its first poll takes nobody's place.
#[test]
fn inputs_that_one_executor_left_are_worked_on_in_another() {
    watched(|| {
        let mut results = run(async { map_concurrent(0..10, 1, async |n| n) });
        run(async {
            assert!(matches!(results.next().await, Some(Err(JoinError::Cancelled(_)))));
            assert_eq!(all(results).await.len(), 9);
        });
    });
}

/// A79: a wait for a result that is given up loses none.
#[test]
fn a_wait_for_a_result_that_is_dropped_loses_none() {
    watched(|| {
        jumping().run(async {
            let mut results = map_concurrent(1..=3_u64, 3, async |n| {
                sleep(secs(n)).await;
                n
            });
            let log = Log::new();
            for _ in 0..10 {
                if let Ok(Some(n)) = handspun::timeout(secs(1) / 2, results.next()).await {
                    log.add(n.unwrap());
                }
            }
            assert_eq!(log.take(), [1, 2, 3]);
        });
    });
}

/// A16: a foreign waker that panics ends no work.
#[test]
fn a_waker_that_panics_when_a_result_is_there_is_contained() {
    watched(|| {
        jumping().run(async {
            let mut results = map_concurrent(0..3, 1, async |n| {
                sleep(secs(1)).await;
                n
            });
            let (wakes, waker) = panicking_waker();
            let mut next = Box::pin(results.next());
            assert!(poll(&mut next, &waker).is_pending());
            sleep(secs(2)).await;
            assert_eq!(wakes.get(), 1);
            drop(next);
            assert_eq!(all(results).await, [0, 1, 2]);
        });
    });
}

/// A83.
#[test]
fn a_result_that_is_fetched_makes_room_for_one_more() {
    watched(|| {
        let executor = jumping();
        executor.run(async {
            let mut results = map_concurrent(0..1000, 100, async |n| n);
            assert!(results.next().await.is_some());
            sleep(secs(1)).await;
            for _ in 0..10 {
                assert!(results.next().await.is_some());
            }
            let tasks = executor.dump().tasks;
            let n_ready = tasks.iter().skip(1).filter(|task| task.waits_for.is_none()).count();
            assert_eq!((tasks.len(), n_ready), (11, 10));
            assert_eq!(all(results).await.len(), 989);
        });
    });
}

/// A83.
#[test]
fn work_that_is_woken_for_nothing_loses_no_result() {
    watched(|| {
        let wakers = Rc::new(RefCell::new(Vec::<std::task::Waker>::new()));
        let kept = wakers.clone();
        let outputs = run(async {
            let mut results = map_concurrent(0..1000, 7, async move |n| {
                std::future::poll_fn(|context| {
                    kept.borrow_mut().push(context.waker().clone());
                    std::task::Poll::Ready(())
                })
                .await;
                n
            });
            let mut outputs = Vec::new();
            while let Some(n) = results.next().await {
                outputs.push(n.unwrap());
                wakers.borrow().iter().rev().take(20).for_each(std::task::Waker::wake_by_ref);
                yield_now().await;
            }
            outputs
        });
        assert_eq!(outputs.len(), 1000);
    });
}

#[test]
fn a_map_that_its_own_work_drops_takes_no_more_inputs() {
    watched(|| {
        run(async {
            let map: Rc<RefCell<Option<MapConcurrent<u32>>>> = Rc::default();
            let worked_on = Log::new();
            let (held, log) = (map.clone(), worked_on.clone());
            *map.borrow_mut() = Some(map_concurrent(0..100, 8, move |n| {
                log.add(n);
                drop(held.take());
                async move { n }
            }));
            for _ in 0..5 {
                yield_now().await;
            }
            assert_eq!(worked_on.take().len(), 1); // Whichever was the first.
        });
    });
}

/// Ready at once, and its drop panics if it is asked to.
struct PanicsAfterwards(
    u32,
    #[expect(dead_code, reason = "for its drop")] Option<PanicsWhenDropped>,
);

impl Future for PanicsAfterwards {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        Poll::Ready(self.0)
    }
}

#[test]
fn a_panic_of_the_drop_of_the_work_is_what_comes_of_that_input() {
    watched(|| {
        let came = run(async {
            let panics = || PanicsWhenDropped(Count::default());
            let work = move |n| PanicsAfterwards(n, (n == 1).then(panics));
            let mut map = map_concurrent(0..4, 1, work);
            let mut came = Vec::new();
            while let Some(result) = map.next().await {
                came.push(result.ok());
            }
            came
        });
        assert_eq!(came, [Some(0), None, Some(2), Some(3)]);
    });
}

//! An ordered map gives what a serial one would, one result for each input, and never runs far ahead.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use handspun::{CancelReason, Elapsed, JoinError, Shutdown, ThreadPool};

use crate::setup::{busy, flush, gated, in_a_process_of_its_own};
use crate::support::{Count, CountsDrop, Gate, panic_quietly, until, watched};

/// P44.
#[test]
fn a_map_gives_what_a_serial_map_gives() {
    watched(|| {
        let pool = ThreadPool::new(3);
        let mapped: Result<Vec<_>, _> = pool.map(0..1000_u64, |n| n * n).collect();
        assert_eq!(mapped.unwrap(), (0..1000).map(|n| n * n).collect::<Vec<_>>());
    });
}

/// P44: the first input is done last.
#[test]
fn results_keep_the_order_of_the_inputs_whatever_finishes_first() {
    watched(|| {
        let pool = ThreadPool::new(4);
        let gates: Vec<_> = (0..4).map(|_| Gate::closed()).collect();
        gates[3].open();
        let mapped = pool.map(0..4, move |n| {
            gates[n].pass();
            if n > 0 {
                gates[n - 1].open();
            }
            n
        });
        assert_eq!(mapped.map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2, 3]);
    });
}

/// P46.
#[test]
fn a_panic_is_an_error_in_its_place_and_later_results_follow() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mapped = pool.map(0..50, |n| if n % 10 == 3 { panic_quietly("three") } else { n });
        for (n, result) in mapped.enumerate() {
            match result {
                Ok(value) => assert_eq!(value, n),
                Err(JoinError::Panicked(panic)) => {
                    assert_eq!((n % 10, panic.message()), (3, "three"))
                }
                Err(JoinError::Cancelled(_)) => panic!("nobody cancelled it"),
            }
        }
    });
}

/// P46: of the line that called `map`, since that is where the caller can do something.
#[test]
fn a_panic_in_a_map_names_the_line_of_the_map() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (line, mut mapped) = (line!(), pool.map([()], |()| panic_quietly("oh no")));
        let Some(Err(JoinError::Panicked(panic))) = mapped.next() else {
            panic!("it panics");
        };
        assert_eq!((panic.submitted_at().file(), panic.submitted_at().line()), (file!(), line));
    });
}

/// P46: an `Err` that is returned is a value, and the map goes on.
#[test]
fn an_error_that_the_function_returns_is_a_value_of_the_map() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let parsed = pool.map(["1", "two", "3"], str::parse::<u8>).map(Result::unwrap);
        assert_eq!(parsed.map(|parsed| parsed.ok()).collect::<Vec<_>>(), [Some(1), None, Some(3)]);
    });
}

/// P51.
#[test]
fn fewer_inputs_than_the_window_are_no_trouble_and_none_give_nothing() {
    watched(|| {
        let pool = ThreadPool::new(4);
        assert_eq!(pool.map([1, 2], |n| n).map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
        assert!(pool.map([0_u8; 0], |n| n).next().is_none());
        assert_eq!(pool.stats().submitted, 2);
    });
}

/// P51.
#[test]
fn a_map_that_has_ended_stays_at_its_end() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut inputs = [Some(1), None, Some(2)].into_iter();
        let mut mapped = pool.map(std::iter::from_fn(move || inputs.next()?), |n| n);
        assert_eq!(mapped.next().unwrap().unwrap(), 1);
        assert!(mapped.next().is_none() && mapped.next().is_none());
    });
}

/// P52.
#[test]
fn dropping_a_map_cancels_what_is_queued() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let ran = Count::default();
        let gate = Gate::closed();
        let mut mapped = pool.map(0..100, {
            let (ran, gate) = (ran.clone(), gate.clone());
            move |n| {
                ran.add_one();
                if n == 1 {
                    gate.pass();
                }
            }
        });
        mapped.next();
        ran.reach(2);
        drop(mapped);
        gate.open();
        flush(&pool);
        assert_eq!(ran.get(), 2, "one was read, one was running, and the rest never began");
    });
}

/// P53.
#[test]
fn a_shutdown_in_the_middle_of_a_map_leaves_no_input_out() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut mapped = pool.map(0..100, |n| n).chunk(1);
        assert_eq!(mapped.next().unwrap().unwrap(), 0);
        pool.shutdown(Shutdown::Drain).unwrap();
        let results: Vec<_> = mapped.collect();
        assert_eq!(results.len(), 99);
        // First those that were ahead, and then none: nothing is let in any more.
        let n_ahead = results.iter().take_while(|result| result.is_ok()).count();
        for (n, result) in (1..).zip(results) {
            match result {
                Ok(value) => assert!(value == n && n <= n_ahead),
                Err(JoinError::Cancelled(CancelReason::ShutDown)) => assert!(n > n_ahead),
                Err(other) => panic!("{other}"),
            }
        }
    });
}

/// P53.
#[test]
fn a_map_after_a_shutdown_is_an_error_for_each_input() {
    watched(|| {
        let pool = ThreadPool::new(2);
        pool.shutdown(Shutdown::Drain).unwrap();
        let mapped = pool.map(0..50, |n| n);
        let refused = mapped
            .filter(|result| matches!(result, Err(JoinError::Cancelled(CancelReason::ShutDown))));
        assert_eq!(refused.count(), 50);
    });
}

/// P54.
#[test]
fn a_result_that_was_yielded_is_not_kept() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let drops = Count::default();
        let mut mapped = pool.map(0..5, {
            let drops = drops.clone();
            move |_| CountsDrop(drops.clone())
        });
        for n in 0..5 {
            assert_eq!(drops.get(), n);
            drop(mapped.next());
        }
        assert_eq!(drops.get(), 5);
        drop(mapped);
    });
}

/// P54: an input lives as long as its call, and the function as long as the map.
#[test]
fn inputs_and_the_function_are_let_go_when_the_map_has_ended() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (inputs_gone, function_gone) = (Count::default(), Count::default());
        let function = CountsDrop(function_gone.clone());
        let inputs = inputs_gone.clone();
        let mapped = pool.map((0..20).map(move |_| CountsDrop(inputs.clone())), move |input| {
            let _ = &function;
            drop(input);
        });
        assert_eq!(mapped.count(), 20);
        flush(&pool);
        assert_eq!((inputs_gone.get(), function_gone.get()), (20, 1));
    });
}

/// P56.
#[test]
fn a_job_may_map_on_the_only_worker() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let sum = pool.submit({
            let pool = pool.clone();
            move || pool.map(0..100, |n| n).map(Result::unwrap).sum::<i32>()
        });
        assert_eq!(sum.join().unwrap(), 4950);
    });
}

/// P56.
#[test]
fn maps_nest_to_any_depth_on_the_only_worker() {
    fn leaves(pool: &Arc<ThreadPool>, depth: u32) -> u32 {
        if depth == 0 {
            return 1;
        }
        let below = pool.clone();
        pool.map(0..3, move |_| leaves(&below, depth - 1)).map(Result::unwrap).sum()
    }
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        assert_eq!(leaves(&pool, 5), 243);
    });
}

/// P49, the other way round: it is lazy, and so an endless input is one like others.
#[test]
fn a_map_takes_nothing_before_the_first_result_is_asked_for() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let taken = Count::default();
        let counting = taken.clone();
        let mapped = pool.map((0..1_000_000).inspect(move |_| counting.add_one()), |n| n);
        assert_eq!((taken.get(), pool.stats().submitted), (0, 0));
        drop(mapped);
    });
}

/// P49, P51.
#[test]
fn a_map_takes_no_more_inputs_than_its_window_has_room_for() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let taken = Count::default();
        let counting = taken.clone();
        let inputs = (0..1_000_000).inspect(move |_| counting.add_one());
        let mut mapped = pool.map(inputs, |n| n).chunk(3).window(4);
        for n in 0..1_000 {
            assert_eq!(mapped.next().unwrap().unwrap(), n);
            // The job that this result is from, and the window.
            assert!(taken.get() <= 3 * (n / 3 + 1) + 3 * 4, "{} after {n}", taken.get());
        }
    });
}

/// P51: the window may be longer than the input.
#[test]
fn a_window_of_any_size_gives_every_result() {
    watched(|| {
        let pool = ThreadPool::new(2);
        for (chunk, window) in [(1, 1), (1, 1_000), (7, 1), (1_000, 3), (1, usize::MAX)] {
            let mapped = pool.map(0..100, |n| n).chunk(chunk).window(window);
            assert_eq!(
                mapped.map(Result::unwrap).collect::<Vec<_>>(),
                (0..100).collect::<Vec<_>>()
            );
        }
    });
}

/// P46, chunked too.
#[test]
fn a_panic_in_a_chunk_costs_no_neighbour_its_result() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let mapped = pool.map(0..100, |n| if n % 7 == 3 { panic_quietly("a seventh") } else { n });
        for (n, result) in (0..).zip(mapped.chunk(10)) {
            assert_eq!(result.ok(), (n % 7 != 3).then_some(n));
        }
    });
}

/// P46, P52.
#[test]
fn a_map_that_is_read_to_its_first_error_cancels_the_rest() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let results = pool.map(0.., |n| if n == 5 { Err("five") } else { Ok(n) });
        let read: Result<Vec<i32>, _> = results.map(Result::unwrap).collect();
        assert_eq!(read, Err("five"));
        assert_eq!(pool.stats().queued, 0);
    });
}

/// P49: a slow input does not keep a result from its reader.
#[test]
fn a_result_comes_before_an_input_that_waits_for_it() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, receiver) = std::sync::mpsc::channel();
        sender.send(0).unwrap();
        // Each input but the first two is sent only when an earlier result has been read.
        sender.send(1).unwrap();
        let mut mapped = pool.map(receiver, |n| n).chunk(1).window(2);
        for n in 0..100 {
            assert_eq!(mapped.next().unwrap().unwrap(), n);
            sender.send(n + 2).unwrap();
        }
    });
}

/// P49.
#[test]
fn a_map_over_an_endless_input_gives_as_much_as_is_asked_for() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let doubled: Vec<_> = pool.map(1.., |n| 2 * n).map(Result::unwrap).take(5).collect();
        assert_eq!(doubled, [2, 4, 6, 8, 10]);
    });
}

/// P46: the input's own panic is its reader's, and costs no other result.
#[test]
fn an_input_that_panics_unwinds_into_the_reader_and_the_rest_still_comes() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let inputs = (0..20).inspect(|n| {
            if *n == 10 {
                panic_quietly("an input")
            }
        });
        let mut mapped = pool.map(inputs, |n| n);
        let mut results = Vec::new();
        let mut n_panics = 0;
        loop {
            match catch_unwind(AssertUnwindSafe(|| mapped.next())) {
                Ok(Some(result)) => results.push(result.unwrap()),
                Ok(None) => break,
                Err(_) => n_panics += 1,
            }
        }
        assert_eq!(n_panics, 1);
        assert_eq!(results, (0..20).filter(|n| *n != 10).collect::<Vec<_>>());
    });
}

/// P44.
#[test]
fn a_map_runs_on_the_workers_and_on_no_other_thread() {
    watched(|| {
        let pool = ThreadPool::builder().threads(2).name("mapper").build().unwrap();
        let names = pool.map(0..100, |_| thread::current().name().map(str::to_owned));
        for name in names {
            assert!(name.unwrap().unwrap().starts_with("mapper-"));
        }
    });
}

/// P44.
#[test]
fn two_maps_on_one_pool_do_not_mix() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (plus, minus) = (pool.map(0..200, |n| n), pool.map(0..200, |n| -n));
        for (n, (plus, minus)) in plus.zip(minus).enumerate() {
            assert_eq!((plus.unwrap(), -minus.unwrap()), (n as i32, n as i32));
        }
    });
}

/// P51.
#[test]
fn a_map_knows_how_many_results_are_left() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let mut mapped = pool.map(0..100, |n| n);
        for left in (0..=100).rev() {
            assert_eq!(mapped.size_hint(), (left, Some(left)));
            mapped.next();
        }
        assert_eq!(pool.map(0.., |n: u8| n).size_hint().0, usize::MAX);
    });
}

/// P44: a result may be needed before the worker that is at something else is free.
#[test]
fn a_map_shares_the_pool_with_jobs_that_take_long() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (gate, long) = gated(&pool, 7);
        assert_eq!(pool.map(0..50, |n| n).map(Result::unwrap).sum::<i32>(), 1225);
        gate.open();
        assert_eq!(long.join().unwrap(), 7);
    });
}

/// P52.
#[test]
fn a_map_that_is_dropped_unread_has_run_nothing() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (sender, called) = mpsc::channel();
        let _gate = busy(&pool);
        drop(pool.map(0..5, move |n| sender.send(n)));
        assert!(called.recv().is_err(), "the function is gone, and was never called");
        assert_eq!(pool.stats().submitted, 1);
    });
}

/// P48: the third call is late, and holds up those behind it.
#[test]
fn a_map_that_runs_out_of_time_yields_what_is_there_and_one_error() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (begun, late) = (Count::default(), Gate::closed());
        let (counting, gate) = (begun.clone(), late.clone());
        let call = move |n| {
            counting.add_one();
            if n == 2 {
                gate.pass();
            }
            n
        };
        let mut map = pool.map(0..100, call).chunk(2);
        assert_eq!(map.next().unwrap().unwrap(), 0);
        begun.reach(3);
        let timed = map.timeout(Duration::ZERO).map(|next| next.map(Result::unwrap));
        assert_eq!(timed.collect::<Vec<_>>(), [Ok(1), Err(Elapsed { timeout: Duration::ZERO })]);
        late.open();
        flush(&pool);
        assert_eq!(begun.get(), 4, "what ran went on, and the rest was cancelled");
    });
}

/// P48.
#[test]
fn a_timed_map_that_has_ended_keeps_nothing_and_stays_at_its_end() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let gone = Count::default();
        let inputs_gone = gone.clone();
        let _gate = busy(&pool);
        let inputs = (0..20).map(move |_| CountsDrop(inputs_gone.clone()));
        let mut map = pool.map(inputs, drop).window(8).timeout(Duration::from_millis(5));
        assert!(map.next().unwrap().is_err());
        assert!(map.next().is_none() && map.next().is_none());
        assert_eq!(pool.stats().queued, 0);
        assert!(gone.get() > 0 && gone.get() <= 8, "what was taken is gone, and no more was taken");
    });
}

/// P48: a call that runs cannot be stopped from here, and nobody waits for it.
#[test]
fn a_call_that_runs_when_time_is_over_goes_on_to_its_end() {
    watched(|| {
        let pool = ThreadPool::new(1);
        let (begun, returned, gate) = (Count::default(), Count::default(), Gate::closed());
        let mut map = pool.map(0..2, {
            let (begun, returned, gate) = (begun.clone(), returned.clone(), gate.clone());
            move |n| {
                begun.add_one();
                if n == 1 {
                    gate.pass();
                }
                returned.add_one();
            }
        });
        assert!(map.next().is_some());
        begun.reach(2);
        assert!(map.timeout(Duration::ZERO).next().unwrap().is_err());
        assert_eq!(returned.get(), 1);
        gate.open();
        flush(&pool);
        assert_eq!(returned.get(), 2);
    });
}

/// P48: what was there in time is all there is, so that nothing is missing.
#[test]
fn a_map_that_ends_in_time_ends_without_an_error() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let in_time = pool.map(0..100, |n| n).timeout(Duration::from_secs(3600));
        assert_eq!(in_time.map(|next| next.unwrap().unwrap()).sum::<i32>(), 4950);
        assert_eq!(pool.map([0; 0], |n| n).timeout(Duration::ZERO).count(), 0);

        let mut late = pool.map([1, 2], |n| n).chunk(1);
        assert_eq!(late.next().unwrap().unwrap(), 1);
        until(|| pool.stats().settled == pool.stats().submitted);
        let late: Vec<_> =
            late.timeout(Duration::ZERO).map(|next| next.unwrap().unwrap()).collect();
        assert_eq!(late, [2]);
    });
}

/// P47: one stands outside the result of a call, and the other one is it.
#[test]
fn a_timeout_that_a_call_meets_is_its_value_and_not_that_of_the_map() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let its_own = Elapsed { timeout: Duration::ZERO };
        let call = move |n| if n == 1 { Err(its_own) } else { Ok(n) };
        let timed = pool.map(0..3, call).timeout(Duration::from_secs(3600));
        let results: Vec<_> =
            timed.map(|next| next.expect("ours is long enough").unwrap()).collect();
        assert_eq!(results, [Ok(0), Err(its_own), Ok(2)]);
    });
}

/// P48, P56: a job that was taken back could not be left in time. Without a deadline, it may.
#[test]
fn a_timed_map_on_the_only_worker_runs_nothing_itself() {
    watched(|| {
        let pool = Arc::new(ThreadPool::new(1));
        let first_of = |timeout: Duration| {
            let below = pool.clone();
            pool.submit(move || {
                let mut map = below.map([7], |n| n).timeout(timeout);
                map.next().unwrap().map(Result::unwrap)
            })
        };
        let short = Duration::from_millis(2);
        assert_eq!(first_of(short).join().unwrap(), Err(Elapsed { timeout: short }));
        assert_eq!(first_of(Duration::MAX).join().unwrap(), Ok(7));
    });
}

/// The sender is alive, so that the second input would be waited for without an end.
#[test]
fn a_result_comes_out_of_a_map_whose_next_input_does_not_come() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (sender, receiver) = mpsc::channel();
        sender.send(7).unwrap();
        assert_eq!(pool.map(receiver, |n: u32| n + 1).next().unwrap().unwrap(), 8);
        let (sender_of_timed, receiver) = mpsc::channel();
        sender_of_timed.send(7).unwrap();
        let mut timed = pool.map(receiver, |n: u32| n + 1).timeout(Duration::from_secs(3600));
        assert_eq!(timed.next().unwrap().unwrap().unwrap(), 8);
        drop((sender, sender_of_timed));
    });
}

/// A dialogue: each input is there only after the last result.
#[test]
fn a_map_of_one_job_at_a_time_asks_for_no_input_before_the_result_is_out() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let (sender, receiver) = mpsc::channel();
        let mut mapped = pool.map(receiver, |n: u32| n).chunk(1).window(1);
        for n in 0..1000 {
            sender.send(n).unwrap();
            assert_eq!(mapped.next().unwrap().unwrap(), n);
        }
    });
}

/// Panics when it is dropped, and counts that.
struct PanicsOnDrop(Count);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        self.0.add_one();
        panic_quietly("an input that does not like to be dropped");
    }
}

#[test]
fn inputs_whose_drops_all_panic_are_dropped_one_by_one() {
    in_a_process_of_its_own("mapping::inputs_whose_drops_all_panic_are_dropped_one_by_one", || {
        let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
        let gate = busy(&pool);
        for timeout in [Duration::ZERO, Duration::from_millis(1)] {
            let inputs = (0..40).map(|_| PanicsOnDrop(n_dropped.clone()));
            let mut mapped = pool.map(inputs, std::mem::forget).chunk(10).timeout(timeout);
            assert!(mapped.next().unwrap().is_err());
        }
        gate.open();
        drop(pool);
        assert!(n_dropped.get() >= 10, "{}", n_dropped.get());
    });
}

#[test]
fn results_whose_drops_all_panic_do_not_end_a_borrowing_map_that_panics() {
    in_a_process_of_its_own(
        "mapping::results_whose_drops_all_panic_do_not_end_a_borrowing_map_that_panics",
        || {
            let (n_dropped, items) = (Count::default(), (0..1000).collect::<Vec<usize>>());
            for pool in [1, 2].map(ThreadPool::new) {
                let mapped = catch_unwind(AssertUnwindSafe(|| {
                    pool.par_map(&items, |n| {
                        if *n == 500 {
                            panic_quietly("a call")
                        }
                        PanicsOnDrop(n_dropped.clone())
                    })
                }));
                assert!(mapped.is_err());
            }
        },
    );
}

#[test]
fn a_worker_whose_results_all_panic_when_dropped_does_not_end_a_borrowing_map_that_panics() {
    in_a_process_of_its_own(
        "mapping::a_worker_whose_results_all_panic_when_dropped_does_not_end_a_borrowing_map_that_panics",
        || {
            let (pool, n_dropped) = (ThreadPool::new(2), Count::default());
            let (caller, n_of_the_worker) = (thread::current().id(), Count::default());
            let mapped = catch_unwind(AssertUnwindSafe(|| {
                pool.par_map(&[(); 1000], |()| {
                    if thread::current().id() == caller {
                        n_of_the_worker.reach(8);
                    } else {
                        n_of_the_worker.add_one();
                        if n_of_the_worker.get() == 8 {
                            panic_quietly("in the middle of a chunk, for they grow")
                        }
                    }
                    PanicsOnDrop(n_dropped.clone())
                })
            }));
            assert!(mapped.is_err());
        },
    );
}

#[test]
fn a_value_whose_drop_panics_does_not_end_a_fork_that_panics() {
    in_a_process_of_its_own(
        "mapping::a_value_whose_drop_panics_does_not_end_a_fork_that_panics",
        || {
            let (pool, n_dropped) = (ThreadPool::new(1), Count::default());
            for panics_first in [true, false] {
                let joined = catch_unwind(AssertUnwindSafe(|| {
                    let value = || PanicsOnDrop(n_dropped.clone());
                    if panics_first {
                        drop(pool.join(|| panic_quietly("the first"), value).1);
                    } else {
                        drop(pool.join(value, || panic_quietly("the second")).0);
                    }
                }));
                assert!(joined.is_err());
            }
            assert_eq!(n_dropped.get(), 2);
        },
    );
}

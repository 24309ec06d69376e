//! # 6. Every order
//!
//! ★★★ · 60 minutes · [Stopping](../guide/10-stopping.md)
//!
//! Write the smallest model checker: it runs the steps of several threads in every order that keeps the order within
//! each thread, every time on a fresh state, and returns the orders that end badly. Then read the schedule that it finds in
//! the test: it is the first attempt of chapter 10.

pub(crate) mod yours {
    /// What a thread does in one step, under the lock.
    pub(crate) type Step<S> = fn(&mut S);

    /// Runs the steps in every order, and returns those orders (as numbers of threads) whose end is not `good`.
    pub(crate) fn bad_orders<S: Default>(
        threads: &[&[Step<S>]],
        good: impl Fn(&S) -> bool,
    ) -> Vec<Vec<usize>> {
        // One order only: the first thread runs to its end, and then the second.
        let mut state = S::default();
        let mut order = Vec::new();
        for (number, steps) in threads.iter().enumerate() {
            for step in *steps {
                step(&mut state);
                order.push(number);
            }
        }
        if good(&state) { Vec::new() } else { vec![order] }
    }
}

mod tests {
    use crate::answers::a06::{Step, bad_orders};

    #[derive(Default)]
    struct Counter {
        value: u32,
        read: [u32; 2],
    }

    #[test]
    fn two_increments_in_two_steps_lose_one_in_four_orders_of_six() {
        let first: [Step<Counter>; 2] = [|c| c.read[0] = c.value, |c| c.value = c.read[0] + 1];
        let second: [Step<Counter>; 2] = [|c| c.read[1] = c.value, |c| c.value = c.read[1] + 1];
        let bad = bad_orders(&[&first, &second], |counter| counter.value == 2);
        assert_eq!(bad.len(), 4, "{bad:?}");
        let good = bad_orders(&[&first, &second], |counter| counter.value > 0);
        assert_eq!(good, [[0; 0]; 0]);
    }

    #[test]
    fn all_orders_of_three_threads_are_tried() {
        let step: [Step<u32>; 2] = [|n| *n += 1, |n| *n += 1];
        // Nothing is good, so each order is returned: 6! / (2! · 2! · 2!).
        let mut all = bad_orders(&[&step, &step, &step], |_| false);
        assert_eq!(all.len(), 90);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 90, "some orders came twice");
    }

    #[derive(Default)]
    struct Pool {
        is_closed: bool,
        looked_open: bool,
        n_queued: u32,
        worker_is_gone: bool,
    }

    #[test]
    fn the_flag_of_chapter_ten_strands_a_job() {
        let submitter: [Step<Pool>; 2] = [
            |pool| pool.looked_open = !pool.is_closed,
            |pool| pool.n_queued += u32::from(pool.looked_open),
        ];
        let closer: [Step<Pool>; 1] = [|pool| pool.is_closed = true];
        let worker: [Step<Pool>; 1] = [|pool| {
            pool.n_queued = 0; // It runs what is there, and ends if the pool is closed.
            pool.worker_is_gone = pool.is_closed;
        }];
        let is_good = |pool: &Pool| !(pool.worker_is_gone && pool.n_queued > 0);
        let bad = bad_orders(&[&submitter, &closer, &worker], is_good);
        assert_eq!(bad, [[0, 1, 2, 0]], "A looks, B closes, the worker ends, and A pushes");

        let in_one_step: [Step<Pool>; 1] = [|pool| pool.n_queued += u32::from(!pool.is_closed)];
        assert!(bad_orders(&[&in_one_step, &closer, &worker], is_good).is_empty());
    }
}

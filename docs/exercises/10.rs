//! # 10. All, or the first error
//!
//! ★★ · 30 minutes · [Together](../guide/15-together.md)
//!
//! Write `try_map_concurrent` on `handspun::map_concurrent`: at most `limit` at a time, the outputs in any order, and at
//! the first error that you see, nothing more begins, and what is under way is dropped. This one goes on to the end before it says so.

pub(crate) mod yours {
    use handspun::{JoinError, map_concurrent};

    #[derive(Debug)]
    pub(crate) enum Failed<E> {
        Error(E),
        Panicked(JoinError),
    }

    pub(crate) async fn try_map_concurrent<I, F, T, E>(
        inputs: I,
        limit: usize,
        work: F,
    ) -> Result<Vec<T>, Failed<E>>
    where
        I: IntoIterator,
        I::IntoIter: 'static,
        I::Item: 'static,
        F: AsyncFn(I::Item) -> Result<T, E> + 'static,
        T: 'static,
        E: 'static,
    {
        let mut results = map_concurrent(inputs, limit, work);
        let mut all = Vec::new();
        while let Some(result) = results.next().await {
            all.push(
                result.map_err(Failed::Panicked).and_then(|result| result.map_err(Failed::Error)),
            );
        }
        all.into_iter().collect()
    }
}

mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use handspun::{Clock, Executor, sleep};

    use crate::answers::a10::{Failed, try_map_concurrent};

    const SECOND: Duration = Duration::from_secs(1);

    /// Counts those that have begun and are not dropped.
    struct UnderWay(Rc<Cell<u32>>);

    impl Drop for UnderWay {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    #[test]
    fn all_outputs_come_if_all_is_well() {
        let doubled = handspun::run(try_map_concurrent(1..=10, 3, async |n| Ok::<_, ()>(2 * n)));
        let mut doubled = doubled.unwrap();
        doubled.sort();
        assert_eq!(doubled, (1..=10).map(|n| 2 * n).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_goes_on_after_the_first_error() {
        let (n_begun, under_way) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (begun, alive) = (n_begun.clone(), under_way.clone());
        let work = async move |n: u32| {
            begun.set(begun.get() + 1);
            alive.set(alive.get() + 1);
            let _under_way = UnderWay(alive.clone());
            sleep(SECOND * n).await;
            if n == 2 { Err("two") } else { Ok(n) }
        };
        Executor::builder().clock(Clock::jumping()).build().run(async {
            let (clock, began) = (Clock::current(), Clock::current().now());
            let result = try_map_concurrent(1..=100, 3, work).await;
            assert!(matches!(result, Err(Failed::Error("two"))));
            assert_eq!(clock.now() - began, 2 * SECOND, "it went on after the error");
            assert!(
                n_begun.get() <= 5,
                "three at once, and one in the place of each that was over"
            );
            assert_eq!(under_way.get(), 0, "some were not dropped");
        });
    }

    #[test]
    fn a_panic_is_told_as_one() {
        let result =
            handspun::run(try_map_concurrent([1, 0], 2, async |n: i32| Ok::<_, ()>(12 / n)));
        assert!(matches!(result, Err(Failed::Panicked(_))));
    }
}

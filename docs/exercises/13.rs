//! # 13. A queue by weight
//!
//! ★★★ · 60 minutes · [Queues that lose nothing](../guide/18-queues-that-lose-nothing.md)
//!
//! Build a queue whose capacity is a sum: each item has a weight, and all that are in the queue *or being worked on* weigh at
//! most so much. Use `handspun::Queue` for the items and `handspun::Semaphore` for the weight. This one has no limit.

pub(crate) mod yours {
    use std::ops::Deref;

    use handspun::{Closed, Queue};

    pub(crate) struct WeightedQueue<T> {
        items: Queue<T>,
    }

    /// What was got. Its weight is free again when it is dropped.
    pub(crate) struct Weighted<'q, T>(handspun::Item<'q, T>);

    impl<T> WeightedQueue<T> {
        pub(crate) fn new(_capacity: usize) -> Self {
            Self { items: Queue::unbounded() }
        }

        /// Waits until there is room for so much. Gives the item back if the queue is closed.
        pub(crate) async fn put(&self, item: T, _weight: usize) -> Result<(), T> {
            self.items.put(item).await.map_err(Closed::into_inner)
        }

        pub(crate) async fn get(&self) -> Result<Weighted<'_, T>, Closed> {
            Ok(Weighted(self.items.get().await?))
        }
    }

    impl<T> Deref for Weighted<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }
}

mod tests {
    use std::cell::Cell;
    use std::pin::{Pin, pin};
    use std::rc::Rc;
    use std::task::{Context, Waker};

    use handspun::{run, spawn, yield_now};

    use crate::answers::a13::WeightedQueue;

    fn is_pending(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[test]
    fn light_items_fit_where_a_heavy_one_waits() {
        let queue = WeightedQueue::new(100);
        run(async {
            queue.put("sixty", 60).await.unwrap();
            queue.put("forty", 40).await.unwrap();
            assert!(is_pending(pin!(queue.put("one", 1))), "a hundred is the limit");
        });
    }

    #[test]
    fn an_item_weighs_until_it_is_dropped() {
        let queue = WeightedQueue::new(100);
        run(async {
            queue.put("heavy", 100).await.unwrap();
            let item = queue.get().await.unwrap();
            assert_eq!(*item, "heavy");
            let mut next = pin!(queue.put("next", 1));
            assert!(is_pending(next.as_mut()), "it is being worked on, and weighs");
            drop(item);
            assert!(!is_pending(next.as_mut()));
        });
    }

    #[test]
    fn a_put_that_is_dropped_leaves_no_weight() {
        let queue = WeightedQueue::new(10);
        run(async {
            queue.put(1, 10).await.unwrap();
            {
                let mut waits = pin!(queue.put(2, 10));
                assert!(is_pending(waits.as_mut()));
            }
            drop(queue.get().await.unwrap());
            queue.put(3, 10).await.unwrap();
            assert_eq!(*queue.get().await.unwrap(), 3);
        });
    }

    #[test]
    fn a_flood_is_never_heavier_than_the_limit() {
        let weight = |n: usize| n % 5 + 1;
        let (queue, inside) = (Rc::new(WeightedQueue::new(10)), Rc::new(Cell::new(0)));
        let heaviest = Rc::new(Cell::new(0));
        run(async {
            let putter = spawn({
                let (queue, inside, heaviest) = (queue.clone(), inside.clone(), heaviest.clone());
                async move {
                    for n in 1..=50 {
                        queue.put(n, weight(n)).await.unwrap();
                        inside.set(inside.get() + weight(n));
                        heaviest.set(inside.get().max(heaviest.get()));
                    }
                }
            });
            for n in 1..=50 {
                let item = queue.get().await.unwrap();
                assert_eq!(*item, n, "in the order of the puts");
                yield_now().await; // It is being worked on.
                inside.set(inside.get() - weight(n));
                drop(item);
            }
            putter.await.unwrap();
        });
        assert!(heaviest.get() <= 10, "{} were inside", heaviest.get());
    }
}

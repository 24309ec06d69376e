//! What is ours and shared, by tasks of others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use handspun::{Close, Event, Generator, Queue, Semaphore, Yielder, generator, sleep};

use crate::elsewhere::{Spawn, everywhere};

const N_TASKS: usize = 50;

/// Spawns so many tasks, and waits until they are over.
async fn tasks<F>(spawn: &Spawn, n_tasks: usize, task: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (all, n_left) = (Arc::new(Event::new()), Arc::new(AtomicUsize::new(n_tasks)));
    for n in 0..n_tasks {
        let (all, n_left, task) = (all.clone(), n_left.clone(), task(n));
        spawn(Box::pin(async move {
            task.await;
            // ORDERING: Relaxed. A count; what the tasks did is seen through the event.
            if n_left.fetch_sub(1, Relaxed) == 1 {
                all.set();
            }
        }));
    }
    all.wait().await;
}

#[test]
fn a_semaphore_lets_in_as_many_as_it_says_in_any_executor() {
    everywhere(|spawn| async move {
        let semaphore = Arc::new(Semaphore::new(3));
        let n_inside = Arc::new(AtomicUsize::new(0));
        tasks(&spawn, N_TASKS, |_| {
            let (semaphore, n_inside) = (semaphore.clone(), n_inside.clone());
            async move {
                let _permit = semaphore.acquire().await.unwrap();
                // ORDERING: Relaxed, here and below. The semaphore orders what is inside of it.
                assert!(n_inside.fetch_add(1, Relaxed) < 3);
                sleep(Duration::from_micros(100)).await;
                n_inside.fetch_sub(1, Relaxed);
            }
        })
        .await;
        assert_eq!(semaphore.available(), 3);
    });
}

#[test]
fn a_queue_loses_nothing_in_any_executor() {
    everywhere(|spawn| async move {
        let queue = Arc::new(Queue::bounded(4));
        let sum = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let (queue, sum) = (queue.clone(), sum.clone());
            spawn(Box::pin(async move {
                while let Ok(item) = queue.get().await {
                    sum.fetch_add(*item, Relaxed); // ORDERING: Relaxed. `join` orders it.
                }
            }));
        }
        tasks(&spawn, N_TASKS, |n| {
            let queue = queue.clone();
            async move { queue.put(n).await.unwrap() }
        })
        .await;
        queue.join().await;
        assert_eq!(sum.load(Relaxed), N_TASKS * (N_TASKS - 1) / 2); // ORDERING: as above.
        queue.close(Close::Drain);
    });
}

#[test]
fn an_event_frees_all_who_wait_in_any_executor() {
    everywhere(|spawn| async move {
        let is_ready = Arc::new(Event::new());
        let setter = is_ready.clone();
        tasks(&spawn, N_TASKS, |n| {
            let (is_ready, setter) = (is_ready.clone(), setter.clone());
            async move {
                if n + 1 == N_TASKS {
                    setter.set();
                }
                is_ready.wait().await;
            }
        })
        .await;
    });
}

fn pages() -> Generator<u64, impl Future<Output = ()>> {
    generator(async |mut yielder: Yielder<u64>| {
        for page in 0..20 {
            sleep(Duration::from_micros(50)).await;
            yielder.yield_item(page).await;
        }
    })
}

/// The feature `stream`.
#[test]
fn a_generator_is_a_stream_for_the_adapters_of_futures() {
    everywhere(|_| async {
        let (first, second) = (Box::pin(pages()), stream::iter(100..120));
        let mixed: Vec<_> = first.zip(second).map(|(page, n)| page + n).skip(1).collect().await;
        assert_eq!((mixed.len(), mixed[0]), (19, 102));
    });
}

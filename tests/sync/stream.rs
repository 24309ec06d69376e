//! What yields one thing after another is a `Stream` for those who ask for it.

use std::future::poll_fn;
use std::pin::pin;

use futures_core::Stream;
use handspun::{Close, Queue, ThreadPool, as_completed, block_on, generator};

use crate::support::watched;

/// Knows nothing of where the items come from.
async fn collected<S: Stream>(stream: S) -> Vec<S::Item> {
    let (mut stream, mut items) = (pin!(stream), Vec::new());
    while let Some(item) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        items.push(item);
    }
    items
}

#[test]
fn a_generator_is_a_stream_of_its_items() {
    let numbers = generator(async |mut out| {
        for n in 0..3 {
            out.yield_item(n).await;
        }
    });
    assert_eq!(block_on(collected(numbers)), [0, 1, 2]);
}

#[test]
fn a_queue_is_a_stream_through_a_generator() {
    let queue = Queue::unbounded();
    (0..3).for_each(|n| queue.try_put(n).unwrap());
    queue.close(Close::Drain);
    let items = generator(async |mut out| {
        while let Ok(item) = queue.get().await {
            out.yield_item(*item).await;
        }
    });
    assert_eq!(block_on(collected(items)), [0, 1, 2]);
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn what_is_completed_is_a_stream_of_the_results() {
    watched(|| {
        let pool = ThreadPool::new(2);
        let squares = as_completed((0..4).map(|n| pool.submit(move || n * n)));
        assert_eq!(Stream::size_hint(&squares), (4, Some(4)));
        let mut squares: Vec<_> =
            block_on(collected(squares)).into_iter().map(Result::unwrap).collect();
        squares.sort();
        assert_eq!(squares, [0, 1, 4, 9]);
    });
}

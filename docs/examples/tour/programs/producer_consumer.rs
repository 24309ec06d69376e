//! A producer, a queue, and three consumers that share its twenty items.
//!
//! **Python:** the end is a sentinel, `-1`, that each consumer puts back for the next one. The one that
//! the last consumer puts back is never done, so that the tutorial's `join()` waits for ever. It does so
//! as well if a consumer forgets a single `task_done()`, or is cancelled before it.
//!
//! **Better here:** an item that was got is a guard, and its drop is the `task_done`, on every way out.
//! The end is no item: the queue is closed, and a `get` says so. The queue is bounded, so a producer
//! that is too fast waits.

use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use handspun::{Close, Closed, Queue, join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::pause;
use crate::random;
use crate::stage::{Program, Stage};

/// Before each item is put, and to process each one, in milliseconds.
const GAPS: [u64; 20] = random::delays(3, 50, 200);
const WORK: [u64; 20] = random::delays(4, 50, 200);

async fn produce(queue: Rc<Queue<usize>>) -> Result<(), Closed<usize>> {
    for (i, gap) in GAPS.into_iter().enumerate() {
        pause(Duration::from_millis(gap)).await;
        queue.put(i).await?;
    }
    Ok(())
}

async fn consume(queue: Rc<Queue<usize>>, stage: Stage) {
    while let Ok(item) = queue.get().await {
        pause(Duration::from_millis(WORK[*item])).await;
        stage.say(format_args!("processed {}", *item));
    } // Here the item is dropped, and so it is done.
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let queue = Rc::new(Queue::bounded(8));
        let producer = spawn_named("producer", produce(queue.clone()));
        let consumers = [0, 1, 2]
            .map(|n| spawn_named(format!("consumer {n}"), consume(queue.clone(), stage.clone())));

        producer.await??;
        queue.join().await; // until every item is done
        queue.close(Close::Drain);
        for consumer in join_all(consumers).await {
            consumer?;
        }
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "producer_consumer",
    title: "A producer and three consumers",
    shows: "A producer puts an item every 0.05 to 0.2 s, and three consumers take as long for each. \
            `join` waits for the last item, and `close` ends the consumers.",
    ideal: Some(random::makespan(&GAPS, &WORK, 3)),
    is_async: true,
    has_children: false,
    run,
    expected: || Expected::InAnyOrder((0..20).map(|i| format!("processed {i}")).collect()),
    source: file!(),
};

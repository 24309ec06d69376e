//! Two producers that would go on for ever and three consumers are brought to a clean end.
//!
//! **Python:** a sentinel for each consumer, put once the last producer has stopped; or everybody is
//! cancelled, and what was queued or in work is lost.
//!
//! **Better here:** three steps, in the direction in which the items flow. Ask the producers to stop,
//! and await them; close the queue, which drains; await the consumers. Nobody counts sentinels, and
//! nothing that was put is lost.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use handspun::{CancellationToken, Close, Queue, join_all, spawn_named, timeout};

use crate::expected::Expected;
use crate::pace::{pause, scaled};
use crate::stage::{Program, Stage};

type Count = Rc<Cell<u32>>;

fn count(n: &Count) {
    n.set(n.get() + 1);
}

/// Puts an item every 0.2 s, until it is asked to stop.
async fn produce(queue: Rc<Queue<()>>, stop: CancellationToken, n_put: Count) {
    let period = Duration::from_millis(200);
    while timeout(scaled(period), stop.cancelled()).await.is_err() {
        if queue.put(()).await.is_err() {
            return; // It was closed before its time.
        }
        count(&n_put);
    }
}

async fn consume(queue: Rc<Queue<()>>, n_processed: Count) {
    while let Ok(_item) = queue.get().await {
        pause(Duration::from_millis(300)).await;
        count(&n_processed);
    }
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    stage.executor().run(async {
        let (queue, stop) = (Rc::new(Queue::bounded(4)), CancellationToken::new());
        let (n_put, n_processed) = (Count::default(), Count::default());
        let producers = [0, 1].map(|n| {
            let work = produce(queue.clone(), stop.clone(), n_put.clone());
            spawn_named(format!("producer {n}"), work)
        });
        let consumers = [0, 1, 2].map(|n| {
            spawn_named(format!("consumer {n}"), consume(queue.clone(), n_processed.clone()))
        });

        pause(Duration::from_millis(1100)).await;
        stop.cancel();
        join_all(producers).await.into_iter().collect::<Result<(), _>>()?;
        stage.say("the producers have ended");

        queue.close(Close::Drain);
        join_all(consumers).await.into_iter().collect::<Result<(), _>>()?;
        stage.say("the consumers have ended");

        let n_lost = n_put.get() - n_processed.get();
        stage.say(format_args!("items that were lost: {n_lost}"));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "clean_shutdown",
    title: "Ending several producers and consumers",
    shows: "Two producers put an item every 0.2 s each, and three consumers take 0.3 s for one. After \
            1.1 s all is to end: first those who put, then, when the queue is empty, those who get.",
    // Items come at 0.2, 0.4, … 1.0 s, two each time, and work on the last one begins at 1.1 s. Where the
    // machine is late there may be fewer items, and so an earlier end.
    ideal: Some(Duration::from_millis(1400)),
    is_async: true,
    has_children: false,
    run,
    expected: || {
        let lines =
            ["the producers have ended", "the consumers have ended", "items that were lost: 0"];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

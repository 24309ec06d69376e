//! What does it cost to hand an item from one task to another?

use tokio::sync::mpsc;

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const ROW: Row = Row {
    name: "queue",
    question: "What does an item cost, from one task to another, through a queue of 64 places?",
    line_up,
};

const PLACES: usize = 64;

fn line_up(scale: Scale) -> LineUp {
    let n = scale.of(200_000);
    let tokio = executors::tokio();

    LineUp::throughput(n, (0..n).sum())
        .ours("handspun Queue", 1.0, move || handspun::run(ours(n)))
        .peer("tokio mpsc", move || {
            tokio.block_on(async {
                let (sender, items) = mpsc::channel(PLACES);
                let producer = tokio::spawn(tokio_sends(sender, n));
                let sum = tokio_receives(items).await;
                producer.await.expect("it does not panic");
                sum
            })
        })
        .peer("tokio mpsc, on handspun", move || {
            handspun::run(async {
                let (sender, items) = mpsc::channel(PLACES);
                let producer = handspun::spawn(tokio_sends(sender, n));
                let sum = tokio_receives(items).await;
                producer.await.expect("it does not panic");
                sum
            })
        })
        .peer("async-channel, on handspun", move || {
            handspun::run(async {
                let (sender, items) = async_channel::bounded(PLACES);
                let producer = handspun::spawn(async move {
                    for number in 0..n {
                        sender.send(number).await.expect("somebody receives");
                    }
                });
                let mut sum = 0;
                while let Ok(number) = items.recv().await {
                    sum += number;
                }
                producer.await.expect("it does not panic");
                sum
            })
        })
        .peer("flume, on handspun", move || {
            handspun::run(async {
                let (sender, items) = flume::bounded(PLACES);
                let producer = handspun::spawn(async move {
                    for number in 0..n {
                        sender.send_async(number).await.expect("somebody receives");
                    }
                });
                let mut sum = 0;
                while let Ok(number) = items.recv_async().await {
                    sum += number;
                }
                producer.await.expect("it does not panic");
                sum
            })
        })
}

async fn tokio_sends(sender: mpsc::Sender<u64>, n: u64) {
    for number in 0..n {
        sender.send(number).await.expect("somebody receives");
    }
}

async fn tokio_receives(mut items: mpsc::Receiver<u64>) -> u64 {
    let mut sum = 0;
    while let Some(number) = items.recv().await {
        sum += number;
    }
    sum
}

async fn ours(n: u64) -> u64 {
    let queue = std::rc::Rc::new(handspun::Queue::bounded(PLACES));
    let producer = handspun::spawn({
        let queue = queue.clone();
        async move {
            for number in 0..n {
                queue.put(number).await.expect("somebody takes");
            }
            queue.close(handspun::Close::Drain);
        }
    });
    let mut sum = 0;
    while let Ok(number) = queue.get().await {
        sum += *number;
    }
    producer.await.expect("it does not panic");
    sum
}

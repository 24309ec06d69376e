//! The permits of the put are forgotten when the item is in, and the guard of the item adds them again.

use std::ops::Deref;
use std::sync::Arc;

use handspun::{Closed, Item, Queue, Semaphore};

pub(crate) struct WeightedQueue<T> {
    items: Queue<(T, Weight)>,
    room: Arc<Semaphore>,
}

pub(crate) struct Weighted<'q, T>(Item<'q, (T, Weight)>);

/// The weight of one item. It goes where the item goes, and is free when that is dropped, wherever that is.
struct Weight {
    room: Arc<Semaphore>,
    weight: usize,
}

impl<T> WeightedQueue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { items: Queue::unbounded(), room: Arc::new(Semaphore::new(capacity)) }
    }

    pub(crate) async fn put(&self, item: T, weight: usize) -> Result<(), T> {
        let permit = self.room.acquire_many(weight).await.expect("it is never closed");
        permit.forget();
        let weight = Weight { room: self.room.clone(), weight };
        self.items.put((item, weight)).await.map_err(|closed| closed.into_inner().0)
    }

    pub(crate) async fn get(&self) -> Result<Weighted<'_, T>, Closed> {
        Ok(Weighted(self.items.get().await?))
    }
}

impl<T> Deref for Weighted<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.0
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.room.add_permits(self.weight);
    }
}

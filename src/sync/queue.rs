//! A queue that tasks and threads put items into and get them from, and that loses none.
//!
//! Knows nothing of what the items are, and of what puts and gets. Room and items are both permits: to
//! put takes a *room* and gives an item, to get takes an item and gives a room. A waiter is handed
//! a permit for one of them, and what it was handed no other can take.
//!
//! What must always hold:
//!
//! 1. An item is in the queue from the poll that says it was put, to the poll that says it was got:
//!    a future that is dropped has put nothing, or got nothing.
//! 2. Free rooms, promised rooms and items are the capacity; free and promised gets are the items.
//! 3. A getter is told that the queue is closed when nothing is left in it, promised items included:
//!    a getter that was promised one may be dropped, and then another must be there for it.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{Closed, TryError};
use crate::panic::Each;
use crate::prims::Mutex;
use crate::wait::hints::{self, WaitReason};
use crate::wait::permits::Count;
use crate::wait::wait_list::{Key, Wakers, give_back_room, locked, poll_locked};

use super::item::{Item, UnfinishedItems};

/// Items between those that put them in and those that get them out.
///
/// When to use it: some produce and others consume, at a pace of their own. Any number of each share
/// it by `&` or `Arc`; an item is got by one of them. Tasks await, on any executor; a thread calls
/// `block_on(queue.get())`.
///
/// **Fair**: room and items are handed to the waiter that has waited longest, and none overtakes.
///
/// ```
/// use std::sync::Arc;
/// use handspun::{Close, Queue, block_on, thread};
///
/// let queue = Arc::new(Queue::bounded(2));
/// let consumer = thread::spawn({
///     let queue = queue.clone();
///     move || {
///         block_on(async {
///             let mut sum = 0;
///             while let Ok(number) = queue.get().await {
///                 sum += *number;
///             } // The item is dropped here, and so it is done.
///             sum
///         })
///     }
/// });
/// for number in 1..=10 {
///     block_on(queue.put(number))?; // waits while two are in the queue
/// }
/// block_on(queue.join()); // until all that was put is done
/// queue.close(Close::Drain);
/// assert_eq!(consumer.join()?, 55);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Cancelling**: a future of `put` or `get` that is dropped has put or got nothing; room or an item
/// that it was promised goes to the next in line.
///
/// A stream over a queue is three lines: see [`generator`](crate::generator).
#[doc(alias = "channel")]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// Apart from the items, since those that have got one, or join, are no business of the queue.
    unfinished: Arc<UnfinishedItems>,
}

struct State<T> {
    /// Each is counted in `unfinished`.
    items: Each<VecDeque<T>>,
    /// The right to put one.
    rooms: Count,
    /// The right to get one.
    gets: Count,
}

/// What becomes of the items in a queue that is [closed](Queue::close).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// They can still be got. After the last one, `get` says [`Closed`].
    Drain,
    /// They are dropped, and `get` says [`Closed`] at once.
    Discard,
}

impl<T> Queue<T> {
    /// A queue with room for so many.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0: nothing could ever be put.
    pub fn bounded(capacity: usize) -> Self {
        assert!(capacity > 0, "a queue of capacity 0 has room for nothing: give it at least 1");
        let (rooms, gets) = (Count::new(capacity), Count::new(0));
        let state = Mutex::new(State { items: Each::default(), rooms, gets });
        Self { state, unfinished: UnfinishedItems::new() }
    }

    /// A queue that always has room. It grows as long as putting is faster than getting.
    pub fn unbounded() -> Self {
        Self::bounded(usize::MAX)
    }

    /// Puts an item at the end, as soon as there is room for us.
    ///
    /// Several that wait for room are given it in the order in which they came. If they are tasks, the
    /// executor decides which of those that have room goes on first, and so puts first.
    ///
    /// # Errors
    ///
    /// [`Closed`], with the item, if the queue is closed, or is closed while this waits.
    #[doc(alias = "send")]
    pub fn put(&self, item: T) -> impl Future<Output = Result<(), Closed<T>>> + Unpin {
        Put { queue: self, item: Some(item), key: None }
    }

    /// Puts an item at the end, if there is room and no waiter for it.
    ///
    /// # Errors
    ///
    /// [`TryError`] says whether it is worth another try, and gives the item back.
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, item: T) -> Result<(), TryError<T>> {
        locked(&self.state, |state, wakers| {
            match state.rooms.try_take(1) {
                Ok(()) => state.push(item, &self.unfinished, wakers),
                Err(TryError::WouldBlock(())) => return Err(TryError::WouldBlock(item)),
                Err(TryError::Closed(())) => return Err(TryError::Closed(item)),
            }
            Ok(())
        })
    }

    /// Gets the item at the front, as soon as there is one for us.
    ///
    /// ```
    /// use std::time::Duration;
    /// use handspun::{Queue, block_on, timeout};
    ///
    /// let queue = Queue::<u32>::unbounded();
    /// let nothing = block_on(timeout(Duration::from_millis(1), queue.get()));
    /// assert!(nothing.is_err()); // The wait was dropped, and leaves no trace.
    /// queue.try_put(7)?;
    /// assert_eq!(*block_on(queue.get())?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`], if the queue is closed and nothing is left in it.
    #[doc(alias = "recv")]
    pub fn get(&self) -> impl Future<Output = Result<Item<'_, T>, Closed>> + Unpin {
        Get { queue: self, key: None }
    }

    /// Gets the item at the front, if there is one and no waiter for it.
    ///
    /// # Errors
    ///
    /// [`TryError`] says whether it is worth another try.
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<Item<'_, T>, TryError> {
        locked(&self.state, |state, wakers| {
            state.gets.try_take(1)?;
            Ok(state.pop(wakers))
        })
        .map(|item| Item::new(item, &self.unfinished))
    }

    /// Waits until all that was ever put is done: got, and its [`Item`] dropped.
    ///
    /// It holds at the moment when it is told. More may be put right after.
    pub fn join(&self) -> impl Future<Output = ()> + Unpin {
        self.unfinished.join()
    }

    /// Lets nothing in any more: `put` gives the item back from now on, also where it waits.
    ///
    /// With [`Close::Drain`], what is in the queue can still be got; a getter that waits for more has
    /// [`Closed`] for an answer once it is empty. With [`Close::Discard`], what is in it is dropped,
    /// which counts as done, and every waiter is told at once. Items that were got are their owners' in
    /// both cases, and [`join`](Self::join) waits for them.
    ///
    /// A queue that is being drained can still be discarded. More than that a second call does not do.
    ///
    /// ```
    /// use handspun::{Close, Queue, TryError};
    ///
    /// let queue = Queue::bounded(2);
    /// queue.try_put(1)?;
    /// queue.close(Close::Drain);
    /// assert_eq!(queue.try_put(2).unwrap_err().into_inner(), 2);
    /// assert_eq!(*queue.try_get()?, 1);
    /// assert_eq!(queue.try_get().unwrap_err(), TryError::Closed(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self, how: Close) {
        let mut discarded = locked(&self.state, |state, wakers| {
            state.rooms.close(wakers);
            let discarded = match how {
                Close::Drain => Each::default(),
                Close::Discard => mem::take(&mut state.items),
            };
            state.close_if_drained(wakers);
            discarded
        });
        let discarded = discarded.0.drain(..).map(|item| Item::new(item, &self.unfinished));
        drop(Each(discarded.collect::<Vec<_>>())); // Other people's code, and it may panic.
    }

    /// Whether [`close`](Self::close) was called. There may be items left.
    pub fn is_closed(&self) -> bool {
        self.state.lock().rooms.is_closed()
    }

    /// How many items are in the queue.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.state.lock().items.0.len()
    }

    /// Whether no item is in the queue.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items are not done: in the queue, or got and not dropped yet.
    pub fn unfinished(&self) -> usize {
        self.unfinished.n()
    }
}

impl<T> State<T> {
    /// The item has a room by now.
    fn push(&mut self, item: T, unfinished: &UnfinishedItems, wakers: &mut Wakers) {
        unfinished.add_one();
        self.items.0.push_back(item);
        self.gets.add(1, wakers);
    }

    /// A get was taken by now.
    fn pop(&mut self, wakers: &mut Wakers) -> T {
        self.gets.forget(1);
        let item = self.items.0.pop_front().expect("there is an item for each get");
        give_back_room(&mut self.items.0);
        self.rooms.give(1, wakers);
        self.close_if_drained(wakers);
        item
    }

    fn close_if_drained(&mut self, wakers: &mut Wakers) {
        if self.rooms.is_closed() && self.items.0.is_empty() {
            self.gets.close(wakers);
        }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("unfinished", &self.unfinished())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Waits for room, and puts an item there.
#[must_use = "nothing is put until this is awaited"]
struct Put<'q, T> {
    queue: &'q Queue<T>,
    /// Gone when it was put, or given back.
    item: Option<T>,
    key: Option<Key>,
}

/// An item is moved, and never pinned.
impl<T> Unpin for Put<'_, T> {}

impl<T> Future for Put<'_, T> {
    type Output = Result<(), Closed<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, item, key } = &mut *self;
        assert!(item.is_some(), "a future is not polled again after it was ready");
        let polled = poll_locked(&queue.state, context, |state, wakers| {
            state.rooms.poll(1, key, wakers).map(|room| {
                let item = item.take().expect("it was not put");
                if room.is_err() {
                    return Err(Closed(item));
                }
                state.push(item, &queue.unfinished, wakers);
                Ok(())
            })
        });
        if polled.is_pending() {
            hints::set_reason(WaitReason::Words("room in a queue"));
        }
        polled
    }
}

impl<T> Drop for Put<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(&self.queue.state, |state, wakers| state.rooms.leave(1, key, wakers));
        }
    }
}

/// Waits for an item, and gets it.
#[must_use = "nothing is got until this is awaited"]
struct Get<'q, T> {
    queue: &'q Queue<T>,
    key: Option<Key>,
}

impl<'q, T> Future for Get<'q, T> {
    type Output = Result<Item<'q, T>, Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { queue, key } = &mut *self;
        let polled = poll_locked(&queue.state, context, |state, wakers| {
            state.gets.poll(1, key, wakers).map_ok(|()| state.pop(wakers))
        });
        if polled.is_pending() {
            hints::set_reason(WaitReason::Words("an item of a queue"));
        }
        polled.map_ok(|item| Item::new(item, &queue.unfinished))
    }
}

impl<T> Drop for Get<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            locked(&self.queue.state, |state, wakers| state.gets.leave(1, key, wakers));
        }
    }
}

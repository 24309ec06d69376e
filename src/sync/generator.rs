//! A stream written as plain code: a body that gives one item after another when it is asked.
//!
//! Knows nothing of executors: the reader that asks for an item polls the body, with its own waker. What
//! must always hold:
//!
//! 1. The body runs inside `next`, and nowhere else; it is never ahead by more than the item that was
//!    asked for.
//! 2. An item is in the slot only between the body's `yield_item` and the end of the same poll.
//! 3. A body that is finished, or that panicked, is gone at once.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::panic;
use crate::prims::Mutex;

/// Makes a stream of an async closure, which gives items to a [`Yielder`].
///
/// When to use it: several things come one after another and each has to be waited for, such as the
/// pages of a listing. What Python writes with `yield` is `yield_item` here.
///
/// ```
/// use handspun::{ThreadPool, block_on, generator};
///
/// let pool = ThreadPool::new(1);
/// let mut powers = generator(async |mut out| {
///     let mut power = 1_u32;
///     loop {
///         out.yield_item(power).await; // goes on when the next one is asked for
///         power = pool.submit(move || power * 2).await.unwrap();
///     }
/// });
/// block_on(async {
///     assert_eq!(powers.next().await, Some(1));
///     assert_eq!(powers.next().await, Some(2));
///     assert_eq!(powers.next().await, Some(4));
/// });
/// ```
///
/// **Errors** are items: let the body give `Result`s, and go on or return after an `Err`.
///
/// **Dropping it** drops the body as it is, at its `yield_item` or at what it waits for. Dropping only
/// the future of [`next`](Generator::next) loses nothing.
///
/// A queue becomes a stream like this:
///
/// ```
/// use handspun::{Close, Queue, block_on, generator};
///
/// let queue = Queue::unbounded();
/// queue.try_put("a letter").unwrap();
/// queue.close(Close::Drain);
/// let mut letters = generator(async |mut out| {
///     while let Ok(letter) = queue.get().await {
///         out.yield_item(letter).await;
///     }
/// });
/// assert_eq!(*block_on(letters.next()).unwrap(), "a letter");
/// assert!(block_on(letters.next()).is_none());
/// ```
#[doc(alias = "yield")]
#[doc(alias = "stream")]
pub fn generator<T, F, B>(body: F) -> Generator<T, B>
where
    F: FnOnce(Yielder<T>) -> B,
    B: Future<Output = ()>,
{
    let slot = Arc::new(Mutex::new(YieldSlot { item: None, yielder: None }));
    Generator { body: Some(Box::pin(body(Yielder(slot.clone())))), slot }
}

/// A stream whose items come from a body; see [`generator`].
///
/// With the feature `stream` it is a `futures_core::Stream`, too.
#[doc(alias = "AsyncGenerator")]
#[must_use = "the body runs only when it is asked for an item"]
pub struct Generator<T, B> {
    /// Gone once it is finished, and while it is polled: so a panic in it takes it away.
    body: Option<Pin<Box<B>>>,
    slot: Arc<Mutex<YieldSlot<T>>>,
}

/// Where an item passes from the body to its reader.
struct YieldSlot<T> {
    item: Option<T>,
    /// To be woken when the next item is asked for: the body may poll its `yield_item` with another waker
    /// than the one that it is polled with.
    yielder: Option<Waker>,
}

impl<T, B: Future<Output = ()>> Generator<T, B> {
    /// The next item; `None` when the body has finished, and ever after.
    ///
    /// # Panics
    ///
    /// If the body panics, that panic comes out here. After it there are no more items.
    #[doc(alias = "anext")]
    #[expect(
        clippy::should_implement_trait,
        reason = "nobody takes a future for an `Option`, and it is what every stream calls this"
    )]
    pub fn next(&mut self) -> impl Future<Output = Option<T>> + Unpin {
        poll_fn(|context| self.poll_item(context))
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let yielder = self.slot.lock().yielder.take();
        panic::wake_each(yielder);
        let Some(mut body) = self.body.take() else { return Poll::Ready(None) };
        let polled = body.as_mut().poll(context);
        let mut slot = self.slot.lock();
        let item = slot.item.take();
        // What is polled with our waker is polled with the body, and need not be woken for it.
        let not_needed = slot.yielder.take_if(|yielder| yielder.will_wake(context.waker()));
        drop(slot);
        panic::drop_each(not_needed);
        if polled.is_pending() {
            self.body = Some(body);
        }
        match item {
            None if polled.is_pending() => Poll::Pending,
            item => Poll::Ready(item),
        }
    }
}

impl<T, B> fmt::Debug for Generator<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_finished = self.body.is_none();
        f.debug_struct("Generator").field("is_finished", &is_finished).finish_non_exhaustive()
    }
}

#[cfg(feature = "stream")]
impl<T, B: Future<Output = ()>> futures_core::Stream for Generator<T, B> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_item(context)
    }
}

/// What the body of a [`generator`] gives its items to.
///
/// It belongs in the body. From elsewhere it gives an item just as well, but that wakes no reader: it is
/// found when the body is polled for another reason.
pub struct Yielder<T>(Arc<Mutex<YieldSlot<T>>>);

impl<T> Yielder<T> {
    /// Gives one item, and goes on when the next one is asked for.
    ///
    /// If the future that this returns is dropped before the body was left, as by a `timeout` around
    /// it that is over, the item is dropped too.
    #[doc(alias = "yield")]
    pub async fn yield_item(&mut self, item: T) {
        let yielded = Yielded(&self.0);
        yielded.0.lock().item = Some(item); // In place of nothing: there is one `yield_item` at a time.
        // No reason is set: the reader that polled the body has the item, and does not wait.
        poll_fn(|context| {
            let waker = Some(context.waker().clone());
            let mut slot = yielded.0.lock();
            if slot.item.is_none() {
                return Poll::Ready(());
            }
            let stale = mem::replace(&mut slot.yielder, waker);
            drop(slot);
            panic::drop_each(stale);
            Poll::Pending
        })
        .await;
    }
}

impl<T> fmt::Debug for Yielder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Yielder(..)")
    }
}

/// An item that was given. Takes it back if it was not taken when this is dropped.
struct Yielded<'y, T>(&'y Mutex<YieldSlot<T>>);

impl<T> Drop for Yielded<'_, T> {
    fn drop(&mut self) {
        // We may be dropped by a panic of the body, and the item's own drop may panic.
        let not_taken = self.0.lock().item.take();
        panic::drop_each(not_taken);
    }
}

//! A future that carries something along: which input a result belongs to.
//!
//! Knows nothing of who polls it. What must always hold: the key comes back exactly once, together
//! with the output.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::panic::Each;

/// A future with something of yours attached, which comes back with its output.
///
/// When to use it: results come in whatever order, and each is to be matched to its input.
///
/// ```
/// use handspun::{block_on, keyed, thread};
///
/// let (word, length) = block_on(keyed("seven", thread::spawn(|| "seven".len())));
/// assert_eq!((word, length?), ("seven", 5));
/// # Ok::<(), handspun::JoinError>(())
/// ```
pub fn keyed<K, F: Future + Unpin>(key: K, future: F) -> Keyed<K, F> {
    Keyed { key: Each(Some(key)), future }
}

/// A future and its key; see [`keyed`].
#[derive(Debug)]
#[must_use = "futures do nothing until they are awaited"]
pub struct Keyed<K, F> {
    future: F,
    /// Below the future, and apart from it, in case both drops panic.
    key: Each<Option<K>>,
}

impl<K, F> Keyed<K, F> {
    /// The future, without its key.
    pub fn into_inner(self) -> F {
        self.future
    }
}

/// A key is carried, and never polled.
impl<K, F: Unpin> Unpin for Keyed<K, F> {}

impl<K, F: Future + Unpin> Future for Keyed<K, F> {
    type Output = (K, F::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.future).poll(context).map(|output| {
            let key = self.key.0.take().expect("a future is not polled again after it was ready");
            (key, output)
        })
    }
}

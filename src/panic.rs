//! A caught panic as a value.
//!
//! Knows nothing of what panicked: jobs, tasks, callbacks and wakers all come here. It is the only
//! code in the crate that catches an unwinding or lets one go on.
//!
//! What must always hold: code that is not ours (a job, a callback, a waker, any `Drop`)
//! runs inside [`catch`] or [`contain`] wherever a thread of ours must not unwind.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::Waker;

use crate::prims::{Mutex, panicking};

/// A panic that was caught: what was said, and where the job came from.
///
/// You meet it in [`JoinError::Panicked`](crate::JoinError::Panicked).
///
/// ```
/// use handspun::{JoinError, ThreadPool};
///
/// let pool = ThreadPool::new(1);
/// let Err(JoinError::Panicked(panic)) = pool.submit(|| panic!("no more paper")).join() else {
///     unreachable!("the job panics");
/// };
/// assert_eq!(panic.message(), "no more paper");
/// assert_eq!(panic.submitted_at().file(), file!());
/// ```
pub struct Panic(Box<Caught>);

/// Boxed, because it is in the type of every result of every job, and hardly any holds one.
struct Caught {
    /// In a lock only because a payload need not be `Sync`, and a `Panic` is.
    payload: Mutex<Option<Payload>>,
    message: String,
    submitted_at: &'static Location<'static>,
}

type Payload = Box<dyn Any + Send>;

impl Panic {
    /// The same panic, of something that came from that line.
    pub(crate) fn submitted_by(mut self, line: &'static Location<'static>) -> Self {
        self.0.submitted_at = line;
        self
    }

    /// What the panic said; a standing phrase if its payload is not text.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The line that submitted the job, spawned the thread or set the callback.
    pub fn submitted_at(&self) -> &'static Location<'static> {
        self.0.submitted_at
    }

    /// The value that `panic!` or `std::panic::panic_any` was given.
    ///
    /// ```
    /// use handspun::{JoinError, ThreadPool};
    ///
    /// let pool = ThreadPool::new(1);
    /// let Err(JoinError::Panicked(panic)) = pool.submit(|| std::panic::panic_any(7_u8)).join() else {
    ///     unreachable!("the job panics");
    /// };
    /// assert_eq!(panic.into_payload().downcast_ref(), Some(&7_u8));
    /// ```
    pub fn into_payload(mut self) -> Box<dyn Any + Send> {
        mem::take(&mut self.0.payload)
            .into_inner()
            .expect("only `into_payload` takes it, and takes `self` too")
    }

    /// Goes on panicking here, as if the code had run on this thread.
    ///
    /// The message is not printed again: it was when the panic began.
    pub fn resume(self) -> ! {
        resume_unwind(self.into_payload())
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message())
            .field("submitted_at", &format_args!("{}", self.submitted_at()))
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what {} submitted panicked: {}", self.submitted_at(), self.message())
    }
}

impl Error for Panic {}

impl Drop for Panic {
    fn drop(&mut self) {
        // A payload may be any value, and its own drop may panic.
        contain(|| drop(mem::take(&mut self.0.payload)));
    }
}

/// Runs code that is not ours; its panic becomes a value.
pub(crate) fn catch<T>(
    submitted_at: &'static Location<'static>,
    code: impl FnOnce() -> T,
) -> Result<T, Panic> {
    // Unwind safety is about data seen half changed. What `code` owns is lost with it; what it
    // shares, it shares through locks, as it would across `std::thread::spawn`, which asks for no
    // more than we do.
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let message = text_of(&payload);
        Panic(Box::new(Caught { payload: Mutex::new(Some(payload)), message, submitted_at }))
    })
}

/// Runs code that is not ours and that is not waited for: a drop, a waker, a hook.
///
/// The panic has been printed by then, as every panic is when it begins. There is nobody else to
/// tell, and a worker must not die of it.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        if let Err(panic_of_its_drop) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // A payload whose drop panics with a payload whose drop may panic: end it here.
            mem::forget(panic_of_its_drop);
        }
    }
}

/// Drops each of them, one after another: two drops that panic in one go would end the process.
pub(crate) fn drop_each<T>(items: impl IntoIterator<Item = T>) {
    items.into_iter().for_each(|item| contain(|| drop(item)));
}

/// Values that are dropped one after another, all of them in any case. The first panic goes on when they
/// are gone, unless one is unwinding already.
#[derive(Debug, Default)]
pub(crate) struct Each<C: Default + IntoIterator>(pub(crate) C);

impl<C: Default + IntoIterator> Drop for Each<C> {
    fn drop(&mut self) {
        let values = mem::take(&mut self.0).into_iter();
        let first = values.fold(None, |first: Option<Panic>, value| {
            first.or(catch(Location::caller(), || drop(value)).err())
        });
        if let Some(panic) = first.filter(|_| !panicking()) {
            panic.resume();
        }
    }
}

/// Wakes each of them, one after another, as [`drop_each`] drops: a waker is user code.
pub(crate) fn wake_each(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
}

/// A callback of the user's, if there is one.
pub(crate) struct UserCallback<F: ?Sized>(Option<Arc<F>>);

impl<F: ?Sized> UserCallback<F> {
    pub(crate) fn new(callback: Arc<F>) -> Self {
        Self(Some(callback))
    }

    #[inline] // Mostly there is none.
    pub(crate) fn get(&self) -> Option<&F> {
        self.0.as_deref()
    }
}

impl<F: ?Sized> Clone for UserCallback<F> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<F: ?Sized> Default for UserCallback<F> {
    fn default() -> Self {
        Self(None)
    }
}

impl<F: ?Sized> Drop for UserCallback<F> {
    /// What it owns may be anybody's, and the last to drop it may be a thread of ours, or hold a waker.
    fn drop(&mut self) {
        contain(|| drop(self.0.take()));
    }
}

impl<F: ?Sized> fmt::Debug for UserCallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { ".." } else { "none" })
    }
}

fn text_of(payload: &Payload) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a payload that is not text".to_owned()
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    /// Panics whenever it is dropped, unless the thread is panicking already.
    struct Mine;

    impl Drop for Mine {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                std::panic::panic_any(Mine);
            }
        }
    }

    #[test]
    fn a_panic_keeps_its_payload() {
        let panic = catch(Location::caller(), || std::panic::panic_any(7_u8)).unwrap_err();
        assert_eq!(panic.message(), "a payload that is not text");
        assert_eq!(*panic.into_payload().downcast::<u8>().unwrap(), 7);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        contain(|| std::panic::panic_any(Mine));
        drop(catch(Location::caller(), || std::panic::panic_any(Mine)).unwrap_err());
    }
}

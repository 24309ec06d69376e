//! A function over many inputs, of which a few are worked on at a time.
//!
//! Knows nothing of what is done with an input. Each is worked on by a task of its own, so that the work goes on while
//! the reader is away (futures that the reader polls stand still then: futures-rs #2387), and the end of one is where
//! the next begins.
//!
//! What must always hold:
//!
//! 1. At most `limit` inputs are being worked on, and there are at most twice as many whose results have not been
//!    fetched. So a million inputs need no more memory than that.
//! 2. Each input that was taken has a result, also if its work panics; so has a panic of the iterator, the last. What
//!    is not fetched is told to the hook.
//! 3. When the results are dropped, so is the work. The tasks know of it by a weak pointer only.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use crate::error::JoinError;
use crate::panic;
use crate::wait::as_completed::AsCompleted;
use crate::wait::cancel::CancelOnDrop;
use crate::wait::deferred;

use super::idle::confined;
use super::task::{Task, spawn_at};
use super::tasks::Tasks;

/// Calls an asynchronous function for every input, for at most `limit` of them at a time.
///
/// When to use it: many inputs, and something that must not be asked too much at once. The inputs are taken
/// only when their turn comes, so that the iterator may be as long as it likes, and the results come in the
/// order in which they are ready; let the function give the input along if it matters.
///
/// The work goes on while the reader is away, until as many results wait to be fetched as there may be under way.
///
/// ```
/// use std::time::Duration;
/// use handspun::{map_concurrent, run, sleep};
///
/// let sum = run(async {
///     let mut squares = map_concurrent(0..100_u64, 8, async |n| {
///         sleep(Duration::from_micros(100)).await;
///         n * n
///     });
///     let mut sum = 0;
///     while let Some(square) = squares.next().await {
///         sum += square?; // a panic, if there was one
///     }
///     Ok::<_, handspun::JoinError>(sum)
/// })?;
/// assert_eq!(sum, 328_350);
/// # Ok::<(), handspun::JoinError>(())
/// ```
///
/// **Dropping it** drops the work that is not done. A panic that was not fetched is told to the panic hook.
///
/// # Panics
///
/// If `limit` is zero, or if no executor runs on this thread.
#[doc(alias = "buffer_unordered")]
#[doc(alias = "Semaphore")]
#[track_caller]
pub fn map_concurrent<I, F, T>(inputs: I, limit: usize, work: F) -> MapConcurrent<T>
where
    I: IntoIterator,
    I::IntoIter: 'static,
    I::Item: 'static,
    F: AsyncFn(I::Item) -> T + 'static,
    T: 'static,
{
    assert!(limit > 0, "a limit of 0 would let nothing begin: ask for at least 1");
    assert!(
        Tasks::current().is_some(),
        "no executor runs on this thread: `map_concurrent` is called by what it polls"
    );
    let (work, site) = (Rc::new(work), Location::caller());
    let futures = inputs.into_iter().map(move |input| -> LocalFuture<T> {
        let work = work.clone();
        Box::pin(async move { work(input).await })
    });
    let futures: Option<LocalFutures<T>> = Some(Box::new(futures));
    let work = MapWork { futures, begun: Vec::new(), n_running: 0, n_unfetched: 0, limit, site };
    let work = Rc::new(RefCell::new(work));
    begin(&Rc::downgrade(&work));
    MapConcurrent { under_way: AsCompleted::new(), work }
}

/// Results, as they come; see [`map_concurrent`].
#[must_use = "dropping it drops the work"]
pub struct MapConcurrent<T: 'static> {
    under_way: AsCompleted<CancelOnDrop<Task<T>>>,
    work: Rc<RefCell<MapWork<T>>>,
}

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;
type LocalFutures<T> = Box<dyn Iterator<Item = LocalFuture<T>>>;

struct MapWork<T: 'static> {
    /// `None` when there are no more, and while the next is asked for.
    futures: Option<LocalFutures<T>>,
    /// What has begun since the reader last looked. It misses no end: this grows only by the end of another, and by its
    /// own fetch.
    begun: Vec<CancelOnDrop<Task<T>>>,
    n_running: usize,
    n_unfetched: usize,
    limit: usize,
    site: &'static Location<'static>,
}

impl<T: 'static> MapConcurrent<T> {
    /// The next result; `None` when there are no more. Dropping the wait loses nothing.
    ///
    /// An `Err` is a panic of the function, or of the iterator; with the latter, no more inputs are taken. Where no
    /// executor runs, nothing more begins, and `None` is the end of what has; the next run takes the rest.
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        begin(&Rc::downgrade(&self.work)); // There may have been no executor when there was room.
        let begun = mem::take(&mut self.work.borrow_mut().begun);
        begun.into_iter().for_each(|task| self.under_way.add(task));
        let result = confined("a result of map_concurrent", self.under_way.next()).await?;
        self.work.borrow_mut().n_unfetched -= 1;
        begin(&Rc::downgrade(&self.work));
        Some(result)
    }
}

/// Begins to work on as many inputs as there is room for, if the results are wanted and an executor runs here.
fn begin<T: 'static>(work: &Weak<RefCell<MapWork<T>>>) {
    let take = || {
        Tasks::current()?;
        work.upgrade()?.borrow_mut().take_futures()
    };
    while let Some((mut futures, site)) = take() {
        // The iterator is code of the user, and may drop the results.
        let (future, more): (LocalFuture<T>, _) = match panic::catch(site, || futures.next()) {
            Ok(Some(future)) => (future, Some(futures)),
            Ok(None) => return panic::contain(|| drop(futures)),
            Err(panic) => {
                panic::contain(|| drop(futures));
                (Box::pin(async move { panic.resume() }), None)
            }
        };
        let Some(shared) = work.upgrade() else { return panic::contain(|| drop((future, more))) };
        let mut counts = shared.borrow_mut();
        counts.futures = more;
        counts.n_running += 1;
        counts.n_unfetched += 1;
        drop(counts);
        let running = RunningInput { work: work.clone(), is_polled: Cell::new(false) };
        let task = spawn_at(None, site, work_off(running, future)).cancel_on_drop();
        shared.borrow_mut().begun.push(task);
    }
}

impl<T: 'static> MapWork<T> {
    /// Takes the futures that have not begun, if one of them may.
    fn take_futures(&mut self) -> Option<(LocalFutures<T>, &'static Location<'static>)> {
        let most_unfetched = self.limit.saturating_mul(2);
        let has_room = self.n_running < self.limit && self.n_unfetched < most_unfetched;
        Some((self.futures.take_if(|_| has_room)?, self.site))
    }
}

/// Works on one input. When that is over, whether it returns or panics, the next begins.
async fn work_off<T: 'static>(running: RunningInput<T>, mut future: LocalFuture<T>) -> T {
    poll_fn(move |context| {
        running.is_polled.set(true);
        let polled = future.as_mut().poll(context);
        running.is_polled.set(polled.is_ready());
        polled
    })
    .await
}

/// Counts it out when it is dropped, also before its first poll.
struct RunningInput<T: 'static> {
    work: Weak<RefCell<MapWork<T>>>,
    /// Otherwise it is dropped because it was cancelled, or with its executor, where nothing is to begin.
    is_polled: Cell<bool>,
}

/// The inputs may own the next map of a chain.
impl<T> Drop for MapWork<T> {
    fn drop(&mut self) {
        let futures = self.futures.take();
        let _ = deferred::run(move || drop(futures));
    }
}

impl<T> Drop for RunningInput<T> {
    fn drop(&mut self) {
        let Some(shared) = self.work.upgrade() else { return };
        shared.borrow_mut().n_running -= 1;
        if self.is_polled.get() {
            begin(&self.work);
        }
    }
}

impl<T> fmt::Debug for MapConcurrent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapConcurrent(..)")
    }
}

//! A function over many inputs, of which a few are worked on at a time.
//!
//! Knows nothing of what is done with an input. The work is done by *lanes*: tasks, each of which takes an
//! input, works it off, leaves what came of it, and takes the next. They go on while the reader is away (futures
//! that the reader polls stand still then: futures-rs #2387).
//!
//! What must always hold:
//!
//! 1. At most `limit` inputs are worked on, and at most as many results wait to be fetched. So a million
//!    inputs need no more memory than that.
//! 2. Each input that was taken has a result, also if its work panics. What is not fetched is told to the hook.
//! 3. When the results are dropped, so are the lanes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;

use crate::error::JoinError;
use crate::panic::{self, Panic};
use crate::wait::cancel::CancelOnDrop;
use crate::wait::panic_hook::PanicHook;
use crate::wait::permits::{Count, Permit, Permits};

use super::idle::confined;
use super::task::{Task, spawn_at};
use super::tasks::Tasks;

/// Calls an asynchronous function for every input, for at most `limit` of them at a time.
///
/// When to use it: many inputs, and something that must not be asked too much at once. The inputs are taken
/// only when their turn comes, so that the iterator may be as long as it likes, and the results come in the
/// order in which they are ready; let the function give the input along if it matters. At most `limit` results
/// wait to be fetched, and then the work waits too.
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
/// If `limit` is zero, or no executor runs on this thread.
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
    let tasks = Tasks::current()
        .expect("no executor runs on this thread: `map_concurrent` is called by what it polls");
    let shared = Rc::new(RefCell::new(Shared {
        limit,
        lanes: Vec::new(),
        results: VecDeque::new(),
        ready: Permits::new(0),
        room: Permits::new(limit),
        panic_hook: tasks.shared.panic_hook.clone(),
    }));
    let (inputs, site) = (RefCell::new(Some(inputs.into_iter())), Location::caller());
    Rc::new(Lanes { shared: shared.clone(), inputs, work, site }).open();
    MapConcurrent { shared }
}

/// Results, as they come; see [`map_concurrent`].
#[must_use = "dropping it drops the work"]
pub struct MapConcurrent<T> {
    shared: Rc<RefCell<Shared<T>>>,
}

struct Shared<T> {
    limit: usize,
    /// All lanes that there ever were: at most `limit`.
    lanes: Vec<CancelOnDrop<Task<()>>>,
    /// Those that wait to be fetched, and in addition at most one of each lane that waits for its permit.
    results: VecDeque<Result<T, JoinError>>,
    /// A permit for each result, which is taken with it. Closed when there will be no more.
    ready: Permits,
    /// A permit for each result that may be left, which a lane takes and the reader makes anew.
    room: Permits,
    /// Hears of the panics that are not fetched.
    panic_hook: PanicHook,
}

impl<T> MapConcurrent<T> {
    /// The next result; `None` when there are no more. Dropping the wait loses nothing.
    ///
    /// An `Err` is a panic of the function, or of the iterator; with the latter, it is the last.
    pub async fn next(&mut self) -> Option<Result<T, JoinError>> {
        let what = "a result of map_concurrent";
        let ready = self.shared.borrow().ready.clone();
        // If it is closed, what is there is all that there will be.
        let _ = confined(what, ready.acquire(1, what)).await.map(Permit::forget);
        let mut shared = self.shared.borrow_mut();
        let (result, room) = (shared.results.pop_front(), shared.room.clone());
        drop(shared);
        room.with(|count, wakers| count.add(1, wakers));
        result
    }
}

impl<T> Drop for MapConcurrent<T> {
    fn drop(&mut self) {
        let mut shared = self.shared.borrow_mut();
        shared.limit = 0; // A lane that is being polled opens no other, and goes no further.
        let lanes = mem::take(&mut shared.lanes);
        drop(shared);
        drop(lanes);
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        self.results.drain(..).for_each(|result| self.panic_hook.dispose(result));
    }
}

impl<T> fmt::Debug for MapConcurrent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MapConcurrent(..)")
    }
}

/// What the lanes share. When the last of them has gone, there will be no more results.
struct Lanes<I, F, T> {
    shared: Rc<RefCell<Shared<T>>>,
    /// `None` once they are all taken.
    inputs: RefCell<Option<I>>,
    work: F,
    site: &'static Location<'static>,
}

impl<I, F, T> Lanes<I, F, T>
where
    I: Iterator + 'static,
    F: AsyncFn(I::Item) -> T + 'static,
    T: 'static,
{
    /// Opens one more.
    fn open(self: &Rc<Self>) {
        let lane = spawn_at(None, self.site, self.clone().drive()).cancel_on_drop();
        self.shared.borrow_mut().lanes.push(lane);
    }

    async fn drive(self: Rc<Self>) {
        while let Some(input) = self.take_input() {
            let is_more_wanted = {
                let shared = self.shared.borrow();
                shared.lanes.len() < shared.limit
            };
            if is_more_wanted {
                self.open(); // It finds out for itself whether there is an input.
            }
            let result = self.work_off(input).await;
            self.leave(result.map_err(JoinError::Panicked)).await;
        }
    }

    fn take_input(&self) -> Option<I::Item> {
        if self.shared.borrow().limit == 0 {
            return None;
        }
        let mut inputs = self.inputs.borrow_mut();
        let taken = panic::catch(self.site, || inputs.as_mut().and_then(Iterator::next));
        if let Ok(Some(_)) = taken {
            return taken.ok().flatten();
        }
        let over = inputs.take();
        drop(inputs);
        panic::contain(|| drop(over));
        taken.unwrap_or_else(|panic| {
            self.put(Err(JoinError::Panicked(panic)));
            None
        })
    }

    async fn work_off(&self, input: I::Item) -> Result<T, Panic> {
        let mut working = pin!(Some(panic::catch(self.site, || (self.work)(input))?));
        let polled = poll_fn(|context| {
            let working = working.as_mut().as_pin_mut().expect("it is dropped when it is over");
            panic::catch_poll(self.site, working, context)
        });
        let polled = polled.await;
        let dropped = panic::catch(self.site, || working.set(None));
        match (polled, dropped) {
            (Ok(value), Err(panic)) => {
                panic::contain(|| drop(value));
                Err(panic) // That of its drop is what it has come to.
            }
            (polled, _) => polled,
        }
    }

    /// Leaves a result, and waits for a permit for it.
    async fn leave(&self, result: Result<T, JoinError>) {
        self.put(result);
        let what = "somebody to fetch a result of map_concurrent";
        let room = self.shared.borrow().room.clone();
        let room = confined(what, room.acquire(1, what)).await;
        room.expect("it is never closed").forget();
    }

    fn put(&self, result: Result<T, JoinError>) {
        let mut shared = self.shared.borrow_mut();
        shared.results.push_back(result);
        let ready = shared.ready.clone();
        drop(shared);
        ready.with(|count, wakers| count.add(1, wakers));
    }
}

impl<I, F, T> Drop for Lanes<I, F, T> {
    fn drop(&mut self) {
        let ready = self.shared.borrow().ready.clone();
        ready.with(Count::close);
    }
}

//! Where tasks sit while they are not polled.
//!
//! Knows nothing of who is polled when. A task is its future, boxed, which ends by putting its output
//! into a cell; the cell is what its handle waits for. Futures never leave the executor's thread, which
//! is why they need not be `Send`, and why nothing here is locked.
//!
//! What must always hold:
//!
//! 1. A future is dropped here, and no borrow of the seats is held meanwhile: its drop is other people's
//!    code, which may spawn, wake and cancel.
//! 2. A seat is given to another task only after the first is over, and whoever comes with an old key
//!    (a waker, a number) is told so.

use std::any::Any;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{CancelReason, JoinError};
use crate::event::{Step, What};
use crate::panic;
use crate::prims::{AtomicUsize, Ordering};
use crate::wait::deferred;
use crate::wait::tag::Tag;

use super::ready::{KeptWaker, NO_SEAT, Shared, TaskId, TaskWaker};

use Ordering::Relaxed;

/// A task's future, which is an `Option` of what was spawned: with one, a pinned future can be dropped in
/// its place, without `unsafe`, so that whoever hears of the task's end finds it dropped.
pub(crate) type Body = Pin<Box<dyn Live>>;

pub(crate) trait Live {
    /// Polls. If that was the last time, drops the future, has the task leave its seat, and settles its cell.
    fn poll_to_cell(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        leave: &mut dyn FnMut() -> Arc<dyn AnyCell>,
    ) -> Poll<()>;
}

/// A task's cell, as the executor sees it.
pub(crate) trait AnyCell {
    fn card(&self) -> &Card;

    /// Settles without an output.
    fn fail(&self, error: JoinError);

    /// What the waker of whoever waits for this task holds.
    fn waits(&self) -> Option<*const ()>;

    fn as_any(&self) -> &dyn Any;
}

/// The seat of a task that was cancelled before it had one.
const CANCELLED: usize = NO_SEAT - 1;

/// Which task it is.
pub(crate) struct Card {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: usize,
    /// Where it sits. On another thread, or when the task is over, only a hint.
    seat: AtomicUsize,
    pub(crate) name: Option<Box<str>>,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Card {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        name: Option<Box<str>>,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        let (shared, number) = (shared.clone(), shared.next_number());
        Self { shared, number, seat: AtomicUsize::new(NO_SEAT), name, spawned_at }
    }

    /// Gives it a seat; false if it was cancelled before.
    pub(crate) fn take_seat(&self, seat: usize) -> bool {
        // ORDERING: Relaxed, both. As in `task`; and nothing else is read because of it.
        self.seat.compare_exchange(NO_SEAT, seat, Relaxed, Relaxed).is_ok()
    }

    /// Cancels it before it has a seat, for whoever seats it to find; false if it has one.
    pub(crate) fn cancel_unseated(&self) -> bool {
        // ORDERING: Relaxed, both. As in `take_seat`.
        let before = self.seat.compare_exchange(NO_SEAT, CANCELLED, Relaxed, Relaxed);
        before.is_ok() || before == Err(CANCELLED)
    }

    pub(crate) fn task(&self) -> TaskId {
        // ORDERING: Relaxed. The number is compared with that of who sits there before it is used.
        TaskId { seat: self.seat.load(Relaxed), number: self.number }
    }

    pub(crate) fn tell(&self, step: Step) {
        let observer = &self.shared.observer;
        if let Some(now) = observer.now() {
            let name = self.name.as_deref();
            observer.tell_about(Some(now), What::Task, self.number, name, step);
        }
    }
}

/// One task.
pub(crate) struct Sitter {
    pub(crate) stage: Stage,
    /// As on its card: to compare it is what the seats are looked into for most often.
    pub(crate) number: usize,
    pub(crate) cell: Arc<dyn AnyCell>,
    pub(crate) waits_for: Option<Tag>,
}

/// The future that `run` was given. It sits with `run`, for it may borrow.
pub(crate) struct Main {
    pub(crate) waker: Arc<TaskWaker>,
    pub(crate) waits_for: Option<Tag>,
    pub(crate) is_polled: bool,
}

impl Main {
    pub(crate) fn new(waker: Arc<TaskWaker>) -> Self {
        Self { waker, waits_for: None, is_polled: false }
    }
}

/// | stage       | poll begins       | poll ends pending         | cancelled   |
/// |-------------|-------------------|---------------------------|-------------|
/// | `Resting`   | → `Polled`        |                           | leaves      |
/// | `Polled`    |                   | → `Resting`               | → `Unwanted`|
/// | `Unwanted`  |                   | leaves                    | stays       |
///
/// Ready or panicked, it leaves.
pub(crate) enum Stage {
    /// With its waker, unless it has never been polled.
    Resting(Body, Option<KeptWaker>),
    /// The loop has it in its hands.
    Polled,
    /// The same, and it is to be dropped when the poll is over: not before, for it is the future itself
    /// that is running.
    Unwanted,
}

/// What came of a cancel.
pub(crate) enum Cancelled {
    /// It has left; here it is, to be dropped and then settled.
    Left(Sitter),
    /// It is being polled, and goes afterwards.
    AfterPoll,
    /// It was over.
    TooLate,
}

#[derive(Default)]
pub(crate) struct Seats {
    seats: Vec<Seat>,
    /// The head of the empty seats, which are chained.
    empty: Option<usize>,
    n_taken: usize,
    /// With fewer tasks than that, empty seats at the end go.
    shrinks_below: usize,
}

enum Seat {
    Empty { next: Option<usize> },
    Taken(Sitter),
}

impl Seats {
    /// Where the next task will sit.
    pub(crate) fn next_seat(&self) -> usize {
        self.empty.unwrap_or(self.seats.len())
    }

    /// Gives the task its seat, which is the next one.
    pub(crate) fn sit(&mut self, sitter: Sitter) {
        self.n_taken += 1;
        let Some(seat) = self.empty else {
            self.seats.push(Seat::Taken(sitter));
            self.shrinks_below = self.seats.len() / 4;
            return;
        };
        self.empty = match mem::replace(&mut self.seats[seat], Seat::Taken(sitter)) {
            Seat::Empty { next } => next,
            Seat::Taken(_) => unreachable!("the chain is of empty seats"),
        };
    }

    /// Takes the future out, to poll it, with its waker, if it has one; `None` if its task is over.
    pub(crate) fn begin_poll(&mut self, task: TaskId) -> Option<(Body, Option<KeptWaker>)> {
        let sitter = self.of(task)?;
        match mem::replace(&mut sitter.stage, Stage::Polled) {
            Stage::Resting(body, waker) => {
                if let Some(waker) = &waker {
                    waker.itself.begin_poll();
                }
                Some((body, waker))
            }
            Stage::Polled | Stage::Unwanted => unreachable!("one is polled at a time"),
        }
    }

    /// Puts it back after a poll; or gives back the whole task, if it was cancelled meanwhile.
    pub(crate) fn rest(
        &mut self,
        seat: usize,
        (body, waker): (Body, KeptWaker),
        waits_for: Option<Tag>,
    ) -> Result<(), Sitter> {
        let Seat::Taken(sitter) = &mut self.seats[seat] else {
            unreachable!("nobody but the loop lets go of what is being polled");
        };
        let is_wanted = match sitter.stage {
            Stage::Polled => true,
            Stage::Unwanted => false,
            Stage::Resting(..) => unreachable!("it was taken out to be polled"),
        };
        sitter.stage = Stage::Resting(body, Some(waker));
        sitter.waits_for = waits_for;
        if is_wanted { Ok(()) } else { Err(self.leave(seat)) }
    }

    /// Lets a task go that is over.
    pub(crate) fn leave(&mut self, seat: usize) -> Sitter {
        self.n_taken -= 1;
        let empty = Seat::Empty { next: self.empty };
        self.empty = Some(seat);
        let before = mem::replace(&mut self.seats[seat], empty);
        if self.n_taken < self.shrinks_below {
            self.shrink();
        }
        match before {
            Seat::Taken(sitter) => sitter,
            Seat::Empty { .. } => unreachable!("nobody sits there"),
        }
    }

    /// Gives back the memory of a time with more tasks, if half of the seats would do. What is cut off has
    /// paid for the look at what stays; and where the last seat is taken, there is nothing to look at.
    #[cold]
    fn shrink(&mut self) {
        let is_taken = |seat: &Seat| matches!(seat, Seat::Taken(_));
        let n_needed = self.seats.iter().rposition(is_taken).map_or(0, |last| last + 1);
        if n_needed <= self.seats.len() / 2 {
            self.seats.truncate(n_needed);
            self.seats.shrink_to(2 * n_needed);
            self.empty = None;
            for (at, seat) in self.seats.iter_mut().enumerate().rev() {
                if let Seat::Empty { next } = seat {
                    *next = self.empty.replace(at);
                }
            }
        }
        self.shrinks_below = (self.seats.len() / 4).min(self.n_taken / 2).max(1);
    }

    pub(crate) fn cancel(&mut self, task: TaskId) -> Cancelled {
        let Some(sitter) = self.of(task) else { return Cancelled::TooLate };
        match sitter.stage {
            Stage::Resting(..) => Cancelled::Left(self.leave(task.seat)),
            Stage::Polled => {
                sitter.stage = Stage::Unwanted;
                Cancelled::AfterPoll
            }
            Stage::Unwanted => Cancelled::AfterPoll,
        }
    }

    /// Takes out all tasks that are not being polled.
    pub(crate) fn evict_all(&mut self) -> Vec<Sitter> {
        let is_resting = |seat: &Seat| match seat {
            Seat::Taken(sitter) => matches!(sitter.stage, Stage::Resting(..)),
            Seat::Empty { .. } => false,
        };
        let resting: Vec<_> =
            (0..self.seats.len()).filter(|seat| is_resting(&self.seats[*seat])).collect();
        resting.into_iter().map(|seat| self.leave(seat)).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Sitter> {
        self.seats.iter().filter_map(|seat| match seat {
            Seat::Taken(sitter) => Some(sitter),
            Seat::Empty { .. } => None,
        })
    }

    /// The cell of the task that is being polled there.
    pub(crate) fn cell(&self, seat: usize) -> Arc<dyn AnyCell> {
        match &self.seats[seat] {
            Seat::Taken(sitter) => sitter.cell.clone(),
            Seat::Empty { .. } => unreachable!("the task that is being polled sits there"),
        }
    }

    pub(crate) fn n_taken(&self) -> usize {
        self.n_taken
    }

    fn of(&mut self, task: TaskId) -> Option<&mut Sitter> {
        match self.seats.get_mut(task.seat) {
            Some(Seat::Taken(sitter)) if sitter.number == task.number => Some(sitter),
            Some(Seat::Taken(_) | Seat::Empty { .. }) | None => None,
        }
    }
}

impl Sitter {
    /// Its waker, unless the loop has that in its hands, or has not made one yet.
    pub(crate) fn waker(&self) -> Option<&Arc<TaskWaker>> {
        match &self.stage {
            Stage::Resting(_, waker) => waker.as_ref().map(|waker| &waker.itself),
            Stage::Polled | Stage::Unwanted => None,
        }
    }

    /// Drops the future, which is not being polled, and then tells whoever waits for it.
    pub(crate) fn dismiss(self, reason: CancelReason) {
        let Self { stage, cell, .. } = self;
        // The future may own the next task of a chain.
        let end = move || {
            let dropped = panic::catch(cell.card().spawned_at, || match stage {
                Stage::Resting(body, waker) => drop((body, waker.map(KeptWaker::take_leave))),
                Stage::Polled | Stage::Unwanted => unreachable!("it is not being polled"),
            });
            cell.fail(match dropped {
                Ok(()) => JoinError::Cancelled(reason),
                Err(panic) => JoinError::Panicked(panic),
            });
        };
        let _ = deferred::run(end); // What panics is caught in there.
    }
}

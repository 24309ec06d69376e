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

use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use crate::error::{CancelReason, JoinError};
use crate::panic;
use crate::wait::tag::Tag;

use super::ready::{NO_SEAT, TaskId, TaskWaker};

/// Ends by settling the task's cell.
pub(crate) type Body = Pin<Box<dyn Future<Output = ()>>>;

/// A task's cell, as the executor sees it.
pub(crate) trait AnyCell {
    fn waker(&self) -> &Arc<TaskWaker>;
    fn name(&self) -> Option<&str>;
    fn spawned_at(&self) -> &'static Location<'static>;

    /// Settles without an output.
    fn fail(&self, error: JoinError);

    /// What the waker of whoever waits for this task holds.
    fn waits(&self) -> Option<*const ()>;
}

/// One task.
pub(crate) struct Sitter {
    pub(crate) stage: Stage,
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
    Resting(Body, Waker),
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
            return;
        };
        self.empty = match mem::replace(&mut self.seats[seat], Seat::Taken(sitter)) {
            Seat::Empty { next } => next,
            Seat::Taken(_) => unreachable!("the chain is of empty seats"),
        };
    }

    /// Takes the future out, to poll it, with the waker to poll it with; `None` if its task is over, or is
    /// to go.
    pub(crate) fn begin_poll(&mut self, task: TaskId) -> Option<(Body, Waker)> {
        let sitter = self.of(task)?;
        match mem::replace(&mut sitter.stage, Stage::Polled) {
            Stage::Resting(body, waker) => {
                sitter.cell.waker().begin_poll();
                Some((body, waker))
            }
            Stage::Polled | Stage::Unwanted => unreachable!("one is polled at a time"),
        }
    }

    /// Puts it back after a poll; or gives back the whole task, if it was cancelled meanwhile.
    pub(crate) fn rest(
        &mut self,
        seat: usize,
        (body, waker): (Body, Waker),
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
        sitter.stage = Stage::Resting(body, waker);
        sitter.waits_for = waits_for;
        if is_wanted { Ok(()) } else { Err(self.leave(seat)) }
    }

    /// Lets a task go that is over.
    pub(crate) fn leave(&mut self, seat: usize) -> Sitter {
        self.n_taken -= 1;
        let empty = Seat::Empty { next: self.empty };
        self.empty = Some(seat);
        match mem::replace(&mut self.seats[seat], empty) {
            Seat::Taken(sitter) => sitter,
            Seat::Empty { .. } => unreachable!("nobody sits there"),
        }
    }

    pub(crate) fn cancel(&mut self, mut task: TaskId) -> Cancelled {
        if task.seat == NO_SEAT {
            // It was spawned from afar, and had no seat yet when it was cancelled from there.
            let has_number = |seat: &Seat| match seat {
                Seat::Taken(sitter) => sitter.cell.waker().number == task.number,
                Seat::Empty { .. } => false,
            };
            task.seat = self.seats.iter().position(has_number).unwrap_or(NO_SEAT);
        }
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
            Some(Seat::Taken(sitter)) if sitter.cell.waker().number == task.number => Some(sitter),
            Some(Seat::Taken(_) | Seat::Empty { .. }) | None => None,
        }
    }
}

impl Sitter {
    /// Whether it runs at this moment: then it is this very task that asks.
    pub(crate) fn is_polled(&self) -> bool {
        match self.stage {
            Stage::Resting(..) => false,
            Stage::Polled | Stage::Unwanted => true,
        }
    }

    /// Drops the future, which is not being polled, and then tells whoever waits for it.
    pub(crate) fn dismiss(self, reason: CancelReason) {
        let Self { stage, cell, .. } = self;
        cell.waker().retire();
        let dropped = panic::catch(cell.spawned_at(), || drop(stage));
        cell.fail(match dropped {
            Ok(()) => JoinError::Cancelled(reason),
            Err(panic) => JoinError::Panicked(panic),
        });
    }
}

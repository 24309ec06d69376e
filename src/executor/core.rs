//! The loop: who is polled, and what happens when nobody can be.
//!
//! Knows nothing of handles. One turn of the loop reads the mail, wakes those whose time has come, and
//! polls *the batch that is ready at that moment*. Who is woken meanwhile is polled in the next turn, so
//! that a task which always wakes itself starves neither the others, nor the timers, nor the mail
//! (tokio needs a budget for that).
//!
//! What must always hold:
//!
//! 1. A future is polled once for each time it was queued, and never otherwise.
//! 2. The thread rests only when nobody is ready, and reads its mail afterwards.
//! 3. No borrow of the queue or the seats is held while a future is polled or dropped.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::{CancelReason, JoinError};
use crate::event::{Step, What};
use crate::panic;
use crate::wait::inside;
use crate::wait::tag;

use super::ready::{KeptWaker, Mail, NO_SEAT, Queue, Shared, TaskId};
use super::rest::{Hope, Rest};
use super::seats::{AnyCell, Body, Cancelled, Main, Seats, Sitter, Stage};
use super::settings::Settings;
use super::stuck::{self, Dump, Hang};

pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    queue: Queue,
    seats: RefCell<Seats>,
    /// Of the future that `run` was given, while it runs.
    main: RefCell<Option<Main>>,
    rest: Rest,
    /// Of the generator that shuffles the batches, if they are shuffled.
    seed: Cell<Option<u64>>,
    slow_poll: Duration,
    /// Of a task that is over.
    spare: Cell<Option<KeptWaker>>,
    /// Nobody spawns any more.
    is_closed: Cell<bool>,
    /// Empty between two turns, and kept for their room.
    mails: Cell<Vec<Mail>>,
}

impl Core {
    pub(crate) fn new(shared: Arc<Shared>, settings: &Settings) -> Self {
        Self {
            rest: Rest::new(&shared, settings.look_out),
            shared,
            queue: Queue::default(),
            seats: RefCell::default(),
            main: RefCell::new(None),
            seed: Cell::new(settings.seed),
            slow_poll: settings.slow_poll,
            spare: Cell::new(None),
            is_closed: Cell::new(false),
            mails: Cell::default(),
        }
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether a task may be spawned here.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_closed.get()
    }

    /// Seats a task, and queues it for its first poll; but one that was cancelled already is dropped.
    pub(crate) fn seat(&self, cell: Arc<dyn AnyCell>, body: Body) -> Option<TaskId> {
        let mut seats = self.seats.borrow_mut();
        let is_wanted = cell.card().take_seat(seats.next_seat());
        let task = cell.card().task();
        let stage = Stage::Resting(body, None);
        let sitter = Sitter { stage, number: task.number, cell, waits_for: None };
        if !is_wanted {
            drop(seats);
            sitter.dismiss(CancelReason::Requested);
            return None;
        }
        self.queue.borrow_mut().push_back(task);
        seats.sit(sitter);
        Some(task)
    }

    /// Drops a task's future, and settles it. If it is this very task that runs, after its poll.
    pub(crate) fn cancel(&self, task: TaskId) -> bool {
        let cancelled = self.seats.borrow_mut().cancel(task);
        match cancelled {
            Cancelled::Left(sitter) => sitter.dismiss(CancelReason::Requested),
            Cancelled::AfterPoll => {}
            Cancelled::TooLate => return false,
        }
        true
    }

    /// Runs until that future is ready, or until it is proved that it never will be.
    pub(crate) fn run<F: Future>(&self, mut main: Pin<&mut F>) -> Result<F::Output, Hang> {
        let this = TaskId { seat: NO_SEAT, number: self.shared.next_number() };
        let waker = KeptWaker::new(&self.shared, this);
        waker.to_poll_with.wake_by_ref(); // For its first poll.
        tag::hear(); // What was said to somebody who did not listen.
        *self.main.borrow_mut() = Some(Main::new(waker.itself.clone()));
        loop {
            for _ in 0..self.begin_turn() {
                let next = self.queue.borrow_mut().pop_front();
                let next = next.expect("what is in the queue is taken out here only");
                if next.seat != NO_SEAT {
                    self.poll(next);
                } else if next == this {
                    waker.itself.begin_poll();
                    self.say_of_main(|main| main.is_polled = true);
                    let began = self.shared.observer.now();
                    let mut context = Context::from_waker(&waker.to_poll_with);
                    let (polled, waits_for) = (main.as_mut().poll(&mut context), tag::hear());
                    self.tell_if_it_lingered(began, this.number, || None);
                    if let Poll::Ready(output) = polled {
                        return Ok(output);
                    }
                    self.say_of_main(|main| {
                        main.is_polled = false;
                        main.waits_for = waits_for;
                    });
                }
            }
            if self.queue.borrow().is_empty() {
                let is_hopeless = || self.nothing_can_wake();
                let hope = self.rest.until_somebody_may_be_ready(self.n_tasks(), is_hopeless);
                if hope == Hope::Lost {
                    return Err(Hang(self.dump()));
                }
                self.read_mail();
            }
        }
    }

    /// Polls a task that was queued.
    fn poll(&self, task: TaskId) {
        let begun = self.seats.borrow_mut().begin_poll(task);
        let Some((mut body, waker)) = begun else { return }; // It was cancelled after it was queued.
        let waker = waker.unwrap_or_else(|| self.waker_for(task));
        let seat = task.seat;
        let began = self.shared.observer.now();
        let tell = || {
            let cell = || Some(self.seats.borrow().cell(seat));
            self.tell_if_it_lingered(began, task.number, cell);
        };
        let leave = || {
            tell();
            self.seats.borrow_mut().leave(seat).cell
        };
        let mut context = Context::from_waker(&waker.to_poll_with);
        let poll = || body.as_mut().poll_to_cell(&mut context, &mut { leave });
        let (polled, waits_for) = (panic::catch(Location::caller(), poll), tag::hear());
        match polled {
            Ok(Poll::Pending) => {
                tell();
                let rested = self.seats.borrow_mut().rest(seat, (body, waker), waits_for);
                if let Err(unwanted) = rested {
                    unwanted.dismiss(CancelReason::Requested);
                }
            }
            Ok(Poll::Ready(())) => self.keep_for_the_next(waker),
            Err(panic) => {
                let cell = leave();
                self.keep_for_the_next(waker);
                panic::contain(|| drop(body));
                let panic = panic.submitted_by(cell.card().spawned_at);
                cell.fail(JoinError::Panicked(panic));
            }
        }
    }

    fn keep_for_the_next(&self, waker: KeptWaker) {
        if let Some(spare) = waker.take_leave() {
            self.spare.set(Some(spare));
        }
    }

    /// The waker of a task that is polled for the first time. Many tasks have no second one, and give theirs
    /// to the next.
    fn waker_for(&self, task: TaskId) -> KeptWaker {
        match self.spare.take() {
            Some(spare) => spare.serve(task),
            None => KeptWaker::new(&self.shared, task),
        }
    }

    /// Reads the mail, fires the timers, and says how many are to be polled in this turn.
    fn begin_turn(&self) -> usize {
        if self.shared.host.parker.take_notice() {
            self.read_mail();
        }
        self.shared.host.fire_due();
        let mut queue = self.queue.borrow_mut();
        if let Some(seed) = self.seed.get() {
            self.seed.set(Some(shuffle(queue.make_contiguous(), seed)));
        }
        queue.len()
    }

    fn read_mail(&self) {
        let mut mails = self.mails.take();
        self.shared.fetch(&mut mails);
        for mail in mails.drain(..) {
            match mail {
                Mail::Wake(task) => self.queue.borrow_mut().push_back(task),
                Mail::Cancel(task) => drop(self.cancel(task)),
                Mail::Spawn(spawn) => panic::contain(spawn),
            }
        }
        self.mails.set(mails);
    }

    fn tell_if_it_lingered(
        &self,
        began: Option<Instant>,
        number: usize,
        cell: impl FnOnce() -> Option<Arc<dyn AnyCell>>,
    ) {
        let Some(began) = began else { return };
        let (took, blocked) = (began.elapsed(), inside::has_blocked());
        if took >= self.slow_poll || blocked {
            let cell = cell();
            let (name, spawned_at) = match cell.as_ref().map(|cell| cell.card()) {
                Some(card) => (card.name.as_deref(), Some(card.spawned_at)),
                None => (Some("main"), None),
            };
            let step = Step::Lingered { took, blocked, spawned_at };
            let observer = &self.shared.observer;
            observer.tell_about(observer.now(), What::Task, number, name, step);
        }
    }

    fn say_of_main(&self, say: impl FnOnce(&mut Main)) {
        if let Some(main) = &mut *self.main.borrow_mut() {
            say(main);
        }
    }

    /// The future that `run` was given is over, in whatever way.
    pub(crate) fn forget_main(&self) {
        if let Some(main) = self.main.take() {
            main.waker.retire();
        }
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.seats.borrow().n_taken()
    }

    pub(crate) fn dump(&self) -> Dump {
        stuck::dump(self.main.borrow().as_ref(), &self.seats.borrow())
    }

    fn nothing_can_wake(&self) -> bool {
        let is_disturbed = || self.shared.host.parker.is_notified();
        stuck::nothing_can_wake(self.main.borrow().as_ref(), &self.seats.borrow(), is_disturbed)
    }

    /// Drops every future and all mail, with this executor still around them, and reads no more of it.
    pub(crate) fn close(&self) {
        self.is_closed.set(true);
        loop {
            let sitters = self.seats.borrow_mut().evict_all();
            if sitters.is_empty() {
                break;
            }
            for sitter in sitters {
                sitter.dismiss(CancelReason::ShutDown);
            }
        }
        panic::drop_each(self.shared.close().into_iter().flatten());
        self.queue.borrow_mut().clear();
    }
}

/// Puts a batch into an order that follows from the seed, and gives the next seed.
///
/// The generator is Marsaglia's xorshift; the shuffle is Fisher's and Yates's.
fn shuffle<T>(batch: &mut [T], mut seed: u64) -> u64 {
    for last in (1..batch.len()).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        batch.swap(last, (seed % (last as u64 + 1)) as usize);
    }
    seed
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use crate::executor::current;
    use crate::executor::run::run;
    use crate::executor::spawn::spawn;

    /// A41.
    #[test]
    fn tasks_one_after_another_need_one_seat() {
        run(async {
            for n in 0..10_000 {
                assert_eq!(spawn(async move { n }).await.ok(), Some(n));
            }
            let core = current::current().expect("it runs here");
            assert_eq!(core.seats.borrow().next_seat(), 0);
        });
    }
}

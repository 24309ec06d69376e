//! The driver: one thread for all children, but those of a `run` that its own thread drives.
//!
//! Knows nothing of how a child is started: it is handed a managed child. The thread is started by the
//! first child, and ends when there has been none for a second.
//!
//! What must always hold:
//!
//! 1. The thread never waits but for a descriptor to be ready, and no longer than to the first deadline; with a hundred
//!    children or more, up to 10 ms longer.
//! 2. A child has a turn when a message or a descriptor of it is there, and when its deadline has passed.
//! 3. While messages lie in the channel the thread is up, and has been woken since each of them came, or
//!    is about to be. It leaves only from an empty channel, and then the next message starts another;
//!    so it does if the thread has panicked, and what it managed is killed then.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::mem;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::prims::{
    self, AtomicUsize, Lazy, Mutex, Ordering, Receiver, Sender, ThreadSpec, channel, spawn_thread,
};
use crate::wait::clock::Deadline;
use crate::wait::hints::Process;
use crate::wait::permits::Permits;

use super::command::KillPolicy;
use super::managed::{Asked, INTERESTS, ManagedChild};
use super::poller::{Poller, WakePipe, time_until};
use super::sys::{self, Interest};

use Ordering::Relaxed;

/// The one driver of this process.
pub(crate) static DRIVER: Lazy<Driver> = Lazy::new(|| Driver {
    process: Process::current(),
    channel: Channel::new(),
    n_children: AtomicUsize::new(0),
    permits: Permits::new(0),
    local: Mutex::new(Vec::new()),
    asked: Mutex::default(),
});

/// Long enough for a program that runs one child after another.
const IDLE: Duration = Duration::from_secs(1);
/// How many threads at most drive a child of their own.
const MOST_LOCAL: usize = 16;
/// How many bytes are read at once.
const SCRATCH: usize = 64 << 10;
/// The key of the wake pipe. That of a descriptor of a child is made of the child's number.
const WAKE_PIPE: u64 = u64::MAX;

/// Asks every child that is running now to end, in this way.
///
/// When to use it: in a handler for Ctrl-C. Children run in groups of their own, so that the
/// terminal's signal does not reach them. At the first Ctrl-C they are asked, at the second they are
/// killed; the waits for them end, and so does the program, by its own doing:
///
/// ```
/// use handspun::process::{Cause, Command, KillPolicy, terminate_all};
///
/// let mut n_ctrl_c = 0;
/// let mut on_ctrl_c = move || {
///     n_ctrl_c += 1;
///     terminate_all(if n_ctrl_c == 1 { KillPolicy::default() } else { KillPolicy::at_once() });
/// };
/// let child = Command::new("sleep").arg("60").spawn()?;
/// on_ctrl_c(); // As the crate `ctrlc` would call it, on a thread of its own.
/// assert_eq!(child.wait().cause, Cause::Terminated);
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
///
/// It does not wait. Children that are started afterwards are not concerned. A child that is being ended
/// already goes on as its own policy says, but SIGKILL comes no later than this one would send it.
#[doc(alias = "KeyboardInterrupt")]
#[doc(alias = "add_signal_handler")]
pub fn terminate_all(policy: KillPolicy) {
    if DRIVER.process.is_current() {
        let mut asked = DRIVER.asked.lock();
        *asked = asked.0.get_or_init(|| (policy, Arc::default())).1.clone();
        drop(asked);
        for pipe in DRIVER.local.lock().iter().filter_map(Weak::upgrade) {
            pipe.wake();
        }
        DRIVER.send(Message::WakeAll);
    }
}

pub(crate) struct Driver {
    /// Whose it is: in a fork of this process there is no such thread, and locks may be held for ever.
    pub(crate) process: Process,
    channel: Channel<Message>,
    n_children: AtomicUsize,
    /// How many children may run at once: the limit is set whenever one is to be started.
    pub(crate) permits: Permits,
    /// What wakes each thread that drives a child itself, for [`terminate_all`].
    local: Mutex<Vec<Weak<WakePipe>>>,
    /// The end of what all were asked: a child that is to be started reads on from here.
    pub(crate) asked: Mutex<Arc<Asked>>,
}

pub(crate) enum Message {
    Register(Box<ManagedChild>),
    /// Something was asked of the child of this number, or can go on.
    Wake(usize),
    /// Something was asked of all.
    WakeAll,
}

impl Driver {
    /// The number of the next child.
    pub(crate) fn number(&self) -> usize {
        self.n_children.fetch_add(1, Relaxed) // ORDERING: Relaxed. Numbers differ, and mean nothing else.
    }

    /// Takes a child into care. If there can be no thread for it, it is killed.
    pub(crate) fn register(&self, child: ManagedChild) -> io::Result<()> {
        self.channel.send(Message::Register(Box::new(child)), |messages| {
            let pipe = Arc::new(WakePipe::new()?);
            let spec = ThreadSpec { name: Some("handspun-children".to_owned()), stack_size: None };
            let its_pipe = pipe.clone();
            spawn_thread(spec, move || DRIVER.run(&messages, &its_pipe))?;
            Ok(pipe.into())
        })
    }

    /// Drives a child to its end on this thread. Nothing can be asked of it but by
    /// [`terminate_all`].
    pub(crate) fn drive_here(&self, mut child: ManagedChild) -> io::Result<()> {
        let Some(pipe) = self.local_pipe() else { return self.register(child) };
        let mut scratch = vec![0; SCRATCH];
        while let Some(next) = child.turn(&mut scratch) {
            if child.state.outcome.is_settled() {
                return self.register(child).or(Ok(())); // It was given up, and may end yet.
            }
            let mut list = vec![Interest::read(&pipe.reader)];
            list.extend(child.interests().into_iter().flatten());
            if sys::poll(&list, time_until(next))[0] {
                pipe.drain();
            }
        }
        Ok(())
    }

    /// None, if there are many: no permit counts the pipe.
    fn local_pipe(&self) -> Option<Arc<WakePipe>> {
        let mut local = self.local.lock();
        local.retain(|pipe| pipe.strong_count() > 0);
        if local.len() >= MOST_LOCAL {
            return None;
        }
        let pipe = Arc::new(WakePipe::new().ok()?);
        local.push(Arc::downgrade(&pipe));
        Some(pipe)
    }

    /// Leaves a message, if there is a thread and this is its process: otherwise it concerns no child.
    pub(crate) fn send(&self, message: Message) {
        if self.process.is_current() {
            self.channel.send_if_up(message);
        }
    }

    fn run(&self, messages: &Receiver<Message>, wake_pipe: &WakePipe) {
        sys::block_signals();
        let (mut registry, mut poller) = (Registry::default(), Poller::new());
        let mut scratch = vec![0; SCRATCH];
        let mut is_idle_until = Deadline::after(IDLE);
        loop {
            while let Ok(message) = messages.try_recv() {
                registry.handle(message);
            }
            if !registry.children.is_empty() {
                is_idle_until = Deadline::after(IDLE);
            }
            registry.take_turns(&mut poller, &mut scratch);
            if registry.children.is_empty() && is_idle_until.has_passed() {
                let Some(message) = self.channel.leave(messages) else { return };
                registry.handle(message);
                continue;
            }
            // To wake up costs as much as what there is to do for a child: so the more there are, the more
            // wake-ups are coalesced into one. A pipe that is full waits for it; so many pipes give gigabytes in a second.
            let pause = Duration::from_millis((registry.children.len() / 100).min(10) as u64);
            if !pause.is_zero() {
                sys::poll(&[], Some(pause));
            }
            poller.arm(WAKE_PIPE, Some(Interest::read(&wake_pipe.reader)));
            let next = registry.turns.first().map_or(is_idle_until, |(next, _)| *next);
            for key in poller.sleep(next) {
                if key == WAKE_PIPE {
                    wake_pipe.drain();
                } else {
                    registry.schedule(key as usize / INTERESTS, Deadline::At(prims::now()));
                }
            }
        }
    }
}

/// Every child that is managed, by its number, and when each is to have its next turn.
#[derive(Default)]
pub(super) struct Registry {
    children: BTreeMap<usize, (Box<ManagedChild>, Deadline)>,
    turns: BTreeSet<(Deadline, usize)>,
}

impl Registry {
    pub(super) fn handle(&mut self, message: Message) {
        let now = Deadline::At(prims::now());
        match message {
            Message::Register(child) => {
                let number = child.state.number;
                self.children.insert(number, (child, now));
                self.turns.insert((now, number));
            }
            Message::Wake(number) => self.schedule(number, now),
            Message::WakeAll => {
                self.children.values_mut().for_each(|(_, next)| *next = now);
                self.turns = self.children.keys().map(|number| (now, *number)).collect();
            }
        }
    }

    /// Says when a child is to have its next turn, if it is still there.
    fn schedule(&mut self, number: usize, next: Deadline) {
        if let Some((_, before)) = self.children.get_mut(&number) {
            self.turns.remove(&(mem::replace(before, next), number));
            self.turns.insert((next, number));
        }
    }

    /// Gives a turn to every child whose time has come. Those that have come to their end leave.
    pub(super) fn take_turns(&mut self, poller: &mut Poller, scratch: &mut [u8]) {
        let later = (Deadline::At(prims::now()), usize::MAX);
        let waiting = self.turns.split_off(&later);
        for (_, number) in mem::replace(&mut self.turns, waiting) {
            let Some((child, _)) = self.children.get_mut(&number) else { continue };
            let next = child.turn(scratch);
            let interests = next.map_or([None; INTERESTS], |_| child.interests());
            for (key, interest) in (number * INTERESTS..).zip(interests) {
                poller.arm(key as u64, interest);
            }
            match next {
                Some(next) => self.schedule(number, next),
                None => drop(self.children.remove(&number)),
            }
        }
    }
}

/// A channel to a thread that comes and goes, and what wakes that.
pub(crate) struct Channel<M>(Mutex<Option<(Sender<M>, Waker)>>);

impl<M> Channel<M> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Leaves a message, and starts a thread if none is up. The message is dropped if that fails.
    pub(crate) fn send(
        &self,
        message: M,
        start: impl FnOnce(Receiver<M>) -> io::Result<Waker>,
    ) -> io::Result<()> {
        let mut thread = self.0.lock();
        let (mut sent, mut started) = (Self::try_send(&thread, message), Ok(()));
        if let Err(unsent) = sent {
            let (sender, receiver) = channel();
            started = start(receiver).map(|waker| *thread = Some((sender, waker)));
            sent = Self::try_send(&thread, unsent);
        }
        drop(thread);
        if let Ok(waker) = sent {
            waker.wake();
        }
        started
    }

    /// Leaves a message if a thread is up.
    pub(crate) fn send_if_up(&self, message: M) {
        let nothing_is_started = |_| Err(io::ErrorKind::NotConnected.into());
        drop(self.send(message, nothing_is_started));
    }

    /// Gives what is to be woken; or the message, if no thread is up or it has panicked. It may be a child, whose drop
    /// is long: so it is dropped with the lock let go.
    fn try_send(thread: &Option<(Sender<M>, Waker)>, message: M) -> Result<Waker, M> {
        let Some((sender, waker)) = thread else { return Err(message) };
        sender.send(message).map(|()| waker.clone()).map_err(|unsent| unsent.0)
    }

    /// The thread must leave, and no message is left behind; unless there is this one.
    pub(crate) fn leave(&self, messages: &Receiver<M>) -> Option<M> {
        let mut thread = self.0.lock();
        let message = messages.try_recv().ok();
        if message.is_none() {
            *thread = None;
        }
        message
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_panicked_is_followed_by_another() {
        let (channel, mut n_started) = (Channel::<u8>::new(), 0);
        channel.send_if_up(0);
        let mut last = None;
        for message in 1..=3 {
            let posted = channel.send(message, |messages| {
                n_started += 1;
                last = Some(messages);
                Ok(Waker::noop().clone())
            });
            assert!(posted.is_ok());
            if message == 1 {
                last = None; // As if its thread had unwound.
            }
        }
        assert_eq!(n_started, 2, "one for the first message, one for the others");
        let messages = last.unwrap();
        assert_eq!([messages.try_recv(), messages.try_recv()], [Ok(2), Ok(3)]);
    }

    #[test]
    fn a_message_that_came_last_is_not_left_behind() {
        let (channel, mut thread) = (Channel::new(), None);
        let start = |messages| {
            thread = Some(messages);
            Ok(Waker::noop().clone())
        };
        assert!(channel.send(7, start).is_ok());
        let messages = thread.unwrap();
        assert_eq!([channel.leave(&messages), channel.leave(&messages)], [Some(7), None]);
    }
}

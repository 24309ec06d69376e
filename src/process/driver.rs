//! The driver: one thread for all children, but those of a `run` that its own thread drives.
//!
//! Knows nothing of how a child is started: it is handed a managed child. The thread is started by the
//! first child, and stays.
//!
//! What must always hold:
//!
//! 1. The thread never waits but for a descriptor to be ready, and no longer than to the first deadline; with fifty
//!    children or more, up to 20 ms longer.
//! 2. A child has a turn when it was handed over, when there is news of it, when a descriptor of it is ready, and when
//!    its deadline has passed.
//! 3. While messages lie in the channel the thread has been woken since each of them came, or is about to be. If it has
//!    panicked, what it managed is killed, and the next message starts another.

use std::io;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::prims::{
    self, AtomicUsize, Lazy, Mutex, Ordering, Receiver, Sender, ThreadSpec, channel, spawn_thread,
};
use crate::wait::clock::Deadline;
use crate::wait::hints::ProcessId;

use super::managed::{ChildState, ManagedChild};
use super::sys::{self, WakePipe};

use Ordering::Relaxed;

/// The one driver of this process.
pub(crate) static DRIVER: Lazy<Driver> = Lazy::new(|| Driver {
    process: ProcessId::current(),
    channel: Channel::new(),
    n_children: AtomicUsize::new(0),
    running: Mutex::default(),
});

/// How many bytes are read at once.
const SCRATCH: usize = 64 << 10;

/// Asks every child that is running now to end, as its own policy says, with SIGKILL no later than after this grace.
///
/// When to use it: in a handler for Ctrl-C. Children run in groups of their own, so that the
/// terminal's signal does not reach them. At the first Ctrl-C they are asked, at the second they are
/// killed; the waits for them end, and so does the program, by its own doing:
///
/// ```
/// use std::time::Duration;
/// use handspun::process::{Cause, Command, terminate_all};
///
/// let mut n_ctrl_c = 0;
/// let mut on_ctrl_c = move || {
///     n_ctrl_c += 1;
///     terminate_all(if n_ctrl_c == 1 { Duration::from_secs(5) } else { Duration::ZERO });
/// };
/// let child = Command::new("sleep").arg("60").spawn()?;
/// on_ctrl_c(); // As the crate `ctrlc` would call it, on a thread of its own.
/// assert_eq!(child.wait().cause, Cause::Terminated);
/// # Ok::<(), handspun::process::SpawnError>(())
/// ```
///
/// It does not wait. Children that are started afterwards are not concerned. A child that is being ended
/// already goes on as its own policy says, but SIGKILL comes no later than after this grace.
#[doc(alias = "KeyboardInterrupt")]
#[doc(alias = "add_signal_handler")]
pub fn terminate_all(grace: Duration) {
    if DRIVER.process.is_current() {
        let asked = DRIVER.running.lock().ask_all(grace);
        asked.iter().for_each(|child| child.wake_driver());
    }
}

/// Every child that may be running.
#[derive(Default)]
pub(crate) struct RunningChildren {
    children: Vec<Weak<ChildState>>,
    /// When all were last asked to end, and are to be killed.
    asked: Option<(Instant, Deadline)>,
}

impl RunningChildren {
    /// Adds a child, whose start began then: if all have been asked since, so is it.
    pub(crate) fn add(&mut self, child: &Arc<ChildState>, began: Instant) {
        self.children.retain(|child| child.strong_count() > 0);
        self.children.push(Arc::downgrade(child));
        if let Some((_, kill_by)) = self.asked.filter(|(asked, _)| *asked >= began) {
            child.signals.terminate(kill_by);
        }
    }

    /// Asks all of them to end. Gives them, for what drives them to be woken with the lock let go.
    pub(crate) fn ask_all(&mut self, grace: Duration) -> Vec<Arc<ChildState>> {
        let now = prims::now();
        let kill_by = Deadline::later(now, grace);
        self.asked = Some((now, kill_by));
        let children: Vec<_> = self.children.iter().filter_map(Weak::upgrade).collect();
        children.iter().for_each(|child| child.signals.terminate(kill_by));
        children
    }
}

pub(crate) struct Driver {
    /// Whose it is: in a fork of this process there is no such thread, and locks may be held for ever.
    pub(crate) process: ProcessId,
    channel: Channel<Box<ManagedChild>>,
    n_children: AtomicUsize,
    pub(crate) running: Mutex<RunningChildren>,
}

impl Driver {
    /// The number of the next child.
    pub(crate) fn number(&self) -> usize {
        self.n_children.fetch_add(1, Relaxed) // ORDERING: Relaxed. Numbers differ, and mean nothing else.
    }

    /// Takes a child into care. If there can be no thread for it, it is killed.
    pub(crate) fn register(&self, child: Box<ManagedChild>) -> io::Result<()> {
        self.channel.send(child, |messages| {
            let pipe = WakePipe::new()?;
            let spec = ThreadSpec { name: Some("handspun-children".to_owned()), stack_size: None };
            let its_pipe = pipe.clone();
            spawn_thread(spec, move || drive(&messages, &its_pipe))?;
            Ok(pipe.into())
        })
    }
}

/// Drives a child to its end on the thread that waits for it.
pub(crate) fn drive_here(child: Box<ManagedChild>) -> io::Result<()> {
    let Ok(pipe) = WakePipe::new() else { return DRIVER.register(child) };
    child.state.news.lock().1 = Some(pipe.clone()); // For `terminate_all`.
    let (mut children, mut scratch) = ([child], vec![0; SCRATCH]);
    while children[0].take_turn(&mut scratch) {
        if children[0].state.outcome.is_settled() {
            let [child] = children;
            return DRIVER.register(child); // It was given up, and may end yet.
        }
        sleep(&pipe, &mut children);
    }
    Ok(())
}

/// The driver's thread.
fn drive(messages: &Receiver<Box<ManagedChild>>, pipe: &Arc<WakePipe>) {
    sys::block_signals();
    let (mut children, mut scratch) = (Vec::<Box<ManagedChild>>::new(), vec![0; SCRATCH]);
    loop {
        while let Ok(child) = messages.try_recv() {
            child.state.news.lock().1 = Some(pipe.clone());
            children.push(child);
        }
        children.retain_mut(|child| child.take_turn(&mut scratch));
        // To wake up costs as much as what there is to do for a child, and more the more there are: so the more there
        // are, the more wake-ups are coalesced into one. A pipe that is full waits for it; so many pipes give gigabytes
        // in a second.
        let pause = Duration::from_millis((children.len() / 50).min(20) as u64);
        if !pause.is_zero() {
            sys::poll(&mut [], Deadline::after(pause));
        }
        sleep(pipe, &mut children);
    }
}

/// Sleeps until a descriptor of one of these is ready, its deadline has passed, or a byte is in the pipe. What is ready is
/// due then.
fn sleep(pipe: &WakePipe, children: &mut [Box<ManagedChild>]) {
    let next = children.iter().map(|child| child.next_turn).min().unwrap_or(Deadline::Never);
    let (mut list, mut owners) = (vec![sys::readable(&pipe.reader)], Vec::new());
    for (owner, child) in children.iter().enumerate() {
        for interest in child.interests().into_iter().flatten() {
            list.push(interest);
            owners.push(owner);
        }
    }
    sys::poll(&mut list, next);
    if list[0].revents != 0 {
        pipe.drain();
    }
    let now = Deadline::At(prims::now());
    for (entry, owner) in list[1..].iter().zip(owners) {
        if entry.revents != 0 {
            children[owner].next_turn = now;
        }
    }
}

/// A channel to a thread that is started for the first message, and what wakes that.
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

    /// Gives what is to be woken; or the message, if no thread is up or it has panicked. It may be a child, whose drop
    /// is long: so it is dropped with the lock let go.
    fn try_send(thread: &Option<(Sender<M>, Waker)>, message: M) -> Result<Waker, M> {
        let Some((sender, waker)) = thread else { return Err(message) };
        sender.send(message).map(|()| waker.clone()).map_err(|unsent| unsent.0)
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_panicked_is_followed_by_another() {
        let (channel, mut n_started) = (Channel::<u8>::new(), 0);
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
}

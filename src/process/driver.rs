//! The driver: one thread for all children.
//!
//! Knows nothing of how a child is started: it is handed a managed child. The thread is started by the
//! first child, and ends when there has been none for a second.
//!
//! What must always hold:
//!
//! 1. The thread never waits but for news of a descriptor, and no longer than to the first deadline.
//! 2. A child has a turn when there is a message or news of it, and when its deadline has passed.
//! 3. While messages lie in the channel the thread is up, and has been woken since each of them came, or
//!    is about to be. It leaves only from an empty channel, and then the next message starts another;
//!    so it does if the thread has panicked, and what it managed is killed then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{
    self, AtomicUsize, Lazy, Mutex, Ordering, Receiver, Sender, ThreadSpec, channel, spawn_thread,
};
use crate::wait::deadline::Deadline;
use crate::wait::elsewhere::Elsewhere;
use crate::wait::forked::Process;
use crate::wait::permits::Permits;

use super::command::KillPolicy;
use super::managed::{INTERESTS, ManagedChild};
use super::sys::{self, Epoll, Interest};

use Ordering::Relaxed;

/// The one driver of this process.
pub(crate) static DRIVER: Lazy<Driver> = Lazy::new(|| Driver {
    process: Process::current(),
    mailbox: Mailbox::new(),
    n_children: AtomicUsize::new(0),
    permits: Permits::new(0),
});

/// Long enough for a program that runs one child after another.
const IDLE: Duration = Duration::from_secs(1);
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
pub fn terminate_all(policy: KillPolicy) {
    DRIVER.tell(Message::TerminateAll(policy));
}

pub(crate) struct Driver {
    /// Whose it is: in a fork of this process there is no such thread, and locks may be held for ever.
    pub(crate) process: Process,
    mailbox: Mailbox<Message, WakePipe>,
    n_children: AtomicUsize,
    /// How many children may run at once: the limit is set whenever one is to be started.
    pub(crate) permits: Permits,
}

pub(crate) enum Message {
    Register(Box<ManagedChild>),
    /// Something was asked of the child of this number, or can go on.
    News(usize),
    TerminateAll(KillPolicy),
}

impl Driver {
    /// The number of the next child.
    pub(crate) fn number(&self) -> usize {
        self.n_children.fetch_add(1, Relaxed) // ORDERING: Relaxed. Numbers differ, and mean nothing else.
    }

    /// Takes a child into care. If there can be no thread for it, it is killed.
    pub(crate) fn register(&self, child: ManagedChild) -> io::Result<()> {
        self.mailbox.post(Message::Register(Box::new(child)), |messages| {
            let pipe = Arc::new(WakePipe::new()?);
            let spec = ThreadSpec { name: Some("handspun-children".to_owned()), stack_size: None };
            let its_pipe = pipe.clone();
            spawn_thread(spec, move || DRIVER.run(&messages, &its_pipe))?;
            Ok(pipe)
        })
    }

    /// Leaves a message, if there is a thread and this is its process: otherwise it concerns no child.
    pub(crate) fn tell(&self, message: Message) {
        if self.process.is_current() {
            self.mailbox.post_if_up(message);
        }
    }

    fn run(&self, messages: &Receiver<Message>, wake_pipe: &WakePipe) {
        sys::block_signals();
        let (mut registry, mut poller) = (Registry::default(), Poller::new());
        let mut scratch = vec![0; 64 << 10];
        let (mut is_idle_until, mut elsewhere) = (Deadline::after(IDLE), Elsewhere::serve());
        loop {
            while let Ok(message) = messages.try_recv() {
                registry.handle(message);
            }
            if !registry.children.is_empty() {
                is_idle_until = Deadline::after(IDLE);
            }
            registry.take_turns(&mut poller, &mut scratch);
            elsewhere.start(); // A token whose time is over may have cancelled more than a child.
            if registry.children.is_empty() && is_idle_until.has_passed() {
                match self.mailbox.leave(messages) {
                    Some(message) => registry.handle(message),
                    None => return,
                }
                continue;
            }
            coalesce(registry.children.len());
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
    children: BTreeMap<usize, Entry>,
    turns: BTreeSet<(Deadline, usize)>,
}

struct Entry {
    child: Box<ManagedChild>,
    next: Deadline,
}

impl Registry {
    pub(super) fn handle(&mut self, message: Message) {
        let now = Deadline::At(prims::now());
        match message {
            Message::Register(child) => {
                let number = child.state.number;
                self.children.insert(number, Entry { child, next: now });
                self.turns.insert((now, number));
            }
            Message::News(number) => self.schedule(number, now),
            Message::TerminateAll(policy) => {
                for number in self.children.keys().copied().collect::<Vec<_>>() {
                    self.schedule(number, now);
                }
                self.children.values_mut().for_each(|entry| entry.child.terminate_by(&policy));
            }
        }
    }

    /// Says when a child is to have its next turn, if it is still there.
    fn schedule(&mut self, number: usize, next: Deadline) {
        if let Some(entry) = self.children.get_mut(&number) {
            self.turns.remove(&(mem::replace(&mut entry.next, next), number));
            self.turns.insert((next, number));
        }
    }

    /// Gives a turn to every child whose time has come. Those that have come to their end leave.
    pub(super) fn take_turns(&mut self, poller: &mut Poller, scratch: &mut [u8]) {
        let later = (Deadline::At(prims::now()), usize::MAX);
        let waiting = self.turns.split_off(&later);
        for (_, number) in mem::replace(&mut self.turns, waiting) {
            let Some(entry) = self.children.get_mut(&number) else { continue };
            let next = entry.child.turn(scratch);
            let interests = next.map_or([None; INTERESTS], |_| entry.child.interests());
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

/// To wake up costs as much as what there is to do for a child: so the more there are, the more news is
/// left to gather between two looks.
///
/// A pipe that is full waits for it, and yet so many pipes give gigabytes in a second.
fn coalesce(n_children: usize) {
    let millis = (n_children / 100).min(10) as u64;
    if millis > 0 {
        sys::poll(&[], Some(Duration::from_millis(millis)));
    }
}

/// What the driver looks out for: many descriptors at once, each with a key.
///
/// The system keeps the list where it can (`epoll`), and is handed all of it at each look where it cannot (`poll`).
/// What is armed is told once, and not again before it is armed again. So nothing that nobody wants keeps us
/// awake, not even a descriptor that was closed here and is open elsewhere.
pub(crate) struct Poller {
    /// `None` where there is no such thing, or where it has failed.
    epoll: Option<Epoll>,
    armed: BTreeMap<u64, Interest>,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self { epoll: Epoll::new().ok(), armed: BTreeMap::new() }
    }

    /// Looks out for this from now on; for nothing, if it is `None`.
    pub(crate) fn arm(&mut self, key: u64, interest: Option<Interest>) {
        let Some(interest) = interest else {
            self.armed.remove(&key); // What is told of it all the same is not heard.
            return;
        };
        let is_new = self.armed.insert(key, interest) != Some(interest);
        if is_new && self.epoll.as_ref().is_some_and(|epoll| epoll.arm(key, interest).is_err()) {
            self.epoll = None; // The system keeps no longer a list. So from now on we do.
        }
    }

    /// Sleeps until there is news, or the deadline has passed. Gives the keys of what is to be looked at.
    pub(crate) fn sleep(&mut self, deadline: Deadline) -> Vec<u64> {
        let timeout = match deadline {
            Deadline::At(instant) => Some(instant.saturating_duration_since(prims::now())),
            Deadline::Never => None,
        };
        let mut keys = match &self.epoll {
            Some(epoll) => epoll.wait(timeout).unwrap_or_default(),
            None => {
                let list: Vec<_> = self.armed.values().copied().collect();
                let news = self.armed.keys().zip(sys::poll(&list, timeout));
                news.filter(|(_, is_news)| *is_news).map(|(key, _)| *key).collect()
            }
        };
        keys.retain(|key| self.armed.remove(key).is_some());
        keys
    }
}

/// What wakes the thread that reads the messages: a byte in a pipe; in a model check, a parker.
pub(crate) trait WakeUp {
    fn wake_up(&self);
}

/// A channel to a thread that comes and goes.
pub(crate) struct Mailbox<M, W>(Mutex<Option<(Sender<M>, Arc<W>)>>);

impl<M, W: WakeUp> Mailbox<M, W> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Leaves a message, and starts a thread if none is up. The message is dropped if that fails.
    pub(crate) fn post(
        &self,
        message: M,
        start: impl FnOnce(Receiver<M>) -> io::Result<Arc<W>>,
    ) -> io::Result<()> {
        let mut thread = self.0.lock();
        let (mut sent, mut started) = (Self::send(&thread, message), Ok(()));
        if let Err(unsent) = sent {
            let (sender, receiver) = channel();
            started = start(receiver).map(|waking| *thread = Some((sender, waking)));
            sent = Self::send(&thread, unsent);
        }
        drop(thread);
        if let Ok(waking) = sent {
            waking.wake_up();
        }
        started
    }

    /// Leaves a message if a thread is up.
    pub(crate) fn post_if_up(&self, message: M) {
        let sent = Self::send(&self.0.lock(), message);
        if let Ok(waking) = sent {
            waking.wake_up();
        }
    }

    /// Gives what is to be woken; or the message, if no thread is up or it has panicked. It may be a child, whose drop
    /// is long: so it is dropped with the lock let go.
    fn send(thread: &Option<(Sender<M>, Arc<W>)>, message: M) -> Result<Arc<W>, M> {
        let Some((sender, waking)) = thread else { return Err(message) };
        sender.send(message).map(|()| waking.clone()).map_err(|unsent| unsent.0)
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

/// The thread sleeps for news of descriptors, so it is woken by one: a byte in a pipe.
struct WakePipe {
    reader: File,
    writer: File,
}

impl WakePipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = sys::pipe()?;
        sys::set_nonblocking(&reader)?;
        sys::set_nonblocking(&writer)?;
        Ok(Self { reader: reader.into(), writer: writer.into() })
    }

    /// Takes the bytes out again, before the messages are read.
    fn drain(&self) {
        let mut bytes = [0; 256];
        // An empty pipe is an error here, and what we want.
        while (&self.reader).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

impl WakeUp for WakePipe {
    fn wake_up(&self) {
        // A pipe that is full is an error here, and wakes as it is.
        let _ = (&self.writer).write(&[0]);
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    struct Nothing;

    impl WakeUp for Nothing {
        fn wake_up(&self) {}
    }

    #[test]
    fn a_thread_that_has_panicked_is_followed_by_another() {
        let (mailbox, mut n_started) = (Mailbox::<u8, Nothing>::new(), 0);
        mailbox.post_if_up(0);
        let mut last = None;
        for message in 1..=3 {
            let posted = mailbox.post(message, |messages| {
                n_started += 1;
                last = Some(messages);
                Ok(Arc::new(Nothing))
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
        let (mailbox, mut thread) = (Mailbox::new(), None);
        let start = |messages| {
            thread = Some(messages);
            Ok(Arc::new(Nothing))
        };
        assert!(mailbox.post(7, start).is_ok());
        let messages = thread.unwrap();
        assert_eq!([mailbox.leave(&messages), mailbox.leave(&messages)], [Some(7), None]);
    }

    /// With the system's list, and without.
    fn both() -> [Poller; 2] {
        [Poller::new(), Poller { epoll: None, armed: BTreeMap::new() }]
    }

    #[test]
    fn what_is_armed_is_told_once() {
        for mut poller in both() {
            let (reader, writer) = sys::pipe().expect("a pipe");
            let look = Some(Interest::read(&reader));
            poller.arm(7, look);
            assert!(poller.sleep(Deadline::At(prims::now())).is_empty(), "nothing yet");
            std::fs::File::from(writer).write_all(b"a").expect("an open pipe");
            assert_eq!(
                [poller.sleep(Deadline::Never), poller.sleep(Deadline::At(prims::now()))],
                [vec![7], vec![]]
            );
            poller.arm(7, look);
            assert_eq!(poller.sleep(Deadline::Never), [7], "it is still there");
        }
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_told() {
        for mut poller in both() {
            let (reader, writer) = sys::pipe().expect("a pipe");
            let copy = reader.as_fd().try_clone_to_owned().expect("a descriptor");
            poller.arm(1, Some(Interest::read(&reader)));
            poller.arm(2, Some(Interest::write(&writer)));
            poller.arm(1, None);
            drop((reader, writer)); // What is read from is still open, by another number.
            assert!(poller.sleep(Deadline::At(prims::now())).iter().all(|key| *key == 2));
            drop(copy);
        }
    }
}

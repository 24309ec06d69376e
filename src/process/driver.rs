//! The driver: one thread for all children.
//!
//! Knows nothing of how a child is started: it is handed a ward. The thread is started by the first
//! child, and ends when there has been none for a second.
//!
//! What must always hold:
//!
//! 1. The thread never waits but in `poll`, and there no longer than to the first deadline.
//! 2. A ward that is posted is given a turn at once, with everything looked at: it may have exited
//!    before we heard of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{self, AtomicUsize, Lazy, Ordering, ThreadSpec, spawn_thread};
use crate::wait::deadline::Deadline;

use super::mailbox::{Bell, Mailbox};
use super::places::Places;
use super::policy::KillPolicy;
use super::sys::{self, Interest};
use super::ward::{INTERESTS, Ward};

use Ordering::Relaxed;

/// The one driver of this process.
pub(crate) static DRIVER: Lazy<Arc<Driver>> = Lazy::new(Arc::default);

/// Long enough for a program that runs one child after another.
const IDLE: Duration = Duration::from_secs(1);
/// How long to wait where `poll` itself fails.
const PAUSE: Duration = Duration::from_millis(10);

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
/// It does not wait. Children that are started afterwards are not concerned.
pub fn terminate_all(policy: KillPolicy) {
    DRIVER.mailbox.post_if_up(Letter::EndAll(policy));
}

#[derive(Default)]
pub(crate) struct Driver {
    mailbox: Mailbox<Letter, WakePipe>,
    n_children: AtomicUsize,
    pub(crate) places: Arc<Places>,
}

enum Letter {
    Adopt(Box<Ward>),
    EndAll(KillPolicy),
}

impl Driver {
    /// The number of the next child.
    pub(crate) fn number(&self) -> usize {
        self.n_children.fetch_add(1, Relaxed) // ORDERING: Relaxed. Numbers differ, and mean nothing else.
    }

    /// Takes a child into care. It is an error if there can be no thread for it.
    pub(crate) fn adopt(self: &Arc<Self>, ward: Ward) -> io::Result<()> {
        self.mailbox.post(Letter::Adopt(Box::new(ward)), || self.start())
    }

    fn start(self: &Arc<Self>) -> io::Result<Arc<WakePipe>> {
        let bell = Arc::new(WakePipe::new()?);
        let spec = ThreadSpec { name: Some("handspun-children".to_owned()), stack_size: None };
        let (driver, his_bell) = (self.clone(), bell.clone());
        spawn_thread(spec, move || driver.run(&his_bell))?;
        Ok(bell)
    }

    fn run(&self, bell: &WakePipe) {
        sys::block_signals();
        let mut wards: Vec<Box<Ward>> = Vec::new();
        let mut interests: Vec<Interest> = Vec::new();
        let mut scratch = vec![0; 64 << 10];
        let mut is_idle_until = Deadline::after(IDLE);
        loop {
            // The wards that were there at the poll have an answer each; new ones look at everything.
            let mut answers = interests.chunks_exact(INTERESTS);
            let mut next = Deadline::Never;
            for letter in self.mailbox.collect() {
                match letter {
                    Letter::Adopt(ward) => wards.push(ward),
                    Letter::EndAll(policy) => {
                        wards.iter_mut().for_each(|ward| ward.end_by(policy.clone()));
                    }
                }
            }
            if !wards.is_empty() {
                is_idle_until = Deadline::after(IDLE);
            }
            wards.retain_mut(|ward| {
                let is_ready = match answers.next() {
                    Some(answer) => [0, 1, 2, 3].map(|at| answer[at].is_ready()),
                    None => [true; INTERESTS],
                };
                let deadline = ward.turn(is_ready, &mut scratch);
                next = next.min(deadline.unwrap_or(Deadline::Never));
                deadline.is_some()
            });
            if wards.is_empty() {
                next = is_idle_until;
                if next.has_passed() && self.mailbox.leave() {
                    return;
                }
            }
            interests.clear();
            wards.iter().for_each(|ward| interests.extend(ward.interests()));
            interests.push(bell.interest());
            take_a_breath(wards.len());
            sleep(&mut interests, next);
            bell.hush();
        }
    }
}

impl Bell for Driver {
    fn ring(&self) {
        self.mailbox.ring();
    }
}

/// A look at a thousand children takes half a millisecond, whether one has news or all: so the more
/// there are, the more news is left to gather between two looks.
///
/// A pipe that is full waits for it, and yet so many pipes give gigabytes in a second.
fn take_a_breath(n_children: usize) {
    let millis = (n_children / 100).min(10) as u64;
    if millis > 0 {
        let _ = sys::poll(&mut [], Some(Duration::from_millis(millis)));
    }
}

fn sleep(interests: &mut [Interest], until: Deadline) {
    let timeout = match until {
        Deadline::At(instant) => Some(instant.saturating_duration_since(prims::now())),
        Deadline::Never => None,
    };
    if sys::poll(interests, timeout).is_err() {
        // Somebody has lowered the limit of descriptors below what is open. Then everything is looked
        // at, now and then.
        let pause = timeout.map_or(PAUSE, |timeout| timeout.min(PAUSE));
        let _ = sys::poll(&mut [], Some(pause));
        interests.iter_mut().for_each(Interest::suppose_ready);
    }
}

/// A bell that `poll` hears: a byte in a pipe.
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

    fn interest(&self) -> Interest {
        Interest::read(&self.reader)
    }

    /// Takes the bytes out again, before the mailbox is looked into.
    fn hush(&self) {
        let mut bytes = [0; 256];
        // An empty pipe is an error here, and what we want.
        while (&self.reader).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

impl Bell for WakePipe {
    fn ring(&self) {
        // A pipe that is full is an error here, and rings as it is.
        let _ = (&self.writer).write(&[0]);
    }
}

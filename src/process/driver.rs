//! The driver: one thread for all children.
//!
//! Knows nothing of how a child is started: it is handed a ward. The thread is started by the first
//! child, and ends when there has been none for a second.
//!
//! What must always hold:
//!
//! 1. The thread never waits but for news of a descriptor, and no longer than to the first deadline.
//! 2. A ward has a turn when it is posted, when there is news of it, and when its deadline has passed.
//!    After each it is looked out for whatever it then wants: news that came before is told, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::prims::{self, AtomicUsize, Lazy, Ordering, ThreadSpec, spawn_thread};
use crate::wait::deadline::Deadline;

use super::eyes::Eyes;
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
/// The key of the bell. That of a descriptor of a ward is made of the child's number.
const BELL: u64 = u64::MAX;

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
    /// Something was asked of the child of this number, or can go on.
    News(usize),
    EndAll(KillPolicy),
}

/// A ward, and what there is news of among what it looks out for.
struct Charge {
    ward: Box<Ward>,
    next: Deadline,
    is_ready: [bool; INTERESTS],
}

/// All wards, and who is to have a turn when.
#[derive(Default)]
struct Charges {
    by_number: BTreeMap<usize, Charge>,
    /// The `next` of each charge, and its number: so nobody is looked at whose time has not come.
    turns: BTreeSet<(Deadline, usize)>,
}

impl Charges {
    fn adopt(&mut self, ward: Box<Ward>) {
        let (number, next) = (ward.state.number, Deadline::At(prims::now()));
        self.by_number.insert(number, Charge { ward, next, is_ready: [false; INTERESTS] });
        self.turns.insert((next, number));
    }

    /// It is to have a turn now, if it is still there.
    fn call(&mut self, number: usize) -> Option<&mut Charge> {
        let charge = self.by_number.get_mut(&number)?;
        self.turns.remove(&(charge.next, number));
        charge.next = Deadline::At(prims::now());
        self.turns.insert((charge.next, number));
        Some(charge)
    }

    fn end_all(&mut self, policy: &KillPolicy) {
        for number in self.by_number.keys().copied().collect::<Vec<_>>() {
            let charge = self.call(number).expect("it is one of them");
            charge.ward.end_by(policy.clone());
        }
    }

    /// Gives a turn to everyone whose time has come.
    fn take_turns(&mut self, eyes: &mut Eyes, scratch: &mut [u8]) {
        let now = Deadline::At(prims::now());
        while let Some((_, number)) = self.turns.first().copied().filter(|(next, _)| *next <= now) {
            self.turns.pop_first();
            let charge = self.by_number.get_mut(&number).expect("each turn is somebody's");
            let next = charge.ward.turn(mem::take(&mut charge.is_ready), scratch);
            let interests = next.map_or([None; INTERESTS], |_| charge.ward.interests());
            for (key, interest) in keys(number).zip(interests) {
                eyes.arm(key, interest);
            }
            match next {
                Some(next) => {
                    charge.next = next;
                    self.turns.insert((next, number));
                }
                None => drop(self.by_number.remove(&number)),
            }
        }
    }

    /// When somebody is to have a turn; `None` if there is nobody.
    fn next(&self) -> Option<Deadline> {
        self.turns.first().map(|(next, _)| *next)
    }
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

    /// Tells the driver that there is news of a child.
    pub(crate) fn tell(&self, number: usize) {
        self.mailbox.post_if_up(Letter::News(number));
    }

    fn run(&self, bell: &WakePipe) {
        sys::block_signals();
        let (mut charges, mut eyes) = (Charges::default(), Eyes::new());
        let mut scratch = vec![0; 64 << 10];
        let mut is_idle_until = Deadline::after(IDLE);
        loop {
            for letter in self.mailbox.collect() {
                match letter {
                    Letter::Adopt(ward) => charges.adopt(ward),
                    Letter::News(number) => {
                        charges.call(number);
                    }
                    Letter::EndAll(policy) => charges.end_all(&policy),
                }
            }
            if charges.next().is_some() {
                is_idle_until = Deadline::after(IDLE);
            }
            charges.take_turns(&mut eyes, &mut scratch);
            let next = charges.next();
            if next.is_none() && is_idle_until.has_passed() && self.mailbox.leave() {
                return;
            }
            eyes.arm(BELL, Some(bell.interest()));
            take_a_breath(charges.by_number.len());
            for key in eyes.sleep(time_until(next.unwrap_or(is_idle_until))) {
                if key == BELL {
                    bell.hush();
                } else if let Some(charge) = charges.call(key as usize / INTERESTS) {
                    charge.is_ready[key as usize % INTERESTS] = true;
                }
            }
        }
    }
}

/// To wake up costs as much as what there is to do for a child: so the more there are, the more news is
/// left to gather between two looks.
///
/// A pipe that is full waits for it, and yet so many pipes give gigabytes in a second.
fn take_a_breath(n_children: usize) {
    let millis = (n_children / 100).min(10) as u64;
    if millis > 0 {
        let _ = sys::poll(&[], Some(Duration::from_millis(millis)));
    }
}

/// The keys of what the ward of this child looks out for.
fn keys(number: usize) -> impl Iterator<Item = u64> {
    (number * INTERESTS..).map(|key| key as u64)
}

fn time_until(deadline: Deadline) -> Option<Duration> {
    match deadline {
        Deadline::At(instant) => Some(instant.saturating_duration_since(prims::now())),
        Deadline::Never => None,
    }
}

/// A bell that is heard like news of a child: a byte in a pipe.
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

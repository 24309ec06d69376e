//! What a thread that drives children sleeps in: many descriptors at once, a wake-up, and a deadline.
//!
//! Knows nothing of whose the descriptors are: there is a key for each. The system keeps the list where it can
//! (`epoll`), and is handed all of it at each look where it cannot (`poll`).
//!
//! What must always hold: what is armed is reported once, and not again before it is armed again. So nothing
//! that is not wanted keeps us awake, not even a descriptor that was closed here and is open elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

use crate::prims;
use crate::wait::clock::Deadline;

use super::sys::{self, Epoll, Interest};

/// How long to sleep; for ever, if it is `None`.
pub(crate) fn time_until(deadline: Deadline) -> Option<Duration> {
    match deadline {
        Deadline::At(instant) => Some(instant.saturating_duration_since(prims::now())),
        Deadline::Never => None,
    }
}

/// What the driver waits for.
pub(crate) struct Poller {
    /// `None` where there is no such thing, or where it has failed.
    epoll: Option<Epoll>,
    armed: BTreeMap<u64, Interest>,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self { epoll: Epoll::new().ok(), armed: BTreeMap::new() }
    }

    /// Waits for this from now on; for nothing, if it is `None`.
    pub(crate) fn arm(&mut self, key: u64, interest: Option<Interest>) {
        let Some(interest) = interest else {
            self.armed.remove(&key); // What is reported of it all the same is ignored.
            return;
        };
        let is_new = self.armed.insert(key, interest) != Some(interest);
        if is_new && self.epoll.as_ref().is_some_and(|epoll| epoll.arm(key, interest).is_err()) {
            self.epoll = None; // The system keeps no longer a list. So from now on we do.
        }
    }

    /// Sleeps until one is ready, or the deadline has passed. Gives the keys of those that are.
    pub(crate) fn sleep(&mut self, deadline: Deadline) -> Vec<u64> {
        let timeout = time_until(deadline);
        let mut keys = match &self.epoll {
            Some(epoll) => epoll.wait(timeout).unwrap_or_default(),
            None => {
                let list: Vec<_> = self.armed.values().copied().collect();
                let ready = self.armed.keys().zip(sys::poll(&list, timeout));
                ready.filter(|(_, is_ready)| *is_ready).map(|(key, _)| *key).collect()
            }
        };
        keys.retain(|key| self.armed.remove(key).is_some());
        keys
    }
}

/// The thread sleeps until a descriptor is ready, so it is woken by one: a byte in a pipe.
pub(crate) struct WakePipe {
    pub(crate) reader: File,
    writer: File,
}

impl WakePipe {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = sys::pipe()?;
        sys::set_nonblocking(&reader)?;
        sys::set_nonblocking(&writer)?;
        Ok(Self { reader: reader.into(), writer: writer.into() })
    }

    /// Takes the bytes out again, before the messages are read.
    pub(crate) fn drain(&self) {
        let mut bytes = [0; 256];
        // An empty pipe is an error here, and what we want.
        while (&self.reader).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

impl Wake for WakePipe {
    fn wake(self: Arc<Self>) {
        // A pipe that is full is an error here, and wakes as it is.
        let _ = (&self.writer).write(&[0]);
    }
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    /// With the system's list, and without.
    fn both() -> [Poller; 2] {
        [Poller::new(), Poller { epoll: None, armed: BTreeMap::new() }]
    }

    #[test]
    fn what_is_armed_is_reported_once() {
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
    fn what_is_not_wanted_any_more_is_not_reported() {
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

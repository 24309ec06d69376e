//! What the driver looks out for: many descriptors at once.
//!
//! Knows nothing of whose they are: there is a key for each. The system keeps the list where it can
//! (`epoll`), and is handed all of it at each look where it cannot (`poll`).
//!
//! What must always hold: what is armed is told once, and not again before it is armed again. So nothing
//! that nobody wants keeps us awake, not even a descriptor that was closed here and is open elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sys::{self, Epoll, Interest};

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

    /// Sleeps until there is news, or the time is over. Gives the keys of what is to be looked at.
    pub(crate) fn sleep(&mut self, timeout: Option<Duration>) -> Vec<u64> {
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

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    /// With the system's list, and without.
    fn both() -> [Poller; 2] {
        [Poller::new(), Poller { epoll: None, armed: BTreeMap::new() }]
    }

    const NO_TIME: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn what_is_armed_is_told_once() {
        for mut poller in both() {
            let (reader, writer) = sys::pipe().expect("a pipe");
            let look = Some(Interest::read(&reader));
            poller.arm(7, look);
            assert!(poller.sleep(NO_TIME).is_empty(), "nothing yet");
            std::fs::File::from(writer).write_all(b"a").expect("an open pipe");
            assert_eq!([poller.sleep(None), poller.sleep(NO_TIME)], [vec![7], vec![]]);
            poller.arm(7, look);
            assert_eq!(poller.sleep(None), [7], "it is still there");
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
            assert!(poller.sleep(NO_TIME).iter().all(|key| *key == 2));
            drop(copy);
        }
    }
}

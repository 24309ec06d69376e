//! Children: no message to the driver is lost while its thread starts, and no signal hits a stranger. The processes are fakes: a model checker does not know the system.

use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex}; // This mutex is none of the model's: it only watches.

use shuttle::thread;

use super::{Tally, every_schedule, random_schedules};
use crate::prims::Receiver;
use crate::process::driver::Channel;
use crate::process::signals::Signals;
use crate::process::sys::{Process, Signal};
use crate::wait::clock::Deadline;
use crate::wait::parker::Parker;

type Messages = Arc<Channel<usize>>;
/// The drivers that were started.
type Drivers = Arc<Mutex<Vec<thread::JoinHandle<()>>>>;

/// Leaves a message; a thread that is started for it runs `run`.
fn send(
    channel: &Messages,
    drivers: &Drivers,
    run: impl FnOnce(Messages, Receiver<usize>, Arc<Parker>) + Send + 'static,
) {
    let posted = channel.send(1, |messages| {
        let parker = Arc::new(Parker::new());
        let (channel, its_parker) = (channel.clone(), parker.clone());
        let driver = thread::spawn(move || run(channel, messages, its_parker));
        drivers.lock().unwrap().push(driver);
        Ok(parker.into())
    });
    assert!(posted.is_ok());
}

/// A driver that sleeps until it is woken. If a wake were lost, all would sleep, and the check fail.
#[test]
fn a_message_wakes_until_it_is_read() {
    random_schedules("children: three messages and a sleep", 50_000, || {
        let (channel, drivers, read) =
            (Messages::new(Channel::new()), Drivers::default(), Tally::default());
        let run = |read: Tally| {
            move |_, messages: Receiver<usize>, parker: Arc<Parker>| {
                while read.get() < 3 {
                    parker.park(Deadline::Never);
                    while messages.try_recv().is_ok() {
                        read.add_one();
                    }
                }
            }
        };
        let others = [(); 2].map(|()| {
            let (channel, drivers, read) = (channel.clone(), drivers.clone(), read.clone());
            thread::spawn(move || send(&channel, &drivers, run(read)))
        });
        send(&channel, &drivers, run(read));
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A process that dies of the first SIGKILL, and whose number is somebody else's once it is reaped.
#[derive(Default)]
struct Fake(Mutex<(bool, bool)>);

impl Process for Fake {
    fn has_exited(&self) -> io::Result<bool> {
        thread::yield_now();
        let (has_exited, is_reaped) = *self.0.lock().unwrap();
        Ok(has_exited && !is_reaped) // By then another child of ours may have its number, and run.
    }

    fn send(&self, signal: Signal) {
        thread::yield_now();
        let mut state = self.0.lock().unwrap();
        assert!(!state.1, "a stranger was hit");
        state.0 |= signal == Signal::KILL;
    }

    fn reap(&self) -> io::Result<ExitStatus> {
        thread::yield_now();
        let mut state = self.0.lock().unwrap();
        assert!(state.0 && !state.1, "what is reaped has exited, and is reaped once");
        state.1 = true;
        Ok(ExitStatus::default())
    }
}

#[test]
fn no_signal_hits_a_stranger() {
    every_schedule("children: kill against the reaping", 500_000, || {
        let signals = Arc::new(Signals::new(Fake::default()));
        let handle = thread::spawn({
            let signals = signals.clone();
            move || {
                signals.kill();
                signals.kill();
            }
        });
        signals.send(Signal::KILL);
        if signals.status().has_exited {
            assert!(signals.reap().is_some());
        }
        handle.join().unwrap();
    });
}

/// Who sees both the exit and what was asked knows that the asking was first.
#[test]
fn what_is_asked_of_a_zombie_is_not_noted() {
    every_schedule("children: terminate against the exit", 500_000, || {
        let signals = Arc::new(Signals::new(Fake::default()));
        let handle = thread::spawn({
            let signals = signals.clone();
            move || signals.terminate(Deadline::Never)
        });
        signals.send(Signal::KILL);
        let before = signals.status().kill_by;
        handle.join().unwrap();
        assert_eq!(signals.status().kill_by, before, "nothing is noted after the exit");
    });
}

//! Children that do as they are told, and proofs that they have gone.
//!
//! Knows nothing of what a test claims. What must always hold: that a process is dead is proved by
//! the end of a pipe that it held, and not by looking for its number.

use std::env;
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process;
use std::time::{Duration, Instant};

use handspun::block_on;
use handspun::process::{Child, Command, Outcome};

use crate::support::{threads_named, until, watched};

pub(crate) const CHILD: &str = env!("CARGO_BIN_EXE_handspun-test-child");
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A child that follows these orders, one word each.
pub(crate) fn child(orders: &str) -> Command {
    Command::new(CHILD).args(orders.split_whitespace())
}

/// Far less than the children here would take if they were not ended, or were given their whole
/// grace; and far more than a busy machine takes to end them.
pub(crate) const PROMPTLY: Duration = Duration::from_secs(3);

/// A child that has said that it is ready. Whatever it was told before is done by then.
pub(crate) fn ready(command: Command) -> Child {
    let child = command.lines().spawn().unwrap();
    assert_eq!(block_on(child.next_line()).unwrap().text(), "ready");
    child
}

/// What comes of a child that is asked to end when it is ready.
pub(crate) fn ended(command: Command) -> Outcome {
    let child = ready(command);
    child.terminate();
    child.wait()
}

/// A pipe that a whole tree holds: it ends when the last of them has died.
pub(crate) struct Lifeline(UnixStream);

impl Lifeline {
    /// The command's stderr becomes the line. Only what is started from it holds the line then.
    pub(crate) fn of(command: Command) -> (Command, Self) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (command.stderr(OwnedFd::from(theirs)), Self(ours))
    }

    /// Waits until nobody is left. The command must be gone too.
    pub(crate) fn ends(mut self) {
        let began = Instant::now();
        self.0.read_to_end(&mut Vec::new()).unwrap();
        assert!(began.elapsed() < 10 * SECOND, "they had to end, and not to come to their end");
    }

    /// Whether somebody is left.
    pub(crate) fn is_held(&mut self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let is_held = self.0.read(&mut [0]).is_err();
        self.0.set_nonblocking(false).unwrap();
        is_held
    }
}

/// How many descriptors this process has open.
pub(crate) fn n_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The numbers of our children that the system still knows, zombies too.
pub(crate) fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let lists =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let mut children = Vec::new();
    for list in lists {
        children.extend(list.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
    }
    children
}

/// Whether this child of ours has exited, with all its threads, and was not reaped.
pub(crate) fn is_zombie(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let n_threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().count();
    n_threads == 1 && status.contains("State:\tZ")
}

/// Runs a test in a process of its own, with at most so many descriptors: fewer, where the system does
/// not let us have so many. `name` is its own.
pub(crate) fn alone(name: &str, descriptors: usize, test: impl FnOnce()) {
    const IS_ALONE: &str = "HANDSPUN_TEST_IS_ALONE";
    if env::var_os(IS_ALONE).is_some() {
        return watched(test);
    }
    let limit = format!("ulimit -n {descriptors} || ulimit -n $(ulimit -H -n) || exit");
    let limited = format!("{limit}; exec \"$0\" --exact {name}");
    let mut shell = process::Command::new("sh");
    shell.arg("-c").arg(limited).arg(env::current_exe().unwrap()).env(IS_ALONE, "yes");
    let output = shell.output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success() && said[0].contains("1 passed"), "{}", said.concat());
}

/// After the last child everything is as it was before it, and the one thread for all children is there.
pub(crate) fn leaves_nothing(test: impl FnOnce()) {
    assert!(child("exit 0").spawn().unwrap().wait().is_success());
    let before = n_descriptors();
    test();
    assert_eq!(children(), [0; 0], "no zombie");
    until(|| threads_named("handspun-childr").len() == 1 && n_descriptors() == before);
}

//! The tour as a child of its own: what some of its programs need somebody else to do.
//!
//! Knows nothing of who waits for it. It is tempting to let a shell play these parts, but what a shell
//! makes of a signal, and whether it forks or replaces itself, differs from one to the next. A part stands
//! on the page of its program.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use handspun::TraceEvent;
use handspun::process::Command;

use crate::pace;
use crate::programs::{
    budget_with_a_child, kill_policy, leaked_pipe, subprocess, thread_or_process,
};
use crate::stage::Stage;

/// Something to play in a process of its own.
#[derive(Debug)]
pub(crate) struct Part {
    /// What it is called in a timeline, and behind `--as-child`.
    pub(crate) name: &'static str,
    /// To the end, and it has to come to one by itself: nothing may be left of a tour that is killed.
    pub(crate) play: fn() -> io::Result<()>,
}

const ALL: &[&Part] = &[
    &subprocess::HELLO,
    &kill_policy::STUBBORN,
    &leaked_pipe::LEAVER,
    &leaked_pipe::SERVER,
    &thread_or_process::STUCK,
    &budget_with_a_child::PARENT,
    &budget_with_a_child::SLEEPER,
];

pub(crate) fn find(name: &str) -> Result<&'static Part, String> {
    let found = ALL.iter().find(|part| part.name == name);
    found.copied().ok_or_else(|| format!("there is no part `{name}`"))
}

impl Part {
    /// The command that plays it, on the timeline of this stage.
    pub(crate) fn command(&self, stage: &Stage) -> io::Result<Command> {
        let command = Command::new(env::current_exe()?).args(self.args());
        Ok(command.observer(observer(stage, self.name)))
    }

    /// Plays it in a process that nobody observes: a child starts a child of its own, which writes to
    /// the same pipes.
    pub(crate) fn start(&self) -> io::Result<Child> {
        let mut command = std::process::Command::new(env::current_exe()?);
        command.args(self.args()).stdin(Stdio::null()).spawn()
    }

    fn args(&self) -> [String; 4] {
        ["--scale", &pace::scale().to_string(), "--as-child", self.name].map(str::to_owned)
    }
}

/// For a child, whose lane in the timeline has this name: all these children are the same program.
pub(crate) fn observer(
    stage: &Stage,
    name: &'static str,
) -> impl Fn(&TraceEvent) + Send + Sync + use<> + 'static {
    let observer = stage.observer();
    move |event| {
        let mut event = *event;
        event.name = Some(name);
        observer(&event);
    }
}

/// Whether this process is over, or is within a second: the system takes a moment to forget one.
pub(crate) fn ends(pid: u32) -> bool {
    let asked = Instant::now();
    while is_running(pid) {
        if asked.elapsed() > Duration::from_secs(1) {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// A zombie does not run: a grandchild's has been inherited by the system's first process.
fn is_running(pid: u32) -> bool {
    let state = if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.ok().and_then(|stat| stat.rsplit(") ").next()?.chars().next())
    } else {
        let ps = Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).run();
        ps.ok().and_then(|outcome| outcome.stdout.text().trim().chars().next())
    };
    state.is_some_and(|state| !"ZX".contains(state))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_part_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ALL.iter().map(|part| part.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| find(name).is_ok_and(|part| part.name == *name)));
        assert!(find("hero").is_err());
    }

    #[test]
    fn a_process_that_waits_to_be_reaped_does_not_run() {
        assert!(is_running(std::process::id()));
        let mut other = std::process::Command::new("true").spawn().expect("`true` is everywhere");
        assert!(ends(other.id()), "it is a zombie");
        other.wait().expect("it is ours");
        assert!(ends(other.id()), "it is gone");
    }
}

//! A child that ignores SIGTERM and has one second: it is killed half a second later.
//!
//! **Python:** `wait_for(process.communicate(), 1)` ends the waiting, and not the process. To terminate
//! it, wait, kill it, and read what it wrote is the caller's work, and the half that was read is lost.
//!
//! **Better here:** the policy is data: which signal, how long to wait, and then SIGKILL. What was written
//! until then is in the outcome, which is never a success, whatever the child makes of its code.

use std::error::Error;
use std::io;
use std::time::Duration;

use handspun::process::Signal;

use crate::child::Part;
use crate::expected::Expected;
use crate::pace::{scaled, sleep};
use crate::stage::{Program, Stage};

pub(crate) const STUBBORN: Part = Part {
    name: "stubborn",
    play: || {
        ignore_sigterm()?;
        println!("step 1 of 3");
        sleep(Duration::from_millis(300));
        println!("step 2 of 3");
        sleep(Duration::from_secs(60));
        Ok(())
    },
};

#[expect(unsafe_code, reason = "std has no word for it")]
fn ignore_sigterm() -> io::Result<()> {
    // SAFETY: SIGTERM is a signal that may be ignored, and to ignore it installs no code of ours.
    let answer = unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
    if answer == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let (timeout, grace) = (Duration::from_secs(1), Duration::from_millis(500));
    let command = STUBBORN.command(stage)?.timeout(scaled(timeout));
    let Err(error) = command.kill_policy(Signal::TERM, scaled(grace)).run()?.check() else {
        return Err("it cannot have ended by itself".into());
    };
    let outcome = error.0;
    for line in outcome.stdout.text().lines() {
        stage.say(format_args!("it wrote: {line}"));
    }
    let status = outcome.status.ok_or("it should have died")?;
    stage.say(format_args!("a controlled failure: {}, {status}", outcome.cause));
    let was_killed = outcome.signal() == Some(Signal::KILL);
    stage.say(format_args!("SIGTERM was not enough: {was_killed}"));
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "kill_policy",
    title: "A timeout, and what comes after it",
    shows: "A child ignores SIGTERM. Its timeout is 1 s, its grace 0.5 s: after 1.5 s it has been killed, \
            and what it wrote is there.",
    ideal: Some(Duration::from_millis(1500)),
    is_async: false,
    has_children: true,
    run,
    expected: || {
        let lines = [
            "it wrote: step 1 of 3",
            "it wrote: step 2 of 3",
            "a controlled failure: its time was over, signal: 9 (SIGKILL)",
            "SIGTERM was not enough: true",
        ];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

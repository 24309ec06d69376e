//! The same stuck piece of work, once as a job and once as a child, under one deadline.
//!
//! **Python:** "when do you switch from a thread pool to processes?" is a question of the GIL there, and
//! of work that computes.
//!
//! **Better here:** threads compute at once, so the question is another one. A thread cannot be ended from
//! outside: it shares its memory and its locks with all others. A job can only be *asked* to stop. What may
//! get stuck and does not ask, such as somebody else's code, belongs in a process: it can be *made* to.

use std::error::Error;
use std::time::Duration;

use handspun::process::Signal;
use handspun::{CancellationToken, ThreadPool};

use crate::child::Part;
use crate::expected::Expected;
use crate::pace::{scaled, sleep};
use crate::stage::{Program, Stage};

/// Somebody else's code, which knows nothing of tokens.
fn stuck() {
    sleep(Duration::from_secs(2));
}

pub(crate) const STUCK: Part = Part {
    name: "stuck",
    play: || {
        stuck();
        Ok(())
    },
};

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(1).observer(stage.observer()).build()?;
    let half_a_second = CancellationToken::with_timeout(scaled(Duration::from_millis(500)));

    let job = pool.submit_with(&half_a_second, |_| stuck());
    let child = STUCK.command(stage)?.token(&half_a_second);
    let outcome = child.kill_policy(Signal::KILL, Duration::ZERO).run()?;
    let status = outcome.status.ok_or("it should have died")?;
    stage.say(format_args!("the child was made to stop: {status}"));
    stage.say(format_args!("the job was only asked to, and still runs: {}", !job.is_finished()));
    job.join()?;
    stage.say("the job has come to its end by itself");
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "thread_or_process",
    title: "When a thread is not enough",
    shows: "Work that takes 2 s and never looks at its token has a deadline of 0.5 s. As a child it is \
            ended by it. As a job it goes on, and the pool has to wait.",
    ideal: Some(Duration::from_secs(2)),
    is_async: false,
    has_children: true,
    run,
    expected: || {
        let lines = [
            "the child was made to stop: signal: 9 (SIGKILL)",
            "the job was only asked to, and still runs: true",
            "the job has come to its end by itself",
        ];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

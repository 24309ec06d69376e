//! A child says hello: what it wrote, and the code with which it exited.
//!
//! **Python:** `communicate` gives both streams, and `returncode` has to be looked at by whoever
//! remembers. A child that failed and wrote something looks like one that did not.
//!
//! **Better here:** `check` turns whatever is not a success into an error, with
//! the last lines of its standard error. The child is awaited here; `run` does the same on a thread.

use std::error::Error;
use std::io::ErrorKind;

use handspun::process::{Command, SpawnError};

use crate::child::{self, Part};
use crate::expected::Expected;
use crate::stage::{Program, Stage};

/// Where there is no Python, we say it ourselves.
pub(crate) const HELLO: Part = Part {
    name: "hello",
    play: || {
        println!("hello from child");
        Ok(())
    },
};

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let python = Command::new("python3").args(["-c", "print('hello from child')"]);
    let mut python = python.observer(child::observer(stage, "python3"));
    stage.executor().run(async {
        let child = match python.spawn() {
            Err(SpawnError::Refused { error, .. }) if error.kind() == ErrorKind::NotFound => {
                HELLO.command(stage)?.spawn()?
            }
            spawned => spawned?,
        };
        let outcome = child.await.check()?;
        stage.say(format_args!("stdout: {}", outcome.stdout.text().trim()));
        stage.say(format_args!("stderr: {}", outcome.stderr.text().trim()));
        stage.say(format_args!("code: {:?}", outcome.code()));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "subprocess",
    title: "A child process, awaited",
    shows: "Python is started, says hello and exits, while the executor's thread is free. Both streams \
            and the code are there. Without Python, the tour starts itself.",
    ideal: None,
    is_async: false,
    has_children: true,
    run,
    expected: || {
        let lines = ["stdout: hello from child", "stderr: ", "code: Some(0)"];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

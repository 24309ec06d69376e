//! A child starts a server and exits, and the server keeps the child's pipe open.
//!
//! **Python:** `communicate` reads until the pipe ends, which is when the server does: after 3 s here, and
//! with a server that stays, never. So do std's `output`, tokio, async-process, duct and subprocess.
//!
//! **Better here:** the child's exit counts. Its pipes then have 0.2 s to end, which is the *pipe-grace*.
//! The outcome says that somebody held one, and the server is swept away with the child's group.

use std::error::Error;
use std::thread;
use std::time::Duration;

use crate::child::{self, Part};
use crate::expected::Expected;
use crate::stage::{Program, Stage};

/// Says the server's number, and exits.
pub(crate) const LEAVER: Part = Part {
    name: "leaver",
    play: || {
        println!("{}", SERVER.start()?.id());
        Ok(())
    },
};

/// As long as the tour says, however it is scaled: so is the pipe-grace.
pub(crate) const SERVER: Part = Part {
    name: "server",
    play: || {
        thread::sleep(Duration::from_secs(3));
        Ok(())
    },
};

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let outcome = LEAVER.command(stage)?.run()?.check()?;
    stage.say(format_args!("{}, code {:?}", outcome.cause, outcome.code()));
    stage.say(format_args!("somebody still held its pipe: {}", outcome.pipes_leaked));
    let server = outcome.stdout.text().trim().parse()?;
    stage.say(format_args!("the server has been swept away: {}", child::ends(server)));
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "leaked_pipe",
    title: "A grandchild that keeps the pipe open",
    shows: "A child exits at once and leaves a process behind, which holds the pipe for 3 s. It is not \
            waited for: 0.2 s after the exit the outcome is there.",
    ideal: Some(Duration::from_millis(200)),
    is_async: false,
    has_children: true,
    run,
    expected: || {
        let lines = [
            "it exited, code Some(0)",
            "somebody still held its pipe: true",
            "the server has been swept away: true",
        ];
        Expected::Exactly(lines.map(str::to_owned).to_vec())
    },
    source: file!(),
};

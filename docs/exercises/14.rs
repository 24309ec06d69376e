//! # 14. A child with a bound
//!
//! ★★★ · 90 minutes · [Children](../guide/20-children.md), [Killing a tree](../guide/21-killing-a-tree.md)
//!
//! With std alone: run a command, read both of its outputs, and return at the latest when the time is over and a little
//! more. Kill it then. What it wrote until then counts. A process that it has left behind, which holds its pipe, must not
//! keep you waiting. (To kill what it left behind needs a process group; leave that out.)

pub(crate) mod yours {
    use std::io;
    use std::process::Command;
    use std::time::Duration;

    #[derive(Debug)]
    pub(crate) struct Outcome {
        /// The code with which it exited; `None` if it was killed.
        pub(crate) code: Option<i32>,
        pub(crate) stdout: Vec<u8>,
        pub(crate) stderr: Vec<u8>,
    }

    pub(crate) fn run(command: &mut Command, _timeout: Duration) -> io::Result<Outcome> {
        let output = command.output()?;
        Ok(Outcome { code: output.status.code(), stdout: output.stdout, stderr: output.stderr })
    }
}

mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use crate::answers::a14::{Outcome, run};
    use crate::support::watched;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str, timeout: Duration) -> (Outcome, Duration) {
        let began = Instant::now();
        let outcome =
            run(Command::new("sh").args(["-c", script]), timeout).expect("there is a shell");
        (outcome, began.elapsed())
    }

    #[test]
    fn both_outputs_and_the_code_come() {
        watched(|| {
            let (outcome, _) = shell("echo out; echo err >&2; exit 3", LONG);
            assert_eq!(outcome.code, Some(3));
            assert_eq!((&outcome.stdout[..], &outcome.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        });
    }

    #[test]
    fn a_flood_of_both_outputs_comes_whole() {
        watched(|| {
            let (outcome, _) =
                shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero", LONG);
            assert_eq!((outcome.stdout.len(), outcome.stderr.len()), (300_000, 300_000));
        });
    }

    #[test]
    fn a_child_that_is_late_is_killed_and_has_said_what_it_said() {
        watched(|| {
            let (outcome, took) = shell("echo begun; exec sleep 10", Duration::from_millis(300));
            assert!(took < Duration::from_secs(5), "it took {took:?}");
            assert_eq!((outcome.code, &outcome.stdout[..]), (None, &b"begun\n"[..]));
        });
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
        watched(|| {
            let (outcome, took) = shell("echo hi; sleep 10 & exit 0", LONG);
            assert!(took < Duration::from_secs(5), "it took {took:?}");
            assert_eq!((outcome.code, &outcome.stdout[..]), (Some(0), &b"hi\n"[..]));
        });
    }
}

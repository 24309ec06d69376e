//! # 14. A child with a bound
//!
//! ★★★ · 90 minutes · [Children](../guide/20-children.md), [Killing a tree](../guide/21-killing-a-tree.md)
//!
//! With std alone: run a command, read both of its outputs, and return at the latest when the time is over and a little
//! more. Kill it then. What it wrote until then counts. A process that it has left behind, which holds its pipe, must not
//! keep you waiting. (To kill what it left behind needs a process group; leave that out.)
//!
//! And a child that floods must not fill your memory: of each output keep the last bytes alone, for the error is at the
//! end, and count the others. The child is not to be held up by that.

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
        /// How many bytes were read and not kept, of both.
        pub(crate) n_dropped: usize,
    }

    /// Keeps at most the last `n_kept` bytes of each output.
    pub(crate) fn run(
        command: &mut Command,
        _timeout: Duration,
        _n_kept: usize,
    ) -> io::Result<Outcome> {
        let output = command.output()?;
        let (stdout, stderr) = (output.stdout, output.stderr);
        Ok(Outcome { code: output.status.code(), stdout, stderr, n_dropped: 0 })
    }
}

mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use crate::answers::a14::{Outcome, run};
    use crate::support::watched;

    const LONG: Duration = Duration::from_secs(30);
    const MUCH: usize = 1_000_000;

    fn shell(script: &str, timeout: Duration, n_kept: usize) -> (Outcome, Duration) {
        let began = Instant::now();
        let mut command = Command::new("sh");
        let outcome = run(command.args(["-c", script]), timeout, n_kept).expect("there is a shell");
        (outcome, began.elapsed())
    }

    #[test]
    fn both_outputs_and_the_code_come() {
        watched(|| {
            let (outcome, _) = shell("echo out; echo err >&2; exit 3", LONG, MUCH);
            assert_eq!(outcome.code, Some(3));
            assert_eq!((&outcome.stdout[..], &outcome.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        });
    }

    #[test]
    fn a_flood_of_both_outputs_comes_whole() {
        watched(|| {
            let (outcome, _) =
                shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero", LONG, MUCH);
            assert_eq!((outcome.stdout.len(), outcome.stderr.len()), (300_000, 300_000));
            assert_eq!(outcome.n_dropped, 0);
        });
    }

    #[test]
    fn of_a_flood_the_end_is_kept_and_the_rest_is_counted() {
        watched(|| {
            let script = "head -c 300000 /dev/zero; echo end; echo err >&2";
            let (outcome, _) = shell(script, LONG, 10);
            assert_eq!((outcome.code, outcome.n_dropped), (Some(0), 300_004 - 10));
            assert_eq!(outcome.stdout, b"\0\0\0\0\0\0end\n");
            assert_eq!(outcome.stderr, b"err\n");
        });
    }

    #[test]
    fn a_child_that_is_late_is_killed_and_has_said_what_it_said() {
        watched(|| {
            let (outcome, took) =
                shell("echo begun; exec sleep 10", Duration::from_millis(300), MUCH);
            assert!(took < Duration::from_secs(5), "it took {took:?}");
            assert_eq!((outcome.code, &outcome.stdout[..]), (None, &b"begun\n"[..]));
        });
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
        watched(|| {
            let (outcome, took) = shell("echo hi; sleep 10 & exit 0", LONG, MUCH);
            assert!(took < Duration::from_secs(5), "it took {took:?}");
            assert_eq!((outcome.code, &outcome.stdout[..]), (Some(0), &b"hi\n"[..]));
        });
    }
}

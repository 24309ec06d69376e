//! What `par` does, on real children.

use std::io::{self, Read, Write};
use std::mem;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handspun::CancellationToken;

use crate::inputs::Inputs;
use crate::options::{Request, parse};
use crate::plan::Plan;
use crate::run::{Around, run};
use crate::tally::Tally;
use crate::template::Input;

fn of(args: &[&str]) -> Plan {
    match parse(lexopt::Parser::from_args(args)).expect("good arguments") {
        Request::Run(plan) => *plan,
        Request::Help | Request::Version => panic!("it asks for no work"),
    }
}

fn run_it(args: &[&str]) -> (String, Tally) {
    let (plan, mut out) = (of(args), Vec::new());
    let inputs = Inputs::of(plan.sources.clone(), b'\n');
    let tally = run(&plan, &CancellationToken::new(), &inputs, Around::default(), &mut out);
    (String::from_utf8(out).expect("text"), tally)
}

#[test]
fn every_input_is_put_in_its_place() {
    let (out, tally) = run_it(&["-q", "-k", "-j3", "echo", "<{}>", ":::", "a", "b c", "d"]);
    assert_eq!((out.as_str(), tally.n_done), ("<a>\n<b c>\n<d>\n", 3));
    let (out, _) = run_it(&["-q", "echo", "-n", ":::", "a"]);
    assert_eq!(out, "a", "what follows the command is its own");
}

#[test]
fn order_is_kept_though_the_first_is_the_slowest() {
    let script = ["-q", "-k", "-j3", "sh", "-c", "sleep 0.$1; echo $1", "sh"];
    let (out, _) = run_it(&[&script[..], &[":::", "3", "2", "1"]].concat());
    assert_eq!(out, "3\n2\n1\n");
}

#[test]
fn failures_are_told_one_by_one() {
    let (_, tally) = run_it(&["-q", "sh", "-c", "exit {}", ":::", "0", "3", "0", "4"]);
    assert_eq!((tally.n_done, tally.failures.len()), (4, 2));
    assert!(tally.summary().contains("'exit 3': it exited (exit status: 3)"));
    let (_, tally) = run_it(&["-q", "no-such-program", ":::", "a"]);
    assert!(tally.summary().contains("no program `no-such-program`"));
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    let began = Instant::now();
    let (_, tally) = run_it(&["-q", "-j2", "--timeout", "0.2", "sleep", ":::", "60", "0", "60"]);
    assert_eq!((tally.failures.len(), tally.n_timed_out), (2, 2));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_first_failure_can_be_the_last() {
    let words = ["-q", "-j2", "--fail-fast", "sh", "-c", "test {} = 0 && exit 3; sleep {}"];
    let inputs = [":::", "60", "0", "60", "60"];
    let (_, tally) = run_it(&[&words[..], &inputs].concat());
    assert_eq!((tally.n_done, tally.failures.len()), (2, 2));
    assert!(tally.summary().contains("cancelled: enough others have ended"));
}

/// GNU parallel 20221122 gave the same codes for these commands, with `--halt now,fail=1` for `--fail-fast`.
#[test]
fn it_exits_as_gnu_parallel_does() {
    let code = |args: &[&str]| run_it(args).1.exit_code(of(args).halt, None);
    let script = |script| code(&["-q", "--fail-fast", "sh", "-c", script, ":::", "a"]);
    assert_eq!([script("exit 0"), script("exit 3"), script("kill -9 $$")], [0, 3, 137]);
    assert_eq!(code(&["-q", "--fail-fast", "no-such-program", ":::", "a"]), 127);
    assert_eq!(code(&["-q", "--fail-fast", "--timeout", "0.1", "sleep", ":::", "60"]), 255);
    let n_that_fail = |n: usize| code(&[&["-q", "false", ":::"], &*vec!["a"; n]].concat());
    assert_eq!([0, 1, 100, 101, 102].map(n_that_fail), [0, 1, 100, 101, 101]);
}

#[test]
fn output_that_cannot_be_printed_is_told_and_stops_nobody() {
    /// A disk that is full when a part of a line lies in the buffer.
    struct Full;

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    let plan = of(&["-q", "echo", "-n", ":::", "a", "b"]);
    let inputs = Inputs::of(plan.sources.clone(), b'\n');
    let tally = run(&plan, &CancellationToken::new(), &inputs, Around::default(), &mut Full);
    assert_eq!((tally.n_done, tally.failures.len()), (2, 0));
    assert!(tally.trouble.expect("some").starts_with("some of the output is lost"));
}

#[test]
fn a_command_that_fails_is_tried_again() {
    let folder = std::env::temp_dir().join(format!("handspun-par-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a new folder");
    // It succeeds at its third attempt.
    let script = format!("cd {} && echo >> tries && test $(wc -l < tries) = 3", folder.display());
    let (_, tally) = run_it(&["-q", "--retries", "3", "sh", "-c", &script, ":::", "a"]);
    std::fs::remove_dir_all(&folder).expect("it is ours");
    assert!(tally.failures.is_empty(), "{}", tally.summary());
}

#[test]
fn an_input_that_does_not_come_keeps_nobody_from_the_end() {
    let (silent, writer) = UnixStream::pair().expect("sockets");
    (&writer).write_all(b"60\n").expect("an open pipe");
    let (plan, all) = (of(&["-q", "-j2", "sleep"]), CancellationToken::new());
    let ctrl_c = all.clone();
    let ear = Arc::new(move |_: &handspun::TraceEvent<'_>| {
        ctrl_c.cancel();
    });
    let inputs = Inputs::lines_of(silent);
    let tally =
        run(&plan, &all, &inputs, Around { ear: Some(ear), ..Around::default() }, &mut Vec::new());
    assert_eq!((tally.n_done, tally.failures.len()), (1, 1));
    drop(writer);
}

#[test]
fn a_line_is_bytes_and_the_last_needs_no_end() {
    let inputs = Inputs::lines_of(&b"a\n\n\xff b\nc"[..]);
    let all = CancellationToken::new();
    let lines = std::iter::from_fn(|| inputs.next(&all))
        .map(|Input { seq, mut values }| (seq, values.remove(0).into_vec()));
    let expected = [(1, &b"a"[..]), (2, b""), (3, b"\xff b"), (4, b"c")];
    assert!(lines.eq(expected.map(|(number, line)| (number, line.to_vec()))));
    assert!(inputs.into_error().is_none());
}

#[test]
fn what_cannot_be_read_is_told_and_what_came_before_is_given() {
    /// A source that breaks behind its first line.
    struct Breaks(bool);

    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if mem::replace(&mut self.0, true) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            buffer[..2].copy_from_slice(b"a\n");
            Ok(2)
        }
    }

    let (inputs, all) = (Inputs::lines_of(Breaks(false)), CancellationToken::new());
    assert_eq!(inputs.next(&all).map(|input| input.values), Some(vec!["a".into()]));
    assert!(inputs.next(&all).is_none());
    assert!(inputs.into_error().is_some());
}

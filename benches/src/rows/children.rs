//! What does it cost to run a child, to read all that it writes, and to end a thousand in time?
//!
//! The CPU time is this process's own; what the children use is not in it. Nobody but us has a bound on
//! what is kept, so the others read a pipe as a stream and throw it away; std also keeps all of it.

use std::io::{self, Read};
use std::process::{Command as StdCommand, Output, Stdio};
use std::time::Duration;

use handspun::process::{Cause, Child, Command};
use smol::io::AsyncReadExt;
use subprocess::{Exec, Redirection};
use tokio::io::AsyncReadExt as TokioReadExt;
use tokio::time::{Instant, timeout_at};

use super::Row;
use crate::executors;
use crate::line_up::{LineUp, Scale};

pub(crate) const TRUE: Row = Row {
    name: "run-true",
    question: "How long does it take to run `/bin/true`, with its output captured?",
    line_up: run_true,
};

pub(crate) const PIPE: Row = Row {
    name: "pipe",
    question: "What does it cost to take a MiB, of a GiB, out of a child's pipe?",
    line_up: pipe,
};

pub(crate) const TIME_OUT: Row = Row {
    name: "children-time-out",
    question: "What does a child cost that runs into its timeout, beside 999 others? (See the CPU.)",
    line_up: time_out,
};

const PROGRAM: &str = "/bin/true";

fn succeeds(output: io::Result<Output>) -> u64 {
    u64::from(output.expect("a child can be started").status.success())
}

fn run_true(scale: Scale) -> LineUp {
    let tokio = executors::tokio_with_children();

    LineUp::latency(scale.of(500))
        .ours("handspun", 1.0, || {
            u64::from(Command::new(PROGRAM).run().expect("it can be started").is_success())
        })
        .peer("std output", || succeeds(StdCommand::new(PROGRAM).stdin(Stdio::null()).output()))
        .peer("tokio", move || {
            let mut command = tokio::process::Command::new(PROGRAM);
            succeeds(tokio.block_on(async { command.stdin(Stdio::null()).output().await }))
        })
        .peer("async-process", || {
            let mut command = smol::process::Command::new(PROGRAM);
            succeeds(smol::block_on(command.stdin(Stdio::null()).output()))
        })
        .peer("duct", || {
            let command = duct::cmd!(PROGRAM).stdin_null();
            succeeds(command.stdout_capture().stderr_capture().run())
        })
        .peer("subprocess", || {
            let command = Exec::cmd(PROGRAM).stdin(Redirection::Null);
            let captured = command.stdout(Redirection::Pipe).stderr(Redirection::Pipe).capture();
            u64::from(captured.expect("it can be started").success())
        })
}

const MIB: u64 = 1 << 20;

fn zeroes(n_mib: u64) -> [String; 3] {
    ["-c".to_owned(), format!("{n_mib}M"), "/dev/zero".to_owned()]
}

/// Reads to the end, and says how many MiB there were.
fn read_all(mut reader: impl Read) -> u64 {
    let (mut buffer, mut n_bytes) = (vec![0; 64 << 10], 0);
    loop {
        match reader.read(&mut buffer).expect("the pipe can be read") {
            0 => return n_bytes / MIB,
            n => n_bytes += n as u64,
        }
    }
}

fn pipe(scale: Scale) -> LineUp {
    let n = scale.of(1024);
    let tokio = executors::tokio_with_children();

    LineUp::throughput(n, n)
        .ours("handspun, keeps 16 MiB", 1.0, move || {
            let outcome = Command::new("head").args(zeroes(n)).run().expect("it can be started");
            (outcome.stdout.bytes.len() as u64 + outcome.stdout.omitted) / MIB
        })
        .peer("std read", move || {
            let mut command = StdCommand::new("head");
            command.args(zeroes(n)).stdout(Stdio::piped());
            let mut child = command.spawn().expect("it can be started");
            let sum = read_all(child.stdout.take().expect("it is piped"));
            assert!(child.wait().expect("it is our child").success());
            sum
        })
        .peer("tokio read", move || {
            tokio.block_on(async {
                let mut command = tokio::process::Command::new("head");
                command.args(zeroes(n)).stdout(Stdio::piped());
                let mut child = command.spawn().expect("it can be started");
                let mut stdout = child.stdout.take().expect("it is piped");
                let (mut buffer, mut n_bytes) = (vec![0; 64 << 10], 0);
                loop {
                    match TokioReadExt::read(&mut stdout, &mut buffer).await.expect("a pipe") {
                        0 => break,
                        n => n_bytes += n as u64,
                    }
                }
                assert!(child.wait().await.expect("it is our child").success());
                n_bytes / MIB
            })
        })
        .peer("async-process read", move || {
            smol::block_on(async {
                let mut command = smol::process::Command::new("head");
                command.args(zeroes(n)).stdout(Stdio::piped());
                let mut child = command.spawn().expect("it can be started");
                let mut stdout = child.stdout.take().expect("it is piped");
                let (mut buffer, mut n_bytes) = (vec![0; 64 << 10], 0);
                loop {
                    match AsyncReadExt::read(&mut stdout, &mut buffer).await.expect("a pipe") {
                        0 => break,
                        n => n_bytes += n as u64,
                    }
                }
                assert!(child.status().await.expect("it is our child").success());
                n_bytes / MIB
            })
        })
        .peer("duct read", move || {
            read_all(duct::cmd("head", zeroes(n)).reader().expect("it can be started"))
        })
        .peer("subprocess read", move || {
            let command = Exec::cmd("head").args(zeroes(n));
            read_all(command.stream_stdout().expect("it can be started"))
        })
        .baseline("std output, keeps all", move || {
            let output = StdCommand::new("head").args(zeroes(n)).output();
            output.expect("it can be started").stdout.len() as u64 / MIB
        })
}

/// Longer than it takes to start them all.
const TIMEOUT: Duration = Duration::from_secs(3);

fn time_out(scale: Scale) -> LineUp {
    let n = scale.of(1000);
    let tokio = executors::tokio_with_children();

    LineUp::throughput(n, n)
        .ours("handspun", 1.0, move || {
            let mut sleep = Command::new("sleep").arg("60").timeout(TIMEOUT);
            let start = |_| sleep.spawn().expect("there are descriptors for all");
            let children: Vec<Child> = (0..n).map(start).collect();
            let outcomes = children.into_iter().map(Child::wait);
            outcomes.map(|outcome| u64::from(outcome.cause == Cause::TimedOut)).sum()
        })
        .peer("tokio, kill_on_drop", move || {
            tokio.block_on(async {
                let start = |_| {
                    let mut command = tokio::process::Command::new("sleep");
                    command.arg("60").stdin(Stdio::null()).kill_on_drop(true);
                    command.stdout(Stdio::piped()).stderr(Stdio::piped());
                    let child = command.spawn().expect("there are descriptors for all");
                    // Counted from the spawn, as ours is; from the first poll it would be over for all at once.
                    let (output, deadline) = (child.wait_with_output(), Instant::now() + TIMEOUT);
                    tokio::spawn(async move { timeout_at(deadline, output).await.is_err() })
                };
                let tasks: Vec<_> = (0..n).map(start).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += u64::from(task.await.expect("the task does not panic"));
                }
                sum
            })
        })
}

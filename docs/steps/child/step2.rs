//! Step 2: read both pipes at once.
//!
//! The idea: a thread for each pipe reads it to its end, while we wait for the child.
//!
//! Without it: a pipe has room for some 64 KiB. A child that writes more is stopped until the pipe is read. If we
//! wait for its exit and read afterwards, or read one pipe to its end and then the other, each waits for the other.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

struct Outcome {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// `None` if the child has not exited when the time is over. It goes on.
fn run(command: &mut Command, timeout: Duration) -> io::Result<Option<Outcome>> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_to_end(child.stdout.take().expect("it is piped"));
    let stderr = read_to_end(child.stderr.take().expect("it is piped"));
    let Some(status) = wait_timeout(&mut child, timeout)? else { return Ok(None) };
    let [stdout, stderr] = [stdout, stderr].map(|pipe| pipe.join().expect("it does not panic"));
    Ok(Some(Outcome { status, stdout: stdout?, stderr: stderr? }))
}

fn read_to_end(mut pipe: impl Read + Send + 'static) -> JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// `None` if the child has not exited when the time is over.
fn wait_timeout(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_micros(100);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// A million bytes to one pipe, and then a million to the other.
fn flood() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero"]);
    command
}

pub(crate) fn show() -> String {
    let outcome = run(&mut flood(), Duration::from_secs(60)).expect("there is a shell");
    let Outcome { status, stdout, stderr } = outcome.expect("it takes no minute");
    let (out, err) = (stdout.len(), stderr.len());
    format!("child 2: {status}, {out} bytes on stdout and {err} on stderr")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn a_child_that_floods_both_pipes_is_heard_to_the_end() {
        watched(|| {
            let outcome = run(&mut flood(), Duration::from_secs(3600)).unwrap().unwrap();
            assert_eq!((outcome.stdout.len(), outcome.stderr.len()), (1_000_000, 1_000_000));
            assert!(outcome.status.success());
        });
    }
}

//! Step 3: kill the child when the time is over.
//!
//! The idea: a child that has not exited in time is killed, and then waited for. So every call has an outcome, with
//! all that the child wrote until then.
//!
//! Without it: our wait is over and the child goes on. It keeps its memory, its files and its place on the processor;
//! after its exit it is a zombie, since no parent has waited for it.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

struct Outcome {
    status: ExitStatus,
    is_timed_out: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn run(command: &mut Command, timeout: Duration) -> io::Result<Outcome> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = read_to_end(child.stdout.take().expect("it is piped"));
    let stderr = read_to_end(child.stderr.take().expect("it is piped"));
    let in_time = wait_timeout(&mut child, timeout)?;
    let status = match in_time {
        Some(status) => status,
        None => {
            child.kill()?;
            child.wait()?
        }
    };
    let [stdout, stderr] = [stdout, stderr].map(|pipe| pipe.join().expect("it does not panic"));
    Ok(Outcome { status, is_timed_out: in_time.is_none(), stdout: stdout?, stderr: stderr? })
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

fn stuck() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "echo begun; echo badly >&2; exec sleep 10"]);
    command
}

pub(crate) fn show() -> String {
    let outcome = run(&mut stuck(), Duration::from_secs(1)).expect("there is a shell");
    let Outcome { status, is_timed_out, stdout, stderr } = outcome;
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    format!("child 3: {status}; timed out: {is_timed_out}; it wrote {stdout:?} and {stderr:?}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::support::watched;

    #[test]
    fn a_child_that_is_out_of_time_is_killed() {
        watched(|| {
            let outcome = run(&mut stuck(), Duration::from_millis(10)).unwrap();
            assert!(outcome.is_timed_out);
            assert_eq!(outcome.status.signal(), Some(9));
        });
    }

    #[test]
    fn a_child_that_was_killed_is_reaped() {
        watched(|| {
            let mut command = Command::new("sh");
            command.args(["-c", "echo $$; exec sleep 10"]);
            // On a busy machine the shell takes long to write: then the next one has twice the time.
            let times = (0..).map(|n| Duration::from_millis(100 << n));
            let mut outputs = times.map(|time| run(&mut command, time).unwrap().stdout);
            let id =
                outputs.find(|id| id.ends_with(b"\n")).map(String::from_utf8).unwrap().unwrap();

            // A zombie has its number still, and a signal for it is no error.
            let mut probe = Command::new("sh");
            let outcome =
                run(probe.args(["-c", &format!("kill -0 {id}")]), Duration::from_secs(3600))
                    .unwrap();
            assert!(!outcome.status.success());
        });
    }
}

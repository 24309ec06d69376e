//! Step 4: kill the group.
//!
//! The idea: the child leads a process group of its own. Its children are in the group as well, and one signal
//! reaches them all. The group has the child's number, which no other process gets until we have waited for it.
//!
//! Without it: the child is a shell, and its child has the pipe. To kill the shell leaves that one running, and the
//! pipe open, so `run` waits for its end in spite of the timeout.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
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
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let stdout = read_to_end(child.stdout.take().expect("it is piped"));
    let stderr = read_to_end(child.stderr.take().expect("it is piped"));
    let in_time = wait_timeout(&mut child, timeout)?;
    let status = match in_time {
        Some(status) => status,
        None => {
            kill_group(&child);
            child.wait()?
        }
    };
    let [stdout, stderr] = [stdout, stderr].map(|pipe| pipe.join().expect("it does not panic"));
    Ok(Outcome { status, is_timed_out: in_time.is_none(), stdout: stdout?, stderr: stderr? })
}

/// Kills a child that was not waited for, and all of its group.
fn kill_group(child: &Child) {
    let group = child.id() as libc::pid_t;
    // SAFETY: `killpg` touches no memory. The child is not reaped, so the number is still the one of its group.
    #[allow(unsafe_code, reason = "std sends a signal to a single process")]
    unsafe {
        libc::killpg(group, libc::SIGKILL);
    }
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

/// The shell waits for a child of its own, which has both pipes.
fn stuck() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 10 & wait"]);
    command
}

pub(crate) fn show() -> String {
    let outcome = run(&mut stuck(), Duration::from_millis(100)).expect("there is a shell");
    let Outcome { status, is_timed_out, stdout, stderr } = outcome;
    let n_bytes = stdout.len() + stderr.len();
    format!("child 4: {status}; timed out: {is_timed_out}; both pipes ended, with {n_bytes} bytes")
}

#[test]
fn a_child_of_the_child_is_killed_with_it() {
    crate::support::watched(|| {
        let start = Instant::now();
        let outcome = run(&mut stuck(), Duration::from_millis(200)).unwrap();
        // Both pipes have come to their end, so no process has them any more: `sleep` has not slept to its end.
        assert!(outcome.is_timed_out && start.elapsed() < Duration::from_secs(10));
    });
}

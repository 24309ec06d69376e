//! Step 5: a grandchild that holds the pipe.
//!
//! The idea: after the exit of the child, its pipes have a moment to end, the pipe-grace. Then `run` returns with
//! what there is, and says that a pipe is still open. So it returns within the timeout and two graces.
//!
//! Without it: `sh -c 'server &'` exits at once, and its server has the pipe. A reader that waits for the end of the
//! pipe waits for the server; no timeout helps, since the child has exited in time.

use std::io::{self, Read};
use std::mem;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

const PIPE_GRACE: Duration = Duration::from_millis(100);

struct Outcome {
    status: ExitStatus,
    is_timed_out: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    is_a_pipe_open: bool,
}

fn run(command: &mut Command, timeout: Duration) -> io::Result<Outcome> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let stdout = Reader::start(child.stdout.take().expect("it is piped"));
    let stderr = Reader::start(child.stderr.take().expect("it is piped"));
    let in_time = wait_timeout(&mut child, timeout)?;
    let status = match in_time {
        Some(status) => status,
        None => {
            kill_group(&child);
            child.wait()?
        }
    };
    let [(stdout, out_open), (stderr, err_open)] = [stdout, stderr].map(Reader::finish);
    let (is_timed_out, is_a_pipe_open) = (in_time.is_none(), out_open || err_open);
    Ok(Outcome { status, is_timed_out, stdout, stderr, is_a_pipe_open })
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

/// What was read of a pipe so far, and a channel that closes when the thread that reads it ends.
struct Reader(Arc<Mutex<Vec<u8>>>, Receiver<()>);

impl Reader {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let (bytes, (is_reading, end)) = (Arc::new(Mutex::new(Vec::new())), bounded(0));
        let same = bytes.clone();
        thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                same.lock().expect("no reader panics").extend_from_slice(&chunk[..n]);
            }
            drop(is_reading);
        });
        Self(bytes, end)
    }

    /// What was read within the grace, and whether the pipe is still open.
    fn finish(self) -> (Vec<u8>, bool) {
        let is_open = self.1.recv_timeout(PIPE_GRACE).is_err_and(|error| error.is_timeout());
        (mem::take(&mut *self.0.lock().expect("no reader panics")), is_open)
    }
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

/// The shell exits, and leaves a child that has both pipes.
pub(crate) fn show() -> String {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 5 & echo started"]);
    let outcome = run(&mut command, Duration::from_secs(3600)).expect("there is a shell");
    let Outcome { status, is_timed_out, stdout, stderr, is_a_pipe_open } = outcome;
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    format!(
        "child 5: {status}; timed out: {is_timed_out}; it wrote {text:?}; a pipe is still open: {is_a_pipe_open}"
    )
}

#[test]
fn a_wait_ends_with_the_child_and_not_with_its_pipe() {
    crate::support::watched(|| assert!(show().ends_with("true")));
}

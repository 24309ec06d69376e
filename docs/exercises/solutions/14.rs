//! A thread for each pipe, which is left behind if the pipe stays open; and a wait that asks again and again.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a pipe may stay open when the child has gone.
const GRACE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Reader {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let (bytes, (is_reading, end)) = (Arc::new(Mutex::new(Vec::new())), channel::<()>());
        let same = bytes.clone();
        thread::spawn(move || {
            let _is_reading = is_reading; // Dropped at the end of the pipe.
            let mut chunk = [0; 8192];
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                same.lock().expect("no reader panics").extend_from_slice(&chunk[..n]);
            }
        });
        Self { bytes, end }
    }

    fn finish(self) -> Vec<u8> {
        // An error either way: the end of the pipe, or of our adaptive_spin.
        let _ = self.end.recv_timeout(GRACE);
        std::mem::take(&mut *self.bytes.lock().expect("no reader panics"))
    }
}

/// The code, if it has exited in time.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<i32>> {
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        thread::sleep(Duration::from_millis(1));
    }
    child.kill()?;
    child.wait()?; // Killed, it does not take long; and a zombie is not left.
    Ok(None)
}

pub(crate) fn run(command: &mut Command, timeout: Duration) -> io::Result<Outcome> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = Reader::start(child.stdout.take().expect("it is piped"));
    let stderr = Reader::start(child.stderr.take().expect("it is piped"));
    let code = wait(&mut child, timeout)?;
    Ok(Outcome { code, stdout: stdout.finish(), stderr: stderr.finish() })
}

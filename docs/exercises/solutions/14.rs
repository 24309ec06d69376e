//! A thread for each pipe, which is left behind if the pipe stays open; and a wait that asks again and again.

use std::collections::VecDeque;
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
    pub(crate) n_dropped: usize,
}

/// The last bytes of an output, and how many there were before them.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    n_dropped: usize,
}

impl Tail {
    fn extend(&mut self, chunk: &[u8], n_kept: usize) {
        self.bytes.extend(chunk);
        let n_too_many = self.bytes.len().saturating_sub(n_kept);
        self.bytes.drain(..n_too_many);
        self.n_dropped += n_too_many;
    }
}

struct Reader {
    tail: Arc<Mutex<Tail>>,
    end: Receiver<()>,
}

impl Reader {
    fn start(mut pipe: impl Read + Send + 'static, n_kept: usize) -> Self {
        let (tail, (is_reading, end)) = (Arc::<Mutex<Tail>>::default(), channel::<()>());
        let same = tail.clone();
        thread::spawn(move || {
            let _is_reading = is_reading; // Dropped at the end of the pipe.
            let mut chunk = [0; 8192];
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                same.lock().expect("no reader panics").extend(&chunk[..n], n_kept);
            }
        });
        Self { tail, end }
    }

    fn finish(self) -> Tail {
        // An error either way: the end of the pipe, or of our patience.
        let _ = self.end.recv_timeout(GRACE);
        std::mem::take(&mut *self.tail.lock().expect("no reader panics"))
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

pub(crate) fn run(command: &mut Command, timeout: Duration, n_kept: usize) -> io::Result<Outcome> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = Reader::start(child.stdout.take().expect("it is piped"), n_kept);
    let stderr = Reader::start(child.stderr.take().expect("it is piped"), n_kept);
    let code = wait(&mut child, timeout)?;
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    let n_dropped = stdout.n_dropped + stderr.n_dropped;
    Ok(Outcome { code, stdout: stdout.bytes.into(), stderr: stderr.bytes.into(), n_dropped })
}

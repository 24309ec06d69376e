//! Step 1: wait with a timeout.
//!
//! The idea: ask whether the child has exited, and sleep for a little between two questions. The pauses grow, so
//! that a short child is seen soon, and a long one costs little.
//!
//! Without it: `Child::wait` of std takes as long as the child does, and `sleep 10` takes that long.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

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

pub(crate) fn show() -> String {
    let mut child = Command::new("sleep").arg("10").spawn().expect("there is a program `sleep`");
    let status = wait_timeout(&mut child, Duration::from_millis(50)).expect("it can be waited for");
    child.kill().and_then(|()| child.wait()).expect("it is ours to kill");
    format!("child 1: after 50 ms, the status of `sleep 10` was {status:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::watched;

    #[test]
    fn a_wait_ends_before_a_long_child_does() {
        watched(|| {
            let mut child = Command::new("sleep").arg("10").spawn().unwrap();
            let status = wait_timeout(&mut child, Duration::from_millis(20)).unwrap();
            child.kill().and_then(|()| child.wait()).unwrap();
            assert_eq!(status, None);
        });
    }

    #[test]
    fn a_short_child_is_not_waited_for_longer_than_it_takes() {
        watched(|| {
            let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
            let status = wait_timeout(&mut child, Duration::from_secs(3600)).unwrap();
            assert_eq!(status.unwrap().code(), Some(3));
        });
    }
}

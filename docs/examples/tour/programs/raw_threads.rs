//! Ten raw threads that each sleep a second, all joined with a timeout.
//!
//! **Python:** `t.join(timeout=15)` returns `None` whether the thread has ended or not: who does
//! not ask `t.is_alive()` afterwards believes that it has. What the thread returned is lost, and
//! what it raised is a message on stderr. (`std::thread` keeps both, but has no timed join.)
//!
//! **Better here:** a raw thread has the handle that a pool's job has. The join gives what the
//! thread returned, or says that it panicked, or that it is still running, and there is no way to
//! overlook which.

use std::error::Error;
use std::time::Duration;

use handspun::thread;

use crate::expected::Expected;
use crate::pace::sleep;
use crate::stage::{Program, Stage};

fn slow_function(duration: Duration) {
    sleep(duration);
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    // Collected, because an iterator is lazy: otherwise each thread would only be started once
    // the one before it has been joined.
    let threads: Vec<_> =
        (0..10).map(|_| thread::spawn(|| slow_function(Duration::from_secs(1)))).collect();

    for (i, thread) in threads.into_iter().enumerate() {
        // The first `?` is for a thread that still runs after 15 s (its error gives the handle
        // back, to try again), the second for one that panicked or could not be started.
        thread.join_timeout(Duration::from_secs(15))??;
        stage.say(format_args!("Thread {i} finished"));
    }
    Ok(())
}

pub(crate) const PROGRAM: Program = Program {
    name: "raw_threads",
    title: "Ten raw threads, joined with a timeout",
    shows: "Ten threads sleep 1 s each, at the same time. A join with a timeout of 15 s says \
            which it was: it ended, it panicked, or it is still running.",
    ideal: Some(Duration::from_secs(1)),
    is_async: false,
    has_children: false,
    run,
    expected: || Expected::Exactly((0..10).map(|i| format!("Thread {i} finished")).collect()),
    source: file!(),
};

//! What asks `par` to end: Ctrl-C, SIGTERM and SIGHUP.
//!
//! Knows nothing of children but how to end them all. What must always hold: a signal that was ignored when
//! `par` was started stays ignored. `nohup` and the background jobs of a script rely on it.

use std::time::Duration;
use std::{fs, io, thread};

use handspun::CancellationToken;
use handspun::process::terminate_all;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The first one cancels, and all children end as their policy says; the next kills them.
pub(crate) fn listen(ctrl_c: CancellationToken) -> io::Result<()> {
    let ignored = ignored();
    let heeded =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(heeded)?;
    thread::Builder::new().spawn(move || {
        for (n_before, _) in signals.forever().enumerate() {
            ctrl_c.cancel_because("Ctrl-C");
            if n_before > 0 {
                terminate_all(Duration::ZERO);
            }
        }
    })?;
    Ok(())
}

/// A bit for each signal that is ignored, the first for signal 1. Where there is no `/proc` it is not known,
/// and all are heeded.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

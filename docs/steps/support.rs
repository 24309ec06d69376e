//! What the tests of all four paths share: a watchdog, and a check of the table in the README.

use std::io::{self, Write};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Far longer than any test here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test, and ends the whole process with its name if it hangs.
pub(crate) fn watched(test: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let watchdog = thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = writeln!(io::stderr(), "`{name}` has hung for {PATIENCE:?}");
            process::abort();
        }
    });
    test();
    drop(done);
    watchdog.join().expect("the watchdog does not panic");
}

/// The README has a row for each step of a path, with its lines of code; no step is too long.
pub(crate) fn the_readme_counts_right(path: &str, steps: &[&str]) {
    for (number, step) in (1..).zip(steps) {
        assert!(step.lines().count() <= 120, "{path}/step{number}.rs is too long for one idea");
        let is_test = |line: &&str| line.starts_with("#[cfg(test)]") || line.starts_with("#[test]");
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = step.lines().take_while(|line| !is_test(line)).filter(is_code).count();
        let row = format!("| [`{path}/step{number}.rs`]({path}/step{number}.rs) | {lines} |");
        assert!(include_str!("README.md").contains(&row), "docs/steps/README.md lacks `{row}`");
    }
}

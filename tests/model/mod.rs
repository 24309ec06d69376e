//! Model checks: this very source on the model checker's locks and threads, schedule by schedule.
//!
//! ```text
//! RUSTFLAGS="--cfg handspun_model" cargo test --profile model --target-dir target/model --lib model
//! cargo test --test mutants      plants one mistake at a time, and asks each check to catch its own
//! ```
//!
//! Each check is a small program of two to four threads, run under every schedule there is where
//! they can be counted, and under many thousand random ones where they cannot. The checker looks
//! at interleavings, not at weak memory: that part is argued in the `ORDERING:` comments and
//! checked in `orderings`. Nothing here waits with a timeout: time does not pass in a model.
//!
//! What must always hold: a panic in a job is a value, and no failure of the check, before somebody
//! has read it. So each check reads the result of every job that asserts something.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

mod wait;
mod pool;
mod injector;
mod handle;
mod shutdown;
mod as_completed;
mod tokens;
mod submit_with;
mod observer;
mod sync;
#[cfg(unix)]
mod children;
mod borrow;
mod executor;
mod orderings;

/// Runs a program under every schedule, and prints how many there were.
///
/// More than `at_most` would mean that the program has outgrown this kind of check.
fn every_schedule(name: &'static str, at_most: usize, program: fn()) {
    let runs = Runs::of(name);
    shuttle::check_dfs(runs.counting(program), Some(at_most));
    let schedules = runs.n.get();
    assert!(schedules < at_most, "there are more than {at_most}: use `random_schedules`");
    println!("model {name}: all {schedules} schedules");
}

/// Runs a program under `schedules` random schedules: half of them fair, half with few switches at
/// surprising places (PCT), which finds what needs one bad moment rather than much luck.
fn random_schedules(name: &'static str, schedules: usize, program: fn()) {
    let runs = Runs::of(name);
    shuttle::check_random(runs.counting(program), schedules / 2);
    shuttle::check_pct(runs.counting(program), schedules / 2, 3);
    println!("model {name}: {} random schedules", runs.n.get());
}

/// How often a program has run. If the check fails, it says in which schedule.
struct Runs {
    name: &'static str,
    n: Tally,
}

impl Runs {
    fn of(name: &'static str) -> Self {
        Self { name, n: Tally::default() }
    }

    fn counting(&self, program: fn()) -> impl Fn() + Send + Sync + 'static {
        let n = self.n.clone();
        move || {
            n.add_one();
            program();
        }
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("model {}: failed in schedule {}", self.name, self.n.get());
        }
    }
}

/// A count that several threads keep. No switch happens here: it watches, and takes no part.
#[derive(Clone, Default)]
struct Tally(Arc<AtomicUsize>);

impl Tally {
    fn add_one(&self) {
        self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed. The model's threads take turns.
    }

    fn get(&self) -> usize {
        self.0.load(Relaxed) // ORDERING: Relaxed, as in `add_one`.
    }
}

/// An `on_start` that fails on every thread but the first. Quietly: it would print a line a run.
fn only_the_first_starts(number: usize) {
    if number > 0 {
        std::panic::resume_unwind(Box::new("no more threads"));
    }
}

//! Model checks: this very source on the model checker's locks and threads, schedule by schedule.
//!
//! ```text
//! RUSTFLAGS="--cfg handspun_model" cargo test --target-dir target/model --lib model
//! ```
//!
//! Each check is a small program of two or three threads, run under every schedule there is where
//! they can be counted, and under many thousand random ones where they cannot. The checker looks
//! at interleavings, not at weak memory: that part is argued in the `ORDERING:` comments and
//! checked in `orderings`. Nothing here waits with a timeout: time does not pass in a model.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

mod hall;

/// Runs a program under every schedule, and prints how many there were.
///
/// More than `at_most` would mean that the program has outgrown this kind of check.
fn every_schedule(name: &str, at_most: usize, program: fn()) {
    let (runs, counted) = counting(program);
    shuttle::check_dfs(counted, Some(at_most));
    let runs = runs.load(Relaxed); // ORDERING: Relaxed. Read after the last run.
    assert!(runs < at_most, "{name} has more than {at_most} schedules: use `random_schedules`");
    println!("model {name}: all {runs} schedules");
}

/// Runs a program under `schedules` random schedules: half of them fair, half with few switches at
/// surprising places (PCT), which finds what needs one bad moment rather than much luck.
fn random_schedules(name: &str, schedules: usize, program: fn()) {
    shuttle::check_random(program, schedules / 2);
    shuttle::check_pct(program, schedules / 2, 3);
    println!("model {name}: {schedules} random schedules");
}

/// The program, and how often it has run.
fn counting(program: fn()) -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = runs.clone();
    let counted = move || {
        counter.fetch_add(1, Relaxed); // ORDERING: Relaxed. The runs follow one another.
        program();
    };
    (runs, counted)
}

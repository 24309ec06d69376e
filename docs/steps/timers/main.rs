//! A timer queue and a thread that fires it, one idea at a time: `cargo run --example steps_timers`.

mod step1;
mod step2;
mod step3;

fn main() {
    step1::show();
    step2::show();
    step3::show();
}

#[cfg(test)]
#[path = "../support.rs"]
mod support;

#[test]
fn every_step_of_the_timers_runs() {
    support::watched(main);
}

#[test]
fn the_readme_counts_the_lines_of_the_timers() {
    support::the_readme_counts_right(
        "timers",
        &[include_str!("step1.rs"), include_str!("step2.rs"), include_str!("step3.rs")],
    );
}

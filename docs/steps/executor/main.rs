//! A single-threaded executor, one idea at a time: `cargo run --example steps_executor`.

mod step1;
mod step2;
mod step3;
mod step4;

fn main() {
    step1::show();
    step2::show();
    step3::show();
    step4::show();
}

#[cfg(test)]
#[path = "../support.rs"]
mod support;

#[test]
fn every_step_of_the_executor_runs() {
    support::watched(main);
}

#[test]
fn the_readme_counts_the_lines_of_the_executor() {
    support::the_readme_counts_right(
        "executor",
        &[
            include_str!("step1.rs"),
            include_str!("step2.rs"),
            include_str!("step3.rs"),
            include_str!("step4.rs"),
        ],
    );
}

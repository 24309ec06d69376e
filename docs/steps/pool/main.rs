//! A thread pool on `crossbeam-channel`, one idea at a time: `cargo run --example steps_pool`.

mod step1;
mod step2;
mod step3;
mod step4;
mod step5;

fn main() {
    step1::show();
    step2::show();
    step3::show();
    step4::show();
    // To count what a job costs: chapter 3 says how.
    let n_jobs = std::env::args().nth(1).and_then(|n| n.parse().ok());
    step5::show(n_jobs.unwrap_or(1));
}

#[cfg(test)]
#[path = "../support.rs"]
mod support;

#[test]
fn every_step_of_the_pool_runs() {
    support::watched(main);
}

#[test]
fn the_readme_counts_the_lines_of_the_pool() {
    support::the_readme_counts_right(
        "pool",
        &[
            include_str!("step1.rs"),
            include_str!("step2.rs"),
            include_str!("step3.rs"),
            include_str!("step4.rs"),
            include_str!("step5.rs"),
        ],
    );
}

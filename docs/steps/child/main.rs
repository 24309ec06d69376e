//! A child process with a timeout, one idea at a time: `cargo run --example steps_child`.

#[cfg(unix)]
mod step1;
#[cfg(unix)]
mod step2;
#[cfg(unix)]
mod step3;
#[cfg(unix)]
mod step4;
#[cfg(unix)]
mod step5;

#[cfg(unix)]
fn main() {
    step1::show();
    step2::show();
    step3::show();
    step4::show();
    step5::show();
}

#[cfg(not(unix))]
fn main() {
    println!("These steps need Unix: they are about signals and process groups.");
}

#[cfg(all(test, unix))]
#[path = "../support.rs"]
mod support;

#[cfg(unix)]
#[test]
fn every_step_of_the_children_runs() {
    support::watched(main);
}

#[cfg(unix)]
#[test]
fn the_readme_counts_the_lines_of_the_children() {
    support::the_readme_counts_right(
        "child",
        &[
            include_str!("step1.rs"),
            include_str!("step2.rs"),
            include_str!("step3.rs"),
            include_str!("step4.rs"),
            include_str!("step5.rs"),
        ],
    );
}

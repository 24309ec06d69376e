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

/// A step: its source, and what shows it.
#[cfg(unix)]
type Step = (&'static str, fn() -> String);

#[cfg(unix)]
const STEPS: [Step; 5] = [
    (include_str!("step1.rs"), step1::show),
    (include_str!("step2.rs"), step2::show),
    (include_str!("step3.rs"), step3::show),
    (include_str!("step4.rs"), step4::show),
    (include_str!("step5.rs"), step5::show),
];

#[cfg(unix)]
fn main() {
    for (_, show) in STEPS {
        println!("{}", show());
    }
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
fn the_page_of_the_children_is_current() {
    support::watched(|| support::the_page_is_current("child", &STEPS));
}

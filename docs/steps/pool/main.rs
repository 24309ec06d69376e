//! A thread pool on `crossbeam-channel`, one idea at a time: `cargo run --example steps_pool`.

mod step1;
mod step2;
mod step3;
mod step4;
mod step5;

/// A step: its source, and what shows it.
type Step = (&'static str, fn() -> String);

const STEPS: [Step; 5] = [
    (include_str!("step1.rs"), step1::show),
    (include_str!("step2.rs"), step2::show),
    (include_str!("step3.rs"), step3::show),
    (include_str!("step4.rs"), step4::show),
    (include_str!("step5.rs"), step5::show),
];

fn main() {
    // To count what a job costs: chapter 3 says how.
    if let Some(n_jobs) = std::env::args().nth(1).and_then(|n| n.parse().ok()) {
        step5::run_to_the_end(n_jobs);
        return;
    }
    for (_, show) in STEPS {
        println!("{}", show());
    }
}

#[cfg(test)]
#[path = "../support.rs"]
mod support;

#[test]
fn the_page_of_the_pool_is_current() {
    support::watched(|| support::the_page_is_current("pool", &STEPS));
}

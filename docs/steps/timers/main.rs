//! A timer queue and a thread that fires it, one idea at a time: `cargo run --example steps_timers`.

mod step1;
mod step2;
mod step3;
mod step4;

/// A step: its source, and what shows it.
type Step = (&'static str, fn() -> String);

const STEPS: [Step; 4] = [
    (include_str!("step1.rs"), step1::show),
    (include_str!("step2.rs"), step2::show),
    (include_str!("step3.rs"), step3::show),
    (include_str!("step4.rs"), step4::show),
];

fn main() {
    for (_, show) in STEPS {
        println!("{}", show());
    }
}

#[cfg(test)]
#[path = "../support.rs"]
mod support;

#[test]
fn the_page_of_the_timers_is_current() {
    support::watched(|| support::the_page_is_current("timers", &STEPS));
}

//! Measured against ideal: the line under each program, and the table at the end.

use std::time::Duration;

use crate::Played;
use crate::stage::{LEAST_WITH_CHILDREN, print};

pub(crate) fn show_finish(played: &Played) {
    let end = match played.result {
        Ok(()) => "finished",
        Err(_) => "WRONG, see the end",
    };
    let measured = seconds(played.measured);
    let remark = match played.ideal {
        Some(ideal) => format!("ideal {}, ratio {}", seconds(ideal), ratio(played.measured, ideal)),
        None => "nothing sleeps, so there is no ideal".to_owned(),
    };
    print(format_args!("{measured:>10} ┴ {end}; {remark}"));
}

/// Under a clock that jumps, it also says how long it took in everybody else's time.
pub(crate) fn show(played: &[Played], scale: f64, jumped: Option<Duration>) {
    print(format_args!(
        "\n{:<20}{:>12}{:>12}{:>12}\n{:━<56}",
        "program", "ideal", "measured", "ratio", ""
    ));
    for one in played {
        let (ideal, ratio) = match one.ideal {
            Some(ideal) => (seconds(ideal), ratio(one.measured, ideal)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        let remark = match one.result {
            Ok(()) => "",
            Err(_) => "   WRONG, see below",
        };
        print(format_args!(
            "{:<20}{ideal:>12}{:>12}{ratio:>12}{remark}",
            one.program.name,
            seconds(one.measured),
        ));
    }
    if let Some(time) = jumped {
        print(format_args!(
            "\nThe times above are those of a clock that jumps. It took {time:.1?} of yours."
        ));
    } else if scale != 1.0 {
        let has_children = played.iter().any(|one| one.program.has_children);
        if has_children && scale < LEAST_WITH_CHILDREN {
            print(format_args!(
                "\nAll sleeps were scaled by {scale}, and by {LEAST_WITH_CHILDREN} where children are started."
            ));
        } else {
            print(format_args!("\nAll sleeps were scaled by {scale}."));
        }
        print(format_args!(
            "The shorter the sleeps, the more of the ratio is the machine's own delay in waking\n\
             a thread."
        ));
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

fn ratio(measured: Duration, ideal: Duration) -> String {
    format!("{:.3}", measured.as_secs_f64() / ideal.as_secs_f64())
}

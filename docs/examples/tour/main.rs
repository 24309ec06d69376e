//! The tour: the programs of a well-known Python tutorial, each beside its ideal time.
//!
//! ```text
//! cargo run --release --example tour                      all of them, in the tutorial's order
//! cargo run --release --example tour -- --list            what there is
//! cargo run --release --example tour -- risky             one of them, or several
//! cargo run --release --example tour -- --scale 0.05      all sleeps twenty times shorter
//! ```
//!
//! A program is a page in `programs/`, to be read beside its Python original. This file plays
//! them one after another, says what each took, and ends with a table. Each program's output is
//! checked: if a line is wrong the tour says which and exits with 1. Time is shown and never
//! judged, since only a quiet machine at full scale can keep it.

mod args;
mod expected;
mod pace;
mod programs;
mod stage;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use args::Request;
use stage::{Program, Stage, print};

fn main() -> ExitCode {
    let request = match args::parse(lexopt::Parser::from_env()) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("tour: {error}");
            return ExitCode::from(2);
        }
    };
    match request {
        Request::Help => {
            print(args::USAGE);
            ExitCode::SUCCESS
        }
        Request::List => {
            print(programs::list());
            ExitCode::SUCCESS
        }
        Request::Play { programs, scale } => {
            pace::set_scale(scale);
            let played: Vec<Played> = programs.into_iter().map(play).collect();
            table::show(&played);
            verdict(&played)
        }
    }
}

/// What is known of a program once it has been played.
struct Played {
    program: &'static Program,
    measured: Duration,
    /// What went wrong, in words, or nothing.
    result: Result<(), String>,
}

fn play(program: &'static Program) -> Played {
    stage::announce(program);
    let played = perform(program);
    table::show_finish(&played);
    played
}

fn perform(program: &'static Program) -> Played {
    let stage = Stage::new();
    let ended = (program.run)(&stage);
    let measured = stage.elapsed();

    let result = match ended {
        Ok(()) => (program.expected)().check(&stage.into_said()),
        Err(error) => Err(format!("it ended with an error: {error}\n")),
    };
    Played { program, measured, result }
}

/// Says which programs went wrong, and how, where a script and a person both notice it.
fn verdict(played: &[Played]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for one in played {
        if let Err(difference) = &one.result {
            eprint!("\ntour: {} went wrong: {difference}", one.program.name);
            code = ExitCode::FAILURE;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::Expected;

    const PLANTED: Program = Program {
        name: "planted",
        title: "A program that says the wrong thing",
        shows: "That the tour notices.",
        ideal: None,
        run: |stage| {
            stage.say("2 + 2 = 5");
            Ok(())
        },
        expected: || Expected::Exactly(vec!["2 + 2 = 4".to_owned()]),
        source: file!(),
    };

    #[test]
    fn a_wrong_line_is_noticed() {
        let difference = perform(&PLANTED).result.expect_err("2 + 2 is not 5");
        assert!(difference.contains("expected: 2 + 2 = 4\n"), "{difference}");
        assert!(difference.contains("said:     2 + 2 = 5\n"), "{difference}");
    }

    #[test]
    fn a_program_that_ends_with_an_error_went_wrong() {
        const BROKEN: Program = Program { run: |_| Err("no more threads".into()), ..PLANTED };
        let difference = perform(&BROKEN).result.expect_err("it failed");
        assert!(difference.contains("no more threads"), "{difference}");
    }
}

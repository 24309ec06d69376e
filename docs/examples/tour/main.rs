//! The tour: the programs of a well-known Python tutorial, each beside its ideal time.
//!
//! ```text
//! cargo run --release --example tour                      all of them, in the tutorial's order
//! cargo run --release --example tour -- --list            what there is
//! cargo run --release --example tour -- risky             one of them, or several
//! cargo run --release --example tour -- --scale 0.05      all sleeps twenty times shorter
//! cargo run --release --example tour -- --virtual         those of tasks alone, in no time
//! cargo run --release --example tour -- --svg pictures    and what ran when, as `pictures/*.svg`
//! ```
//!
//! A program is a page in `programs/`, to be read beside its Python original. This file plays
//! them one after another, says what each took, and ends with a table. Each program's output is
//! checked: if a line is wrong the tour says which and exits with 1. Time is shown and never
//! judged, since only a quiet machine at full scale can keep it.
//!
//! Under each program that has a pool or tasks stands its timeline: what ran when, on which worker,
//! which task or child was there, and what waited. Threads of their own have no observer, and so no timeline.
//!
//! With `--virtual`, the clock of the executor jumps to the next time that somebody waits for, so that the
//! programs say the same in milliseconds. Their times are that clock's, and so are those of their timelines: they are
//! ideal to the nanosecond, or something is wrong, and `--svg` draws the same bytes each time.

mod args;
#[cfg(unix)]
mod child;
mod expected;
mod pace;
mod programs;
mod random;
mod stage;
mod svg;
mod table;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use handspun::{Clock, Timeline};

use args::{Play, Request};
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
        Request::Version => {
            print(concat!("tour (", env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), ")"));
            ExitCode::SUCCESS
        }
        Request::List => {
            print(programs::list());
            ExitCode::SUCCESS
        }
        #[cfg(unix)]
        Request::PlayPart(part, scale) => {
            pace::set_scale(scale);
            match (part.play)() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("tour: {}: {error}", part.name);
                    ExitCode::FAILURE
                }
            }
        }
        Request::Play(Play { programs, scale, is_virtual, svg }) => {
            // Before the first program: a folder that cannot be made is no reason to wait.
            if let Some(folder) = &svg {
                if let Err(error) = fs::create_dir_all(folder) {
                    return no_pictures(folder, &error);
                }
            }
            let began = Instant::now();
            let played: Vec<Played> =
                programs.into_iter().map(|program| play(program, scale, is_virtual)).collect();
            table::show(&played, scale, is_virtual.then(|| began.elapsed()));
            let verdict = verdict(&played);
            match svg.as_deref().map(|folder| draw(folder, &played)) {
                Some(Err(code)) => code,
                Some(Ok(())) | None => verdict,
            }
        }
    }
}

/// What is known of a program once it has been played.
struct Played {
    program: &'static Program,
    /// `None` where nothing sleeps.
    ideal: Option<Duration>,
    measured: Duration,
    /// What went wrong, in words, or nothing.
    result: Result<(), String>,
    timeline: Timeline,
}

fn play(program: &'static Program, scale: f64, is_virtual: bool) -> Played {
    pace::set_scale(program.scale(scale));
    stage::announce(program);
    let played = perform(program, if is_virtual { Clock::jumping() } else { Clock::real() });
    table::show_finish(&played);
    stage::show_timeline(&played.timeline);
    played
}

fn perform(program: &'static Program, clock: Clock) -> Played {
    let stage = Stage::new(clock);
    let ended = (program.run)(&stage);
    let measured = stage.elapsed();

    let kept = stage.into_kept();
    let result = match ended {
        Ok(()) => (program.expected)().check(&kept.said),
        Err(error) => Err(format!("it ended with an error: {error}\n")),
    };
    let ideal = program.ideal.map(pace::scaled);
    Played { program, ideal, measured, result, timeline: kept.timeline }
}

/// Draws a picture of each program that has a timeline.
fn draw(folder: &Path, played: &[Played]) -> Result<(), ExitCode> {
    for one in played {
        match svg::draw(folder, one.program, &one.timeline) {
            Ok(Some(path)) => print(format_args!("drawn: {}", path.display())),
            Ok(None) => {}
            Err(error) => return Err(no_pictures(folder, &error)),
        }
    }
    Ok(())
}

fn no_pictures(folder: &Path, error: &io::Error) -> ExitCode {
    eprintln!("tour: no picture can be drawn into `{}`: {error}", folder.display());
    ExitCode::from(2)
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
        is_async: false,
        has_children: false,
        run: |stage| {
            stage.say("2 + 2 = 5");
            Ok(())
        },
        expected: || Expected::Exactly(vec!["2 + 2 = 4".to_owned()]),
        source: file!(),
    };

    #[test]
    fn a_wrong_line_is_noticed() {
        let difference = perform(&PLANTED, Clock::real()).result.expect_err("2 + 2 is not 5");
        assert!(difference.contains("expected: 2 + 2 = 4\n"), "{difference}");
        assert!(difference.contains("said:     2 + 2 = 5\n"), "{difference}");
    }

    #[test]
    fn a_program_that_ends_with_an_error_went_wrong() {
        const BROKEN: Program = Program { run: |_| Err("no more threads".into()), ..PLANTED };
        let difference = perform(&BROKEN, Clock::real()).result.expect_err("it failed");
        assert!(difference.contains("no more threads"), "{difference}");
    }

    #[test]
    fn tasks_alone_take_their_ideal_time_exactly_when_the_clock_jumps() {
        for program in programs::ALL.iter().filter(|program| program.is_async) {
            let Played { result, measured, ideal, .. } = perform(program, Clock::jumping());
            assert_eq!((result, Some(measured)), (Ok(()), ideal), "{}", program.name);
        }
    }

    #[test]
    fn the_pictures_in_the_documents_are_current() {
        let (kept, anew) = (Path::new("docs/pictures"), tempfile::tempdir().unwrap());
        for program in programs::ALL.iter().filter(|program| program.is_async) {
            let played = perform(program, Clock::jumping());
            let Some(path) = svg::draw(anew.path(), program, &played.timeline).unwrap() else {
                continue;
            };
            let kept = fs::read(kept.join(path.file_name().unwrap())).unwrap_or_default();
            assert!(
                kept == fs::read(&path).unwrap(),
                "{} is another one now: `cargo run --example tour -- --virtual --svg docs/pictures`",
                program.name
            );
        }
    }
}

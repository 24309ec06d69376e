//! What was asked for on the command line.
//!
//! Everything that can be wrong with a request is found here, before the first program starts:
//! a tour that fails after a minute over a typing mistake wastes that minute.

use std::error::Error;
use std::path::PathBuf;

use lexopt::prelude::*;

#[cfg(unix)]
use crate::child;
use crate::programs;
use crate::stage::Program;

pub(crate) const USAGE: &str = "\
The tour: programs of a Python tutorial, each measured against its ideal time.

Usage: cargo run --release --example tour -- [OPTIONS] [NAME...]

  NAME...       the programs to play, in this order (default: all of them)
  --list        name the programs and stop
  --scale X     multiply every sleep, and so the ideal times, by X (default: 1);
                in programs that start children, by 0.25 at least
  --virtual     under a clock that jumps, so that nobody waits: only programs
                of tasks alone (marked ~ in the list)
  --svg DIR     draw what ran when into DIR/NAME.svg, for each program with a
                pool, tasks or children
  -h, --help    this text
  -V, --version the version

Under each program with a pool, tasks or children stands what ran when, 80 columns wide,
or as many as the environment's COLUMNS says.";

pub(crate) enum Request {
    Help,
    Version,
    List,
    Play(Play),
    /// The tour has started itself: see [`child`]. It is no option for people, and not in the help.
    #[cfg(unix)]
    PlayPart(&'static child::Part, f64),
}

pub(crate) struct Play {
    pub(crate) programs: Vec<&'static Program>,
    pub(crate) scale: f64,
    /// Under a clock that jumps.
    pub(crate) is_virtual: bool,
    /// The folder for the pictures, if they are wanted.
    pub(crate) svg: Option<PathBuf>,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Request, lexopt::Error> {
    let mut programs = Vec::new();
    let mut scale = 1.0;
    let mut svg = None;
    let (mut list, mut is_virtual) = (false, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('V') | Long("version") => return Ok(Request::Version),
            Long("list") => list = true,
            Long("virtual") => is_virtual = true,
            Long("scale") => scale = parser.value()?.parse_with(parse_scale)?,
            #[cfg(unix)]
            Long("as-child") => {
                let part = child::find(&parser.value()?.string()?)?;
                return Ok(Request::PlayPart(part, scale));
            }
            Long("svg") => svg = Some(parser.value()?.into()),
            Value(name) => programs.push(find(&name.string()?)?),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    if list {
        return Ok(Request::List);
    }
    if let Some(program) = programs.iter().find(|program| is_virtual && !program.is_async) {
        let name = program.name;
        return Err(format!(
            "`{name}` has threads or children, and they take real time: not `--virtual`"
        )
        .into());
    }
    if programs.is_empty() {
        programs = programs::ALL.to_vec();
        programs.retain(|program| program.is_async || !is_virtual);
    }
    Ok(Request::Play(Play { programs, scale, is_virtual, svg }))
}

fn find(name: &str) -> Result<&'static Program, lexopt::Error> {
    let found = programs::ALL.iter().find(|program| program.name == name);
    found.copied().ok_or_else(|| {
        let list = programs::list();
        format!("there is no program `{name}`; there are:\n\n{list}").into()
    })
}

/// The upper bound keeps the one timeout that is not scaled, 15 s, longer than what it waits for; the
/// lower one keeps those that are scaled apart from what they interrupt. `NaN` is in no range, so it
/// needs no words of its own.
fn parse_scale(text: &str) -> Result<f64, Box<dyn Error + Send + Sync>> {
    match text.parse::<f64>() {
        Ok(scale) if (0.01..=10.0).contains(&scale) => Ok(scale),
        Ok(_) | Err(_) => Err("the scale is a number from 0.01 to 10, such as 0.05".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Request, lexopt::Error> {
        super::parse(lexopt::Parser::from_args(args))
    }

    /// The names of the programs that these arguments ask for, and the scale.
    fn play(args: &[&str]) -> (Vec<&'static str>, f64) {
        match parse(args) {
            Ok(Request::Play(Play { programs, scale, .. })) => {
                (programs.iter().map(|program| program.name).collect(), scale)
            }
            Ok(_) => panic!("they ask for no play"),
            Err(error) => panic!("{error}"),
        }
    }

    fn error(args: &[&str]) -> String {
        match parse(args) {
            Ok(_) => panic!("these arguments are wrong, but were taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn without_arguments_all_programs_play_at_full_scale() {
        let (names, scale) = play(&[]);
        assert_eq!(names.len(), programs::ALL.len());
        assert_eq!(scale, 1.0);
    }

    #[test]
    fn names_play_in_the_order_given() {
        let (names, scale) = play(&["risky", "--scale=0.05", "raw_threads"]);
        assert_eq!(names, ["risky", "raw_threads"]);
        assert_eq!(scale, 0.05);
    }

    #[test]
    fn a_wrong_name_is_told_all_the_right_ones() {
        let error = error(&["rsky"]);
        assert!(error.contains("`rsky`"), "{error}");
        for program in programs::ALL {
            assert!(error.contains(program.name), "{error}");
        }
    }

    #[test]
    fn a_scale_is_a_sane_number() {
        for scale in ["0", "-0.0", "-1", "NaN", "inf", "1e300", "1e-300", "", "fast"] {
            let error = error(&["--scale", scale]);
            assert!(error.contains("a number from 0.01 to 10"), "{scale}: {error}");
        }
        assert!(error(&["--scale"]).contains("missing argument"));
    }

    #[test]
    fn pictures_are_drawn_if_a_folder_is_named() {
        for (args, folder) in [(vec![], None), (vec!["--svg", "out"], Some("out".into()))] {
            let Ok(Request::Play(Play { svg, .. })) = parse(&args) else {
                panic!("they ask for a play");
            };
            assert_eq!(svg, folder);
        }
        assert!(error(&["--svg"]).contains("missing argument"));
    }

    #[test]
    fn only_programs_of_tasks_alone_play_under_a_clock_that_jumps() {
        let Ok(Request::Play(Play { programs, is_virtual: true, .. })) = parse(&["--virtual"])
        else {
            panic!("they ask for a play");
        };
        assert!(!programs.is_empty() && programs.iter().all(|program| program.is_async));
        assert_eq!(play(&["--virtual", "gather"]).0, ["gather"]);
        assert!(error(&["--virtual", "risky"]).contains("`risky` has threads"));
        let both = parse(&["--virtual", "--svg", "out"]);
        assert!(matches!(both, Ok(Request::Play(Play { is_virtual: true, svg: Some(_), .. }))));
    }

    #[test]
    #[cfg(unix)]
    fn a_child_of_the_tour_plays_its_part_at_the_same_scale() {
        let Ok(Request::PlayPart(part, scale)) = parse(&["--scale", "0.5", "--as-child", "stuck"])
        else {
            panic!("they ask for a part");
        };
        assert_eq!((part.name, scale), ("stuck", 0.5));
        assert!(error(&["--as-child", "hero"]).contains("`hero`"));
    }

    #[test]
    fn an_unknown_option_is_named() {
        assert!(error(&["--fast"]).contains("--fast"));
        assert!(error(&["--list=3"]).contains("--list"));
    }
}

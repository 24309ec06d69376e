//! How fast is handspun beside its peers?
//!
//! Runs those of a row in one process, interleaved, over several rounds, and prints one table for each
//! question.
//!
//! The modules below are in reading order, and each uses only those above it: what is done (`work`
//! to `crowd`), who does it (`line_up` to `curves`), how figures are taken and told (`stats` to
//! `pictures`), the `harness` that runs a row, and the process for each (`elsewhere`). How much memory
//! things take is not asked here but in `weights`, a program of its own.

mod work;
mod pools;
mod flood;
mod executors;
mod crowd;
mod line_up;
mod cpu;
mod rows;
mod curves;
mod stats;
mod facts;
mod report;
mod tables;
mod section;
mod pictures;
mod harness;
mod elsewhere;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::curves::Curve;
use crate::facts::{Facts, Rounds};
use crate::harness::{Effort, Measuring};
use crate::line_up::Scale;
use crate::pictures::Picture;
use crate::report::{CurveReport, Field, Point, Report, RowReport};
use crate::rows::Row;

#[derive(Parser)]
#[command(about = "Measures handspun beside its peers, a process for each row, interleaved.")]
struct Arguments {
    /// Measure only this row (may be given more than once).
    #[arg(long = "row", value_name = "NAME", value_parser = name_of_a_row())]
    rows: Vec<String>,

    /// Measure how things grow as well: jobs, producers, queued jobs, workers, tasks, sleepers, waiters, tokens, children.
    #[arg(long)]
    curves: bool,

    /// Measure only this curve (may be given more than once).
    #[arg(long = "curve", value_name = "NAME", value_parser = name_of_a_curve())]
    named_curves: Vec<String>,

    /// Use a tenth of the operations and three rounds: shows that it runs, not how fast.
    #[arg(long)]
    quick: bool,

    /// How often everybody has a turn in each process [default: 4, with --quick 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,

    /// In how many processes a row is measured, at least [default: 6, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    processes: Option<u16>,

    /// While a target is open, measure in more processes until a row has taken so long, at most eight times
    /// as many [default: 40, with --quick 0].
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,

    /// Measure all rows in this process: for a profiler, or to see what one row does to the next.
    #[arg(long)]
    in_one_process: bool,

    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,

    /// Write the JSON document into this file as well.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Put the verdicts of the run in this file, which was saved before, beside the new ones.
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,

    /// Measure nothing, and read such a file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "curves", "named_curves", "quick", "rounds", "within", "in_one_process"])]
    from: Option<PathBuf>,

    /// Draw the pictures of the run into this folder.
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,

    /// Write the tables, and links to the pictures, into the part of this document that is marked for them.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Print the names of the rows and curves and the questions they answer, and measure nothing.
    #[arg(long)]
    list: bool,

    /// Measure this row here and print it as JSON: what the program asks of itself.
    #[arg(long, hide = true, value_parser = name_of_a_row())]
    one: Option<String>,

    /// Measure this point of a curve: what the program asks of itself.
    #[arg(long, hide = true, num_args = 2, value_names = ["CURVE", "N"])]
    point: Option<Vec<String>>,
}

/// Takes the names in the registry and no others. Its error lists them, and the exit code is 2.
fn name_of_a_row() -> PossibleValuesParser {
    PossibleValuesParser::new(rows::ALL.iter().map(|row| row.name))
}

fn name_of_a_curve() -> PossibleValuesParser {
    PossibleValuesParser::new(curves::ALL.iter().map(|curve| curve.name))
}

impl Arguments {
    fn scale(&self) -> Scale {
        if self.quick { Scale::Quick } else { Scale::Full }
    }

    fn effort(&self) -> Effort {
        let within = self.within.unwrap_or(self.scale().usual_seconds());
        Effort {
            rounds: self.rounds.unwrap_or(self.scale().usual_rounds()),
            processes: self.processes.map_or(self.scale().usual_processes(), usize::from),
            within: Duration::from_secs(within),
        }
    }

    /// What is named, or else all of them.
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let all = self.rows.is_empty() && self.named_curves.is_empty();
        rows::ALL.iter().filter(move |row| all || self.rows.iter().any(|name| name == row.name))
    }

    /// What is named, or all if that is said.
    fn curves(&self) -> impl Iterator<Item = &'static Curve> {
        let is_named = |curve: &Curve| self.named_curves.iter().any(|name| name == curve.name);
        curves::ALL.iter().filter(move |curve| self.curves || is_named(curve))
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        for row in rows::ALL {
            println!("{:<16} {}", row.name, row.question);
        }
        println!();
        for curve in curves::ALL {
            println!("{:<16} {}", curve.name, curve.question);
        }
        return Ok(());
    }
    if let Some(name) = &arguments.one {
        let row = rows::named(name).expect("the program asks itself for what is in its list");
        let field = harness::measure((row.line_up)(arguments.scale()), arguments.effort().rounds);
        serde_json::to_writer(io::stdout(), &field)?;
        return Ok(());
    }
    if let Some([curve, n]) = arguments.point.as_deref() {
        let curve = curves::named(curve).expect("the program asks itself for what is in its list");
        let n = n.parse().expect("the program asks itself for a number");
        let field = harness::measure((curve.line_up)(n), arguments.effort().rounds);
        serde_json::to_writer(io::stdout(), &field)?;
        return Ok(());
    }

    // Before a quarter of an hour is spent on what could not be written.
    if let Some(folder) = arguments.save.as_deref().and_then(Path::parent) {
        fs::create_dir_all(folder)?;
    }
    let read = |file: &PathBuf| Ok::<_, io::Error>(Report::from_json(&fs::read_to_string(file)?)?);
    let earlier = arguments.after.as_ref().map(read).transpose()?;
    let mut report = match &arguments.from {
        Some(file) => read(file)?,
        None => run(&arguments),
    };
    if let Some(earlier) = &earlier {
        report.compare_with(earlier);
    }
    if let Some(file) = &arguments.save {
        fs::write(file, report.to_json())?;
    }
    let mut pictures = Vec::new();
    if let Some(folder) = &arguments.svg {
        pictures = pictures::write(&report, folder)?;
    }
    if let Some(file) = &arguments.markdown {
        section::write(file, "run", &document(&report, &pictures, file.parent()))?;
    }
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        if arguments.from.is_some() {
            println!("{}", report.facts);
            report.rows.iter().for_each(|row| println!("{row}"));
            report.curves.iter().for_each(|curve| println!("{curve}"));
        }
        println!("### All targets\n\n{}\n\n{}", report.summary(), report.facts.how_to_repeat());
    }
    Ok(())
}

/// All that a run found out, as a part of a document that lies in `folder`.
fn document(report: &Report, pictures: &[Picture], folder: Option<&Path>) -> String {
    let picture = |picture: &Picture| {
        let path = folder.and_then(|folder| picture.file.strip_prefix(folder).ok());
        format!("![{}]({})\n\n", picture.title, path.unwrap_or(&picture.file).display())
    };
    let pictures: String = pictures.iter().map(picture).collect();
    let facts = format!("```text\n{}```\n\n", report.facts);
    let rows: String = report.rows.iter().map(|row| format!("{row}\n")).collect();
    let curves: String = report.curves.iter().map(|curve| curve.to_string()).collect();
    format!("{facts}{pictures}### All targets\n\n{}\n\n{rows}{curves}", report.summary())
}

/// Measures what was asked for, and says each thing as soon as it is known.
fn run(arguments: &Arguments) -> Report {
    let (scale, effort) = (arguments.scale(), arguments.effort());
    let rounds = Rounds {
        rounds: effort.rounds,
        processes: effort.processes,
        within_s: effort.within.as_secs(),
        in_one_process: arguments.in_one_process,
    };
    let facts = Facts::gather(scale, Some(rounds));
    let mut report = Report { facts, rows: Vec::new(), curves: Vec::new() };
    if !arguments.json {
        println!("{}", report.facts);
    }
    let measure = |row: &Row| {
        if arguments.in_one_process {
            harness::measure((row.line_up)(scale), effort.rounds)
        } else {
            elsewhere::measure(&question_of(row, scale), effort.rounds)
        }
    };
    let start = |row| (row, Measuring::new(effort, move || measure(row)));
    let mut open: Vec<_> = arguments.rows().map(start).collect();
    while !open.is_empty() {
        open.retain_mut(|(row, measuring)| {
            // On stderr, so that somebody who waits sees life, and somebody who pipes gets only the
            // result.
            eprintln!("measuring {} …", row.name);
            let Some(field) = measuring.go_on() else { return true };
            let measured = RowReport::new(row, field);
            if !arguments.json {
                println!("{measured}");
            }
            report.rows.push(measured);
            false
        });
    }
    // Not as they were decided, but in the order of the list.
    report.rows.sort_by_key(|measured| rows::ALL.iter().position(|row| row.name == measured.name));
    for curve in arguments.curves() {
        eprintln!("measuring the curve of {} …", curve.of);
        let measured = measure_curve(curve, scale, effort);
        if !arguments.json {
            println!("{measured}");
        }
        report.curves.push(measured);
    }
    report
}

fn question_of(row: &Row, scale: Scale) -> Vec<&'static str> {
    let quick = (scale == Scale::Quick).then_some("--quick");
    ["--one", row.name].into_iter().chain(quick).collect()
}

/// A point has no target and so no verdict: a few rounds will do, and each is in a process of its own.
fn measure_curve(curve: &Curve, scale: Scale, effort: Effort) -> CurveReport {
    let n_points = match scale {
        Scale::Full => curve.points.len(),
        Scale::Quick => curve.points.len().div_ceil(2),
    };
    let point = |n: &u64| {
        let field: Field =
            elsewhere::measure(&["--point", curve.name, &n.to_string()], effort.rounds);
        Point { n: *n, field }
    };
    CurveReport {
        name: curve.name.to_owned(),
        question: curve.question.to_owned(),
        of: curve.of.to_owned(),
        points: curve.points[..n_points].iter().map(point).collect(),
    }
}

//! How fast is handspun beside its peers?
//!
//! Runs those of a row in one process, interleaved, over several rounds, and prints one table for each
//! question.
//!
//! The modules below are in reading order, and each uses only those above it: what is done (`work`
//! to `crowd`), who does it (`line_up` to `rows`), how figures are taken and told (`stats` to
//! `tables`), the `harness` that runs a row, and the process for each (`elsewhere`). How much memory
//! things take is not asked here but in `weights`, a program of its own.

mod work;
mod pools;
mod flood;
mod executors;
mod crowd;
mod line_up;
mod cpu;
mod rows;
mod stats;
mod facts;
mod report;
mod tables;
mod harness;
mod elsewhere;

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::facts::{Facts, Rounds};
use crate::harness::Effort;
use crate::line_up::Scale;
use crate::report::{Report, RowReport};
use crate::rows::Row;

#[derive(Parser)]
#[command(about = "Measures handspun beside its peers, a process for each row, interleaved.")]
struct Arguments {
    /// Measure only this row (may be given more than once).
    #[arg(long = "row", value_name = "NAME", value_parser = name_of_a_row())]
    rows: Vec<String>,

    /// Use a tenth of the operations and three rounds: shows that it runs, not how fast.
    #[arg(long)]
    quick: bool,

    /// How often everybody has a turn, at least [default: 9, with --quick 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,

    /// While a target is open, take more rounds until a row has taken so long, at most eight times as
    /// many [default: 30, with --quick 0].
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

    /// Measure nothing, and read such a file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "quick", "rounds", "within", "in_one_process"])]
    from: Option<PathBuf>,

    /// Print the names of the rows and the questions they answer, and measure nothing.
    #[arg(long)]
    list: bool,

    /// Measure this row here and print it as JSON: what the program asks of itself.
    #[arg(long, hide = true, value_parser = name_of_a_row())]
    one: Option<String>,
}

/// Takes the names in the registry and no others. Its error lists them, and the exit code is 2.
fn name_of_a_row() -> PossibleValuesParser {
    PossibleValuesParser::new(rows::ALL.iter().map(|row| row.name))
}

impl Arguments {
    fn scale(&self) -> Scale {
        if self.quick { Scale::Quick } else { Scale::Full }
    }

    fn effort(&self) -> Effort {
        let within = self.within.unwrap_or(self.scale().usual_seconds());
        Effort {
            rounds: self.rounds.unwrap_or(self.scale().usual_rounds()),
            within: Duration::from_secs(within),
        }
    }

    fn asks_for(&self, row: &Row) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|name| name == row.name)
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        for row in rows::ALL {
            println!("{:<16} {}", row.name, row.question);
        }
        return Ok(());
    }
    if let Some(name) = &arguments.one {
        let row = rows::named(name).expect("the program asks itself for what is in its list");
        let measured = measure_here(row, arguments.scale(), arguments.effort());
        serde_json::to_writer(io::stdout(), &measured)?;
        return Ok(());
    }

    let report = match &arguments.from {
        Some(file) => Report::from_json(&fs::read_to_string(file)?)?,
        None => run(&arguments),
    };
    if let Some(file) = &arguments.save {
        fs::write(file, report.to_json())?;
    }
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        if arguments.from.is_some() {
            println!("{}", report.facts);
            report.rows.iter().for_each(|row| println!("{row}"));
        }
        println!("## All targets\n\n{}\n\n{}", report.summary(), report.facts.how_to_repeat());
    }
    Ok(())
}

/// Measures what was asked for, and says each thing as soon as it is known.
fn run(arguments: &Arguments) -> Report {
    let (scale, effort) = (arguments.scale(), arguments.effort());
    let rounds = Rounds {
        at_least: effort.rounds,
        within_s: effort.within.as_secs(),
        in_one_process: arguments.in_one_process,
    };
    let mut report = Report { facts: Facts::gather(scale, Some(rounds)), rows: Vec::new() };
    if !arguments.json {
        println!("{}", report.facts);
    }
    for row in rows::ALL.iter().filter(|row| arguments.asks_for(row)) {
        // On stderr, so that somebody who waits sees life, and somebody who pipes gets only the
        // result.
        eprintln!("measuring {} …", row.name);
        let measured = if arguments.in_one_process {
            measure_here(row, scale, effort)
        } else {
            elsewhere::measure(row.name, scale, effort)
        };
        if !arguments.json {
            println!("{measured}");
        }
        report.rows.push(measured);
    }
    report
}

fn measure_here(row: &Row, scale: Scale, effort: Effort) -> RowReport {
    RowReport::new(row, harness::measure((row.line_up)(scale), effort))
}

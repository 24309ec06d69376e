//! How fast is handspun beside its peers?
//!
//! Runs them in one process, interleaved, over several rounds, and prints one table for each
//! question.
//!
//! The modules below are in reading order, and each uses only those above it: what is done (`work`
//! to `crowd`), who does it (`line_up` to `rows`), how figures are taken and told (`stats` to
//! `report`), and the `harness` that runs a row. How much memory things take is not asked here but in
//! `weights`, a program of its own.

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
mod harness;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::facts::Facts;
use crate::line_up::Scale;
use crate::report::Report;
use crate::rows::Row;

#[derive(Parser)]
#[command(about = "Measures handspun beside its peers, in one process, interleaved.")]
struct Arguments {
    /// Measure only this row (may be given more than once).
    #[arg(long = "row", value_name = "NAME", value_parser = name_of_a_row())]
    rows: Vec<String>,

    /// Use a tenth of the operations and three rounds: shows that it runs, not how fast.
    #[arg(long)]
    quick: bool,

    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,

    /// Print the names of the rows and the questions they answer, and measure nothing.
    #[arg(long)]
    list: bool,

    /// How often everybody has a turn [default: 9, with --quick 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
}

/// Takes the names in the registry and no others. Its error lists them, and the exit code is 2.
fn name_of_a_row() -> PossibleValuesParser {
    PossibleValuesParser::new(rows::ALL.iter().map(|row| row.name))
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.list {
        for row in rows::ALL {
            println!("{:<16} {}", row.name, row.question);
        }
        return;
    }

    let scale = if arguments.quick { Scale::Quick } else { Scale::Full };
    let rounds = arguments.rounds.unwrap_or(scale.usual_rounds());
    let facts = Facts::gather(scale, Some(rounds));
    if !arguments.json {
        println!("{facts}");
    }

    let asked_for = |row: &&Row| {
        arguments.rows.is_empty() || arguments.rows.iter().any(|name| name == row.name)
    };
    let mut report = Report { facts, rows: Vec::new() };
    for row in rows::ALL.iter().filter(asked_for) {
        // On stderr, so that somebody who waits sees life, and somebody who pipes gets only the
        // result.
        eprintln!("measuring {} …", row.name);
        let measured = harness::measure(row, scale, rounds);
        if !arguments.json {
            println!("{measured}");
        }
        report.rows.push(measured);
    }
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        println!("{}", report.summary());
    }
}

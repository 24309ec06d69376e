//! How the figures are told: a table for people, a JSON document for programs.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::facts::Facts;
use crate::line_up::{Measure, Role};
use crate::rows::Row;

/// All that a run found out.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) rows: Vec<RowReport>,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .expect("numbers and strings can always be written as JSON")
    }

    /// A line for each target of each row, met or not.
    pub(crate) fn summary(&self) -> Table {
        let mut table = markdown(&["row", "ours", "median", "best peer", "÷ best peer", "target"]);
        for row in &self.rows {
            for placed in &row.contenders {
                table.add_rows(placed.line_of_summary(row));
            }
        }
        align_right(&mut table, &[2, 4]);
        table
    }
}

/// What one contender took for one operation, over all rounds.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// What our median ÷ the best peer's should be at most.
    pub(crate) target: Option<f64>,
    /// How many operations a round had.
    pub(crate) operations: u64,
    pub(crate) median_ns: f64,
    pub(crate) min_ns: f64,
    pub(crate) max_ns: f64,
    /// Only in rows where each operation has a time of its own.
    pub(crate) p99_ns: Option<f64>,
    pub(crate) cpu_ns: f64,
}

/// The answer to one question.
#[derive(Serialize)]
pub(crate) struct RowReport {
    name: &'static str,
    question: &'static str,
    measure: Measure,
    best_peer: &'static str,
    contenders: Vec<Placed>,
}

/// A contender's figures, and where they put it.
#[derive(Serialize)]
struct Placed {
    #[serde(flatten)]
    figures: Figures,
    /// This median ÷ the best peer's: lower is better.
    to_best_peer: f64,
}

impl RowReport {
    pub(crate) fn new(row: &Row, measure: Measure, contenders: Vec<Figures>) -> Self {
        let (best_peer, best_ns) = contenders
            .iter()
            .filter(|figures| figures.role == Role::Peer)
            .map(|figures| (figures.name, figures.median_ns))
            .min_by(|(_, left), (_, right)| left.total_cmp(right))
            .expect("every row has a peer");
        let placed =
            |figures: Figures| Placed { to_best_peer: figures.median_ns / best_ns, figures };
        Self {
            name: row.name,
            question: row.question,
            measure,
            best_peer,
            contenders: contenders.into_iter().map(placed).collect(),
        }
    }

    fn table(&self) -> Table {
        let mut header = vec!["contender", "role", "median", "min … max"];
        if self.contenders.iter().any(|placed| placed.figures.p99_ns.is_some()) {
            header.push("p99");
        }
        header.extend(["CPU", "÷ best peer"]);
        let mut table = markdown(&header);
        for placed in &self.contenders {
            table.add_row(placed.cells());
        }
        align_right(&mut table, &(2..header.len()).collect::<Vec<_>>());
        table
    }
}

impl fmt::Display for RowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.name, self.question)?;
        writeln!(f, "{}\n", self.table())?;
        for placed in &self.contenders {
            if let Some(target) = placed.figures.target {
                writeln!(f, "{}", placed.verdict(target, self.best_peer))?;
            }
        }
        Ok(())
    }
}

impl Placed {
    /// This contender's line in the table, in the order of the header.
    fn cells(&self) -> Vec<String> {
        let figures = &self.figures;
        let spread = format!("{} … {}", time(figures.min_ns), time(figures.max_ns));
        let mut cells = vec![figures.name.to_owned(), figures.role.to_string()];
        cells.extend([time(figures.median_ns), spread]);
        cells.extend(figures.p99_ns.map(time));
        cells.extend([time(figures.cpu_ns), ratio(self.to_best_peer)]);
        cells
    }

    fn verdict(&self, target: f64, best_peer: &str) -> String {
        let (name, reached) = (self.figures.name, ratio(self.to_best_peer));
        let met = self.met(target);
        format!("{name} ÷ {best_peer} = {reached}; the target of {target:.2} is {met}.")
    }

    fn met(&self, target: f64) -> &'static str {
        if self.to_best_peer <= target { "met" } else { "missed" }
    }

    /// Its line in the summary, if it has a target.
    fn line_of_summary(&self, row: &RowReport) -> Option<[String; 6]> {
        let target = self.figures.target?;
        Some([
            row.name.to_owned(),
            self.figures.name.to_owned(),
            time(self.figures.median_ns),
            row.best_peer.to_owned(),
            ratio(self.to_best_peer),
            format!("{target:.2} {}", self.met(target)),
        ])
    }
}

/// Markdown reads well in a terminal too, and goes into `docs/benchmarks.md` as it is.
fn markdown(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(header);
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        let column = table.column_mut(*column).expect("it is in the header");
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// A time for one operation, in the unit that leaves it readable.
fn time(nanoseconds: f64) -> String {
    if nanoseconds < 10.0 {
        format!("{nanoseconds:.1} ns")
    } else if nanoseconds < 10_000.0 {
        format!("{nanoseconds:.0} ns")
    } else if nanoseconds < 10_000_000.0 {
        format!("{:.1} µs", nanoseconds / 1_000.0)
    } else {
        format!("{:.1} ms", nanoseconds / 1_000_000.0)
    }
}

/// A ratio with two figures that tell something, also where it is very small.
fn ratio(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn figures(name: &'static str, role: Role, median_ns: f64) -> Figures {
        let (target, p99_ns) = (None, None);
        Figures {
            name,
            role,
            target,
            operations: 1,
            median_ns,
            min_ns: 0.0,
            max_ns: 0.0,
            p99_ns,
            cpu_ns: 0.0,
        }
    }

    #[test]
    fn a_baseline_is_never_the_best_peer() {
        let contenders = vec![
            figures("handspun", Role::Ours, 50.0),
            figures("slow peer", Role::Peer, 200.0),
            figures("fast peer", Role::Peer, 100.0),
            figures("plain loop", Role::Baseline, 1.0),
        ];
        let report = RowReport::new(&rows::ALL[0], Measure::Throughput, contenders);
        assert_eq!(report.best_peer, "fast peer");
        assert_eq!(report.contenders[0].to_best_peer, 0.5);
    }

    #[test]
    fn the_summary_has_a_line_for_each_target_and_no_other() {
        let ours = Figures { target: Some(0.8), ..figures("handspun", Role::Ours, 90.0) };
        let contenders = vec![ours, figures("peer", Role::Peer, 100.0)];
        let row = RowReport::new(&rows::ALL[0], Measure::Throughput, contenders);
        let lines: Vec<_> =
            row.contenders.iter().flat_map(|one| one.line_of_summary(&row)).collect();
        let [line] = &lines[..] else { panic!("one contender has a target") };
        assert_eq!(line[1..], ["handspun", "90 ns", "peer", "0.90", "0.80 missed"]);
    }

    #[test]
    fn a_time_is_written_in_the_unit_that_fits() {
        assert_eq!(
            [1.26, 426.4, 12_345.0, 12_345_678.0].map(time),
            ["1.3 ns", "426 ns", "12.3 µs", "12.3 ms"]
        );
    }
}

//! How the figures are told to people: as tables.
//!
//! Markdown reads well in a terminal too, and goes into `docs/benchmarks.md` as it is.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

use crate::report::{CurveReport, Placed, Report, RowReport, Verdict};
use crate::stats::Interval;

impl Report {
    /// A line for each target of each row, met or not.
    pub(crate) fn summary(&self) -> Table {
        let mut header =
            vec!["row", "ours", "median", "best peer", "÷ best peer", "99 %", "target"];
        if self.facts.after.is_some() {
            header.push("before");
        }
        let mut table = markdown(&header);
        for row in &self.rows {
            for placed in &row.field.contenders {
                table.add_rows(placed.line_of_summary(row));
            }
        }
        align_right(&mut table, &[2, 4]);
        table
    }
}

impl RowReport {
    fn table(&self) -> Table {
        let mut header = vec!["contender", "role", "median", "min … max"];
        let has_tail = |placed: &Placed| placed.figures.p99_ns.is_some();
        if self.field.contenders.iter().any(has_tail) {
            header.extend(["p99", "p99.9"]);
        }
        header.extend(["CPU", "÷ best peer", "99 %"]);
        let mut table = markdown(&header);
        for placed in &self.field.contenders {
            table.add_row(placed.cells());
        }
        align_right(&mut table, &(2..header.len()).collect::<Vec<_>>());
        table
    }
}

impl fmt::Display for RowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### `{}`\n\n{}\n", self.name, self.question)?;
        writeln!(f, "{}\n", self.table())?;
        for placed in &self.field.contenders {
            if let (Some(target), Some(verdict)) = (placed.figures.target, placed.verdict) {
                let (name, best_peer) = (&placed.figures.name, &self.field.best_peer);
                let (reached, between) = (ratio(placed.to_best_peer), between(placed.interval));
                write!(f, "{name} ÷ {best_peer} = {reached} ({between}, ")?;
                writeln!(f, "{} rounds); target {target:.2}: {verdict}.", self.field.n_rounds())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for CurveReport {
    /// A line for each contender, and a column for each point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### Growth: `{}`\n\n{}\n", self.name, self.question)?;
        let sizes = self.points.iter().map(|point| point.n.to_string());
        let header: Vec<String> = [self.of.clone()].into_iter().chain(sizes).collect();
        let mut table = markdown(&header.iter().map(String::as_str).collect::<Vec<_>>());
        for line in self.lines() {
            let times = line.points.iter().map(|(_, nanoseconds)| time(*nanoseconds));
            table.add_row([line.name.to_owned()].into_iter().chain(times));
        }
        align_right(&mut table, &(1..header.len()).collect::<Vec<_>>());
        writeln!(f, "{table}\n")
    }
}

impl Placed {
    /// This contender's line in the table, in the order of the header.
    fn cells(&self) -> Vec<String> {
        let figures = &self.figures;
        let spread = format!("{} … {}", time(figures.min_ns), time(figures.max_ns));
        let mut cells = vec![figures.name.clone(), figures.role.to_string()];
        cells.extend([time(figures.median_ns), spread]);
        cells.extend([figures.p99_ns, figures.p999_ns].into_iter().flatten().map(time));
        cells.extend([time(figures.cpu_ns), ratio(self.to_best_peer), between(self.interval)]);
        cells
    }

    /// Its line in the summary, if it has a target.
    fn line_of_summary(&self, row: &RowReport) -> Option<Vec<String>> {
        let (target, verdict) = (self.figures.target?, self.verdict?);
        let mut line = vec![
            row.name.clone(),
            self.figures.name.clone(),
            time(self.figures.median_ns),
            row.field.best_peer.clone(),
            ratio(self.to_best_peer),
            between(self.interval),
            format!("{target:.2} {verdict}"),
        ];
        line.extend(self.before.as_ref().map(|it| {
            let differs = if it.verdict == verdict { "" } else { "≠ " };
            format!("{differs}{} {}", ratio(it.ratio), it.verdict)
        }));
        Some(line)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Open => "too noisy to say",
        })
    }
}

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
pub(crate) fn time(nanoseconds: f64) -> String {
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
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

fn between(interval: Interval) -> String {
    format!("{} … {}", ratio(interval.low), ratio(interval.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::duel;

    #[test]
    fn the_summary_has_a_line_for_each_target_and_no_other() {
        let row = RowReport {
            name: "a-row".to_owned(),
            question: "How long?".to_owned(),
            field: duel(&[88.0, 88.0, 88.0, 90.0, 90.0, 91.0, 91.0, 91.0], 0.8),
        };
        let lines = row.field.contenders.iter().flat_map(|one| one.line_of_summary(&row));
        let lines: Vec<_> = lines.collect();
        let [line] = &lines[..] else { panic!("one contender has a target") };
        let expected = ["handspun", "90 ns", "peer", "0.90", "0.88 … 0.91", "0.80 missed"];
        assert_eq!(line[1..], expected);
    }

    #[test]
    fn a_verdict_stands_with_its_interval_and_its_rounds() {
        let field = duel(&[75.0, 78.0, 90.0], 0.8);
        let row = RowReport { name: "a".to_owned(), question: "b?".to_owned(), field };
        let line = "handspun ÷ peer = 0.78 (0.75 … 0.90, 3 rounds); target 0.80: too noisy to say.";
        assert!(row.to_string().contains(line), "{row}");
    }

    #[test]
    fn a_time_is_written_in_the_unit_that_fits() {
        assert_eq!(
            [1.26, 426.4, 12_345.0, 12_345_678.0].map(time),
            ["1.3 ns", "426 ns", "12.3 µs", "12.3 ms"]
        );
    }
}

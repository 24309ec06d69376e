//! How long a job is away: the middle, and how bad it gets for one in a hundred and one in a thousand.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{Area, Axis, IN_MEMORY, colours, line, picture, round_time, write_text};
use crate::report::{Figures, Report, RowReport};

pub(super) const TITLE: &str = "How long one job is away, idle and loaded: median, p99 and p99.9";

/// The rows that are about nothing else.
const ROWS: [&str; 2] = ["latency-idle", "latency-loaded"];

const WIDTH: u32 = 940;
const HEAD: i32 = 62;
const HEAD_OF_PANEL: i32 = 34;
const LINE: i32 = 26;
const FOOT: i32 = 44;

pub(super) fn draw(report: &Report) -> Option<String> {
    let rows: Vec<&RowReport> =
        report.rows.iter().filter(|row| ROWS.contains(&&*row.name)).collect();
    let figures = rows.iter().flat_map(|row| row.field.contenders.iter().map(|one| &one.figures));
    let slowest = figures.clone().filter_map(|figures| figures.p999_ns).reduce(f64::max)?;
    let quickest = figures.map(|figures| figures.median_ns).reduce(f64::min)?;
    let axis = Axis { low: quickest / 1.5, high: slowest * 1.5, left: 210, right: 910 };

    let height_of =
        |row: &RowReport| HEAD_OF_PANEL + LINE * row.field.contenders.len() as i32 + FOOT;
    let height = HEAD + rows.iter().map(|row| height_of(row)).sum::<i32>();
    Some(picture(TITLE, (WIDTH, height as u32), |area| {
        let says = "How long one job is away, submitted and joined";
        write_text(area, says, (14, 20), 17, HPos::Left, colours::TEXT);
        let says = "from left to right: median, p99, p99.9 (one in a thousand is slower)";
        write_text(area, says, (14, 44), 12, HPos::Left, colours::QUIET);
        let mut top = HEAD;
        for row in rows {
            panel(area, row, &axis, top);
            top += height_of(row);
        }
    }))
}

fn panel(area: &Area<'_>, row: &RowReport, axis: &Axis, top: i32) {
    write_text(area, &row.question, (14, top + 12), 13, HPos::Left, colours::TEXT);
    let first = top + HEAD_OF_PANEL;
    let bottom = first + LINE * row.field.contenders.len() as i32;
    for tick in ticks(axis) {
        let x = axis.at(tick);
        line(area, (x, first - 6), (x, bottom), colours::GRID);
        write_text(area, &round_time(tick), (x, bottom + 12), 12, HPos::Center, colours::QUIET);
    }
    let contenders = || row.field.contenders.iter().map(|placed| &placed.figures);
    let names: Vec<_> = contenders().map(|figures| (figures.role, &*figures.name)).collect();
    let colours = colours::of(&names);
    for (number, (figures, colour)) in (0..).zip(contenders().zip(colours)) {
        let y = first + LINE * number + LINE / 2;
        write_text(area, &figures.name, (axis.left - 12, y), 12, HPos::Right, colours::TEXT);
        contender(area, figures, axis, y, colour);
    }
}

/// From the median to p99.9, with a mark at each and at p99.
fn contender(area: &Area<'_>, figures: &Figures, axis: &Axis, y: i32, colour: RGBColor) {
    let (Some(p99), Some(p999)) = (figures.p99_ns, figures.p999_ns) else { return };
    let [median, p99, p999] = [figures.median_ns, p99, p999].map(|time| axis.at(time));
    line(area, (median, y), (p999, y), colour.stroke_width(2));
    area.draw(&Circle::new((median, y), 7, colour.filled())).expect(IN_MEMORY);
    area.draw(&Circle::new((p99, y), 4, colour.filled())).expect(IN_MEMORY);
    area.draw(&Circle::new((p999, y), 4, colours::BACKGROUND.filled())).expect(IN_MEMORY);
    area.draw(&Circle::new((p999, y), 4, colour.stroke_width(2))).expect(IN_MEMORY);
}

/// 1, 2 and 5 of each power of ten on the axis; on a long one the powers alone.
fn ticks(axis: &Axis) -> Vec<f64> {
    let steps: &[f64] = if axis.high / axis.low < 1e4 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (0..12).map(|power| 10_f64.powi(power));
    let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * power));
    ticks.filter(|tick| (axis.low..axis.high).contains(tick)).collect()
}

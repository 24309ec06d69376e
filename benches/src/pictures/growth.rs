//! How it grows: a small picture for each curve, all on one page.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{Area, IN_MEMORY, colours, picture, round_time, wrap, write_text};
use crate::line_up::Role;
use crate::report::{CurveReport, Line, Report};

pub(super) const TITLE: &str = "How the cost of one thing grows with their number";

const COLUMNS: usize = 2;
const WIDTH: u32 = 470;
const HEIGHT: u32 = 330;
const HEAD: i32 = 46;
const LEGEND: i32 = 66;

pub(super) fn draw(report: &Report) -> Option<String> {
    let curves = &report.curves;
    if curves.is_empty() {
        return None;
    }
    let (columns, rows) = (COLUMNS.min(curves.len()), curves.len().div_ceil(COLUMNS));
    let size = (WIDTH * columns as u32, HEIGHT * rows as u32);
    Some(picture(TITLE, size, |area| {
        let parts = area.split_evenly((rows, columns));
        curves.iter().zip(&parts).for_each(|(curve, part)| panel(part, curve));
    }))
}

fn panel(area: &Area<'_>, curve: &CurveReport) {
    for (number, line) in (0..).zip(wrap(&curve.question, 62)) {
        write_text(area, &line, (14, 16 + 16 * number), 13, HPos::Left, colours::TEXT);
    }
    let lines = curve.lines();
    let names: Vec<_> = lines.iter().map(|line| (line.role, line.name)).collect();
    let colours = colours::of(&names);
    let coloured = || lines.iter().zip(colours.iter().copied());
    let times = lines.iter().flat_map(|line| line.points.iter().map(|(_, time)| *time));
    let (low, high) = (times.clone().fold(f64::MAX, f64::min), times.fold(0.0, f64::max));
    let (low, high) = (low / 1.3, high * 1.3);
    let sizes: Vec<f64> = curve.points.iter().map(|point| point.n as f64).collect();
    let (first, last) = (sizes[0] / 1.15, sizes[sizes.len() - 1] * 1.15);

    let plot = area.margin(HEAD, LEGEND, 12, 22);
    let mut chart = ChartBuilder::on(&plot)
        .x_label_area_size(24)
        .y_label_area_size(58)
        .build_cartesian_2d(
            (first..last).log_scale().with_key_points(sizes),
            (low..high).log_scale().with_key_points(ticks(low, high)),
        )
        .expect(IN_MEMORY);
    let small = ("sans-serif", 12).into_font().color(&colours::QUIET);
    chart
        .configure_mesh()
        .x_label_formatter(&|n| short(*n))
        .y_label_formatter(&|nanoseconds| round_time(*nanoseconds))
        .label_style(small)
        .bold_line_style(colours::GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(colours::GRID)
        .draw()
        .expect(IN_MEMORY);
    // Ours last, and so on top.
    for (line, colour) in coloured().collect::<Vec<_>>().into_iter().rev() {
        let width = if line.role == Role::Ours { 3 } else { 2 };
        let points = || line.points.iter().map(|(n, time)| (*n as f64, *time));
        chart.draw_series(LineSeries::new(points(), colour.stroke_width(width))).expect(IN_MEMORY);
        let dots = points().map(|point| Circle::new(point, width + 1, colour.filled()));
        chart.draw_series(dots).expect(IN_MEMORY);
    }
    legend(area, curve, coloured());
}

/// Below the plot: what there are more of, and who is who, in three columns.
fn legend<'a>(
    area: &Area<'_>,
    curve: &CurveReport,
    lines: impl Iterator<Item = (&'a Line<'a>, RGBColor)>,
) {
    let top = HEIGHT as i32 - LEGEND;
    let right = WIDTH as i32 - 22;
    write_text(area, &curve.of, (right, top + 4), 12, HPos::Right, colours::QUIET);
    for (number, (line, colour)) in (0..).zip(lines) {
        let at = (20 + 152 * (number % 3), top + 24 + 18 * (number / 3));
        area.draw(&Circle::new(at, 5, colour.filled())).expect(IN_MEMORY);
        write_text(area, line.name, (at.0 + 10, at.1), 12, HPos::Left, colours::TEXT);
    }
}

/// Where the lines of the mesh lie: at powers of ten, or closer where there would be fewer than three.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let on = |steps: &[f64]| -> Vec<f64> {
        let powers = (-1..13).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        ticks.filter(|tick| (low..high).contains(tick)).collect()
    };
    let steps: [&[f64]; 3] = [&[1.0], &[1.0, 3.0], &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]];
    let enough = steps.into_iter().map(on).find(|ticks| ticks.len() >= 3);
    enough.unwrap_or_else(|| on(steps[2]))
}

/// 1000 and more in thousands, 1,000,000 and more in millions.
fn short(n: f64) -> String {
    match n {
        n if n >= 1e6 => format!("{} M", n / 1e6),
        n if n >= 1e3 => format!("{} k", n / 1e3),
        n => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_axis_has_ticks_between_the_powers_of_ten() {
        assert_eq!(ticks(50.0, 20_000.0), [100.0, 1_000.0, 10_000.0]);
        assert_eq!(ticks(110.0, 320.0), [150.0, 200.0, 300.0]);
    }

    #[test]
    fn a_number_on_the_axis_is_short() {
        assert_eq!([64.0, 1e4, 1e7].map(short), ["64", "10 k", "10 M"]);
    }
}

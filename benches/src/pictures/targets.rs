//! Every target at a glance: our time ÷ the best peer's, with its interval, beside what was asked for.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{Area, Axis, IN_MEMORY, colours, line, picture, write_text};
use crate::report::{Placed, Report, Verdict};
use crate::tables::ratio;

pub(super) const TITLE: &str = "handspun ÷ the best peer, row by row, beside the targets";

const WIDTH: u32 = 940;
const HEAD: i32 = 78;
const FOOT: i32 = 34;
const LINE: i32 = 21;

const AXIS: Axis = Axis { low: 0.02, high: 20.0, left: 330, right: 740 };
const TICKS: [f64; 9] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

pub(super) fn draw(report: &Report) -> Option<String> {
    let with_target = |placed: &&Placed| placed.figures.target.is_some();
    let lines: Vec<(&str, &Placed)> = report
        .rows
        .iter()
        .flat_map(|row| {
            row.field.contenders.iter().filter(with_target).map(|one| (&*row.name, one))
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let bottom = HEAD + LINE * lines.len() as i32;
    let size = (WIDTH, (bottom + FOOT) as u32);
    Some(picture(TITLE, size, |area| {
        head(area);
        grid(area, bottom);
        let mut before = "";
        for (number, (row, placed)) in (0..).zip(&lines) {
            let y = HEAD + LINE * number + LINE / 2;
            if *row != before {
                write_text(area, row, (14, y), 13, HPos::Left, colours::TEXT);
                before = row;
            }
            one(area, placed, y);
        }
    }))
}

fn head(area: &Area<'_>) {
    let title = "handspun ÷ the best peer of each row";
    write_text(area, title, (14, 20), 17, HPos::Left, colours::TEXT);
    write_text(area, "← quicker", (AXIS.at(1.0) - 8, 20), 13, HPos::Right, colours::QUIET);
    write_text(area, "slower →", (AXIS.at(1.0) + 8, 20), 13, HPos::Left, colours::QUIET);
    let key = [
        (Verdict::Met, "target met"),
        (Verdict::Missed, "missed"),
        (Verdict::Open, "too noisy to say"),
    ];
    for (x, (verdict, says)) in [20, 126, 208].into_iter().zip(key) {
        mark(area, verdict, (x, 46));
        write_text(area, says, (x + 10, 46), 12, HPos::Left, colours::QUIET);
    }
    tick(area, (AXIS.left + 12, 46));
    write_text(area, "target", (AXIS.left + 20, 46), 12, HPos::Left, colours::QUIET);
    let (left, right) = (AXIS.left + 72, AXIS.left + 96);
    line(area, (left, 46), (right, 46), colours::QUIET.stroke_width(2));
    write_text(area, "interval, 99 %", (right + 8, 46), 12, HPos::Left, colours::QUIET);
}

fn grid(area: &Area<'_>, bottom: i32) {
    for value in TICKS {
        let x = AXIS.at(value);
        let width = if value == 1.0 { 2 } else { 1 };
        line(area, (x, HEAD - 6), (x, bottom), colours::GRID.stroke_width(width));
        let label = value.to_string();
        write_text(area, &label, (x, bottom + 14), 12, HPos::Center, colours::QUIET);
    }
}

fn one(area: &Area<'_>, placed: &Placed, y: i32) {
    let (Some(target), Some(verdict)) = (placed.figures.target, placed.verdict) else { return };
    let (name, colour) = (&placed.figures.name, colour_of(verdict));
    write_text(area, name, (AXIS.left - 12, y), 12, HPos::Right, colours::QUIET);
    tick(area, (AXIS.at(target), y));
    let (low, high) = (AXIS.at(placed.interval.low), AXIS.at(placed.interval.high));
    line(area, (low, y), (high, y), colour.stroke_width(2));
    mark(area, verdict, (AXIS.at(placed.to_best_peer), y));
    let says = format!("{}  of at most {target:.2}", ratio(placed.to_best_peer));
    write_text(area, &says, (AXIS.right + 18, y), 12, HPos::Left, colours::TEXT);
}

/// Where the target is.
fn tick(area: &Area<'_>, (x, y): (i32, i32)) {
    line(area, (x, y - 7), (x, y + 7), colours::TEXT.stroke_width(2));
}

/// Another form for each verdict, and not only another colour.
fn mark(area: &Area<'_>, verdict: Verdict, at: (i32, i32)) {
    let colour = colour_of(verdict);
    match verdict {
        Verdict::Met => area.draw(&Circle::new(at, 5, colour.filled())),
        Verdict::Missed => area.draw(&Cross::new(at, 5, colour.stroke_width(3))),
        Verdict::Open => area
            .draw(&Circle::new(at, 5, colours::BACKGROUND.filled()))
            .and_then(|()| area.draw(&Circle::new(at, 5, colour.stroke_width(2)))),
    }
    .expect(IN_MEMORY);
}

fn colour_of(verdict: Verdict) -> RGBColor {
    match verdict {
        Verdict::Met => colours::MET,
        Verdict::Missed => colours::MISSED,
        Verdict::Open => colours::QUIET,
    }
}

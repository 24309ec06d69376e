//! The pictures of a run: every target at a glance, how things grow, and how long a job is away.
//!
//! Made of a report and of nothing else, so that a picture and a table never tell two stories. `plotters`
//! draws them in the colours of a bright page; a style sheet in the picture knows the same colours for a
//! dark one, background included, so that it can be read on either.

mod colours;
mod growth;
mod latency;
mod targets;

use std::path::{Path, PathBuf};
use std::{fs, io};

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::Report;

/// A part of a picture, in pixels.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A picture that was written.
pub(crate) struct Picture {
    pub(crate) title: &'static str,
    pub(crate) file: PathBuf,
}

/// Writes into `folder` what the report has figures for.
pub(crate) fn write(report: &Report, folder: &Path) -> io::Result<Vec<Picture>> {
    fs::create_dir_all(folder)?;
    let pictures = [
        ("targets.svg", targets::TITLE, targets::draw(report)),
        ("latency.svg", latency::TITLE, latency::draw(report)),
        ("growth.svg", growth::TITLE, growth::draw(report)),
    ];
    let mut written = Vec::new();
    for (name, title, drawing) in pictures {
        if let Some(drawing) = drawing {
            let file = folder.join(name);
            fs::write(&file, drawing)?;
            written.push(Picture { title, file });
        }
    }
    Ok(written)
}

/// Draws a picture of this size, and gives it its style sheet and, for readers that cannot see, its title.
fn picture(title: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    area.fill(&colours::BACKGROUND).expect(IN_MEMORY);
    draw(&area);
    area.present().expect(IN_MEMORY);
    drop(area);
    let end_of_tag = svg.find("xmlns").expect("plotters writes an `svg` element");
    svg.insert_str(end_of_tag, &format!("role=\"img\" aria-label=\"{title}\" "));
    let inside = svg.find(">\n").expect("the element has a beginning") + 2;
    svg.insert_str(inside, &colours::style_sheet());
    svg
}

const IN_MEMORY: &str = "a picture in memory can always be drawn";

/// Writes `text` at a place, of which it is the left or right end, or the middle.
fn write_text(area: &Area<'_>, text: &str, at: (i32, i32), size: u32, end: HPos, colour: RGBColor) {
    let font = ("sans-serif", size).into_font().color(&colour);
    let style = font.pos(Pos::new(end, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).expect(IN_MEMORY);
}

fn line(area: &Area<'_>, from: (i32, i32), to: (i32, i32), style: impl Into<ShapeStyle>) {
    area.draw(&PathElement::new([from, to], style)).expect(IN_MEMORY);
}

/// A logarithmic axis from left to right, in pixels.
struct Axis {
    low: f64,
    high: f64,
    left: i32,
    right: i32,
}

impl Axis {
    /// Where `value` stands; at the edge, if it does not fit.
    fn at(&self, value: f64) -> i32 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.left + (share.clamp(0.0, 1.0) * f64::from(self.right - self.left)).round() as i32
    }
}

/// A time on an axis, without a figure more than it needs.
fn round_time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        time if time < 1e3 => (time, "ns"),
        time if time < 1e6 => (time / 1e3, "µs"),
        time => (time / 1e6, "ms"),
    };
    format!("{} {unit}", (value * 100.0).round() / 100.0)
}

/// Breaks a text into lines of at most so many characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            line.push_str(space);
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_off_the_axis_stands_at_its_edge() {
        let axis = Axis { low: 0.1, high: 10.0, left: 100, right: 300 };
        assert_eq!(
            [0.01, 0.1, 1.0, 10.0, 99.0].map(|value| axis.at(value)),
            [100, 100, 200, 300, 300]
        );
    }

    #[test]
    fn a_time_on_an_axis_is_round() {
        let times = [0.5, 300.0, 1_500.0, 20_000.0, 5e6].map(round_time);
        assert_eq!(times, ["0.5 ns", "300 ns", "1.5 µs", "20 µs", "5 ms"]);
    }

    #[test]
    fn a_long_question_is_broken_between_words() {
        assert_eq!(wrap("what does it cost?", 9), ["what does", "it cost?"]);
    }

    #[test]
    fn a_picture_has_its_title_and_the_colours_of_a_dark_page() {
        let svg = picture("All targets", (100, 50), |_| ());
        assert!(svg.contains("aria-label=\"All targets\""), "{svg}");
        assert!(
            svg.contains("prefers-color-scheme: dark") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        // Every colour of the bright page has one for the dark page, or else it would stay as it is.
        assert!(svg.contains("fill=\"#FFFFFF\"") && svg.contains("[fill=\"#FFFFFF\"]"), "{svg}");
    }
}

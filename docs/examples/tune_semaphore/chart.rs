//! The sweep as a chart: throughput and latency over the number of permits.
//!
//! Knows nothing of SVG but lines and words. Each doubling of the permits is as wide as the others, for
//! the interesting sizes are small.

use std::fmt::{self, Write};

use super::sweep::Row;

const LEFT: f64 = 70.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 370.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2933}\
.title{font-size:17px;font-weight:600}\
.middle{text-anchor:middle}.end{text-anchor:end}\
text.throughput{fill:#2f7ebc}text.latency{fill:#c8372d}\
line{stroke:#d5dce3}.knee{stroke:#1f2933;stroke-dasharray:4 4}\
polyline{fill:none;stroke-width:2}\
polyline.throughput{stroke:#2f7ebc;stroke-width:3}\
polyline.p50{stroke:#e3a29d}polyline.p95{stroke:#d66c64}polyline.p99{stroke:#c8372d}";

pub(crate) fn draw(rows: &[Row], knee: &Row) -> String {
    let mut svg = String::new();
    Chart::of(rows).write(&mut svg, knee).expect("a String takes all that is written");
    svg
}

/// The rows, and how much the height stands for.
struct Chart<'a> {
    rows: &'a [Row],
    most_permits: f64,
    throughput: f64,
    millis: f64,
}

impl<'a> Chart<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let most = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).fold(1.0, f64::max);
        Self {
            rows,
            most_permits: most(&|row| row.permits as f64).max(2.0),
            throughput: round_up(most(&|row| row.throughput)),
            millis: round_up(most(&|row| millis(row, 0.99))),
        }
    }

    fn write(&self, svg: &mut String, knee: &Row) -> fmt::Result {
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="760" height="430" viewBox="0 0 760 430">"#
        )?;
        writeln!(svg, r##"<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>"##)?;
        word(svg, 16.0, 30.0, "title", "Permits, throughput and latency")?;
        word(svg, LEFT, 56.0, "throughput middle", "requests/s")?;
        word(svg, RIGHT, 56.0, "latency middle", "ms in the service")?;
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let y = y(share);
            writeln!(svg, r#"<line x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}"/>"#)?;
            word(svg, LEFT - 8.0, y + 4.5, "throughput end", share * self.throughput)?;
            word(svg, RIGHT + 8.0, y + 4.5, "latency", share * self.millis)?;
        }
        let doublings = std::iter::successors(Some(1_u32), |n| n.checked_mul(2));
        for permits in doublings.take_while(|n| f64::from(*n) <= self.most_permits) {
            word(svg, self.x(f64::from(permits)), BOTTOM + 20.0, "middle", permits)?;
        }
        word(svg, (LEFT + RIGHT) / 2.0, BOTTOM + 42.0, "middle", "permits")?;
        for (name, share, height) in [("p50", 0.5, 66.0), ("p95", 0.95, 44.0), ("p99", 0.99, 22.0)]
        {
            self.line(svg, name, |row| millis(row, share) / self.millis)?;
            let y = BOTTOM - 150.0 - height;
            writeln!(svg, r#"<polyline class="{name}" points="90,{y} 114,{y}"/>"#)?;
            word(svg, 122.0, y + 4.5, "latency", name)?;
        }
        self.line(svg, "throughput", |row| row.throughput / self.throughput)?;
        let x = self.x(knee.permits as f64);
        writeln!(svg, r#"<line class="knee" x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{BOTTOM}"/>"#)?;
        word(svg, x, TOP - 6.0, "middle", format_args!("the knee: {}", knee.permits))?;
        writeln!(svg, "</svg>")
    }

    fn line(&self, svg: &mut String, name: &str, height: impl Fn(&Row) -> f64) -> fmt::Result {
        write!(svg, r#"<polyline class="{name}" points=""#)?;
        for row in self.rows {
            write!(svg, "{:.1},{:.1} ", self.x(row.permits as f64), y(height(row)))?;
        }
        writeln!(svg, r#""/>"#)
    }

    fn x(&self, permits: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * permits.log2() / self.most_permits.log2()
    }
}

fn y(share: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * share
}

fn millis(row: &Row, share: f64) -> f64 {
    row.inside.value_at_quantile(share) as f64 / 1e6
}

/// The next number that is 1, 2, 4 or 8 and zeros: its quarters are short to write.
fn round_up(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let rounds = [1.0, 2.0, 4.0, 8.0].map(|digit| digit * power);
    rounds.into_iter().find(|round| *round >= number).unwrap_or(10.0 * power)
}

fn word(svg: &mut String, x: f64, y: f64, class: &str, word: impl fmt::Display) -> fmt::Result {
    writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{word}</text>"#)
}

//! A timeline as a picture: a lane for each task and for each worker, and below them the queue.
//!
//! Knows nothing of the programs. It draws what `Timeline::spans` gives to anybody, so it is also
//! the page to start from for a drawing of your own. Times become pixels in one place, [`Picture::x`].

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use handspun::{Ending, Span, Timeline, What};

use crate::stage::Program;

/// Left of the lanes are their names, right of them how busy they were, or how long they took.
const LEFT: f64 = 116.0;
const LANES: f64 = 760.0;
const WIDTH: f64 = LEFT + LANES + 96.0;
/// Below the title and above the lanes is the ruler.
const TOP: f64 = 84.0;
const BAR: f64 = 26.0;
/// A task is thinner than a job: it is there, and mostly waits.
const LIFE: f64 = 12.0;
/// At its end, if it did not just return, is a piece of another colour.
const CAP: f64 = 8.0;
/// More tasks and children than that have no lane.
const MAX_LIVES: usize = 40;
const GAP: f64 = 8.0;
const QUEUE: f64 = 64.0;
/// Below the queue, the legend.
const FOOT: f64 = 64.0;

/// Colours, and the font that everything is written in.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2933}\
.title{font-size:17px;font-weight:600}\
.dim{fill:#66727f}\
.middle{text-anchor:middle}.end{text-anchor:end}\
.in{fill:#fff;font-size:12px}\
.lane{fill:#f1f4f7}\
.tick{stroke:#d5dce3}\
.returned{fill:#2f7ebc}.task{fill:#3f9c83}.child{fill:#7a6a53}.cancelled{fill:#c2578a}.killed{fill:#1f2933}\
.ontop{fill:#e08a1e}.panicked{fill:#c8372d}.running{fill:#8a97a5}\
.queue{fill:#b9a3d6;stroke:#7b5fa8}";

/// Draws a program's timeline into the folder, and says where; nothing if nothing was observed.
pub(crate) fn draw(
    folder: &Path,
    program: &Program,
    timeline: &Timeline,
) -> io::Result<Option<PathBuf>> {
    let Some(picture) = Picture::of(timeline.spans()) else {
        return Ok(None);
    };
    let path = folder.join(program.name).with_extension("svg");
    let svg = picture.to_svg(program.title).expect("a String takes all that is written");
    fs::write(&path, svg)?;
    Ok(Some(path))
}

/// What there is to draw, and from when to when.
struct Picture {
    spans: Vec<Span>,
    begin: Instant,
    end: Instant,
}

/// A task or a child; or the jobs that one worker ran, and how high they lie on each other.
struct Lane<'a> {
    name: String,
    spans: Vec<&'a Span>,
    depth: usize,
    y: f64,
}

impl Lane<'_> {
    fn height(&self) -> f64 {
        BAR * (self.depth + 1) as f64
    }
}

/// Lanes that follow one another downwards.
struct Lanes<'a> {
    lanes: Vec<Lane<'a>>,
    y: f64,
}

impl<'a> Lanes<'a> {
    fn add(&mut self, name: String, spans: Vec<&'a Span>) {
        let depth = spans.iter().filter_map(|span| span.run).map(|run| run.depth).max();
        let lane = Lane { name, spans, depth: depth.unwrap_or(0), y: self.y };
        self.y += lane.height() + GAP;
        self.lanes.push(lane);
    }
}

impl Picture {
    fn of(spans: Vec<Span>) -> Option<Self> {
        let begin = spans.iter().map(|span| span.submitted).min()?;
        // What still runs, or waits, is drawn up to here.
        let now = Instant::now();
        let end = spans.iter().map(|span| span.settled.map_or(now, |(when, _)| when)).max()?;
        Some(Self { spans, begin, end })
    }

    fn total(&self) -> Duration {
        (self.end - self.begin).max(Duration::from_nanos(1))
    }

    /// Where a moment lies.
    fn x(&self, when: Instant) -> f64 {
        let share = (when - self.begin).as_secs_f64() / self.total().as_secs_f64();
        LEFT + LANES * share.min(1.0)
    }

    fn count(&self, what: What) -> usize {
        self.spans.iter().filter(|span| span.what == what).count()
    }

    /// Tasks are above the jobs that they ask for, and children below.
    fn lanes(&self) -> Lanes<'_> {
        let mut lanes = Lanes { lanes: Vec::new(), y: TOP };
        self.add_lives(&mut lanes, What::Task);
        self.add_workers(&mut lanes);
        self.add_lives(&mut lanes, What::Child);
        lanes
    }

    fn add_lives<'a>(&'a self, lanes: &mut Lanes<'a>, what: What) {
        let mut lives: Vec<_> = self.spans.iter().filter(|span| span.what == what).collect();
        lives.sort_by_key(|span| (span.submitted, span.source, span.number));
        let n_hidden = lives.len().saturating_sub(MAX_LIVES);
        for span in lives.into_iter().take(MAX_LIVES) {
            lanes.add(name_of(span).chars().take(16).collect(), vec![span]);
        }
        if n_hidden > 0 {
            lanes.add(format!("… and {n_hidden} more"), Vec::new());
        }
    }

    fn add_workers<'a>(&'a self, lanes: &mut Lanes<'a>) {
        let mut workers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in &self.spans {
            if let Some(run) = span.run {
                workers.entry((span.source, run.worker)).or_default().push(span);
            }
        }
        let first = workers.keys().next().map(|(pool, _)| *pool);
        let has_one_pool = workers.keys().all(|(pool, _)| Some(*pool) == first);
        for ((pool, worker), mut jobs) in workers {
            // What lies on top is drawn later than what it lies on.
            jobs.sort_by_key(|span| span.run.map(|run| (run.began, run.depth)));
            let prefix = if has_one_pool { String::new() } else { format!("{pool}: ") };
            lanes.add(format!("{prefix}worker {worker}"), jobs);
        }
    }

    fn to_svg(&self, title: &str) -> Result<String, fmt::Error> {
        let Lanes { lanes, y: queue_y } = self.lanes();
        // Without jobs, nothing is ever queued.
        let bottom = if self.count(What::Job) > 0 { queue_y + QUEUE } else { queue_y };
        let height = bottom + FOOT;
        let mut svg = String::new();
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">"#
        )?;
        writeln!(svg, "<style>{STYLE}</style>")?;
        writeln!(svg, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        write_text(&mut svg, 16.0, 30.0, "title", title)?;
        write_text(&mut svg, 16.0, 50.0, "dim", self.summary())?;
        for lane in &lanes {
            let y = lane.y;
            let height = lane.height();
            writeln!(
                svg,
                r#"<rect class="lane" x="{LEFT}" y="{y}" width="{LANES}" height="{height}"/>"#
            )?;
        }
        self.draw_ruler(&mut svg, bottom)?;
        for lane in &lanes {
            self.draw_lane(&mut svg, lane)?;
        }
        if bottom > queue_y {
            self.draw_queue(&mut svg, queue_y)?;
        }
        self.draw_legend(&mut svg, bottom + 34.0)?;
        writeln!(svg, "</svg>")?;
        Ok(svg)
    }

    fn summary(&self) -> String {
        let kinds = [(What::Task, "tasks"), (What::Job, "jobs"), (What::Child, "children")];
        let mut summary = String::new();
        for (what, words) in kinds {
            let n = self.count(what);
            if n > 0 {
                summary += &format!("{words}: {n}, ");
            }
        }
        summary + &format!("time: {:.1?}", self.total())
    }

    /// Lines at round times, from the names above the lanes down to `bottom`.
    fn draw_ruler(&self, svg: &mut String, bottom: f64) -> fmt::Result {
        let step = round_time(self.total() / 10);
        let mut time = Duration::ZERO;
        while time <= self.total() {
            let x = self.x(self.begin + time);
            let top = TOP - 6.0;
            writeln!(
                svg,
                r#"<line class="tick" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/>"#
            )?;
            let name = if time.is_zero() { "0".to_owned() } else { format!("{time:?}") };
            write_text(svg, x, TOP - 10.0, "dim middle", name)?;
            time += step;
        }
        Ok(())
    }

    fn draw_lane(&self, svg: &mut String, lane: &Lane<'_>) -> fmt::Result {
        let middle = lane.y + lane.height() - BAR / 2.0 + 4.5;
        write_text(svg, LEFT - 8.0, middle, "end", &lane.name)?;
        let mut busy = Duration::ZERO;
        for span in &lane.spans {
            let ended = span.settled.map_or(self.end, |(when, _)| when);
            let began = span.run.map_or(span.submitted, |run| run.began);
            let depth = span.run.map_or(0, |run| run.depth);
            if depth == 0 {
                busy += ended - began;
            }
            let (x, end) = (self.x(began), self.x(ended));
            // A hair's breadth is left between two bars, and of what is thinner than a hair.
            let width = (end - x - 1.0).max(0.5);
            let middle = lane.y + BAR * (lane.depth - depth) as f64 + BAR / 2.0;
            write!(svg, r#"<g class="bar">"#)?;
            if span.what == What::Job {
                write_rect(svg, end_of(span).unwrap_or(kind_of(span)), x, middle, width, BAR)?;
            } else {
                write_rect(svg, kind_of(span), x, middle, width, LIFE)?;
                if let Some(end) = end_of(span) {
                    let cap = width.min(CAP);
                    write_rect(svg, end, x + width - cap, middle, cap, BAR - 6.0)?;
                }
            }
            let number = span.number;
            if span.what == What::Job && width > 10.0 + 8.0 * number.to_string().len() as f64 {
                write_text(svg, x + width / 2.0, middle + 4.5, "in middle", number)?;
            }
            let ending = match span.settled {
                Some((_, ending)) => format!("{ending:?}").to_lowercase(),
                None => "still running".to_owned(),
            };
            let (waited, ran) = (began - span.submitted, ended - began);
            let waited = span.run.map(|_| format!("waited {waited:.1?}, ")).unwrap_or_default();
            let name = escaped(&name_of(span));
            writeln!(svg, "<title>{name}: {waited}ran {ran:.1?}, {ending}</title></g>")?;
        }
        let remark = match lane.spans.first().map(|span| span.what) {
            Some(What::Job) => {
                format!("{:.0} %", 100.0 * busy.as_secs_f64() / self.total().as_secs_f64())
            }
            Some(_) if busy < Duration::from_secs(1) => format!("{busy:.0?}"),
            Some(_) => format!("{busy:.2?}"),
            None => String::new(),
        };
        write_text(svg, LEFT + LANES + 8.0, middle, "dim", remark)
    }

    /// How many jobs were queued, as steps over time.
    fn draw_queue(&self, svg: &mut String, y: f64) -> fmt::Result {
        let mut steps = Vec::new();
        for span in self.spans.iter().filter(|span| span.what == What::Job) {
            steps.push((span.submitted, 1));
            steps.extend(span.left_queue().map(|left| (left, -1)));
        }
        steps.sort_unstable();
        let mut n_queued = 0_i32;
        let heights: Vec<_> = steps
            .into_iter()
            .map(|(when, step)| {
                n_queued += step;
                (self.x(when), n_queued)
            })
            .collect();
        let most = heights.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
        let bottom = y + QUEUE;
        let mut line = format!("M{LEFT} {bottom}");
        for (x, n) in heights {
            let height = bottom - (QUEUE - 4.0) * f64::from(n) / f64::from(most);
            write!(line, "H{x:.1}V{height:.1}")?;
        }
        let right = LEFT + LANES;
        writeln!(svg, r#"<path class="queue" d="{line}H{right}V{bottom}Z"/>"#)?;
        write_text(svg, LEFT - 8.0, bottom - 4.0, "end", "queued")?;
        write_text(svg, right + 8.0, y + 14.0, "dim", format_args!("at most {most}"))
    }

    fn draw_legend(&self, svg: &mut String, y: f64) -> fmt::Result {
        let mut x = LEFT;
        let kinds = [
            ("task", "a task, from its spawn to its end"),
            ("returned", "a job"),
            ("child", "a child process"),
            ("ontop", "on top of the job that waits for it"),
            ("panicked", "panicked"),
            ("cancelled", "cancelled"),
            ("killed", "killed"),
            ("running", "still running"),
            ("queue", "jobs that wait"),
        ];
        for (kind, words) in kinds {
            if !svg.contains(&format!(r#" class="{kind}" "#)) {
                continue;
            }
            let top = y - 11.0;
            writeln!(
                svg,
                r#"<rect class="{kind}" x="{x}" y="{top}" width="14" height="14" rx="2"/>"#
            )?;
            write_text(svg, x + 20.0, y, "dim", words)?;
            x += 48.0 + 6.6 * words.len() as f64;
        }
        Ok(())
    }
}

fn write_text(svg: &mut String, x: f64, y: f64, class: &str, text: impl Display) -> fmt::Result {
    let text = escaped(&text.to_string());
    writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{text}</text>"#)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A bar with this middle line.
fn write_rect(
    svg: &mut String,
    class: &str,
    x: f64,
    middle: f64,
    width: f64,
    height: f64,
) -> fmt::Result {
    let y = middle - height / 2.0;
    writeln!(
        svg,
        r#"<rect class="{class}" x="{x:.1}" y="{y}" width="{width:.1}" height="{height}" rx="2"/>"#
    )
}

/// The colour of something that just returns.
fn kind_of(span: &Span) -> &'static str {
    match span.what {
        What::Task => "task",
        What::Child => "child",
        What::Job if span.run.is_some_and(|run| run.depth > 0) => "ontop",
        What::Job => "returned",
        _ => "returned", // There may be more to come.
    }
}

/// The colour of another end: of a whole job, or at the end of the thin bar of a task or a child.
fn end_of(span: &Span) -> Option<&'static str> {
    match span.settled.map(|(_, ending)| ending) {
        None => Some("running"),
        Some(Ending::Panicked) => Some("panicked"),
        Some(Ending::Cancelled) => Some("cancelled"),
        Some(Ending::Killed) => Some("killed"),
        Some(_) => None,
    }
}

fn name_of(span: &Span) -> String {
    let number = span.number;
    match &span.name {
        Some(name) => name.to_string(),
        None => format!("{:?} {number}", span.what).to_lowercase(),
    }
}

/// The shortest of 1, 2, 5, 10, 20, 50, … nanoseconds that is not shorter than this.
fn round_time(least: Duration) -> Duration {
    let tens = (0..).map_while(|power| 10_u64.checked_pow(power));
    let mut steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    let step = steps.find(|nanos| u128::from(*nanos) >= least.as_nanos());
    Duration::from_nanos(step.expect("no tour takes centuries"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use handspun::{Clock, Executor, ThreadPool, join_all, sleep, spawn_named};

    use super::*;

    /// The picture of a job that submits two others, and takes them back.
    fn tree() -> Picture {
        let timeline = Timeline::new();
        let pool = ThreadPool::builder().threads(1).observer(timeline.observer()).build();
        let pool = Arc::new(pool.expect("one thread is enough"));
        let below = pool.clone();
        let root = pool.submit(move || {
            let branches = [(); 2].map(|()| below.submit(|| ()));
            branches.map(|branch| branch.join().is_ok())
        });
        assert_eq!(root.join().ok(), Some([true; 2]));
        Picture::of(timeline.spans()).expect("there were three jobs")
    }

    #[test]
    fn every_job_is_a_bar() {
        let svg = tree().to_svg("A tree").expect("a String takes all that is written");
        assert_eq!(svg.matches(r#"<g class="bar">"#).count(), 3);
        assert_eq!(svg.matches(r#"class="ontop""#).count(), 3, "two, and the legend");
    }

    #[test]
    fn a_lane_is_as_high_as_its_jobs_lie_on_each_other() {
        let picture = tree();
        let lanes = picture.lanes().lanes;
        assert_eq!((lanes.len(), lanes[0].height()), (1, 2.0 * BAR));
    }

    #[test]
    fn a_task_has_a_lane_and_its_ending_a_colour() {
        let timeline = Timeline::new();
        let executor = Executor::builder().observer(timeline.observer()).build();
        executor.run(async {
            let stuck = spawn_named("stuck < for ever", std::future::pending::<()>());
            assert!(spawn_named("quick", async {}).await.is_ok() && stuck.cancel());
        });
        let picture = Picture::of(timeline.spans()).expect("there were two tasks");
        let svg = picture.to_svg("Two tasks").expect("a String takes all that is written");
        assert_eq!(svg.matches(r#"<g class="bar">"#).count(), 2);
        assert!(svg.contains(r#"<rect class="cancelled""#) && svg.contains("stuck &lt; for"));
        assert!(!svg.contains("queued"), "{svg}");
    }

    #[test]
    #[cfg(unix)]
    fn a_child_that_was_killed_has_a_lane_and_a_colour() {
        use handspun::process::Command;
        let timeline = Timeline::new();
        let child = Command::new("sleep").arg("60").observer(timeline.observer()).spawn();
        let child = child.expect("`sleep` is everywhere");
        child.kill();
        assert!(child.wait().signal().is_some());
        let picture = Picture::of(timeline.spans()).expect("there was a child");
        let svg = picture.to_svg("A child").expect("a String takes all that is written");
        assert!(svg.contains(r#"<rect class="child""#) && svg.contains(r#"<rect class="killed""#));
        assert!(svg.contains(">sleep</text>") && svg.contains(">killed</text>"), "{svg}");
    }

    /// Nothing in it is of the machine's time, not even how long the drawing took.
    #[test]
    fn a_program_under_a_clock_that_jumps_is_drawn_the_same_each_time() {
        let draw = || {
            let timeline = Timeline::new();
            let clock = Clock::jumping();
            let executor = Executor::builder().clock(clock).observer(timeline.observer()).build();
            executor.run(async {
                let naps = [3600, 60, 7].map(|n| spawn_named("nap", sleep(Duration::from_secs(n))));
                join_all(naps).await
            });
            let picture = Picture::of(timeline.spans()).expect("there were three tasks");
            picture.to_svg("Three naps").expect("a String takes all that is written")
        };
        let svg = draw();
        assert!(svg.contains("time: 3600.0s") && svg.contains("ran 60.0s"), "{svg}");
        assert_eq!(svg, draw());
    }

    #[test]
    fn a_title_cannot_break_the_picture() {
        let svg = tree().to_svg("a < b & c").expect("a String takes all that is written");
        assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
    }
}

//! A picture as text: a ruler, a row for each worker, one for the queue, and what the signs mean.
//!
//! Knows nothing of terminals but how wide they are. What must always hold: whatever happened leaves
//! a mark, however short, and every mark has its word in the legend.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::event::Ending;

use super::columns::{Fill, Scale};
use super::picture::Picture;
use super::span::JobSpan;

/// What is narrower than this is drawn as wide as this.
const MIN_WIDTH: usize = 40;
/// Room for a number behind a row: `___100%`.
const REMARK: usize = 7;

const ON_TOP: char = '▒';
const PANICKED: char = '!';
const STILL_RUNNING: char = '>';

/// Draws it in lines of at most `width` columns.
pub(crate) fn draw(picture: &Picture, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    if picture.spans.is_empty() {
        return "no job has been observed\n".to_owned();
    }
    let rows = rows_of(picture);
    let margin = rows.iter().map(|row| row.name.len()).max().unwrap_or(0) + 1;
    let n_columns = width.saturating_sub(margin + REMARK).max(1);
    let scale = Scale::new(picture.total(), n_columns);

    let mut text = format!("{:margin$}{}\n", "", scale.ruler());
    let mut seen = Seen::default();
    for row in &rows {
        let (line, remark) = match &row.what {
            What::Worker(jobs) => draw_worker(picture, jobs, &scale, &mut seen),
            What::Queue(pool) => draw_queue(picture, *pool, &scale),
        };
        let line = format!("{:margin$}{line}{remark}", row.name);
        writeln!(text, "{}", line.trim_end()).expect("a String takes all that is written");
    }
    text + &wrap(&[headline(picture, &rows)], width) + &wrap(&seen.legend(&scale), width)
}

struct Row<'a> {
    name: String,
    what: What<'a>,
}

enum What<'a> {
    /// What this worker ran.
    Worker(Vec<&'a JobSpan>),
    /// What waited in the queue of this pool.
    Queue(usize),
}

fn rows_of(picture: &Picture) -> Vec<Row<'_>> {
    let pools = picture.pools();
    let mut rows = Vec::new();
    for &pool in &pools {
        let prefix = if pools.len() > 1 { format!("pool {pool} ") } else { String::new() };
        for (worker, jobs) in picture.workers(pool) {
            rows.push(Row { name: format!("{prefix}worker {worker}"), what: What::Worker(jobs) });
        }
        rows.push(Row { name: format!("{prefix}queued"), what: What::Queue(pool) });
    }
    rows
}

/// A job in the row of its worker.
struct Bar {
    name: String,
    depth: usize,
    from: Duration,
    to: Duration,
    /// What stands at its end, if it did not just return.
    sign: Option<char>,
}

fn bar_of(picture: &Picture, span: &JobSpan) -> Option<Bar> {
    let run = span.run?;
    let sign = match span.settled {
        Some((_, Ending::Panicked)) => Some(PANICKED),
        Some((_, Ending::Returned | Ending::Cancelled | Ending::Killed)) => None,
        None => Some(STILL_RUNNING),
    };
    let (from, to) = (picture.offset(run.began), picture.end_of(span));
    Some(Bar { name: span.job.to_string(), depth: run.depth, from, to, sign })
}

fn draw_worker(
    picture: &Picture,
    jobs: &[&JobSpan],
    scale: &Scale,
    seen: &mut Seen,
) -> (String, String) {
    let bars: Vec<_> = jobs.iter().filter_map(|span| bar_of(picture, span)).collect();
    let at_the_bottom = bars.iter().filter(|bar| bar.depth == 0);
    let time_busy: Duration = at_the_bottom.map(|bar| bar.to.saturating_sub(bar.from)).sum();

    // What lies at depth 2 or more, lies within a bar of depth 1.
    let (busy, on_top) = (fill(&bars, 0, scale), fill(&bars, 1, scale));
    let mut line = busy.line(1.0);
    for (column, share) in line.iter_mut().zip(on_top.shares()) {
        if share > 0.5 {
            *column = ON_TOP;
            seen.on_top = true;
        }
    }
    for bar in &bars {
        if let Some(sign) = bar.sign {
            line[scale.last_column(bar.from, bar.to)] = sign;
            seen.signs.insert(sign);
        }
    }
    write_names(&mut line, &bars, scale, seen);
    (line.into_iter().collect(), format!("{:>6.0}%", scale.share(time_busy) * 100.0))
}

fn fill(bars: &[Bar], depth: usize, scale: &Scale) -> Fill {
    let mut fill = Fill::nothing(scale);
    for bar in bars.iter().filter(|bar| bar.depth == depth) {
        fill.add(scale, bar.from, bar.to);
    }
    fill
}

/// Writes the number of each job to where it begins, if it is long enough for that.
fn write_names(line: &mut [char], bars: &[Bar], scale: &Scale, seen: &mut Seen) {
    let mut free_from = 0;
    for Bar { name, from, to, .. } in bars {
        let first = scale.column(*from).max(free_from);
        let last = scale.column(*to).saturating_sub(name.len());
        let is_sign = |column: &char| [PANICKED, STILL_RUNNING].contains(column);
        let is_free = |at: &usize| !line[*at..*at + name.len()].iter().any(is_sign);
        if let Some(at) = (first..last).find(is_free) {
            for (column, digit) in line[at..].iter_mut().zip(name.chars()) {
                *column = digit;
            }
            free_from = at + name.len() + 1;
            seen.name = Some(name.clone());
        }
    }
}

fn draw_queue(picture: &Picture, pool: usize, scale: &Scale) -> (String, String) {
    let mut waiting = Fill::nothing(scale);
    for span in picture.spans.iter().filter(|span| span.pool == pool) {
        let (from, to) = picture.wait(span);
        if from < to {
            waiting.add(scale, from, to);
        }
    }
    // A full block stands for one job at least: a little waiting is to look like a little.
    let full = waiting.most().round().max(1.0);
    (waiting.line(full).into_iter().collect(), format!("{full:>7.0}"))
}

/// What has been drawn, and so needs a word in the legend.
#[derive(Default)]
struct Seen {
    name: Option<String>,
    on_top: bool,
    signs: BTreeSet<char>,
}

impl Seen {
    fn legend(&self, scale: &Scale) -> Vec<String> {
        let column = scale.column_width();
        let mut legend = vec![format!(
            "A column is {column:.1?}: the fuller (▁▄█), the longer the worker was busy in it."
        )];
        legend.extend(self.name.iter().map(|job| format!("{job} stands where job {job} begins.")));
        if self.on_top {
            legend.push(format!("{ON_TOP} is a job on top of the one that waits for it."));
        }
        for (sign, word) in [(PANICKED, "a panic"), (STILL_RUNNING, "still running")] {
            if self.signs.contains(&sign) {
                legend.push(format!("{sign} is {word}."));
            }
        }
        legend.push("The number behind a queue is what its █ stands for.".to_owned());
        legend
    }
}

/// What can be said in a sentence.
fn headline(picture: &Picture, rows: &[Row<'_>]) -> String {
    let count = |is_one: fn(&JobSpan) -> bool| picture.spans.iter().filter(|s| is_one(s)).count();
    let n_workers = rows.iter().filter(|row| matches!(row.what, What::Worker(_))).count();
    let mut headline = format!(
        "{} on {} in {:.1?}",
        numbered(picture.spans.len(), "job"),
        numbered(n_workers, "worker"),
        picture.total()
    );
    let asides = [
        (count(|span| span.left_queue().is_none()), "still queued"),
        (count(|span| span.run.is_none() && span.settled.is_some()), "cancelled"),
        (picture.n_forgotten, "older ones forgotten"),
    ];
    for (n, aside) in asides.into_iter().filter(|(n, _)| *n > 0) {
        write!(headline, ", {n} {aside}").expect("a String takes all that is written");
    }
    headline + "."
}

fn numbered(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// Puts sentences one behind the other, in lines that break between words.
fn wrap(sentences: &[String], width: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in sentences.iter().flat_map(|sentence| sentence.split(' ')) {
        let length = word.chars().count();
        let (space, at) = match column {
            0 => ("", 0),
            _ if column + 1 + length <= width => (" ", column + 1),
            _ => ("\n", 0),
        };
        text += space;
        text += word;
        column = at + length;
    }
    text + "\n"
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::observe::made_up::Film;

    /// The rows of a drawing that is 40 columns wide, and 0.4 s long.
    fn rows<const N: usize>(film: Film, events: &[Event<'_>]) -> [String; N] {
        let text = draw(&film.picture(400, events), 56);
        let rows: Vec<_> = text.lines().skip(1).take(N).map(str::to_owned).collect();
        rows.try_into().expect("as many as are asked for")
    }

    #[test]
    fn a_worker_that_idles_in_the_middle_has_a_gap() {
        let film = Film::new();
        let jobs = [film.job(0, 0, 0, 100), film.job(1, 0, 300, 400), film.job(2, 1, 0, 200)];
        let [first, second, queue] = rows(film, jobs.as_flattened());
        assert_eq!(first, "worker 0 0█████████····················1█████████    50%");
        assert_eq!(second, "worker 1 2███████████████████····················    50%");
        assert_eq!(queue, "queued   ██████████████████████████████··········      1");
    }

    #[test]
    fn a_job_that_was_taken_back_is_drawn_on_top() {
        let film = Film::new();
        let outer = film.job(0, 0, 0, 400);
        let inner = [film.submitted(90, 1), film.began(100, 1, 0), film.returned(200, 1)];
        let events = [&outer[..2], &inner, &outer[2..]].concat();
        let [row] = rows(film, &events);
        assert_eq!(row, "worker 0 0█████████1▒▒▒▒▒▒▒▒▒████████████████████   100%");
        assert!(draw(&film.picture(400, &events), 56).contains("on top"));
    }

    #[test]
    fn jobs_that_take_no_time_leave_a_mark() {
        let film = Film::new();
        let jobs = [film.job(0, 0, 100, 100), film.job(1, 0, 400, 400)];
        let [row] = rows(film, jobs.as_flattened());
        assert_eq!(row, "worker 0 ··········▁····························▁     0%");
        let [row] = rows(film, &film.job(0, 0, 0, 0));
        assert!(row.starts_with("worker 0 ▁"), "{row}");
    }

    #[test]
    fn panicked_and_unfinished_jobs_have_a_sign_at_their_end() {
        let film = Film::new();
        let mut events = film.job(7, 0, 0, 200).to_vec();
        events[2] = film.settled(200, 7, Ending::Panicked);
        events.extend([film.submitted(0, 8), film.began(200, 8, 0), film.submitted(200, 9)]);
        let [row, queue] = rows(film, &events);
        assert_eq!(row, "worker 0 7██████████████████!8██████████████████>   100%");
        assert_eq!(queue, "queued   ████████████████████████████████████████      1");
        assert!(draw(&film.picture(400, &events), 56).contains("1 still queued"));
    }

    #[test]
    fn jobs_that_never_began_are_counted_and_have_no_row() {
        let film = Film::new();
        let events = [film.submitted(0, 0), film.settled(400, 0, Ending::Cancelled)];
        let [queue, headline] = rows(film, &events);
        assert!(queue.starts_with("queued ████"), "{queue}");
        assert_eq!(headline, "1 job on 0 workers in 400.0ms, 1 cancelled.");
    }

    #[test]
    fn every_line_fits_into_any_width() {
        let film = Film::new();
        let jobs: Vec<_> = (0..50).map(|n| film.job(n, n % 12, n as u64, 2 * n as u64)).collect();
        let picture = film.picture(0, jobs.as_flattened());
        for width in 0..=200 {
            let text = draw(&picture, width);
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width.max(MIN_WIDTH)), "{width}:\n{text}");
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(draw(&Film::new().picture(0, &[]), 80), "no job has been observed\n");
    }
}

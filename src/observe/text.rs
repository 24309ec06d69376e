//! A picture as text: a ruler, a row for each task, worker and child, and one for the queue.
//!
//! Knows nothing of terminals but how wide they are. What must always hold: whatever happened leaves
//! a mark, however short.

use std::fmt::Write;
use std::time::Duration;

use crate::event::What;

use super::columns::{Fill, IDLE, Scale};
use super::legend::{ALIVE, ON_TOP, Seen, brief, headline, is_sign, sign_of, wrap};
use super::picture::Picture;
use super::span::Span;

/// What is narrower than this is drawn as wide as this.
const MIN_WIDTH: usize = 40;
/// Room for a number behind a row: `___100%`.
const REMARK: usize = 7;
/// The tasks of one executor that have rows. Of the others it is said how many there were when.
const MAX_LIVES: usize = 16;
/// A name that is longer is cut off.
const MAX_NAME: usize = 20;

/// Draws it in lines of at most `width` columns.
pub(crate) fn draw(picture: &Picture, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    if picture.spans.is_empty() {
        return "nothing has been observed\n".to_owned();
    }
    let rows = rows_of(picture);
    let margin = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0) + 1;
    let n_columns = width.saturating_sub(margin + REMARK).max(1);
    let scale = Scale::new(picture.total(), n_columns);

    let mut text = format!("{:margin$}{}\n", "", scale.ruler());
    let mut seen = Seen::default();
    for row in &rows {
        let (line, remark) = match &row.content {
            Content::Life(span) => draw_life(picture, span, &scale, &mut seen),
            Content::Worker(jobs) => draw_worker(picture, jobs, &scale, &mut seen),
            Content::Count(times) => draw_count(times, &scale, &mut seen),
        };
        let line = format!("{:margin$}{line}{remark}", row.name);
        writeln!(text, "{}", line.trim_end()).expect("a String takes all that is written");
    }
    let n_workers = rows.iter().filter(|row| matches!(row.content, Content::Worker(_))).count();
    text + &wrap(&[headline(picture, n_workers)], width)
        + &wrap(&seen.legend(picture, scale.column_width()), width)
}

struct Row<'a> {
    name: String,
    content: Content<'a>,
}

enum Content<'a> {
    /// From beginning to end, of a task or a child.
    Life(&'a Span),
    /// What this worker ran.
    Worker(Vec<&'a Span>),
    /// How many there were, each from when to when: of what was queued, or has no row.
    Count(Vec<(Duration, Duration)>),
}

fn rows_of(picture: &Picture) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    add_lives(&mut rows, picture, What::Task, "executor");
    let pools = picture.sources(What::Job);
    for &pool in &pools {
        let prefix = if pools.len() > 1 { format!("pool {pool} ") } else { String::new() };
        for (worker, jobs) in picture.workers(pool) {
            let name = format!("{prefix}worker {worker}");
            rows.push(Row { name, content: Content::Worker(jobs) });
        }
        let waits = picture.spans_of(What::Job, pool).map(|span| picture.wait(span));
        let content = Content::Count(waits.filter(|(from, to)| from < to).collect());
        rows.push(Row { name: format!("{prefix}queued"), content });
    }
    add_lives(&mut rows, picture, What::Child, "source");
    rows
}

/// A row for each of the first tasks or children of every source, and one for the others.
fn add_lives<'a>(rows: &mut Vec<Row<'a>>, picture: &'a Picture, what: What, source_word: &str) {
    let sources = picture.sources(what);
    for &source in &sources {
        let prefix =
            if sources.len() > 1 { format!("{source_word} {source} ") } else { String::new() };
        let mut lives: Vec<_> = picture.spans_of(what, source).collect();
        lives.sort_by_key(|span| (span.submitted, span.number));
        let others = lives.split_off(lives.len().min(MAX_LIVES));
        rows.extend(lives.into_iter().map(|span| {
            let name = format!("{prefix}{}", printable(&span.title()));
            Row { name, content: Content::Life(span) }
        }));
        if !others.is_empty() {
            let times = others.iter().map(|span| picture.life(span)).collect();
            let name = format!("{prefix}… and {} more", others.len());
            rows.push(Row { name, content: Content::Count(times) });
        }
    }
}

/// A name that fits into the margin, and into its line.
fn printable(name: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if name.chars().count() <= MAX_NAME {
        name.chars().map(clean).collect()
    } else {
        name.chars().take(MAX_NAME - 1).map(clean).chain(['…']).collect()
    }
}

fn draw_life(picture: &Picture, span: &Span, scale: &Scale, seen: &mut Seen) -> (String, String) {
    let (from, to) = picture.life(span);
    let mut line = vec![IDLE; scale.n_columns()];
    line[scale.column(from)..=scale.last_column(from, to)].fill(ALIVE);
    seen.signs.insert(ALIVE);
    if let Some(sign) = sign_of(span) {
        line[scale.last_column(from, to)] = sign;
        seen.signs.insert(sign);
    }
    (line.into_iter().collect(), format!("{:>REMARK$}", brief(to.saturating_sub(from))))
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

fn bar_of(picture: &Picture, span: &Span) -> Option<Bar> {
    let run = span.run?;
    let (from, to) = (picture.offset(run.began), picture.end_of(span));
    let name = span.number.to_string();
    Some(Bar { name, depth: run.depth, from, to, sign: sign_of(span) })
}

fn draw_worker(
    picture: &Picture,
    jobs: &[&Span],
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
            seen.signs.insert(ON_TOP);
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
        let is_free = |at: &usize| !line[*at..*at + name.len()].iter().any(|c| is_sign(*c));
        if let Some(at) = (first..last).find(is_free) {
            for (column, digit) in line[at..].iter_mut().zip(name.chars()) {
                *column = digit;
            }
            free_from = at + name.len() + 1;
            seen.name = Some(name.clone());
        }
    }
}

fn draw_count(times: &[(Duration, Duration)], scale: &Scale, seen: &mut Seen) -> (String, String) {
    let mut count = Fill::nothing(scale);
    times.iter().for_each(|(from, to)| count.add(scale, *from, *to));
    // A full block stands for one at least: a little waiting is to look like a little.
    let full = count.most().round().max(1.0);
    seen.a_count = true;
    (count.line(full).into_iter().collect(), format!("{full:>REMARK$.0}"))
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::event::{Ending, Event};
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
    fn a_task_has_a_row_from_its_spawn_to_its_end() {
        let film = Film::new();
        let events = [
            film.task(1, "", 0, 400, Ending::Returned),
            film.task(2, "fetch", 100, 200, Ending::Panicked),
            film.task(3, "stuck", 100, 300, Ending::Cancelled),
        ];
        let [first, second, third, headline] = rows(film, &events.as_flattened()[..5]);
        assert_eq!(first, "task 1 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  400ms");
        assert_eq!(second, "fetch  ··········━━━━━━━━━━!·····················  100ms");
        assert_eq!(third, "stuck  ··········━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━>  300ms");
        assert_eq!(headline, "3 tasks in 400.0ms.");
        let [_, _, third] = rows(film, events.as_flattened());
        assert!(third.ends_with("━━━━━━━━━━×··········  200ms"), "{third}");
    }

    #[test]
    fn jobs_tasks_and_children_have_one_axis_of_time() {
        let film = Film::new();
        let mut events = film.job(0, 0, 200, 400).to_vec();
        events.extend(film.task(0, "", 0, 200, Ending::Returned));
        events.extend(film.child("sleep", 200, 400, Ending::Killed));
        let [task, worker, _, child, headline] = rows(film, &events);
        assert_eq!(task, "task 0   ━━━━━━━━━━━━━━━━━━━━····················  200ms");
        assert_eq!(worker, "worker 0 ····················0███████████████████    50%");
        assert_eq!(child, "sleep    ····················━━━━━━━━━━━━━━━━━━━#  200ms");
        assert_eq!(headline, "1 job on 1 worker and 1 task and 1 child in 400.0ms, 1");
    }

    #[test]
    fn of_many_tasks_the_last_share_one_row() {
        let film = Film::new();
        let tasks: Vec<_> = (0..1000).map(|n| film.task(n, "", 0, 400, Ending::Returned)).collect();
        let text = draw(&film.picture(400, tasks.as_flattened()), 60);
        assert_eq!(text.matches("task ").count(), MAX_LIVES, "{text}");
        let row = text.lines().nth(1 + MAX_LIVES).unwrap();
        assert_eq!(row, "… and 984 more ██████████████████████████████████████    984");
    }

    #[test]
    fn a_name_cannot_break_a_line() {
        let film = Film::new();
        let name = "two\nlines, and far too long for the margin";
        let [row] = rows(film, &film.task(0, name, 0, 400, Ending::Returned));
        assert!(row.starts_with("two lines, and far … ━━━"), "{row}");
    }

    #[test]
    fn every_line_fits_into_any_width() {
        let film = Film::new();
        let jobs: Vec<_> = (0..50).map(|n| film.job(n, n % 12, n as u64, 2 * n as u64)).collect();
        let task = film.task(0, "a name of some twenty letters", 0, 9, Ending::Cancelled);
        let picture = film.picture(0, &[jobs.as_flattened(), &task].concat());
        for width in 0..=200 {
            let text = draw(&picture, width);
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width.max(MIN_WIDTH)), "{width}:\n{text}");
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(draw(&Film::new().picture(0, &[]), 80), "nothing has been observed\n");
    }
}

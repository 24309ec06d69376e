//! A picture as text: a ruler, a row for each worker, task and child, and one for the queue.
//!
//! Knows nothing of terminals but how wide they are. What must always hold: a column is the same stretch
//! of time in every row; and whatever happened leaves a mark, however short.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::trace_event::Ending;

use super::span::{Picture, Span, Stretch};

/// What is narrower than this is drawn as wide as this.
const MIN_WIDTH: usize = 40;
/// A name that is longer is cut off.
const MAX_NAME: usize = 20;
/// Room for what is behind a row: `__400.0ms`.
const REMARK: usize = 9;
/// From one mark of the ruler to the next.
const MARK: usize = 12;
/// The workers of one pool, or tasks of one executor, that have rows.
const MAX_ROWS: usize = 32;
/// How much of a column is filled: nothing, or from an eighth to all of it.
const BLOCKS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ON_TOP: char = '▒';

/// How it ended, and the sign that is there if it did not just return.
fn end_of(span: &Span) -> (&'static str, Option<char>) {
    match span.settled.map(|(_, ending)| ending) {
        Some(Ending::Returned) => ("returned", None),
        Some(Ending::Panicked) => ("panicked ", Some('!')),
        Some(Ending::Cancelled) => ("cancelled ", Some('×')),
        Some(Ending::Killed) => ("killed ", Some('#')),
        None => ("not over ", Some('>')),
    }
}

/// Draws it in lines of at most `width` columns.
pub(crate) fn draw(picture: &Picture, n_forgotten: usize, width: usize) -> String {
    let (width, groups) = (width.max(MIN_WIDTH), picture.groups());
    let names = groups.values().flat_map(|group| group.tracks.values()).map(|(name, _)| name);
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let margin = longest.clamp("queued".len(), MAX_NAME) + 1;
    // Jobs may take no time at all, as far as the clock can tell.
    let total = picture.total.max(Duration::from_nanos(1));
    let scale = Scale { picture, total, n_columns: width - margin - REMARK };

    let mut rows = vec![(String::new(), scale.ruler())];
    for ((_, source), group) in &groups {
        if groups.len() > 1 {
            rows.push((format!("source {source}"), String::new()));
        }
        let tracks = group.tracks.values().take(MAX_ROWS);
        rows.extend(tracks.map(|(name, spans)| (name.clone(), scale.track(spans))));
        if group.tracks.len() > MAX_ROWS {
            rows.push((format!("… and {} more", group.tracks.len() - MAX_ROWS), String::new()));
        }
        if !group.waits.is_empty() {
            rows.push(("queued".to_owned(), scale.queue(&group.waits)));
        }
    }
    let mut text = String::new();
    for (name, line) in rows {
        let line = format!("{:margin$.MAX_NAME$}{line}", name.replace(char::is_control, " "));
        text += &format!("{}\n", line.trim_end());
    }
    text += &format!("in all: {:.1?}\n", picture.total);
    let mut counts = BTreeMap::new();
    for span in &picture.spans {
        *counts.entry((span.what, end_of(span))).or_insert(0) += 1;
    }
    for ((what, (ending, sign)), n) in counts {
        text += &format!("{what:?} {ending}{}: {n}\n", String::from_iter(sign));
    }
    if n_forgotten > 0 {
        text += &format!("older ones forgotten: {n_forgotten}\n");
    }
    text
}

/// So many columns for so much time.
struct Scale<'a> {
    picture: &'a Picture,
    total: Duration,
    n_columns: usize,
}

impl Scale<'_> {
    fn ruler(&self) -> String {
        let time = |column: usize| self.total.mul_f64(column as f64 / self.n_columns as f64);
        let marks = (0..self.n_columns).step_by(MARK).filter(|at| at + MARK <= self.n_columns);
        marks.map(|at| format!("{:MARK$}", format!("│{:.1?}", time(at)))).collect()
    }

    /// The columns in which it begins and ends. What ends where a column ends is not in the next one.
    fn columns(&self, (from, to): Stretch) -> (usize, usize) {
        // In whole numbers, for a hair beyond would be a column.
        let place = |at: Duration| at.as_nanos() * self.n_columns as u128 / self.total.as_nanos();
        let column = |at| (place(at) as usize).min(self.n_columns - 1);
        (column(from), column(to.saturating_sub(Duration::from_nanos(1)).max(from)))
    }

    /// How much of each column is filled.
    fn fill(&self, stretches: impl Iterator<Item = Stretch>) -> Vec<f64> {
        let mut filled = vec![0.0; self.n_columns];
        let place = |at: Duration| at.div_duration_f64(self.total) * self.n_columns as f64;
        for (from, to) in stretches {
            let (first, last) = self.columns((from, to));
            for (at, filled) in (first..=last).zip(&mut filled[first..]) {
                // A trace is left of what took no time, too little to add up to anything.
                let overlap = place(to).min(at as f64 + 1.0) - place(from).max(at as f64);
                *filled += overlap.max(1e-9);
            }
        }
        filled
    }

    /// What one worker ran, or one task or child.
    fn track(&self, spans: &[&Span]) -> String {
        let on_the_floor = |span: &&&Span| span.run.is_none_or(|run| run.depth == 0);
        let lives = spans.iter().filter(on_the_floor).map(|span| self.picture.life(span));
        let mut line = blocks(&self.fill(lives.clone()), 1.0);
        for span in spans {
            let (first, last) = self.columns(self.picture.life(span));
            match span.run {
                Some(run) if run.depth > 0 => line[first..last].fill(ON_TOP),
                Some(_) => {}
                None => line[first..=last].fill('━'),
            }
            line[last] = end_of(span).1.unwrap_or(line[last]);
            // The number of a job is where it begins, if there is room and nothing else is there.
            let number = span.number.to_string();
            let end = first + number.len();
            let is_free = |c: &char| BLOCKS.contains(c) || *c == ON_TOP;
            if end < last && line[first..end].iter().all(is_free) {
                drop(line.splice(first..end, number.chars()));
            }
        }
        let busy: Duration = lives.map(|(from, to)| to - from).sum();
        String::from_iter(line) + &format!("{:>REMARK$}", format!("{busy:.1?}"))
    }

    /// How many jobs were queued. A full block is one job at least: a little waiting looks like a little.
    fn queue(&self, waits: &[Stretch]) -> String {
        let queued = self.fill(waits.iter().copied());
        let most = queued.iter().copied().fold(1.0, f64::max).round();
        String::from_iter(blocks(&queued, most)) + &format!("{most:>REMARK$}")
    }
}

/// Each column as high as it is filled, where `full` is a whole block.
fn blocks(columns: &[f64], full: f64) -> Vec<char> {
    let height = |share: &f64| ((share / full * 8.0).round() as usize).clamp(1, 8);
    columns.iter().map(|share| BLOCKS[if *share > 0.0 { height(share) } else { 0 }]).collect()
}

#[cfg(all(test, not(handspun_model)))]
mod tests {
    use super::*;
    use crate::observe::span::made_up::Film;
    use crate::trace_event::TraceEvent;

    /// The rows of a drawing that is 40 columns wide, and 0.4 s long; `margin` is that of the names.
    fn rows<const N: usize>(film: Film, margin: usize, events: &[TraceEvent<'_>]) -> [String; N] {
        let text = draw(&film.picture(400, events), 0, margin + 40 + REMARK);
        let rows: Vec<_> = text.lines().skip(1).take(N).map(str::to_owned).collect();
        rows.try_into().expect("as many as are asked for")
    }

    #[test]
    fn a_worker_that_idles_in_the_middle_has_a_gap() {
        let film = Film::new();
        let jobs = [film.job(0, 0, 0, 100), film.job(1, 0, 300, 400), film.job(2, 1, 0, 200)];
        let [first, second, queue] = rows(film, 9, jobs.as_flattened());
        assert_eq!(first, "worker 0 0█████████····················1█████████  200.0ms");
        assert_eq!(second, "worker 1 2███████████████████····················  200.0ms");
        assert_eq!(queue, "queued   ██████████████████████████████··········        1");
    }

    #[test]
    fn a_column_is_filled_by_the_share_of_its_time() {
        let film = Film::new();
        let jobs = [(0, 100), (150, 380), (390, 390)];
        let jobs: Vec<_> =
            (0..).zip(jobs).map(|(n, (from, to))| film.job(n, 0, from, to)).collect();
        let picture = film.picture(400, jobs.as_flattened());
        let scale = Scale { picture: &picture, total: Duration::from_millis(400), n_columns: 4 };
        let lives = picture.spans.iter().map(|span| picture.life(span));
        let filled = scale.fill(lives);
        assert_eq!(String::from_iter(blocks(&filled, 1.0)), "█▄█▆");
        assert!((filled.iter().sum::<f64>() - 3.3).abs() < 1e-6);
        assert_eq!(String::from_iter(blocks(&filled, 2.0)), "▄▂▄▃");
    }

    #[test]
    fn the_marks_of_the_ruler_are_true_and_fit() {
        let film = Film::new();
        let picture = film.picture(0, &[]);
        let ruler = |total, n_columns| Scale { picture: &picture, total, n_columns }.ruler();
        let [second, eternity] = [Duration::from_secs(1), Duration::MAX];
        assert_eq!(ruler(second, 48), "│0.0ns      │250.0ms    │500.0ms    │750.0ms    ");
        assert_eq!(ruler(second, 11), "");
        assert!(ruler(eternity, 60).starts_with("│0.0ns "));
    }

    #[test]
    fn a_job_that_was_taken_back_is_drawn_on_top() {
        let film = Film::new();
        let outer = film.job(0, 0, 0, 400);
        let inner = [film.submitted(90, 1), film.began(100, 1, 0), film.returned(200, 1)];
        let [row] = rows(film, 9, &[&outer[..2], &inner, &outer[2..]].concat());
        assert_eq!(row, "worker 0 0█████████1▒▒▒▒▒▒▒▒█████████████████████  400.0ms");
    }

    #[test]
    fn jobs_that_take_no_time_leave_a_mark() {
        let film = Film::new();
        let jobs = [film.job(0, 0, 100, 100), film.job(1, 0, 400, 400)];
        let [row] = rows(film, 9, jobs.as_flattened());
        assert_eq!(row, "worker 0 ··········▁····························▁    0.0ns");
        let [row] = rows(film, 9, &film.job(0, 0, 0, 0));
        assert!(row.starts_with("worker 0 ▁"), "{row}");
    }

    #[test]
    fn panicked_and_unfinished_jobs_have_a_sign_at_their_end() {
        let film = Film::new();
        let mut events = film.job(7, 0, 0, 200).to_vec();
        events[2] = film.settled(200, 7, Ending::Panicked);
        events.extend([film.submitted(0, 8), film.began(200, 8, 0), film.submitted(200, 9)]);
        let [row, queue, total, unfinished, panicked] = rows(film, 9, &events);
        assert_eq!(row, "worker 0 7██████████████████!8██████████████████>  400.0ms");
        assert_eq!(queue, "queued   ████████████████████████████████████████        1");
        assert_eq!(total, "in all: 400.0ms");
        assert_eq!([panicked, unfinished], ["Job panicked !: 1", "Job not over >: 2"]);
    }

    #[test]
    fn the_number_of_a_job_hides_no_sign_and_no_other_number() {
        let film = Film::new();
        let mut events = film.job(1, 0, 0, 12).to_vec();
        events[2] = film.settled(12, 1, Ending::Panicked);
        events.extend([film.job(23, 0, 12, 200), film.job(45, 0, 200, 400)].concat());
        let [row] = rows(film, 9, &events);
        assert_eq!(row, "worker 0 █!██████████████████45██████████████████  400.0ms");
    }

    #[test]
    fn jobs_that_never_began_are_counted_and_have_no_row() {
        let film = Film::new();
        let events = [film.submitted(0, 0), film.settled(400, 0, Ending::Cancelled)];
        let [queue, _, count] = rows(film, 7, &events);
        assert_eq!(queue, "queued ████████████████████████████████████████        1");
        assert_eq!(count, "Job cancelled ×: 1");
    }

    #[test]
    fn a_task_has_a_row_from_its_spawn_to_its_end() {
        let film = Film::new();
        let events = [
            film.task(1, "", 0, 400, Ending::Returned),
            film.task(2, "fetch", 100, 200, Ending::Panicked),
            film.task(3, "stuck", 100, 300, Ending::Cancelled),
        ];
        let [first, second, third] = rows(film, 7, &events.as_flattened()[..5]);
        assert_eq!(first, "task 1 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  400.0ms");
        assert_eq!(second, "fetch  ··········━━━━━━━━━!····················  100.0ms");
        assert_eq!(third, "stuck  ··········━━━━━━━━━━━━━━━━━━━━━━━━━━━━━>  300.0ms");
        let [_, _, third] = rows(film, 7, events.as_flattened());
        assert_eq!(third, "stuck  ··········━━━━━━━━━━━━━━━━━━━×··········  200.0ms");
    }

    #[test]
    fn jobs_tasks_and_children_have_one_axis_of_time() {
        let film = Film::new();
        let mut events = film.job(0, 0, 200, 400).to_vec();
        events.extend(film.task(0, "", 0, 200, Ending::Returned));
        events.extend(film.child("sleep", 200, 400, Ending::Killed));
        let [_, worker, _, _, task, _, child, _, job, returned, killed] = rows(film, 9, &events);
        assert_eq!(task, "task 0   ━━━━━━━━━━━━━━━━━━━━····················  200.0ms");
        assert_eq!(worker, "worker 0 ····················0███████████████████  200.0ms");
        assert_eq!(child, "sleep    ····················━━━━━━━━━━━━━━━━━━━#  200.0ms");
        assert_eq!(
            [job, returned, killed],
            ["Job returned: 1", "Task returned: 1", "Child killed #: 1"]
        );
    }

    #[test]
    fn of_many_tasks_the_last_have_no_row_and_are_counted() {
        let film = Film::new();
        let tasks: Vec<_> = (0..1000).map(|n| film.task(n, "", 0, 400, Ending::Returned)).collect();
        let text = draw(&film.picture(400, tasks.as_flattened()), 0, 60);
        assert_eq!(text.matches("task ").count(), MAX_ROWS, "{text}");
        let row = text.lines().nth(1 + MAX_ROWS);
        assert_eq!(row, Some("… and 968 more"));
        assert!(text.ends_with("Task returned: 1000\n"), "{text}");
    }

    #[test]
    fn a_name_cannot_break_a_line() {
        let film = Film::new();
        let name = "two\nlines, and far too long for the margin";
        let [row] = rows(film, 21, &film.task(0, name, 0, 400, Ending::Returned));
        assert!(row.starts_with("two lines, and far t ━━━"), "{row}");
    }

    #[test]
    fn every_line_fits_into_any_width() {
        let film = Film::new();
        let jobs: Vec<_> = (0..50).map(|n| film.job(n, n % 12, n as u64, 2 * n as u64)).collect();
        let task = film.task(0, "a name of some twenty letters", 0, 9, Ending::Cancelled);
        let picture = film.picture(0, &[jobs.as_flattened(), &task].concat());
        for width in 0..=200 {
            let text = draw(&picture, 12_345_678, width);
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width.max(MIN_WIDTH)), "{width}:\n{text}");
        }
    }

    #[test]
    fn of_nothing_there_are_no_rows() {
        let text = draw(&Film::new().picture(0, &[]), 0, 40);
        assert_eq!(text, "       │0.0ns      │1.0ns\nin all: 0.0ns\n");
    }
}

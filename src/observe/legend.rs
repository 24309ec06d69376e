//! The words under a drawing: what it shows in one sentence, and what its signs mean.
//!
//! Knows nothing of rows and columns. What must always hold: a sign that is drawn has its word here, and
//! one that is not has none.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::event::{Ending, What};

use super::picture::Picture;
use super::span::Span;

pub(crate) const ALIVE: char = '━';
pub(crate) const ON_TOP: char = '▒';
const PANICKED: char = '!';
const CANCELLED: char = '×';
const KILLED: char = '#';
const STILL_RUNNING: char = '>';

const WORDS: [(char, &str); 5] = [
    (ON_TOP, "a job on top of the one that waits for it"),
    (PANICKED, "a panic"),
    (CANCELLED, "a cancellation"),
    (KILLED, "a kill"),
    (STILL_RUNNING, "still running"),
];

/// What stands at the end of something that did not just return.
pub(crate) fn sign_of(span: &Span) -> Option<char> {
    match span.settled {
        Some((_, Ending::Returned)) => None,
        Some((_, Ending::Panicked)) => Some(PANICKED),
        Some((_, Ending::Cancelled)) => Some(CANCELLED),
        Some((_, Ending::Killed)) => Some(KILLED),
        None => Some(STILL_RUNNING),
    }
}

pub(crate) fn is_sign(column: char) -> bool {
    column != ON_TOP && WORDS.iter().any(|(sign, _)| *sign == column)
}

/// What has been drawn, and so needs a word.
#[derive(Default)]
pub(crate) struct Seen {
    /// The number of a job, written where it begins.
    pub(crate) name: Option<String>,
    pub(crate) signs: BTreeSet<char>,
    /// A row that says how many there were when.
    pub(crate) a_count: bool,
}

impl Seen {
    /// What the signs mean, where a column is so wide.
    pub(crate) fn legend(&self, picture: &Picture, column: Duration) -> Vec<String> {
        let has = |what| picture.spans.iter().any(|span| span.what == what);
        let mut legend = Vec::new();
        if has(What::Job) {
            legend.push(format!(
                "A column is {column:.1?}: the fuller (▁▄█), the longer the worker was busy in it."
            ));
        } else {
            legend.push(format!("A column is {column:.1?}."));
        }
        legend.extend(self.name.iter().map(|job| format!("{job} stands where job {job} begins.")));
        if self.signs.contains(&ALIVE) {
            let whose = match (has(What::Task), has(What::Child)) {
                (true, true) => "task or a child",
                (true, false) => "task",
                (false, _) => "child",
            };
            legend.push(format!(
                "{ALIVE} is a {whose}, from its start to its end; the time behind it is how long that took."
            ));
        }
        let drawn = WORDS.iter().filter(|(sign, _)| self.signs.contains(sign));
        legend.extend(drawn.map(|(sign, word)| format!("{sign} is {word}.")));
        if self.a_count {
            let whose = if has(What::Job) { "a queue" } else { "\"more\"" };
            legend.push(format!("The number behind {whose} is what its █ stands for."));
        }
        legend
    }
}

/// What can be said in a sentence.
pub(crate) fn headline(picture: &Picture, n_workers: usize) -> String {
    let count = |is_one: &dyn Fn(&Span) -> bool| picture.spans.iter().filter(|s| is_one(s)).count();
    let [n_jobs, n_tasks, n_children] =
        [What::Job, What::Task, What::Child].map(|what| count(&|span| span.what == what));
    let jobs = format!(
        "{} on {}",
        numbered(n_jobs, "job", "jobs"),
        numbered(n_workers, "worker", "workers")
    );
    let tasks = numbered(n_tasks, "task", "tasks");
    let children = numbered(n_children, "child", "children");
    let things = [(n_jobs, jobs), (n_tasks, tasks), (n_children, children)];
    let things: Vec<_> =
        things.into_iter().filter(|(n, _)| *n > 0).map(|(_, words)| words).collect();
    let mut headline = format!("{} in {:.1?}", things.join(" and "), picture.total());

    let is_queued = |span: &Span| span.what == What::Job && span.left_queue().is_none();
    let has_ended = |span: &Span, how| span.settled.is_some_and(|(_, ending)| ending == how);
    let asides = [
        (count(&is_queued), "still queued"),
        (count(&|span| has_ended(span, Ending::Cancelled)), "cancelled"),
        (count(&|span| has_ended(span, Ending::Killed)), "killed"),
        (picture.n_forgotten, "older ones forgotten"),
    ];
    for (n, aside) in asides.into_iter().filter(|(n, _)| *n > 0) {
        write!(headline, ", {n} {aside}").expect("a String takes all that is written");
    }
    headline + "."
}

fn numbered(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A length in at most six characters: `1.25s`, `250ms`.
pub(crate) fn brief(time: Duration) -> String {
    if (1.0..100.0).contains(&time.as_secs_f64()) {
        format!("{time:.2?}")
    } else {
        format!("{time:.0?}")
    }
}

/// Puts sentences one behind the other, in lines that break between words.
pub(crate) fn wrap(sentences: &[String], width: usize) -> String {
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

    #[test]
    fn a_length_is_told_in_a_few_characters() {
        let told =
            [1, 250, 999, 1250, 61_000, 3_600_000].map(|ms| brief(Duration::from_millis(ms)));
        assert_eq!(told, ["1ms", "250ms", "999ms", "1.25s", "61.00s", "3600s"]);
    }

    #[test]
    fn every_sign_has_its_own_word() {
        let signs: BTreeSet<_> = WORDS.iter().map(|(sign, _)| sign).collect();
        let words: BTreeSet<_> = WORDS.iter().map(|(_, word)| word).collect();
        assert_eq!((signs.len(), words.len()), (WORDS.len(), WORDS.len()));
        assert!(!is_sign(ON_TOP) && !is_sign(ALIVE) && is_sign(CANCELLED));
    }
}

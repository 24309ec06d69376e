//! What a program is to the tour, and the stage that it speaks from.
//!
//! Knows nothing of any one program. A stage shows each line the moment it is said, with the time
//! since the program began, and keeps it, so that the output can be checked afterwards.

use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::fmt::Display;
use std::io::{Write, stdout};
use std::rc::Rc;
use std::time::{Duration, Instant};

use handspun::{Clock, Executor, Timeline, TraceEvent};

use crate::expected::Expected;

/// A terminal is at least this many columns wide.
const COLUMNS: usize = 80;

/// The lowest scale for a program that starts processes.
pub(crate) const LEAST_WITH_CHILDREN: f64 = 0.25;

/// What a program's page says about itself.
pub(crate) struct Program {
    /// What it is called on the command line; its file has the same name.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What to look at, in a sentence or two.
    pub(crate) shows: &'static str,
    /// The shortest time in which its sleeps can pass, or `None` where nothing sleeps.
    pub(crate) ideal: Option<Duration>,
    /// Whether it is tasks alone. A pool and a thread take real time; tasks can also be played under a
    /// clock that jumps.
    pub(crate) is_async: bool,
    /// Whether it starts processes.
    pub(crate) has_children: bool,
    pub(crate) run: fn(&Stage) -> Result<(), Box<dyn Error>>,
    pub(crate) expected: fn() -> Expected,
    /// `file!()`, so that whoever watches can read along.
    pub(crate) source: &'static str,
}

impl Program {
    /// The scale at which it plays if this one is asked for. To start a child takes a millisecond on an
    /// idle machine and fifty on a busy one, whatever the scale: a deadline must not be shorter than that.
    pub(crate) fn scale(&self, asked: f64) -> f64 {
        if self.has_children { asked.max(LEAST_WITH_CHILDREN) } else { asked }
    }
}

/// Where one program's output goes. A clone is the same stage, for a task that speaks itself.
///
/// A stage stays on the program's own thread (an `Rc` is not `Send`), which makes the compiler hold
/// a good habit: jobs return what they found, and whoever waits for them says it.
#[derive(Clone)]
pub(crate) struct Stage {
    clock: Clock,
    began: Instant,
    said: Rc<RefCell<Vec<String>>>,
    timeline: Timeline,
}

/// What is left of a program when it has been played.
pub(crate) struct Kept {
    /// The lines that were said, in the order in which they were.
    pub(crate) said: Vec<String>,
    /// What ran when, on the pools and the executors that were observed.
    pub(crate) timeline: Timeline,
}

impl Stage {
    /// A stage for one program, on this clock.
    pub(crate) fn new(clock: Clock) -> Self {
        let (began, timeline) = (clock.now(), Timeline::new());
        Self { clock, began, said: Rc::default(), timeline }
    }

    /// Shows a line now, and keeps it for the check.
    pub(crate) fn say(&self, line: impl Display) {
        let line = line.to_string();
        let mut margin = format!("{:>8.3} s │ ", self.elapsed().as_secs_f64());
        for row in wrap(&line, COLUMNS - margin.chars().count()) {
            print(format_args!("{margin}{row}"));
            margin = format!("{:>10} │ ", "");
        }
        self.said.borrow_mut().push(line);
    }

    /// How long the program has been playing.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.now() - self.began
    }

    /// What a program's tasks run on: observed, and on the clock of this performance.
    pub(crate) fn executor(&self) -> Executor {
        Executor::builder().clock(self.clock.clone()).observer(self.observer()).build()
    }

    /// For each pool of a program, so that its timeline can be shown.
    pub(crate) fn observer(&self) -> impl Fn(&TraceEvent) + Send + Sync + use<> + 'static {
        self.timeline.observer()
    }

    pub(crate) fn into_kept(self) -> Kept {
        Kept { said: self.said.take(), timeline: self.timeline }
    }
}

/// Raises the curtain: which program this is, what it shows, and where its page is.
pub(crate) fn announce(program: &Program) {
    let heading = format!("━━ {} ━━ {} ", program.name, program.title);
    print(format_args!("\n{heading:━<COLUMNS$}"));
    for row in wrap(program.shows, COLUMNS) {
        print(row);
    }
    print(format_args!("{}\n", program.source));
}

/// Shows what ran when, as wide as the terminal is if `COLUMNS` says so (a shell tells its children
/// after `export COLUMNS`). A program of raw threads has nothing to show.
pub(crate) fn show_timeline(timeline: &Timeline) {
    if timeline.spans().is_empty() {
        return;
    }
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    print(format_args!("\n{}", format!("{timeline:0$}", columns.unwrap_or(COLUMNS)).trim_end()));
}

/// Prints a line. It is tempting to use `println!`, but that panics when nobody reads on, and
/// `tour | head` is no mistake of the tour's: what cannot be shown is only not shown.
pub(crate) fn print(line: impl Display) {
    if cfg!(test) {
        return println!("{line}"); // A test's output is kept back unless it fails.
    }
    let _ = writeln!(stdout(), "{line}");
}

/// Breaks a text between words, into rows of at most `width` characters where words allow it.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + word.chars().count() <= width => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) | None => rows.push(word.to_owned()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_keeps_what_it_shows() {
        let stage = Stage::new(Clock::real());
        stage.say("first");
        stage.say(format_args!("{}nd", 2));
        assert_eq!(stage.into_kept().said, ["first", "2nd"]);
    }

    #[test]
    fn long_lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 13), ["one two three"]);
        assert_eq!(wrap("unbreakable a", 5), ["unbreakable", "a"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
